"""Who changed what, and whether all that must hold does."""

from typing import Any

import streamlit as st

from scout_core.db.database import Database
from scout_core.errors import DatabaseAway
from scout_core.health import invariants
from scout_core.lists.filters import MAX_SCOUT_ID
from scout_core.runs import audit
from scout_core.runs.audit import AuditFilters, AuditRow, ExportedAudit
from ui.parts import exports, frame, link, read, site, tables
from ui.parts.tables import Column
from ui.parts.text import NOTHING, catalogue, clean, clock, moment, number, plain, t
from ui.runs.phrases import id_of, rule_words

PATIENCE = 120.0  # seconds that the checks may take here


def show_rows(page: frame.Page) -> None:
    """The rows of one audit table under a filter of the address."""
    table = link.tabs(
        "table", t("runs.table"), tuple(audit.TABLES), shown=lambda name: t(f"runs.table_{name}")
    )
    with st.grid(6, min_column_width=140, vertical_alignment="bottom") as grid:
        person = link.search("q", t("runs.person"), placeholder=t("runs.person_placeholder"))
        run = link.search("run", t("runs.run"), placeholder=t("runs.run_placeholder"))
        method = link.choice("method", t("runs.method"), audit.METHODS[table], shown=rule_words)
        actor = link.search("actor", t("runs.actor"), placeholder=t("runs.actor_placeholder"))
        with grid.cell(column_span=2):
            days = link.days("days", t("runs.days"))
    sort = link.tabs(
        "sort", t("runs.sort"), tuple(audit.SORTS), shown=lambda s: t(f"runs.sort_{s}")
    )
    since, until = days or (None, None)
    # a run that cannot be is one that changed nothing
    run_id = (id_of("run") or MAX_SCOUT_ID) if run else None
    given = AuditFilters(
        person=person, run_id=run_id, method=method, actor=actor, since=since, until=until
    )
    seen = read.one(
        audit.list_rows,
        table,
        given,
        sort=sort,
        after=link.value(link.AFTER),
        before=link.value(link.BEFORE),
    )
    listed = seen.value
    page.stamp(seen, t("runs.audit_total", count=number(listed.total)))
    with page.head:
        exports.menu(listed.total, "audit", ExportedAudit(**vars(given), table=table), sort)
    if listed.rows:
        _audit_list(listed, table)
    elif given == AuditFilters():
        frame.empty(t("runs.audit_none"), t("runs.audit_none_hint"))
    else:
        names = ("q", "run", "method", "actor", "days")
        frame.empty(t("runs.audit_none_filtered"), filters=names)


def _audit_list(listed: Any, table: str) -> None:
    chosen = tables.show(
        [
            Column("time", t("runs.column_time"), pinned=True),
            Column("action", t("runs.column_action")),
            Column("person", t("runs.column_person")),
            Column("before", t("runs.column_before"))
            if table != "links"
            else Column("source", t("runs.column_source")),
            Column("method", t("runs.column_method")),
            Column("run", t("runs.column_run"), right=True),
            Column("actor", t("runs.column_actor")),
        ],
        [_audit_row(row) for row in listed.rows],
        key=f"runs_audit_{table}",
        alt=t("runs.audit_alt"),
        select=True,
    )
    tables.pager(listed, key="runs_audit_pager")
    st.caption(t("runs.audit_hint"))
    if chosen is not None and listed.rows[chosen].person_key is not None:
        site.go("persona", key=listed.rows[chosen].person_key)


def _audit_row(row: AuditRow) -> dict[str, Any]:
    old = NOTHING if row.old_scout_id is None else str(row.old_scout_id)
    new = NOTHING if row.new_scout_id is None else str(row.new_scout_id)
    return {
        "time": moment(row.changed_at, seconds=True),
        "action": t(f"runs.action_{row.action}"),
        "person": row.person_key[:8] if row.person_key else NOTHING,
        "before": f"{old} → {new}",
        "source": f"{row.source_table} {row.source_pk}",
        "method": rule_words(row.method),
        "run": NOTHING if row.run_id is None else str(row.run_id),
        "actor": row.actor or NOTHING,
    }


def show_checks() -> None:
    """The button, then each invariant with its outcome."""
    kept = st.session_state.get("runs_checks")
    with st.container(border=True, gap="small"):
        st.markdown(t("runs.checks_intro"))
        if st.button(
            t("runs.checks_run"),
            type="primary",
            icon=":material/fact_check:",
            key="runs_checks_run",
        ):
            try:
                with st.spinner(t("runs.checks_working")):
                    results = read.awaited(_verify, wait=PATIENCE)
            except DatabaseAway:
                st.warning(t("runs.checks_late"), icon=":material/hourglass_top:")
                return
            kept = st.session_state["runs_checks"] = (results, read.now())
    if kept is None:
        return
    results, at = kept
    broken = [result for result in results if not result.holds]
    if broken:
        frame.verdict(
            "FAIL", t("runs.checks_broken", count=number(len(broken))), t("runs.checks_broken_body")
        )
    else:
        body = t("runs.checks_all_hold_body", count=number(len(results)), time=clock(at))
        frame.verdict("OK", t("runs.checks_all_hold"), body)
    tables.show(
        [
            Column("result", t("runs.column_result"), pinned=True),
            Column("check", t("runs.column_check"), width="large"),
        ],
        [
            {
                "result": t("runs.holds")
                if result.holds
                else t("runs.broken", count=number(result.offending_count)),
                "check": _check(result),
            }
            for result in sorted(results, key=lambda result: result.holds)
        ],
        key="runs_checks_table",
        alt=t("runs.checks_alt"),
    )
    for result in broken:
        with st.expander(t("runs.sample", check=plain(_check(result)))):
            st.text("\n".join(clean(row, 400) for row in result.sample))


def _verify(db: Database) -> list[invariants.CheckResult]:
    return invariants.verify(db, settings=read.settings())


def _check(result: invariants.CheckResult) -> str:
    key = f"runs.check_{result.name}"
    return t(f"runs.check_{result.name}") if key in catalogue() else clean(result.label, 200)
