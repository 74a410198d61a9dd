"""`token create|list|revoke`: who may use the API without a browser."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import click

from scout_core.access.permissions import WORDS, Action, Role
from scout_core.cli import output, session


@click.group()
def token() -> None:
    """Make, list or revoke tokens of the API."""


@token.command()
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), default="viewer", show_default=True)
@click.option(
    "--action",
    "actions",
    type=click.Choice(get_args(Action)),
    multiple=True,
    help="Only this of what the role may do; several times for several.",
)
@click.option("--days", type=int, default=90, show_default=True, help="How long it lasts.")
@output.json_option
def create(name: str, role: Any, actions: Sequence[Any], days: int) -> None:
    """Make a token and show it: this once, it is kept nowhere."""
    from scout_core.access import tokens

    made = tokens.create(
        session.database(),
        actor=session.actor(),
        name=name,
        role=role,
        actions=actions,
        days=days,
        now=datetime.now(UTC),
    )

    def render() -> None:
        output.say(made.token)
        what = ", ".join(WORDS[action] for action in made.actions or ()) or f"all that {role} may"
        output.note(
            f"Token {made.token_id} ({made.name}) until {made.expires_at:%Y-%m-%d}: {what}. "
            "It is shown this once; send it as `Authorization: Bearer TOKEN`."
        )

    output.emit({"token": made}, render)


@token.command("list")
@output.json_option
def list_() -> None:
    """List the tokens there are and were, never their secrets."""
    from scout_core.access import tokens
    from scout_core.db.database import LOOK

    with session.database().transaction(LOOK) as conn:
        found = tokens.list_tokens(conn, actor=session.actor())
    now = datetime.now(UTC)

    def state(one: tokens.Token) -> str:
        if one.revoked_at is not None:
            return f"revoked {one.revoked_at:%Y-%m-%d}"
        if one.expires_at <= now:
            return f"expired {one.expires_at:%Y-%m-%d}"
        return f"until {one.expires_at:%Y-%m-%d}"

    def render() -> None:
        if not found:
            output.say("There is no token: `python -m scout_core token create NAME` makes one.")
            return
        output.table(
            ("Id", "Name", "Role", "Only", "In force", "Last used (UTC)", "Made by"),
            [
                (
                    one.token_id,
                    one.name,
                    one.role,
                    ", ".join(one.actions or ()),
                    state(one),
                    "" if one.last_used_at is None else f"{one.last_used_at:%Y-%m-%d %H:%M}",
                    one.created_by,
                )
                for one in found
            ],
        )

    output.emit({"tokens": found}, render)


@token.command()
@click.argument("token_id")
@output.json_option
def revoke(token_id: str) -> None:
    """End a token at once, by its id."""
    from scout_core.access import tokens

    tokens.revoke(session.database(), actor=session.actor(), token_id=token_id)
    output.emit({"revoked": token_id}, lambda: output.say(f"Token {token_id} is revoked."))
