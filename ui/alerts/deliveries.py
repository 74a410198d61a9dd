"""What is told outside, on the page of alerts: deliveries, dead letters, the log, a test."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from scout_core.access.permissions import Actor, may
from scout_core.errors import ScoutError
from scout_core.notify import channels, outbox
from scout_core.notify.outbox import Delivery, LoggedAttempt, Message, Waiting
from ui.parts import frame, read, tables, who
from ui.parts.tables import Column
from ui.parts.text import NOTHING, clean, counted, moment, number, plain, refusal, t

TOLD = "deliveries_told"
SHOWN = 20
# somebody waits for the button
PATIENCE_SECONDS = 5.0


def section(actor: Actor) -> None:
    """The card of notifications; what a button did is told in it once."""
    seen = read.many(
        read.call(outbox.count_waiting),
        read.call(outbox.list_messages, limit=SHOWN),
        read.call(outbox.list_dead, limit=SHOWN),
        read.call(outbox.list_attempts, limit=SHOWN),
    )
    waiting, messages, dead, attempts = seen.value
    with st.container(border=True, gap="xsmall"):
        title = frame.card_title(t("deliveries.title"))
        is_told = bool(channels.list_channels(read.settings()))
        if is_told or messages:
            title.markdown(_summary(waiting))
        st.caption(t("deliveries.hint"))
        _notice()
        if not is_told:
            frame.empty(t("deliveries.no_channel"), t("deliveries.no_channel_hint"))
        if waiting.dead_count:
            st.markdown(t("deliveries.dead_hint"))
        if may(actor, "notify"):
            _buttons(actor, waiting, is_told=is_told)
        if messages or dead:
            _list(messages, dead)
        elif is_told:
            frame.empty(t("deliveries.none"))
        if attempts:
            with st.expander(t("deliveries.log")):
                _log(attempts)


def dead_badge(waiting: Waiting) -> str | None:
    """Dead letters in red, as markdown; null = there is none."""
    if not waiting.dead_count:
        return None
    words = counted("deliveries.dead", waiting.dead_count)
    return f":red-badge[:material/error: {words}]"


def _summary(waiting: Waiting) -> str:
    badges = [dead_badge(waiting)]
    if waiting.pending_count:
        words = counted("deliveries.pending", waiting.pending_count)
        badges.append(f":blue-badge[:material/schedule_send: {words}]")
    found = [badge for badge in badges if badge]
    return " ".join(found) or f":green-badge[:material/check_circle: {t('deliveries.all_sent')}]"


def _buttons(actor: Actor, waiting: Waiting, *, is_told: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        if is_told:
            st.button(
                t("deliveries.test"),
                icon=":material/send:",
                on_click=_act,
                args=(_test,),
                key="deliveries_test",
            )
        if waiting.dead_count and is_told:
            st.button(
                counted("deliveries.retry", waiting.dead_count),
                icon=":material/replay:",
                on_click=_act,
                args=(_retry,),
                key="deliveries_retry",
            )
        if waiting.dead_count:
            st.button(
                counted("deliveries.drop", waiting.dead_count),
                icon=":material/delete:",
                type="tertiary",
                on_click=_act,
                args=(_drop,),
                key="deliveries_drop",
            )


@who.acting("notify")
def _act(actor: Actor, act: Callable[[Actor], list[tuple[bool, str]]]) -> None:
    try:
        st.session_state[TOLD] = act(actor)
    except ScoutError as exc:
        st.session_state[TOLD] = [(False, refusal(exc))]
    read.forget()


def _test(actor: Actor) -> list[tuple[bool, str]]:
    tested = outbox.send_test(read.database(), read.settings(), actor=actor, now=read.now())
    return [
        (True, t("deliveries.tested_ok", channel=plain(one.channel), time=number(one.took_ms)))
        if one.is_ok
        else (
            False,
            t(
                "deliveries.tested_bad",
                channel=plain(one.channel),
                outcome=_outcome(one.outcome, one.http_status),
            ),
        )
        for one in tested
    ]


def _retry(actor: Actor) -> list[tuple[bool, str]]:
    count = outbox.retry_dead(read.database(), read.settings(), actor=actor, now=read.now())
    told = outbox.send_soon(
        read.database(), read.settings(), read.now(), limit_seconds=PATIENCE_SECONDS
    )
    words = t(
        "deliveries.retried",
        count=number(count),
        sent=number(told.sent),
        failed=number(told.failed),
    )
    return [(count > 0 and not told.failed, words)]


def _drop(actor: Actor) -> list[tuple[bool, str]]:
    count = outbox.drop_dead(read.database(), actor=actor, now=read.now())
    return [(True, t("deliveries.dropped", count=number(count)))]


def _notice() -> None:
    told: list[tuple[bool, str]] = st.session_state.pop(TOLD, [])
    for is_good, words in told:
        if is_good:
            st.success(words, icon=":material/check_circle:")
        else:
            st.error(words, title=t("deliveries.refused"), icon=":material/error:")


def _list(messages: tuple[Message, ...], dead: tuple[Delivery, ...]) -> None:
    of = {message.message_id: message for message in messages}
    rows = [*dead, *(d for m in messages for d in m.deliveries if d.state != "DEAD")]
    tables.show(
        [
            Column("state", t("deliveries.column_state"), pinned=True),
            Column("time", t("deliveries.column_time")),
            Column("channel", t("deliveries.column_channel")),
            Column("outcome", t("deliveries.column_outcome")),
            Column("attempts", t("deliveries.column_attempts"), right=True),
            Column("run", t("deliveries.column_run"), right=True),
            Column("news", t("deliveries.column_news")),
        ],
        [_row(delivery, of.get(delivery.message_id)) for delivery in rows],
        key="deliveries_list",
        alt=t("deliveries.list_alt"),
    )


def _row(delivery: Delivery, message: Message | None) -> dict[str, Any]:
    outcome = delivery.last_outcome
    return {
        "state": t(f"deliveries.state_{delivery.state}"),
        "time": moment(delivery.ended_at or (message.created_at if message else None)),
        "channel": delivery.channel,
        "outcome": NOTHING if outcome is None else _outcome(outcome, None),
        "attempts": number(delivery.attempts),
        "run": NOTHING if message is None or message.run_id is None else str(message.run_id),
        "news": NOTHING if message is None else _news(message),
    }


def _news(message: Message) -> str:
    return t(
        "deliveries.news",
        opened=number(sum(message.opened.values())),
        reopened=number(sum(message.reopened.values())),
        resolved=number(sum(message.resolved.values())),
    )


def _log(attempts: tuple[LoggedAttempt, ...]) -> None:
    tables.show(
        [
            Column("time", t("deliveries.column_time"), pinned=True),
            Column("channel", t("deliveries.column_channel")),
            Column("outcome", t("deliveries.column_outcome")),
            Column("took", t("deliveries.column_took"), right=True),
            Column("message", t("deliveries.column_message")),
        ],
        [
            {
                "time": moment(one.recorded_at, seconds=True),
                "channel": one.channel,
                "outcome": _outcome(one.outcome, one.http_status),
                "took": number(one.took_ms),
                "message": t("deliveries.a_test", actor=clean(one.actor or "?"))
                if one.message_id is None
                else str(one.message_id),
            }
            for one in attempts
        ],
        key="deliveries_log",
        alt=t("deliveries.log_alt"),
    )


def _outcome(outcome: str, http_status: int | None) -> str:
    words = t(f"deliveries.outcome_{outcome}")
    return words if http_status is None else f"{words} ({http_status})"
