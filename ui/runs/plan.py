"""What the next run would do, row by row, when somebody asks."""

from collections import Counter
from typing import Any

import streamlit as st

from scout_core.db.database import CHECK
from scout_core.errors import DatabaseAway
from scout_core.job import refresh
from scout_core.job.refresh import Plan
from ui.parts import frame, read, site, tables
from ui.parts.tables import Column
from ui.parts.text import NOTHING, clock, number, t
from ui.runs.phrases import rule_words

PATIENCE = 120.0  # seconds that the plan may take here
PLAN_ROWS = 200


def show() -> None:
    """The button, then the plan with its time."""
    kept = st.session_state.get("runs_plan")
    with st.container(border=True, gap="small"):
        st.markdown(t("runs.plan_intro"))
        pressed = st.button(
            t("runs.plan_again" if kept else "runs.plan_make"),
            type="secondary" if kept else "primary",
            icon=":material/calculate:",
            key="runs_plan_make",
        )
        if pressed:
            try:
                with st.spinner(t("runs.plan_working")):
                    planned = read.guarded(
                        lambda conn: refresh.plan(conn, read.settings()),
                        profile=CHECK,
                        wait=PATIENCE,
                    )
            except DatabaseAway:
                st.warning(t("runs.plan_late"), icon=":material/hourglass_top:")
                return
            kept = st.session_state["runs_plan"] = (planned, read.now())
    if kept is not None:
        _show_plan(*kept)


def _show_plan(planned: Plan, at: Any) -> None:
    st.caption(t("runs.plan_at", time=clock(at)))
    links = [row for row in planned.links if row.outcome == "LINK"]
    left = [row for row in planned.links if row.outcome != "LINK"]
    count = number(planned.changed_rows)
    if planned.guard is not None:
        frame.verdict(
            "WARN",
            t("runs.plan_guard"),
            t("runs.plan_guard_body", count=count, persons=number(planned.total_persons)),
        )
    if planned.changed_rows == 0:
        frame.empty(t("runs.plan_nothing"), t("runs.plan_nothing_hint"))
    else:
        st.header(
            t(
                "runs.plan_title",
                count=count,
                links=number(len(links)),
                scouts=number(len(planned.scouts)),
            ),
            anchor=False,
        )
        if planned.is_first_run:
            st.caption(t("runs.plan_first"))
    rows = [
        *_counted(t("runs.plan_link"), Counter(row.match_rule for row in links)),
        *_counted(t("runs.plan_leave"), Counter(row.reason_code for row in left)),
        *_counted(
            t("runs.plan_give"),
            {"BACKFILL_SINGLE_SCOUT_FROM_EVENTS": len(planned.scouts)} if planned.scouts else {},
        ),
        *_counted(t("runs.plan_skip"), planned.skipped_scouts),
    ]
    if rows:
        with st.container(border=True, gap="xsmall"):
            frame.card_title(t("runs.plan_by_rule"))
            tables.show(
                [
                    Column("what", t("runs.column_what"), pinned=True),
                    Column("rule", t("runs.column_rule")),
                    Column("rows", t("runs.column_rows"), right=True),
                ],
                rows,
                key="runs_plan_rules",
                alt=t("runs.plan_alt"),
            )
            fresh = sum(row.is_new_reason for row in left)
            if fresh:
                st.caption(t("runs.plan_new_reason", count=number(fresh)))
    if planned.links:
        _plan_links(links + left)
    if planned.scouts:
        _plan_scouts(planned)


def _counted(what: str, counts: Any) -> list[dict[str, Any]]:
    return [
        {"what": what, "rule": rule_words(rule), "rows": number(count)}
        for rule, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]


def _plan_links(rows: list[refresh.PlannedLink]) -> None:
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("runs.plan_links"))
        _capped(len(rows))
        tables.show(
            [
                Column("row", t("runs.column_row"), pinned=True),
                Column("scout", t("runs.column_scout"), right=True),
                Column("what", t("runs.column_what")),
                Column("rule", t("runs.column_rule")),
                Column("person", t("runs.column_person")),
            ],
            [
                {
                    "row": row.source_pk,
                    "scout": str(row.scout_id),
                    "what": t(_what(row)),
                    "rule": rule_words(row.match_rule or row.reason_code),
                    "person": t("runs.new_person")
                    if row.is_new_person
                    else (row.person_key or NOTHING)[:8],
                }
                for row in rows[:PLAN_ROWS]
            ],
            key="runs_plan_links",
            alt=t("runs.plan_links_alt"),
        )


def _what(row: refresh.PlannedLink) -> str:
    if row.outcome != "LINK":
        return "runs.plan_leave"
    return "runs.plan_move" if row.moved_from else "runs.plan_link"


def _plan_scouts(planned: Plan) -> None:
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("runs.plan_scouts"))
        _capped(len(planned.scouts))
        shown = planned.scouts[:PLAN_ROWS]
        chosen = tables.show(
            [
                Column("person", t("runs.column_person"), pinned=True),
                Column("scout", t("runs.column_scout"), right=True),
                Column("ledger", t("runs.column_ledger")),
            ],
            [
                {
                    "person": row.person_key[:8],
                    "scout": str(row.scout_id),
                    "ledger": t("runs.ledger_there" if row.has_ledger_row else "runs.ledger_new"),
                }
                for row in shown
            ],
            key="runs_plan_scouts",
            alt=t("runs.plan_scouts_alt"),
            select=True,
        )
    if chosen is not None:
        site.go("persona", key=shown[chosen].person_key)


def _capped(total: int) -> None:
    if total > PLAN_ROWS:
        st.caption(t("runs.plan_capped", shown=number(PLAN_ROWS), total=number(total)))
