"""What somebody should look at, counted by reason, each reason opening its rows."""

from datetime import timedelta
from typing import Any

import streamlit as st

from scout_core import alerts
from scout_core.alerts import RuleCount
from ui import frame, link, read, site, tables
from ui.tables import Column
from ui.text import LIMA, NOTHING, clean, moment, number, plain, t

FAILED_DAYS = 7
REVIEW_RULES = (
    "AMBIGUOUS_LICENSE",
    "AMBIGUOUS_PHONE",
    "IDENTIFIERS_DISAGREE",
    "NO_IDENTIFIERS",
)
TOLD = {*alerts.ISSUE_RULES, *alerts.LEAD_RULES, *REVIEW_RULES, "JOB_FAILED"}
OWN_ACTION = ("UNKNOWN_SCOUT", "SCOUT_IN_EVENTS")


def show() -> None:
    """The page: reasons with their counts, then the rows of the chosen one."""
    page = frame.open_page("alerts")
    today = read.now().astimezone(LIMA).replace(hour=0, minute=0, second=0, microsecond=0)
    seen = read.one(alerts.count_by_rule, failed_since=today - timedelta(days=FAILED_DAYS - 1))
    counts: tuple[RuleCount, ...] = seen.value
    total = sum(count.row_count for count in counts)
    page.stamp(seen, t("alerts.total", count=number(total)))
    chosen = link.value("rule")
    if counts:
        _overview(counts, chosen)
    else:
        frame.empty(t("alerts.none"), t("alerts.none_hint", days=FAILED_DAYS))
    if chosen is not None and chosen != "JOB_FAILED":
        _rows(chosen, counts)


def _overview(counts: tuple[RuleCount, ...], chosen: str | None) -> None:
    rules = [count.rule for count in counts]
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("alerts.list"))
        st.caption(t("alerts.intro"))
        selected = tables.show(
            [
                Column("rule", t("alerts.column_rule"), pinned=True),
                Column("rows", t("alerts.column_rows"), right=True),
                Column("list", t("alerts.column_list")),
                Column("since", t("alerts.column_since")),
                Column("next", t("alerts.column_next")),
            ],
            [
                {
                    "rule": _rule(count.rule),
                    "rows": number(count.row_count),
                    "list": t(f"alerts.list_{count.list_name}"),
                    "since": moment(count.since),
                    "next": _next(count),
                }
                for count in counts
            ],
            key=f"alerts_overview_{chosen}",
            alt=t("alerts.overview_alt"),
            select=True,
            selected=rules.index(chosen) if chosen in rules else None,
        )
        if chosen is None:
            st.caption(t("alerts.overview_hint"))
    if selected is None or rules[selected] == chosen:
        return
    if rules[selected] == "JOB_FAILED":
        today = read.now().astimezone(LIMA).date()
        first = today - timedelta(days=FAILED_DAYS - 1)
        site.go("runs", status="FAILED", days=f"{first}_{today}")
    link.put(rule=rules[selected], **dict.fromkeys(link.CURSORS))
    st.rerun()


def _rule(rule: str | None) -> str:
    if rule in TOLD:
        return t(f"alerts.rule_{rule}")
    return clean(rule) if rule else t("alerts.rule_OTHER")


def _next(count: RuleCount) -> str:
    return t(f"alerts.next_{count.rule if count.rule in OWN_ACTION else count.list_name}")


def _rows(rule: str, counts: tuple[RuleCount, ...]) -> None:
    list_name = next((c.list_name for c in counts if c.rule == rule), _list_of(rule))
    reader, columns, as_row = {
        "issues": (alerts.list_issues, _ISSUE_COLUMNS, _issue),
        "review": (alerts.list_review, _REVIEW_COLUMNS, _review),
        "leads": (alerts.list_leads, _LEAD_COLUMNS, _lead),
    }[list_name]
    with st.container(border=True, gap="xsmall"):
        heading = st.empty()
        sort = link.tabs(
            "sort", t("alerts.sort"), ("newest", "oldest"), shown=lambda s: t(f"alerts.sort_{s}")
        )
        page = read.one(
            reader,
            rule,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ).value
        with heading.container():
            title = frame.card_title(
                t("alerts.rows_of", rule=plain(_rule(rule)), count=number(page.total))
            )
            with title:
                st.button(
                    t("alerts.close"),
                    icon=":material/close:",
                    type="tertiary",
                    on_click=link.clear,
                    args=("rule",),
                    key="alerts_close",
                )
        if not page.rows:
            st.caption(t("alerts.rows_none"))
            return
        st.caption(t("alerts.rows_hint"))
        chosen = tables.show(
            [Column(key, t(f"alerts.column_{key}"), **how) for key, how in columns],
            [as_row(row) for row in page.rows],
            key=f"alerts_rows_{list_name}",
            alt=t("alerts.rows_alt"),
            select=True,
        )
        tables.pager(page, key="alerts_pager")
    if chosen is not None:
        key = _person_of(page.rows[chosen])
        if key is not None:
            site.go("persona", key=key)


def _list_of(rule: str) -> str:
    if rule in alerts.ISSUE_RULES:
        return "issues"
    return "leads" if rule in alerts.LEAD_RULES else "review"


_ISSUE_COLUMNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("row", {"pinned": True}),
    ("value", {}),
    ("person", {}),
    ("source", {}),
    ("first", {}),
    ("last", {}),
)
_REVIEW_COLUMNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("row", {"pinned": True}),
    ("candidates", {"kind": "chips"}),
    ("candidate_count", {"right": True}),
    ("source", {}),
    ("first", {}),
)
_LEAD_COLUMNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lead", {"pinned": True}),
    ("created", {}),
    ("person", {}),
    ("hint", {}),
)


def _issue(row: alerts.Issue) -> dict[str, Any]:
    return {
        "row": row.source_pk,
        "value": row.raw_excerpt or NOTHING,
        "person": _short(row.person_key),
        "source": row.source_table,
        "first": moment(row.first_seen_at),
        "last": moment(row.last_seen_at),
    }


def _review(row: alerts.ReviewRow) -> dict[str, Any]:
    return {
        "row": row.source_pk,
        "candidates": [key[:8] for key in row.candidate_person_keys],
        "candidate_count": number(row.candidate_count),
        "source": row.source_table,
        "first": moment(row.created_at),
    }


def _lead(row: alerts.LeadWithoutScout) -> dict[str, Any]:
    if row.potential_scout_id is not None:
        hint = str(row.potential_scout_id)
    else:
        hint = t("alerts.several") if row.has_scout_in_events else NOTHING
    return {
        "lead": row.external_id or str(row.cabinet_lead_id),
        "created": moment(row.lead_created_at),
        "person": _short(row.person_key),
        "hint": hint,
    }


def _short(person_key: str | None) -> str:
    return person_key[:8] if person_key else NOTHING


def _person_of(row: Any) -> str | None:
    """The person that a row leads to; of a row to review the first candidate."""
    if isinstance(row, alerts.ReviewRow):
        return row.candidate_person_keys[0] if row.candidate_person_keys else None
    key: str | None = row.person_key
    return key


show()
