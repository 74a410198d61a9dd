"""The checks of the sources on the page of alerts: what each found, and its rows."""

from typing import Any

import streamlit as st

from scout_core.access.permissions import Actor, may
from scout_core.errors import ScoutError
from scout_core.health import source_checks
from scout_core.health.source_checks import CheckResult, QualityFilters, QualityRow
from ui.alerts.phrases import rule_of
from ui.parts import frame, link, lists, read, site, tables, who
from ui.parts.frame import Page
from ui.parts.tables import Column
from ui.parts.text import (
    NOTHING,
    catalogue,
    clean,
    full_day,
    moment,
    number,
    plain,
    refusal,
    signed,
    t,
)

CHECK = "check"
VIEW = "view"
RAN = "quality_ran"


def shown(page: Page) -> bool:
    """The switch between alerts and the checks of the sources; whether the checks were chosen, and
    so are shown."""
    chosen = link.tabs(
        VIEW,
        t("quality.view"),
        ("alerts", "quality"),
        shown=lambda name: t(f"quality.view_{name}"),
    )
    if chosen == "quality":
        show(page)
    return chosen == "quality"


def show(page: Page) -> None:
    """Every check with what it found, then the rows of the chosen one."""
    seen = read.one(source_checks.list_results)
    results = tuple(sorted(seen.value, key=_place))
    ran = [r.last.ran_at for r in results if r.last is not None]
    found = sum(r.last.row_count or 0 for r in results if r.last is not None)
    page.stamp(seen, t("quality.total", count=number(found)))
    _notice()
    chosen = link.value(CHECK)
    with st.container(border=True, gap="xsmall"):
        with frame.card_title(t("quality.title")):
            _run_button(page.actor)
        if not ran:
            frame.empty(t("quality.never"), t("quality.never_hint"))
            return
        st.caption(t("quality.intro", time=moment(max(ran))))
        selected = _overview(results, chosen)
    names = [result.check.name for result in results]
    if selected is not None and names[selected] != chosen:
        link.put(check=names[selected], **dict.fromkeys((*link.CURSORS, "sort")))
        st.rerun()
    if chosen in names:
        _check(page, results[names.index(chosen)])


def _overview(results: tuple[CheckResult, ...], chosen: str | None) -> int | None:
    names = [result.check.name for result in results]
    selected = tables.show(
        [
            Column("check", t("quality.column_check"), pinned=True),
            Column("rows", t("quality.column_rows"), right=True),
            Column("change", t("quality.column_change"), right=True),
            Column("state", t("quality.column_state")),
            Column("next", t("quality.column_next")),
        ],
        [
            {
                "check": t(f"quality.name_{r.check.name}"),
                "rows": number(r.last.row_count if r.last else None),
                "change": _change(r),
                "state": t(f"quality.state_{_state(r)}"),
                "next": _next(r),
            }
            for r in results
        ],
        key=f"quality_overview_{chosen}",
        alt=t("quality.overview_alt"),
        select=True,
        selected=names.index(chosen) if chosen in names else None,
    )
    if chosen not in names:
        st.caption(t("quality.overview_hint"))
    return selected


def _place(result: CheckResult) -> tuple[int, int]:
    """What could not be checked first, then what was found, the gravest and most first."""
    order = ("FAILED", "FAIL", "WARN", "INFO", "UNKNOWN", "OK")
    count = result.last.row_count if result.last else None
    return order.index(_state(result)), -(count or 0)


def _state(result: CheckResult) -> str:
    if result.last is None:
        return "UNKNOWN"
    return result.check.severity if result.last.state == "FOUND" else result.last.state


def _next(result: CheckResult) -> str:
    if result.last is None or result.last.state == "FAILED":
        return t("quality.next_FAILED")
    return t(f"quality.next_{result.check.name}") if result.last.row_count else t("quality.next_OK")


def _change(result: CheckResult) -> str:
    if result.last is None or result.last.row_count is None or result.count_before is None:
        return NOTHING
    return signed(result.last.row_count - result.count_before)


