"""The parts of the health page: drawn anew each minute, for what they say of ages, and at a tick
where what was read has changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from scout_core.attribution import coverage, trend
from scout_core.attribution.coverage import ReasonCount, Snapshot
from scout_core.health import freshness, last_runs
from scout_core.health import verdict as health
from scout_core.settings import Settings
from ui.health import charts as health_charts
from ui.health import phrases
from ui.parts import charts, frame, link, read, site, tables
from ui.parts.frame import Page
from ui.parts.tables import Column
from ui.parts.text import (
    NOTHING,
    ago,
    clock,
    counted,
    duration,
    moment,
    money,
    number,
    percent,
    points,
    signed,
    t,
)

RUNS = 24
CHANGES = 8
FIRST = 6  # rows that say only what was seen first
CATEGORIES = ("A", "C", "D")
DRAWN = "health_drawn"  # the versions of what the page shows


def pause_label() -> str:
    """The words of the pause toggle."""
    return t("health.pause")


def show() -> None:
    """Everything below the head."""
    st.session_state.pop(DRAWN, None)
    settings, now = read.settings(), read.now()
    seen, slow = _look(settings)
    snapshot, verdict, reasons, days, marks, beat, runs, persons, changes = seen.value
    frame.verdict(
        verdict.status,
        phrases.title(verdict, snapshot),
        phrases.body(verdict, snapshot, beat, settings, now),
    )
    _indicators(verdict, beat, settings, now)
    _lights(verdict)
    claims = slow.value[1] if slow else None
    _cards(snapshot, days, claims, settings)
    if snapshot.total_persons:
        left, right = st.columns([5, 3])
        with left.container(border=True, gap="xsmall", height="stretch"):
            _trend(days, marks, snapshot, settings)
        with right.container(border=True, gap="xsmall", height="stretch"):
            _coverage(slow.value[0] if slow else _funnel_of(snapshot), claims)
    with st.container(border=True, gap="xsmall"):
        _missing(snapshot, reasons)
    left, right = st.columns(2)
    with left.container(border=True, gap="xsmall", height="stretch"):
        _sources(verdict, persons, settings, now)
    with right.container(border=True, gap="xsmall", height="stretch"):
        _runs(verdict, tuple(runs), beat, settings, now)
    with st.container(border=True, gap="xsmall"):
        _changes(changes)
    st.session_state[DRAWN] = _versions(seen, slow)


def is_drawn() -> bool:
    """Whether `show` had something to show."""
    return DRAWN in st.session_state


def watch(page: Page, paused: bool, tick: int) -> None:
    """The time of the data, in the head. Where other data is there than was drawn, all is drawn
    anew; else a tick costs a third of that."""
    seen, slow = _look(read.settings())
    if _versions(seen, slow) != st.session_state.get(DRAWN):
        st.rerun()
    refresh = t("health.paused") if paused else t("health.auto", seconds=tick)
    page.stamp(seen, refresh, seconds=True)


def _look(settings: Settings) -> tuple[read.Answer[Any], read.Answer[Any] | None]:
    """What the page shows, of one snapshot, and what takes longer to count."""
    seen = read.many(
        read.call(coverage.snapshot),
        read.call(health.assess, settings, read.NOW),
        read.call(coverage.count_reasons),
        read.call(trend.list_days),
        read.call(trend.list_marks, since=read.NOW - timedelta(days=30)),
        read.call(last_runs.take),
        read.call(last_runs.list_last, limit=RUNS),
        read.call(freshness.count_persons),
        read.call(health.list_changes, limit=CHANGES + FIRST),
    )
    return seen, read.seldom(read.call(trend.count_funnel), read.call(trend.count_claims))


def _versions(seen: read.Answer[Any], slow: read.Answer[Any] | None) -> tuple[int, int | None]:
    return seen.version, slow.version if slow else None


def _indicators(
    verdict: health.Verdict, beat: last_runs.Pulse, settings: Settings, now: datetime
) -> None:
    targets = {"satisfactory": "liquidation", "conflicts": "conflicts", "last_run": "runs"}
    with st.grid(3, min_column_width=230):
        for reason in verdict.reasons:
            with st.container(border=True, gap="xsmall"):
                words = phrases.indicator(reason, beat, settings, now)
                st.markdown(f"{frame.badge(reason.status)} {words}")
                row = st.container(
                    horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
                )
                row.caption(phrases.rule(reason, settings), width="content")
                with row:
                    site.link_to(targets[reason.indicator], t("health.see"))


def _cards(
    snapshot: Snapshot,
    days: Sequence[trend.Day],
    claims: trend.Claims | None,
    settings: Settings,
) -> None:
    with st.grid(6, min_column_width=145):
        _share_card(
            t("health.card_leads"),
            [_float(day.pct_satisfactory_leads) for day in days],
            t(
                "health.help_leads",
                count=number(snapshot.satisfactory_lead_persons),
                total=number(snapshot.lead_persons),
            ),
            settings,
        )
        _share_card(
            t("health.card_persons"),
            [_float(day.pct_satisfactory) for day in days],
            t(
                "health.help_persons",
                count=number(snapshot.persons_with_scout_satisfactory),
                total=number(snapshot.total_persons),
            ),
            None,
        )
        _count_card(
            t("health.card_conflicts"),
            [day.conflicts_count for day in days],
            lambda count: health.judge_conflicts(count, settings),
        )
        _fact_card(
            t("health.card_stake"),
            money(claims.at_stake_pen) if claims else NOTHING,
            counted("health.in_conflicts", snapshot.conflicts_count) if claims else None,
            t("health.help_stake", total=money(claims.unpaid_pen)) if claims else None,
        )
        _count_card(t("health.card_missing"), [day.missing_count for day in days], None)
        value = NOTHING
        share = None
        if claims:
            value = number(claims.with_scout)
            if claims.claims:
                share = t(
                    "health.of_claims",
                    share=percent(100 * claims.with_scout / claims.claims),
                    claims=number(claims.claims),
                )
        _fact_card(t("health.card_claims"), value, share, None)


def _share_card(
    label: str, values: Sequence[float | None], meaning: str, settings: Settings | None
) -> None:
    today = values[-1]
    change = _change(values, 1)
    week = _change(values, 7)
    told = meaning
    if week is not None:
        told += " " + t("health.week_ago", value=percent(values[-8]), change=points(week))
    crossed = (
        settings is not None
        and today is not None
        and change is not None
        and change < 0
        and health.judge_share(today, settings) != health.judge_share(today - change, settings)
    )
    _metric(
        label,
        percent(today),
        None if change is None else points(change) if round(change, 1) else "",
        values,
        told,
        "red" if crossed else "blue",
    )


def _count_card(label: str, values: Sequence[int | None], judge: Any) -> None:
    today = values[-1]
    change = _change(values, 1)
    week = _change(values, 7)
    told = None
    if week is not None:
        told = t("health.week_ago", value=number(values[-8]), change=signed(week))
    crossed = (
        judge is not None
        and change is not None
        and change > 0
        and judge(today) != judge(today - change)
    )
    _metric(
        label,
        number(today),
        None if change is None else signed(change) if change else "",
        values,
        told,
        "red" if crossed else "blue",
    )


def _metric(
    label: str,
    value: str,
    delta: str | None,
    values: Sequence[float | None],
    told: str | None,
    colour: Any,
) -> None:
    line = [v for v in values if v is not None]
    quiet = delta == ""
    st.metric(
        label,
        value,
        t("health.same_as_yesterday") if quiet else delta,
        delta_color="blue" if quiet else colour,
        delta_arrow="off" if quiet else "auto",
        delta_description=None if quiet or delta is None else t("health.vs_yesterday"),
        border=True,
        height="stretch",
        chart_data=line if len(line) > 1 else None,
        help=told,
    )


def _fact_card(label: str, value: str, fact: str | None, told: str | None) -> None:
    st.metric(
        label,
        value,
        fact or t("health.unknown"),
        delta_color="gray",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=told,
    )


def _trend(
    days: tuple[trend.Day, ...],
    marks: tuple[trend.Mark, ...],
    snapshot: Snapshot,
    settings: Settings,
) -> None:
    frame.card_title(t("health.trend"))
    charts.show(
        "health_trend",
        health_charts.trend,
        (days, marks, settings.health_satisfactory_ok_pct),
        alt=t(
            "health.trend_alt",
            leads=percent(_float(snapshot.pct_scout_satisfactory_leads)),
            persons=percent(_float(snapshot.pct_scout_satisfactory)),
            missing=number(snapshot.persons_missing_scout),
            conflicts=number(snapshot.conflicts_count),
        ),
        height=360,
    )
    told = [health_charts.marks_in_words(marks), t("health.marks_none")]
    st.caption(" · ".join(part for part in told if part))


def _coverage(funnel: trend.Funnel, claims: trend.Claims | None) -> None:
    row = frame.card_title(t("health.coverage"))
    with row:
        site.link_to("cobranza", t("health.see_claims"), icon=":material/arrow_forward:")
    with_claim = claims.persons_in_ledger if claims else None
    charts.show(
        "health_coverage",
        health_charts.coverage,
        (funnel, with_claim),
        alt=t(
            "health.coverage_alt",
            registered=number(funnel.registered),
            leads=number(funnel.leads),
            named=number(funnel.named),
            in_ledger=number(funnel.in_ledger),
            claims=number(with_claim),
        ),
        height=320,
    )
    st.caption(t("health.coverage_note", count=number(funnel.named - funnel.in_ledger)))


def _missing(snapshot: Snapshot, reasons: Sequence[ReasonCount]) -> None:
    counts = dict.fromkeys(CATEGORIES, 0)
    for reason in reasons:
        counts[reason.category] += reason.person_count
    total = sum(counts.values())
    row = frame.card_title(t("health.missing"))
    if not total:
        if snapshot.total_persons:
            frame.empty(t("health.missing_none"), t("health.missing_none_hint"))
        else:
            frame.empty(t("health.nobody"), t("health.body_nobody"))
        return

    def label(option: str) -> str:
        if option == "all":
            return t("health.all_categories", count=number(total))
        return f"{option} {number(counts[option])}"

    with row:
        chosen = link.tabs("cat", t("health.category"), ("all", *CATEGORIES), shown=label)
    st.caption(t("health.missing_explain"))
    rows = [r for r in reasons if chosen in ("all", r.category)]
    click = st.session_state.get("health_see")
    if click is not None and click["row"] < len(rows):
        target = rows[click["row"]]
        site.go("backlog", cat=target.category, reason=target.reason_code)
    tables.show(
        [
            Column("reason", t("health.col_reason")),
            Column("persons", t("health.col_persons"), right=True),
            Column("share", t("health.col_share"), kind="share"),
            Column("action", t("health.col_action")),
            Column(
                "list", t("health.col_list"), kind="button", click_key="health_see", width="small"
            ),
        ],
        [
            {
                "reason": f"{r.category} · {t(f'health.reason_{r.reason_code}')}",
                "persons": number(r.person_count),
                "share": r.person_count / total,
                "action": t(f"health.action_{r.reason_code}"),
                "list": f":material/arrow_forward: {t('health.see')}",
            }
            for r in rows
        ],
        key="health_missing",
        alt=t("health.missing_alt"),
        tall=len(rows),
    )


def _lights(verdict: health.Verdict) -> None:
    badges = " ".join(frame.badge(r.status, phrases.light(r)) for r in verdict.lights)
    st.markdown(f":small[:gray[{t('health.lights')}]] {badges}")


def _sources(
    verdict: health.Verdict, persons: dict[str, int], settings: Settings, now: datetime
) -> None:
    light = next(light for light in verdict.lights if light.indicator == "sources")
    row = frame.card_title(t("health.fresh"))
    row.markdown(frame.badge(light.status, phrases.light(light)), width="content")
    listed = verdict.sources
    if not listed:
        st.caption(t("health.fresh_never"))
        return
    tables.small(
        {
            t("health.col_source"): [f"`{phrases.source(s.name)}`" for s in listed],
            t("health.col_state"): [frame.badge(s.status) for s in listed],
            t("health.col_newest"): [ago(s.newest_at, now) for s in listed],
            t("health.col_today"): [
                f"{number(s.rows_today)} / {number(s.usual_today)}" for s in listed
            ],
            t("health.col_scouts"): [number(persons.get(s.name, 0)) for s in listed],
        },
        alt=t("health.fresh_alt"),
    )
    st.caption(
        t(
            "health.fresh_note",
            low=percent(settings.health_sources_low_pct, 0),
            days=counted("health.fresh_days", settings.health_sources_quiet_days),
            ago=ago(min(s.looked_at for s in listed), now),
        )
    )
    site.link_to("alerts", t("health.quality"), icon=":material/rule:", view="quality")


def _runs(
    verdict: health.Verdict,
    runs: tuple[last_runs.JobRun, ...],
    beat: last_runs.Pulse,
    settings: Settings,
    now: datetime,
) -> None:
    row = frame.card_title(counted("health.runs", len(runs) or RUNS))
    with row:
        site.link_to("runs", t("health.runs_history"), icon=":material/arrow_forward:")
    light = next(light for light in verdict.lights if light.indicator == "scheduler")
    if beat.last_scheduled is None or beat.next_at is None:
        told = t("health.scheduler_never")
    else:
        word = "scheduler_beat" if beat.next_at > now else "scheduler_late"
        told = t(
            f"health.{word}", last=moment(beat.last_scheduled.started_at), next=clock(beat.next_at)
        )
    allowed = duration(timedelta(minutes=settings.health_scheduler_minutes))
    rule = t("health.rule_scheduler", threshold=allowed)
    badge = frame.badge(light.status, phrases.light(light))
    st.markdown(f"{badge} :small[{told} · {rule}]")
    if not runs:
        frame.empty(t("health.runs_none"), t("health.runs_none_hint"))
        return
    failed = sum(run.is_failed for run in runs)
    charts.show(
        "health_runs",
        health_charts.runs,
        runs,
        alt=counted("health.runs_alt", len(runs), failed=failed),
        height=170,
    )


def _changes(changes: Sequence[health.Change]) -> None:
    frame.card_title(t("health.history"))
    told = [c for c in changes if c.from_status is not None][:CHANGES]
    if not told:
        frame.empty(t("health.history_none"), t("health.history_none_hint"))
        return
    tables.small(
        {
            t("health.col_when"): [moment(c.changed_at) for c in told],
            t("health.col_what"): [phrases.name(c.indicator) for c in told],
            t("health.col_change"): [
                f"{frame.badge(c.from_status or 'UNKNOWN')} → {frame.badge(c.to_status)}"
                for c in told
            ],
            t("health.col_seen"): [phrases.change_value(c) for c in told],
        },
        alt=t("health.history_alt"),
    )


def _funnel_of(snapshot: Snapshot) -> trend.Funnel:
    """What the snapshot alone tells of the funnel."""
    ledger = snapshot.satisfactory_lead_persons
    return trend.Funnel(snapshot.total_persons, snapshot.lead_persons, ledger, ledger)


def _change(values: Sequence[Any], days: int) -> Any:
    """The last value less the one so many days before; null when either is unknown."""
    if len(values) <= days or values[-1] is None or values[-1 - days] is None:
        return None
    return values[-1] - values[-1 - days]


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
