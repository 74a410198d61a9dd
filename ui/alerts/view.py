"""One alert, or several: what it tells of, its life, and what can be done about it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import streamlit as st

from scout_core.access.note import NOTE_MAX, NOTE_MIN
from scout_core.access.permissions import Actor, may
from scout_core.alerts import acts as alert_acts
from scout_core.alerts import register, source_row
from scout_core.alerts.register import Alert, Event
from scout_core.errors import NotFound, ScoutError
from ui.alerts.phrases import (
    event_of,
    next_of,
    rule_of,
    severity_badge,
    status_badge,
    subject_of,
    told,
)
from ui.decide import review
from ui.parts import frame, link, notes, read, site, who
from ui.parts.text import NOTHING, catalogue, counted, moment, number, plain, t

ALERT = "alert"  # ?alert=41
DAYS = (1, 3, 7, 30, 90)
SHOWN_EVENTS = 10
TOLD = "alerts_told"
# how often what was chosen was given up: a table of another key has nothing chosen
CLOSED = "alerts_closed"
ICONS = {"ack": "visibility", "mute": "notifications_off", "unmute": "notifications_active"}
EVENT_ICONS = {
    "OPENED": "notifications_active",
    "REOPENED": "replay",
    "WORSENED": "trending_up",
    "ACKNOWLEDGED": "visibility",
    "MUTED": "notifications_off",
    "UNMUTED": "notifications_active",
    "RESOLVED": "check_circle",
}
Act = Literal["ack", "mute", "unmute"]
_ONE: Mapping[Act, Callable[..., alert_acts.Acted]] = {
    "ack": alert_acts.ack,
    "mute": alert_acts.mute,
    "unmute": alert_acts.unmute,
}
_MANY: Mapping[Act, Callable[..., alert_acts.ManyActed]] = {
    "ack": alert_acts.ack_many,
    "mute": alert_acts.mute_many,
}


def notice() -> None:
    """What became of the last thing that was done; once."""
    said: tuple[bool, str] | None = st.session_state.pop(TOLD, None)
    if said is None:
        return
    is_done, words = said
    if is_done:
        with st.container(border=True):
            st.markdown(f":green[:material/check_circle:] **{words}**")
    else:
        st.error(words, title=t("alerts.refused"), icon=":material/block:")


def close() -> None:
    """Choose no alert any more. For callbacks."""
    link.put(**{ALERT: None})
    forget_chosen()


def forget_chosen() -> None:
    """Let the table begin anew, with what the address says."""
    st.session_state[CLOSED] = st.session_state.get(CLOSED, 0) + 1


def one(actor: Actor, alert_id: int | None) -> None:
    """The alert of this number: what it is, where it leads, its life, what can be done."""
    if alert_id is None:
        return
    try:
        seen = read.many(
            read.call(register.by_id, alert_id, read.NOW),
            read.call(register.list_events, alert_id),
        )
    except NotFound:
        frame.empty(t("alerts.missing", number=alert_id), filters=(ALERT,))
        return
    alert, events = seen.value
    with st.container(border=True, gap="small"):
        with frame.card_title(plain(f"{rule_of(alert.rule)} · {subject_of(alert)}")):
            st.button(
                t("alerts.close"),
                icon=":material/close:",
                type="tertiary",
                on_click=close,
                key="alerts_close",
            )
        st.markdown(f"{severity_badge(alert.severity)} {status_badge(alert)}")
        st.markdown(f"**{told(alert)}** {next_of(alert.rule)}.")
        _facts(alert)
        _leads_to(alert)
        left, right = st.columns((1, 1))
        with left:
            _life(events)
        with right:
            _form(actor, [alert])


def several(actor: Actor, chosen: Sequence[Alert]) -> None:
    """Alerts chosen together: how many of which rule, and what can be done about all of them."""
    with st.container(border=True, gap="small"):
        frame.card_title(counted("alerts.chosen", len(chosen)))
        rules = Counter(alert.rule for alert in chosen)
        st.markdown(
            " · ".join(f"{plain(rule_of(rule))}: {number(n)}" for rule, n in rules.most_common())
        )
        st.caption(t("alerts.sample", subjects=plain(", ".join(map(subject_of, chosen[:3])))))
        _form(actor, chosen)


def list_of_person(found: Sequence[Alert]) -> None:
    """The alerts of a person, each with the way to it."""
    for alert in found:
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.markdown(
                f"{severity_badge(alert.severity)} {status_badge(alert)} "
                f"{plain(rule_of(alert.rule))} · {t('alerts.since', time=moment(alert.opened_at))}"
            )
            site.link_to("alerts", t("alerts.see"), alert=str(alert.alert_id))


def _facts(alert: Alert) -> None:
    parts = [t("alerts.since", time=moment(alert.opened_at))]
    if alert.times_opened > 1:
        parts.append(
            t(
                "alerts.times",
                count=number(alert.times_opened),
                time=moment(alert.first_opened_at),
            )
        )
    if alert.resolved_at is not None:
        parts.append(t("alerts.gone_at", time=moment(alert.resolved_at)))
        if alert.muted_until is not None:
            parts.append(t("alerts.still_muted", time=moment(alert.muted_until)))
    if alert.actor is not None and alert.reason is not None:
        parts.append(t("alerts.said", actor=plain(alert.actor), reason=plain(alert.reason)))
    st.caption(" · ".join(parts))
    if alert.rule not in register.ROW_RULES and alert.status != "RESOLVED":
        st.caption(plain(alert.text))
    row = source_row.row_of(alert.subject)
    if row is None or alert.status == "RESOLVED":
        return
    found = read.one(source_row.explain_row, alert.rule, alert.subject, alert.person_key).value
    lines: dict[str, str] = {t("alerts.row"): plain(f"{row[0]} {row[1]}")}
    if found.issues:
        lines[t("alerts.value")] = ", ".join(
            plain(issue.raw_excerpt or NOTHING) for issue in found.issues[:5]
        )
    if found.review is not None:
        key = f"review.reason_{found.review.reason_code}"
        lines[t("alerts.why")] = t(key) if key in catalogue() else plain(found.review.reason_code)
        lines[t("alerts.candidates")] = number(found.review.candidate_count)
    if found.lead is not None:
        lines[t("alerts.lead")] = plain(found.lead.external_id or str(found.lead.cabinet_lead_id))
        lines[t("alerts.created")] = moment(found.lead.lead_created_at)
        if found.lead.potential_scout_id is not None:
            lines[t("alerts.hint")] = str(found.lead.potential_scout_id)
        elif found.lead.has_scout_in_events:
            lines[t("alerts.hint")] = t("alerts.several_scouts")
    st.table(lines, border="horizontal", hide_header=True, alt=t("alerts.row_alt"))


def _leads_to(alert: Alert) -> None:
    """The rows, person or run that the alert is about."""
    with st.container(horizontal=True):
        if alert.rule == "NEW_CONFLICT":
            site.link_to("conflicts", t("alerts.open_conflict"), persona=alert.subject)
        if alert.person_key is not None:
            site.link_to("persona", t("alerts.open_person"), key=alert.person_key)
        row = source_row.row_of(alert.subject)
        if alert.rule == "IDENTITY_TO_REVIEW" and row is not None and row[0] == source_row.SCOUTING:
            site.link_to("persona", t("alerts.open_review"), **{review.ROW: row[1]})
        if alert.rule in ("JOB_FAILED", "WORKER_LOST", "GUARD_STOPPED"):
            site.link_to("runs", t("alerts.open_failed"), status="FAILED")
        elif alert.rule == "JOB_LATE":
            site.link_to("runs", t("alerts.open_runs"))
        elif alert.rule in ("HEALTH_CHANGED", "SOURCE_STALE"):
            site.link_to("health", t("alerts.open_health"))
        elif alert.rule.startswith("QUALITY_"):
            site.link_to("alerts", t("alerts.open_check"), view="quality", check=alert.subject)
        if alert.opened_run is not None:
            site.link_to(
                "runs", t("alerts.open_run", run=alert.opened_run), run=str(alert.opened_run)
            )


def _life(events: Sequence[Event]) -> None:
    st.markdown(f"**{t('alerts.life')}**")
    for event in events[:SHOWN_EVENTS]:
        st.markdown(
            f":material/{EVENT_ICONS[event.event]}: {event_of(event.event, event.actor, event.at)}"
        )
        details = []
        if event.event in ("WORSENED", "REOPENED", "OPENED"):
            details.append(t(f"alerts.severity_{event.severity}"))
        if event.muted_until is not None:
            details.append(t("alerts.until", time=moment(event.muted_until)))
        if event.reason is not None:
            details.append(plain(event.reason))
        if details:
            st.caption(" · ".join(details))
    if len(events) > SHOWN_EVENTS:
        st.caption(counted("alerts.more_events", len(events) - SHOWN_EVENTS))


def _form(actor: Actor, chosen: Sequence[Alert]) -> None:
    acts = _acts(chosen)
    if not acts:
        st.caption(t("alerts.nothing_to_do"))
        return
    if not may(actor, "mute"):
        st.caption(f":material/lock: {t('alerts.not_allowed')}")
        return
    ids = tuple(alert.alert_id for alert in chosen)
    place = f"alerts_{ids[0]}_{len(ids)}"
    act = st.radio(
        t("alerts.question"),
        acts,
        format_func=lambda a: t(f"alerts.act_{a}"),
        key=f"{place}_act_{'_'.join(acts)}",
    )
    days = None
    if act == "mute":
        days = st.selectbox(
            t("alerts.for_days"),
            DAYS,
            index=2,
            format_func=lambda n: counted("alerts.days", n),
            key=f"{place}_days",
        )
    label = t("alerts.reason", least=number(NOTE_MIN), most=number(NOTE_MAX))
    reason = notes.area(label, f"{place}_reason")
    st.button(
        counted(f"alerts.do_{act}", len(ids)),
        type="primary",
        icon=f":material/{ICONS[act]}:",
        on_click=_do,
        args=(act, ids, days, reason, f"{place}_reason"),
        key=f"{place}_do",
    )


def _acts(chosen: Sequence[Alert]) -> list[Act]:
    """What can be done to some of these; ending a mute to one at a time."""
    found: list[Act] = []
    if any(alert.status == "OPEN" for alert in chosen):
        found.append("ack")
    if any(alert.status in ("OPEN", "ACKNOWLEDGED") for alert in chosen):
        found.append("mute")
    if len(chosen) == 1 and chosen[0].muted_until is not None:
        is_over = chosen[0].status in ("OPEN", "ACKNOWLEDGED")
        found += [] if is_over else ["unmute"]
    return found


@who.acting("mute")
def _do(
    actor: Actor, act: Act, ids: tuple[int, ...], days: int | None, reason: str, key: str
) -> None:
    now = read.now()
    given: dict[str, Any] = {
        "actor": actor,
        "reason": st.session_state.get(key, reason),
        "now": now,
        "request_id": f"page-{uuid4()}",
    }
    if days is not None:
        given["until"] = now + timedelta(days=days)
    try:
        if len(ids) == 1:
            _ONE[act](read.database(), alert_id=ids[0], **given)
            words = counted(f"alerts.done_{act}", 1)
        else:
            done = _MANY[act](read.database(), alert_ids=ids, **given)
            words = counted(f"alerts.done_{act}", len(done.done))
            if done.skipped:
                words = f"{words} {counted('alerts.skipped', len(done.skipped))}"
    except ScoutError as exc:
        st.session_state[TOLD] = (False, notes.why(exc, "alerts.bad_reason"))
    else:
        st.session_state[TOLD] = (True, words)
        if len(ids) > 1:
            close()
    read.forget()
