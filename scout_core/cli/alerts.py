"""`alerts list|ack|mute|unmute`: what asks for attention, and who said what about it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from scout_core.alerts.register import SEVERITIES, SORT_NAMES, STATUSES
from scout_core.cli import output, session

REASON = click.option("--reason", required=True, help="Why, kept for good: 10 to 1,000 characters.")
IDS = click.argument("alert_ids", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1))


@click.group()
def alerts() -> None:
    """What asks for attention: it stands until what it tells of is gone."""


@alerts.command("list")
@click.argument("alert_id", required=False, type=click.IntRange(1, 2**63 - 1))
@click.option("--rule", help="Only this rule, e.g. NEW_CONFLICT.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Only this severity.")
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    help="Left out: all that stand. MUTED: the mutes in force, oldest first.",
)
@click.option("--sort", type=click.Choice(SORT_NAMES), help="The order; left out, the worst first.")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many rows."
)
@output.json_option
def list_(
    alert_id: int | None,
    rule: str | None,
    severity: str | None,
    status: str | None,
    sort: str | None,
    limit: int,
) -> None:
    """List the alerts that stand, worst first; with an ALERT_ID tell the life of that one."""
    from scout_core.alerts import register
    from scout_core.db.database import LOOK

    now = datetime.now(UTC)
    with session.database().transaction(LOOK) as conn:
        if alert_id is not None:
            alert = register.by_id(conn, alert_id, now)
            events = register.list_events(conn, alert_id)
            output.emit({"alert": alert, "events": events}, lambda: _render_life(alert, events))
            return
        standing = register.count_standing(conn, now)
        page = register.list_alerts(
            conn,
            register.AlertFilters(rule=rule, severity=severity, status=status),
            now=now,
            sort=sort,
            page_size=limit,
        )

    def render() -> None:
        if not page.rows:
            output.say("No alert stands." if status is None else f"No alert is {status}.")
            return
        output.table(
            ("Alert", "Severity", "Status", "Rule", "Subject", "Since (UTC)", "Times", "By"),
            [
                (
                    a.alert_id,
                    a.severity,
                    _status(a),
                    a.rule,
                    a.subject,
                    _time(a.opened_at),
                    a.times_opened,
                    a.actor,
                )
                for a in page.rows
            ],
            title=f"{page.total:,} alerts"
            + (f", the first {len(page.rows):,}" if len(page.rows) < page.total else ""),
        )
        output.say("`python -m scout_core alerts list ALERT_ID` tells the life of one.")

    output.emit({"total": page.total, "standing": standing, "alerts": page.rows}, render)


@alerts.command()
@IDS
@REASON
@output.json_option
def ack(alert_ids: tuple[int, ...], reason: str) -> int:
    """Say that somebody is at it: open again when it gets worse, gone when its cause is."""
    from scout_core.alerts import acts

    return _done(acts.ack, acts.ack_many, alert_ids, reason)


@alerts.command()
@IDS
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="Until then, in Lima's time: 2026-12-01 or 2026-12-01T08:00.",
)
@click.option("--days", type=click.IntRange(1, 90), help="For so many days.")
@REASON
@output.json_option
def mute(alert_ids: tuple[int, ...], until: datetime | None, days: int | None, reason: str) -> int:
    """Tell nobody of it for a while, at most 90 days; it still stands, and is open after that."""
    if (until is None) == (days is None):
        raise click.UsageError("Give --until TIME or --days N.")
    from scout_core.alerts import acts
    from scout_core.days import LIMA

    end = (
        datetime.now(UTC) + timedelta(days=days)
        if until is None and days is not None
        else until.replace(tzinfo=LIMA)  # type: ignore[union-attr]
    )
    return _done(acts.mute, acts.mute_many, alert_ids, reason, until=end)


@alerts.command()
@click.argument("alert_id", type=click.IntRange(1, 2**63 - 1))
@REASON
@output.json_option
def unmute(alert_id: int, reason: str) -> int:
    """End a mute: the alert is open at once."""
    from scout_core.alerts import acts

    return _done(acts.unmute, None, (alert_id,), reason)


def _done(one: Any, many: Any, alert_ids: tuple[int, ...], reason: str, **more: Any) -> int:
    """Do it to one alert, whose refusal is an error, or to several, whose are told."""
    from scout_core.alerts.acts import ManyActed

    given = {
        "actor": session.actor(),
        "reason": reason,
        "now": datetime.now(UTC),
        **more,
    }
    database = session.database()
    if len(alert_ids) == 1:
        result = ManyActed((one(database, alert_id=alert_ids[0], **given),), {})
    else:
        result = many(database, alert_ids=alert_ids, **given)

    def render() -> None:
        for done in result.done:
            until = "" if done.muted_until is None else f" until {_time(done.muted_until)} UTC"
            output.say(f"Alert {done.alert_id} ({done.rule} {done.subject}): {done.event}{until}.")
        for why in result.skipped.values():
            output.say(why)

    output.emit({"done": result.done, "skipped": result.skipped}, render)
    return 0 if result.done else 3


def _render_life(alert: Any, events: Any) -> None:
    output.say(f"Alert {alert.alert_id}: {alert.rule} {alert.subject}, {_status(alert)}.")
    output.say(alert.text)
    output.table(
        ("When (UTC)", "What", "Status since", "Severity", "By", "Reason", "Until (UTC)", "Run"),
        [
            (
                _time(e.at),
                e.event,
                e.status,
                e.severity,
                e.actor,
                e.reason,
                _time(e.muted_until),
                e.run_id,
            )
            for e in events
        ],
    )


def _status(alert: Any) -> str:
    if alert.status == "MUTED":
        return f"MUTED until {_time(alert.muted_until)}"
    return str(alert.status)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
