"""The views of runs: what the job did, would do now, who changed what, whether all holds."""

from collections import Counter
from typing import Any

import streamlit as st

from scout_core import audit, checks, history, refresh
from scout_core.audit import AuditFilters, AuditRow, ExportedAudit
from scout_core.database import CHECK
from scout_core.errors import DatabaseAway, NotFound
from scout_core.filters import MAX_SCOUT_ID
from scout_core.history import PastRun, RunFilters, RunReport, Seal, Step
from scout_core.refresh import Plan
from ui import exports, frame, link, read, site, tables, undo
from ui.tables import Column
from ui.text import NOTHING, catalogue, clean, clock, duration, moment, number, plain, t

VIEWS = ("history", "plan", "audit", "checks")
PATIENCE = 120.0  # seconds that the plan and the checks may take here
PLAN_ROWS = 200
EVENTS = ("read", "used", "without_scout", "unreadable", "unlinked")


def show(page: frame.Page) -> None:
    """One of the four views."""
    undo.notice()
    view = link.tabs("view", t("runs.view"), VIEWS, shown=lambda name: t(f"runs.view_{name}"))
    {"history": _history, "plan": _plan, "audit": _audit, "checks": _checks}[view](page)


# The runs there were


def _history(page: frame.Page) -> None:
    with st.grid(6, min_column_width=140, vertical_alignment="bottom") as grid:
        kind = link.choice(
            "kind", t("runs.kind"), history.KINDS, shown=lambda k: t(f"runs.kind_{k}")
        )
        status = link.choice(
            "status", t("runs.status"), history.STATUSES, shown=lambda s: t(f"common.state_{s}")
        )
        trigger = link.choice(
            "trigger", t("runs.trigger"), history.TRIGGERS, shown=lambda s: t(f"runs.trigger_{s}")
        )
        with grid.cell(column_span=2):
            days = link.days("days", t("runs.days"))
        changed = link.flag("changed", t("runs.changed"))
    sort = link.tabs(
        "sort", t("runs.sort"), tuple(history.SORTS), shown=lambda s: t(f"runs.sort_{s}")
    )
    since, until = days or (None, None)
    given = RunFilters(
        kind=kind,
        status=status,
        trigger=trigger,
        since=since,
        until=until,
        changed_only=changed,
    )
    seen = read.one(
        history.list_runs,
        given,
        sort=sort,
        after=link.value(link.AFTER),
        before=link.value(link.BEFORE),
    )
    listed = seen.value
    page.stamp(seen, t("runs.total", count=number(listed.total)))
    with page.head:
        exports.menu(listed.total, "runs", given, sort)
    chosen = _number("run")
    if listed.rows:
        _run_list(listed, chosen)
    elif given == RunFilters():
        frame.empty(t("runs.none"), t("runs.none_hint"))
    else:
        names = ("kind", "status", "trigger", "days", "changed")
        frame.empty(t("runs.none_filtered"), filters=names)
    if chosen is not None:
        _run_card(page, chosen)


def _run_list(listed: Any, chosen: int | None) -> None:
    ids = [run.run_id for run in listed.rows]
    selected = tables.show(
        [
            Column("run", t("runs.column_run"), pinned=True, right=True),
            Column("started", t("runs.column_started")),
            Column("status", t("runs.column_status")),
            Column("duration", t("runs.column_duration"), right=True),
            Column("links", t("runs.column_links"), right=True),
            Column("scouts", t("runs.column_scouts"), right=True),
            Column("trigger", t("runs.column_trigger")),
            Column("actor", t("runs.column_actor")),
            Column("kind", t("runs.column_kind")),
            Column("reason", t("runs.column_reason")),
        ],
        [
            {
                "run": str(run.run_id),
                "started": moment(run.started_at),
                "status": t(f"common.state_{run.status}"),
                "duration": duration(run.duration_seconds),
                "links": number(run.link_count),
                "scouts": number(run.scout_count),
                "trigger": _trigger(run),
                "actor": run.actor or NOTHING,
                "kind": _kind(run),
                "reason": run.error or run.reason or NOTHING,
            }
            for run in listed.rows
        ],
        # a selection belongs to these rows: with a new run on top they are other ones
        key=f"runs_list_{hash((chosen, *ids))}",
        alt=t("runs.history_alt"),
        select=True,
        selected=ids.index(chosen) if chosen in ids else None,
    )
    tables.pager(listed, key="runs_pager")
    if chosen is None:
        st.caption(t("runs.history_hint"))
    if selected is not None and ids[selected] != chosen:
        link.put(run=str(ids[selected]))
        st.rerun()


