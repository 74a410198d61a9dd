"""The sidebar of every page: last run and run-now, health, language, who it is, sign-out."""

import uuid
from datetime import datetime

import streamlit as st

from scout_core.access import permissions
from scout_core.access.permissions import Actor
from scout_core.errors import ScoutError
from scout_core.health import last_runs
from scout_core.health import verdict as health
from scout_core.notify import outbox
from ui.alerts import deliveries
from ui.doors import sign_in
from ui.parts import frame, languages, read, shield, site, who
from ui.parts.text import NOTHING, clean, clock, counted, duration, moment, plain, speak, t
from ui.shell import job

CALM, BUSY = 12.0, 1.0  # seconds between two looks

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="28" viewBox="0 0 150 28">'
    '<rect x="1" y="4" width="20" height="20" rx="5" fill="#3C6FE0"/>'
    '<path d="M6 19 11 9l5 10" fill="none" stroke="#fff" stroke-width="2.4"'
    ' stroke-linecap="round" stroke-linejoin="round"/>'
    '<text x="28" y="19" font-family="Source Sans, sans-serif" font-size="13" font-weight="600"'
    ' fill="#7A8699">{name}</text></svg>'
)


def show(actor: Actor) -> None:
    """Write the sidebar. The run card looks again by itself, faster while a run is on."""
    st.logo(LOGO.format(name=t("common.product")), size="medium")
    with st.sidebar:
        running = _my_job() is not None or st.session_state.get("run_seen", False)
        frame.live(BUSY if running else CALM, "run_card")(_run_card)(running)
        languages.control()
        with st.container(gap="xsmall"):
            _user(actor)


def _run_card(was_running: bool) -> None:
    actor = who.visitor()
    if actor is None:
        return
    mine = _my_job()
    try:
        seen = read.many(
            read.call(last_runs.take),
            read.call(health.assess, read.settings(), read.NOW),
            read.call(outbox.count_waiting),
        )
    except ScoutError:
        with st.container(border=True, gap="xsmall"):
            st.markdown(frame.badge("UNKNOWN"))
            st.button(
                t("run.now"),
                icon=":material/play_arrow:",
                width="stretch",
                disabled=True,
                help=t("run.away_help"),
                key="run_now",
            )
        return
    beat, verdict, waiting = seen.value
    is_running = (mine is not None and not mine.ended.is_set()) or beat.running is not None
    st.session_state["run_seen"] = is_running
    if mine is not None and mine.ended.is_set():
        st.session_state["run_request"] = None
        st.session_state["run_ended"] = mine
        st.rerun()
    if is_running != was_running:
        if was_running:
            read.forget()
        st.rerun()
    _tell()
    with st.container(border=True, gap="xsmall"):
        _line(beat, mine, seen.at)
        if is_running:
            _progress(beat, mine)
        else:
            _last(beat)
        _button(actor, beat, mine, is_running=is_running, is_late=seen.is_late)
        site.link_to("health", f"{t('run.health')} {frame.badge(verdict.status)}")
        dead = deliveries.dead_badge(waiting)
        if dead is not None:
            site.link_to("alerts", dead)


def _line(beat: last_runs.Pulse, mine: job.Job | None, at: datetime) -> None:
    run = beat.running
    if run is not None or (mine is not None and not mine.ended.is_set()):
        began = (
            f"{clock(run.started_at)} · {duration(max(at, run.started_at) - run.started_at)}"
            if run
            else ""
        )
        st.markdown(f"{frame.badge('RUNNING')} {began}")
    elif beat.last is None:
        st.markdown(f"{frame.badge('UNKNOWN')} {t('run.none')}")
    else:
        last = beat.last
        took = last.completed_at - last.started_at if last.completed_at else None
        is_today = last.started_at.date() == at.date()
        began = clock(last.started_at) if is_today else moment(last.started_at)
        st.markdown(f"{frame.badge(last.status)} {began} · {duration(took)}")


