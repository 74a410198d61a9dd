"""The views of runs: what the job did, would do now, who changed what, whether all holds."""

from typing import Any

import streamlit as st

from scout_core.errors import NotFound
from scout_core.runs import audit, history
from scout_core.runs.history import PastRun, RunFilters, RunReport, Seal, Step
from ui.parts import exports, frame, link, read, tables
from ui.parts.tables import Column
from ui.parts.text import NOTHING, catalogue, clean, counted, duration, moment, number, plain, t
from ui.runs import audit as runs_audit
from ui.runs import plan, undo
from ui.runs.phrases import id_of, rule_words

VIEWS = ("history", "plan", "audit", "checks")
EVENTS = ("read", "used", "without_scout", "unreadable", "unlinked")


def show(page: frame.Page) -> None:
    """One of the four views."""
    undo.notice()
    view = link.tabs("view", t("runs.view"), VIEWS, shown=lambda name: t(f"runs.view_{name}"))
    if view == "plan":
        plan.show()
    elif view == "audit":
        runs_audit.show_rows(page)
    elif view == "checks":
        runs_audit.show_checks()
    else:
        _history(page)


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
    page.stamp(seen, counted("runs.total", listed.total))
    with page.head:
        exports.menu(listed.total, "runs", given, sort)
    chosen = id_of("run")
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
        badges = [frame.badge(run.status), f":gray-badge[{plain(_kind(run))}]"]
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
    elif run.status == "LOST":
        sentence = t("runs.sentence_LOST")
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
                "rule": rule_words(count.method),
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
        {"step": _step(step.name), "what": what, "rule": rule_words(rule), "rows": number(count)}
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