def _trigger(run: PastRun) -> str:
    known = run.trigger in history.TRIGGERS
    return t(f"runs.trigger_{run.trigger}") if known else t("runs.trigger_other")


def _kind(run: PastRun) -> str:
    return t(f"runs.kind_{run.kind}") if run.kind in history.KINDS else clean(run.kind)


def _run_card(page: frame.Page, run_id: int) -> None:
    try:
        told, counts = read.many(
            read.call(history.explain_run, run_id), read.call(audit.count_of_run, run_id)
        ).value
    except NotFound:
        frame.empty(t("runs.unknown", run=run_id), t("runs.unknown_hint"), filters=("run",))
        return
    with st.container(border=True, gap="small"):
        _run_head(told)
        left, right = st.columns((1, 1))
        with left.container(border=True, gap="xsmall", height="stretch"):
            _steps(told)
        with right.container(border=True, gap="xsmall", height="stretch"):
            _written(run_id, counts)
        if any(step.by_rule or step.skipped or _noted(step) for step in told.steps):
            with st.container(border=True, gap="xsmall"):
                _reasons(told.steps)
        st.caption(_sealed(told.seal, run_id))
        if link.flag("undo", t("undo.show")):
            with st.container(border=True, gap="xsmall"):
                undo.section(page.actor, run_id)


def _run_head(told: RunReport) -> None:
    run = told.run
    title = frame.card_title(t("runs.card", run=run.run_id))
    with title.container(horizontal=True, vertical_alignment="center", width="content"):
        badges = [frame.badge(run.status), f":gray-badge[{_kind(run)}]"]
        if run.is_forced:
            forced = t("runs.forced")
            badges.append(f":orange-badge[:material/priority_high: {forced}]")
        st.markdown(" ".join(badges), width="content")
        st.button(
            t("runs.close"),
            icon=":material/close:",
            type="tertiary",
            on_click=link.put,
            kwargs={"run": None},
            key="runs_close",
        )
    if run.status == "RUNNING":
        sentence = t("runs.sentence_RUNNING", time=moment(run.started_at, seconds=True))
    elif run.status == "FAILED":
        sentence = t("runs.sentence_FAILED", duration=duration(run.duration_seconds))
    elif run.link_count is None and run.scout_count is None:
        sentence = t("runs.sentence_COMPLETED_other", duration=duration(run.duration_seconds))
    else:
        sentence = t(
            "runs.sentence_COMPLETED",
            duration=duration(run.duration_seconds),
            links=number(run.link_count or 0),
            scouts=number(run.scout_count or 0),
        )
    st.markdown(f"**{sentence}**")
    if run.error:
        st.error(plain(clean(run.error, 300)), icon=":material/error:")
    if run.reason:
        st.markdown(t("runs.why", reason=plain(clean(run.reason, 1000))))
    st.caption(
        t(
            "runs.caption",
            trigger=_trigger(run),
            actor=plain(run.actor or NOTHING),
            start=moment(run.started_at, seconds=True),
            version=plain(told.version or NOTHING),
            host=plain(told.host or NOTHING),
        )
    )


def _steps(told: RunReport) -> None:
    frame.card_title(t("runs.steps"))
    if not told.steps:
        st.caption(t("runs.steps_none"))
        return
    tables.show(
        [
            Column("step", t("runs.column_step"), pinned=True),
            Column("seen", t("runs.column_seen"), right=True),
            Column("changed", t("runs.column_changed"), right=True),
            Column("left", t("runs.column_left"), right=True),
            Column("duration", t("runs.column_duration"), right=True),
        ],
        [
            {
                "step": _step(step.name),
                "seen": number(step.seen),
                "changed": number(step.changed),
                "left": number(sum(step.skipped.values())) if step.seen is not None else NOTHING,
                "duration": duration(step.seconds),
            }
            for step in told.steps
        ],
        key="runs_steps",
        alt=t("runs.steps_alt"),
    )


def _step(name: str) -> str:
    return t(f"runs.step_{name}") if f"runs.step_{name}" in catalogue() else clean(name)


def _written(run_id: int, counts: tuple[audit.MethodCount, ...]) -> None:
    frame.card_title(t("runs.written"))
    if not counts:
        st.caption(t("runs.written_none"))
        return
    chosen = tables.show(
        [
            Column("rule", t("runs.column_rule"), pinned=True),
            Column("rows", t("runs.column_rows"), right=True),
            Column("table", t("runs.table")),
        ],
        [
            {
                "rule": _rule(count.method),
                "rows": number(count.row_count),
                "table": t(f"runs.table_{count.table_name}"),
            }
            for count in counts
        ],
        key=f"runs_written_{run_id}",
        alt=t("runs.written_alt"),
        select=True,
    )
    st.caption(t("runs.written_hint"))
    if chosen is not None:
        count = counts[chosen]
        st.query_params.from_dict(
            {
                "view": "audit",
                "table": count.table_name,
                "run": str(run_id),
                **({"method": count.method} if count.method else {}),
            }
        )
        st.rerun()