def _last(beat: last_runs.Pulse) -> None:
    if beat.last is None:
        return
    parts = []
    if beat.last.status == "COMPLETED":
        parts.append(_changes(beat.last.changed_rows))
    if beat.last.actor:
        parts.append(t("run.by", actor=plain(beat.last.actor)))
    if beat.next_at is not None:
        word = "run.next_at" if beat.next_at > read.now() else "run.late"
        parts.append(t(word, time=clock(beat.next_at)))
    st.caption(" · ".join(parts) or NOTHING)


def _progress(beat: last_runs.Pulse, mine: job.Job | None) -> None:
    if mine is not None:
        step, share = mine.step, mine.share
    else:
        done = beat.running.step if beat.running else None
        number_done = job.STEPS.index(done) + 1 if done in job.STEPS else 1
        step = job.STEPS[min(number_done, len(job.STEPS) - 1)]
        share = number_done / len(job.STEPS)
    text = t(
        "run.step",
        step=job.STEPS.index(step) + 1,
        steps=len(job.STEPS),
        name=t(f"run.step_{step}"),
    )
    st.progress(share, text=text)


def _button(
    actor: Actor, beat: last_runs.Pulse, mine: job.Job | None, *, is_running: bool, is_late: bool
) -> None:
    why = None
    if not permissions.may(actor, "run"):
        why = t("run.role_help", role=t(f"common.role_{actor.role}"))
    elif is_late:
        why = t("run.away_help")
    elif beat.is_read_only:
        why = t("run.read_only_help")
    elif is_running:
        run = beat.running
        why = t(
            "run.busy_help",
            run_id=run.run_id if run else NOTHING,
            actor=plain(run.actor if run else mine.actor.name if mine else NOTHING),
        )
    st.button(
        t("run.now"),
        icon=":material/play_arrow:",
        width="stretch",
        disabled=why is not None,
        help=why or t("run.now_help"),
        on_click=_start,
        key="run_now",
    )


@who.acting("run")
def _start(actor: Actor) -> None:
    speak()
    # a second click before the page was drawn again carries the same request
    request_id = st.session_state.get("run_request") or f"web-{uuid.uuid4()}"
    st.session_state["run_request"] = request_id
    job.start(actor, request_id, read.now())
    read.forget()
    st.session_state["run_seen"] = st.session_state["run_started"] = True


def _my_job() -> job.Job | None:
    return job.by_request(st.session_state.get("run_request"))


def _tell() -> None:
    """Say once that a run began and how it ended; after all reruns, which drop what was said."""
    if st.session_state.pop("run_started", False):
        st.toast(t("run.started"), icon=":material/sync:")
    ended: job.Job | None = st.session_state.pop("run_ended", None)
    if ended is not None:
        _tell_end(ended)


def _tell_end(ended: job.Job) -> None:
    if ended.result is not None:
        steps = ended.result.stats.get("steps", {})
        changed = sum(steps.get(step, {}).get("changed", 0) for step in ("link", "propagate"))
        words = t("run.done", run_id=ended.result.run_id, changes=_changes(changed).lower())
        st.toast(words, icon=":material/check_circle:")
    elif ended.busy_run_id is not None:
        st.toast(t("run.refused_busy", run_id=ended.busy_run_id), icon=":material/sync:")
    else:
        word = "run.refused" if ended.error and ended.error.exit_code in {3, 75} else "run.failed"
        reason = clean(ended.error.message if ended.error else NOTHING, 300)
        st.toast(t(word, reason=plain(reason)), icon=":material/error:", duration="long")


def _changes(count: int | None) -> str:
    if count is None:
        return NOTHING
    if count == 0:
        return t("run.no_changes")
    return counted("run.changes", count)


def _user(actor: Actor) -> None:
    # as text: an address in markdown is a link
    st.text(clean(actor.name))
    if not shield.is_sign_in_configured():
        st.caption(f":material/lock_open: {t('common.open_door')}")
        return
    st.caption(f":material/badge: {t(f'common.role_{actor.role}')}")
    if st.button(t("common.sign_out"), icon=":material/logout:", key="sign_out"):
        session = who.session_of_page()
        if session is not None:
            sign_in.sign_out(session)
        # the browser forgets its cookie, and the provider may want to sign out too
        st.logout()
        st.stop()
