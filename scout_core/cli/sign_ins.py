"""`session list|end`: who signed in to the pages, and whose sessions end now."""

import click

from scout_core.cli import output, session


@click.group("session")
def sessions() -> None:
    """List who signed in to the pages, or end somebody's sessions."""


@sessions.command("list")
@output.json_option
def list_() -> None:
    """List who signed in within the last 30 days, the newest first."""
    from datetime import UTC, datetime, timedelta

    from scout_core.access import sessions as core
    from scout_core.db.database import LOOK

    with session.database().transaction(LOOK) as conn:
        found = core.list_sign_ins(conn, actor=session.actor())
    now, lasts = datetime.now(UTC), timedelta(hours=session.settings().session_hours)

    def state(one: core.SignIn) -> str:
        if one.ended_at is not None:
            return f"ended {one.ended_at:%Y-%m-%d %H:%M} ({one.reason})"
        until = one.signed_in_at + lasts
        return f"{'until' if until > now else 'expired'} {until:%Y-%m-%d %H:%M}"

    def render() -> None:
        if not found:
            output.say("Nobody signed in within the last 30 days.")
            return
        output.table(
            ("Person", "Role", "Last sign-in (UTC)", "Sessions (UTC)", "Subject"),
            [
                (one.actor, one.role, f"{one.signed_in_at:%Y-%m-%d %H:%M}", state(one), one.subject)
                for one in found
            ],
        )

    output.emit({"sign_ins": found}, render)


@sessions.command()
@click.argument("person")
@output.json_option
def end(person: str) -> None:
    """End all sessions of PERSON (the name that `session list` shows, or the subject): within
    seconds they open nothing, and the person has to sign in again."""
    from scout_core.access import sessions as core

    names = core.end_of_person(session.database(), actor=session.actor(), whom=person)

    def render() -> None:
        for name in names:
            output.say(f"The sessions of {name} have ended.")

    output.emit({"ended": names}, render)
