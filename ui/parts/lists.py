"""What the pages of lists share: scouts by name, exports of the rows on screen, small labels."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from scout_core.attribution import stakes
from scout_core.lists.paging import Group, Page
from ui.parts import exports, frame, link, read, site, tables
from ui.parts.text import clean, joined, plain, t
from ui.parts.text import money as soles_of

SHORT_KEY = 8
ORIGINS = ("migration", "scout_registration", "cabinet_payment", "cabinet_lead")

Names = Mapping[int, str | None]


def scout_names() -> Names:
    """What the list of scouts calls each of them."""
    return dict(read.one(stakes.list_scouts).value)


def scout_label(scout: int | None, names: Names, limit: int = 24) -> str:
    """14 M. Huamán; the number alone when the list has no name for it."""
    if scout is None:
        return ""
    name = name_of(scout, names.get(scout), limit)
    return f"{scout} {name}" if name else str(scout)


def name_of(scout: int, raw: str | None, limit: int = 24) -> str:
    """What the list calls a scout, for a label: cleaned, single blanks; '' where it has no name
    for it or one that says no more than the number, as "Scout 014"."""
    name = " ".join(clean(raw or "", limit).split())
    return "" if re.fullmatch(rf"(?:scout\W*)?0*{scout}", name, re.IGNORECASE) else name


def origin(tag: str) -> str:
    """An origin tag in words, for markdown; one that is not known as it is."""
    return t(f"lists.origin_{tag}") if tag in ORIGINS else plain(tag)


def scout_choice(names: Names, **layout: Any) -> int | None:
    """The filter ?scout=, over the list of scouts; a number that the list lacks is kept too."""
    options = [str(scout) for scout in names]
    given = link.value("scout")
    if given and given not in options and given.isascii() and given.isdecimal():
        options = [*options, given][-1:] + options
    chosen = link.choice(
        "scout", t("lists.scout"), options, shown=lambda s: scout_label(int(s), names), **layout
    )
    return int(chosen) if chosen and len(chosen) <= 10 else None


def order(sorts: Mapping[str, object], words: Callable[[str], str]) -> str:
    """The two orders of a list in the address (?sort=); the first is the default."""
    return link.tabs("sort", t("lists.sort"), list(sorts), shown=words)


def soles(amount: Decimal | None) -> str:
    """S/ 1,250, with cents only when there are some; nothing known is a dash."""
    return soles_of(amount, cents=amount is not None and amount != amount.to_integral_value())


def total_of(groups: Sequence[Group]) -> tuple[int, Decimal | None]:
    """Rows and soles of some groups together; null = no amount is known."""
    known = [group.amount_pen for group in groups if group.amount_pen is not None]
    return sum(group.row_count for group in groups), sum(known, Decimal(0)) if known else None


def export_menu(page: frame.Page, name: str, filters: Any, sort: str, rows: int) -> None:
    """The export of a list under the filters and in the order that are on screen."""
    with page.head:
        exports.menu(rows, name, filters, sort)


def open_person(listed: Page[Any], click_key: str) -> None:
    """Go to the person whose row was clicked; call it before the table is drawn."""
    click = st.session_state.get(click_key)
    if click is None or click["row"] >= len(listed.rows):
        return
    person = listed.rows[click["row"]].person_key
    if person is not None:
        site.go("persona", key=person)


def see_column(click_key: str) -> tables.Column:
    """The column with the link to the person of the row."""
    return tables.Column(
        "see", t("lists.history"), kind="button", click_key=click_key, width="small"
    )


def see_cell() -> str:
    """What stands in that column."""
    words = t("lists.see")
    return f":material/arrow_forward: {words}"


def no_rows(given: Mapping[str, str | None]) -> None:
    """No row under these filters: says which ones, with the button that takes them away.

    given: the name in the address -> the filter in words, null when it is not set.
    """
    *others, last = [word for word in given.values() if word]
    words = t("lists.and").join([joined(others), last] if others else [last])
    frame.empty(t("lists.none_with", filters=plain(words)), filters=tuple(given))