def _check(page: Page, result: CheckResult) -> None:
    check, last = result.check, result.last
    with st.container(border=True, gap="xsmall"):
        heading = st.empty()
        st.caption(t(f"quality.finds_{check.name}"))
        if last is not None and last.state == "FAILED":
            st.error(
                plain(last.error or ""),
                title=t("quality.failed", time=moment(last.ran_at)),
                icon=":material/error:",
            )
        sort = link.tabs(
            "sort",
            t("quality.sort"),
            ("newest", "oldest"),
            shown=lambda name: t(f"quality.sort_{name}"),
        )
        given = QualityFilters(check.name)
        listed = read.one(
            source_checks.list_rows,
            given,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ).value
        with heading.container():
            title = frame.card_title(
                t(
                    "quality.rows_of",
                    check=t(f"quality.name_{check.name}"),
                    count=number(listed.total),
                )
            )
            with title:
                st.button(
                    t("quality.close"),
                    icon=":material/close:",
                    type="tertiary",
                    on_click=link.clear,
                    args=(CHECK, "sort"),
                    key="quality_close",
                )
        lists.export_menu(page, "quality", given, sort, listed.total)
        if not listed.rows:
            frame.empty(t("quality.rows_none"))
            return
        # a column that says nothing in any row is left out
        has_person = any(row.person_key not in (None, row.source_pk) for row in listed.rows)
        has_day = any(row.on_date is not None for row in listed.rows)
        chosen = tables.show(
            [
                Column("row", t("quality.column_row"), pinned=True),
                Column("detail", t("quality.column_detail")),
                *([Column("person", t("quality.column_person"))] if has_person else []),
                *([Column("day", t("quality.column_day"))] if has_day else []),
                Column("source", t("quality.column_source")),
                Column("found", t("quality.column_found")),
            ],
            [_cells(row) for row in listed.rows],
            key=f"quality_rows_{check.name}",
            alt=t("quality.rows_alt"),
            select=True,
        )
        if any(row.person_key for row in listed.rows):
            st.caption(t("quality.rows_hint"))
        tables.pager(listed, key="quality_pager")
    if chosen is not None and listed.rows[chosen].person_key is not None:
        site.go("persona", key=listed.rows[chosen].person_key)


def _cells(row: QualityRow) -> dict[str, Any]:
    is_person = row.source_pk == row.person_key
    return {
        "row": row.source_pk[: lists.SHORT_KEY] if is_person else row.source_pk,
        "detail": detail(row.detail),
        "person": row.person_key[: lists.SHORT_KEY] if row.person_key else NOTHING,
        "day": full_day(row.on_date),
        "source": row.source_table,
        "found": moment(row.found_at),
    }


def detail(facts: str) -> str:
    """The facts of a row in words: `first_row=17; rows=3` -> primera fila 17 · filas 3."""
    if facts.startswith("value="):
        return clean(facts.removeprefix("value="))
    words = []
    for fact in facts.split("; "):
        name, _, value = fact.partition("=")
        key = f"quality.fact_{name}"
        if name == "rule":
            words.append(rule_of(value))
        else:
            words.append(f"{t(key)} {clean(value)}" if key in catalogue() else clean(fact))
    return " · ".join(words)


def _run_button(actor: Actor) -> None:
    if not may(actor, "run"):
        return
    st.button(
        t("quality.run"),
        icon=":material/rule:",
        on_click=_run,
        key="quality_run",
    )


@who.acting("run")
def _run(actor: Actor) -> None:
    try:
        ran = source_checks.run_checks(read.database(), read.settings(), read.now(), actor=actor)
    except ScoutError as exc:
        st.session_state[RAN] = (False, refusal(exc))
    else:
        found = sum(r.last.row_count or 0 for r in ran if r.last is not None)
        st.session_state[RAN] = (True, t("quality.ran", checks=len(ran), count=number(found)))
    read.forget()


def _notice() -> None:
    """What became of the checks that were just run; once."""
    told: tuple[bool, str] | None = st.session_state.pop(RAN, None)
    if told is None:
        return
    if told[0]:
        st.toast(told[1], icon=":material/check_circle:")
    else:
        st.error(told[1], title=t("quality.not_run"), icon=":material/block:")
