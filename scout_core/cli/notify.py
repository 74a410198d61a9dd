"""`notify test|list|retry|drop`: the channels that are told, and what they were told."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from scout_core.cli import output, session

if TYPE_CHECKING:
    from scout_core.notify.outbox import Tested

TODO = {
    "TIMEOUT": "it took longer than SCOUT_NOTIFY_TIMEOUT_SECONDS",
    "NO_ANSWER": "it does not answer: check the network and the address",
    "HTTP_ERROR": "it refused: check the token and the address",
    "REFUSED": "it refused: check what the address names",
    "BAD_ADDRESS": "Apprise knows no such address: correct it",
    "CRASHED": "the service of Apprise stopped with an error: check the address",
}


@click.group()
def notify() -> None:
    """Test the channels that are told, list messages, retry or drop what no channel took."""


@notify.command()
@output.json_option
def test() -> int:
    """Send a test message to each channel now; exit code 1 when one does not take it."""
    from scout_core.notify import outbox

    settings = session.settings()
    tested = outbox.send_test(
        session.database(), settings, actor=session.actor(), now=datetime.now(UTC)
    )

    def render() -> None:
        if not tested:
            output.say("There is no channel: name some in SCOUT_NOTIFY_URLS.")
            return
        output.table(
            ("Channel", "", "Milliseconds", "What it said"),
            [
                (one.channel, "ok" if one.is_ok else "FAILED", one.took_ms, _said(one))
                for one in tested
            ],
        )

    output.emit({"channels": tested}, render)
    return 0 if tested and all(one.is_ok for one in tested) else 1


@notify.command("list")
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1, 1_000),
    help="How many messages to list.",
)
@output.json_option
def list_(limit: int) -> None:
    """List the newest messages, and how far each is with each channel."""
    from scout_core.db.database import LOOK
    from scout_core.notify import outbox

    with session.database().transaction(LOOK) as conn:
        messages = outbox.list_messages(conn, limit=limit)
        waiting = outbox.count_waiting(conn)

    def render() -> None:
        if not messages:
            output.say("Nothing was told yet.")
            return
        output.table(
            (
                "Message",
                "Run",
                "Time (UTC)",
                "Health",
                "New",
                "Back",
                "Resolved",
                "Delivery",
                "Channel",
                "State",
                "Attempts",
                "Last",
            ),
            [
                (
                    one.message_id,
                    one.run_id,
                    f"{one.created_at:%Y-%m-%d %H:%M:%S}",
                    one.status,
                    sum(one.opened.values()),
                    sum(one.reopened.values()),
                    sum(one.resolved.values()),
                    way.delivery_id,
                    way.channel,
                    way.state,
                    way.attempts,
                    way.last_outcome,
                )
                for one in messages
                for way in one.deliveries
            ],
        )
        output.say("")
        output.say(
            f"{waiting.pending_count:,} wait, {waiting.dead_count:,} dead letters"
            + (": `notify retry` sends them again." if waiting.dead_count else ".")
        )

    output.emit({"messages": messages, "waiting": waiting}, render)


@notify.command()
@click.argument("delivery_id", type=int, required=False)
@output.json_option
def retry(delivery_id: int | None) -> None:
    """Make dead letters pending again, one or all, and send what is due.

    Where the address of a channel was corrected, the new one takes over what the old one missed.
    """
    from scout_core.notify import outbox

    settings, database, now = session.settings(), session.database(), datetime.now(UTC)
    count = outbox.retry_dead(
        database, settings, actor=session.actor(), now=now, delivery_id=delivery_id
    )
    told = outbox.send_due(database, settings, now)
    output.emit(
        {"retried": count, "told": told},
        lambda: output.say(
            f"{count:,} dead letters are pending again; {told.sent:,} messages were sent, "
            f"{told.failed:,} were not taken."
        ),
    )


@notify.command()
@click.argument("delivery_id", type=int, required=False)
@output.json_option
def drop(delivery_id: int | None) -> None:
    """Let dead letters go for good, one or all: nobody is told of them any more."""
    from scout_core.notify import outbox

    count = outbox.drop_dead(
        session.database(),
        actor=session.actor(),
        now=datetime.now(UTC),
        delivery_id=delivery_id,
    )
    output.emit({"dropped": count}, lambda: output.say(f"{count:,} dead letters were dropped."))


def _said(one: "Tested") -> str:
    if one.is_ok:
        return ""
    status = f" ({one.http_status})" if one.http_status is not None else ""
    return f"{one.outcome}{status}: {TODO[one.outcome]}"
