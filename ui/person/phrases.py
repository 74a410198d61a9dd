"""What the parts of the page of a person call a scout and a source."""

import re

from ui.parts.text import clean, plain, t

SOURCES = (
    "observational.lead_ledger",
    "observational.lead_events",
    "public.module_ct_migrations",
    "public.module_ct_scouting_daily",
    "public.module_ct_cabinet_payments",
)
NAMED_SCOUTS = 3

Names = dict[int, str | None]


def scout_words(scout: int | None, names: Names) -> str:
    """`scout 14 M. Huamán`, for where markdown is read."""
    if scout is None:
        return t("persona.nobody")
    return t("persona.scout", scout=plain(numbered(scout, names)))


def numbered(scout: int, names: Names) -> str:
    """`14 M. Huamán`; the number alone where the name says no more."""
    name = clean(names.get(scout) or "", 40)
    says_no_more = re.fullmatch(rf"(?:scout\W*)?0*{scout}", name, re.IGNORECASE) or not name
    return str(scout) if says_no_more else f"{scout} {name}"


def source_words(table: str) -> str:
    """A source in words; as it is where there are none."""
    return t(f"persona.source_{table.rpartition('.')[2]}") if table in SOURCES else clean(table)
