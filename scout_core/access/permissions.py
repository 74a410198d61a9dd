"""Who may do what: the one table, asked by the API, the pages, the command line and the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scout_core.errors import PermissionDenied

Role = Literal["viewer", "analyst", "operator", "admin"]
Action = Literal[
    "read",
    "export",
    "export_clear",
    "decide",
    "review",
    "mute",
    "run",
    "undo",
    "release",
    "notify",
    "tokens",
    "erase",
    "sessions",
]

_ALL: frozenset[Role] = frozenset({"viewer", "analyst", "operator", "admin"})
_DECIDING: frozenset[Role] = frozenset({"analyst", "operator", "admin"})
_OPERATING: frozenset[Role] = frozenset({"operator", "admin"})

MAY: Mapping[Action, frozenset[Role]] = {
    "read": _ALL,
    "export": _ALL,
    "export_clear": frozenset({"analyst", "admin"}),
    "decide": _DECIDING,
    "review": _DECIDING,
    "mute": _DECIDING,
    "run": _OPERATING,
    "undo": _OPERATING,
    "release": _OPERATING,
    "notify": _OPERATING,
    "tokens": frozenset({"admin"}),
    "erase": frozenset({"admin"}),
    "sessions": frozenset({"admin"}),
}
WORDS: Mapping[Action, str] = {
    "read": "read",
    "export": "export a list",
    "export_clear": "export phones and licences in clear",
    "decide": "decide a conflict",
    "review": "review identities",
    "mute": "acknowledge or mute an alert",
    "run": "start a run",
    "undo": "undo a run",
    "release": "release a hold",
    "notify": "test, retry or drop notifications",
    "tokens": "make or revoke tokens",
    "erase": "erase a person",
    "sessions": "list or end sessions",
}


@dataclass(frozen=True)
class Actor:
    """Who asks for something, and what they may do. actions: only these of the role's, as a token
    may be limited to; null = all of them."""

    name: str
    role: Role
    actions: frozenset[Action] | None = None


def may(actor: Actor, action: Action) -> bool:
    """Whether the actor's role, and the token where one is used, allows the action."""
    return actor.role in MAY[action] and (actor.actions is None or action in actor.actions)


def sees_names(actor: Actor) -> bool:
    """Whether lists and files show the names of drivers to the actor as they are: to all but
    viewers, who read them masked."""
    return actor.role in _DECIDING


def require(actor: Actor, action: Action) -> None:
    """PermissionDenied unless the actor's role, and the token where one is used, allows it."""
    if actor.role in MAY[action] and not may(actor, action):
        raise PermissionDenied(
            f"The token of {actor.name} is not for this ({WORDS[action]}): use another one.",
            role=actor.role,
            action=action,
        )
    if not may(actor, action):
        raise PermissionDenied(
            f"{actor.name} is {actor.role}, and only {' or '.join(sorted(MAY[action]))} may "
            f"{WORDS[action]}: ask one of them.",
            role=actor.role,
            action=action,
        )