def _reasons(steps: tuple[Step, ...]) -> None:
    frame.card_title(t("runs.reasons"))
    rows = [
        {"step": _step(step.name), "what": what, "rule": _rule(rule), "rows": number(count)}
        for step in steps
        for what, by in (
            (t("runs.did"), step.by_rule),
            (t("runs.left"), step.skipped),
            (t("runs.noted"), _noted(step)),
        )
        for rule, count in sorted(by.items(), key=lambda pair: -pair[1])
    ]
    tables.show(
        [
            Column("step", t("runs.column_step"), pinned=True),
            Column("what", t("runs.column_what")),
            Column("rule", t("runs.column_rule")),
            Column("rows", t("runs.column_rows"), right=True),
        ],
        rows,
        key="runs_reasons",
        alt=t("runs.reasons_alt"),
    )


def _noted(step: Step) -> dict[str, int]:
    """Of what a step kept besides, the events by kind and the issues by rule."""
    events = {f"events_{name}": step.facts.get(f"events.{name}") for name in EVENTS}
    issues = {
        name.removeprefix("issues."): count
        for name, count in step.facts.items()
        if name.startswith("issues.") and name.removeprefix("issues.").isupper()
    }
    return {name: count for name, count in {**events, **issues}.items() if count is not None}


def _rule(rule: str | None) -> str:
    if rule is None:
        return NOTHING
    return t(f"runs.rule_{rule}") if f"runs.rule_{rule}" in catalogue() else clean(rule)


def _sealed(seal: Seal | None, run_id: int) -> str:
    if seal is None:
        return t("runs.seal_none")
    words = t(
        "runs.seal",
        seal=f"{seal.seal_no} `{seal.seal_hash[:16]}…`",
        rows=number(seal.row_count),
        time=moment(seal.sealed_at, seconds=True),
    )
    return (
        words if seal.run_id == run_id else " ".join([words, t("runs.seal_other", run=seal.run_id)])
    )


# What the next run would do


def _plan(page: frame.Page) -> None:
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
        {"what": what, "rule": _rule(rule), "rows": number(count)}
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
                    "what": t("runs.plan_link" if row.outcome == "LINK" else "runs.plan_leave"),
                    "rule": _rule(row.match_rule or row.reason_code),
                    "person": t("runs.new_person")
                    if row.is_new_person
                    else (row.person_key or NOTHING)[:8],
                }
                for row in rows[:PLAN_ROWS]
            ],
            key="runs_plan_links",
            alt=t("runs.plan_links_alt"),
        )


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


# Who changed what


def _audit(page: frame.Page) -> None:
    table = link.tabs(
        "table", t("runs.table"), tuple(audit.TABLES), shown=lambda name: t(f"runs.table_{name}")
    )
    with st.grid(6, min_column_width=140, vertical_alignment="bottom") as grid:
        person = link.search("q", t("runs.person"), placeholder=t("runs.person_placeholder"))
        run = link.search("run", t("runs.run"), placeholder=t("runs.run_placeholder"))
        method = link.choice("method", t("runs.method"), audit.METHODS[table], shown=_rule)
        actor = link.search("actor", t("runs.actor"), placeholder=t("runs.actor_placeholder"))
        with grid.cell(column_span=2):
            days = link.days("days", t("runs.days"))
    sort = link.tabs(
        "sort", t("runs.sort"), tuple(audit.SORTS), shown=lambda s: t(f"runs.sort_{s}")
    )
    since, until = days or (None, None)
    # a run that cannot be is one that changed nothing
    run_id = (_number("run") or MAX_SCOUT_ID) if run else None
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
        "method": _rule(row.method),
        "run": NOTHING if row.run_id is None else str(row.run_id),
        "actor": row.actor or NOTHING,
    }


# What must always hold


def _checks(page: frame.Page) -> None:
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
                    results = read.guarded(checks.verify, profile=CHECK, wait=PATIENCE)
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


def _check(result: checks.CheckResult) -> str:
    key = f"runs.check_{result.name}"
    return t(f"runs.check_{result.name}") if key in catalogue() else clean(result.label, 200)


def _number(name: str) -> int | None:
    raw = link.value(name) or ""
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 10):
        return None
    return int(raw) if 1 <= int(raw) <= MAX_SCOUT_ID else None
