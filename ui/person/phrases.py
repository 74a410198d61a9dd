"""What the parts of the page of a person call a scout and a source."""

from ui.parts import lists
from ui.parts.text import clean, plain, t

SOURCES = (
    "observational.lead_ledger",
    "observational.lead_events",
    "public.module_ct_migrations",
    "public.module_ct_scouting_daily",
    "public.module_ct_cabinet_payments",
)
NAMED_SCOUTS = 3
NAME_LENGTH = 40

Names = dict[int, str | None]


def scout_words(scout: int | None, names: Names) -> str:
    """`scout 14 M. Huamán`, for where markdown is read."""
    if scout is None:
        return t("persona.nobody")
    return t("persona.scout", scout=plain(lists.scout_label(scout, names, NAME_LENGTH)))


def source_words(table: str) -> str:
    """A source in words; as it is where there are none."""
    return t(f"persona.source_{table.rpartition('.')[2]}") if table in SOURCES else clean(table)
