"""Who looks at the page or asks by the browser's session, and what they may do.

The one place where what an identity provider says becomes a name and a role.
"""

import getpass
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, get_args

import streamlit as st

from scout_core import logs
from scout_core.access import denials, permissions
from scout_core.access.permissions import Action, Actor, Role
from scout_core.errors import PermissionDenied, ScoutError
from ui.doors import sessions
from ui.doors.sessions import Session
from ui.parts import read, shield

P = ParamSpec("P")

LEAST: Role = "viewer"
NOT_DONE = "not_done"  # state of the page: what was clicked was not done
# as an address may be written into a page, a log and a message
_PLAIN = re.compile(r"[A-Za-z0-9._:|-]+")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")

_log = logs.get_logger("access")


def visitor(*, writes: bool = False) -> Actor | None:
    """The person at the page now; null = has to sign in first. Asked anew by every run of a script,
    fragment and callback. DatabaseAway when it cannot be known whether the session was ended.

    Without an identity provider the server serves this machine only, and whoever uses it is
    trusted as on the command line.
    """
    if not shield.is_sign_in_configured():
        return local()
    return _in_force(session_of_page(), writes)


def visitor_of(cookies: Mapping[str, str], *, writes: bool = False) -> Actor | None:
    """Who signed in with the browser that sends these cookies; null = has to sign in. As `visitor`,
    for requests that are no page."""
    if not shield.is_sign_in_configured():
        return local()
    return _in_force(sessions.of_cookies(cookies), writes)


def session_of_page() -> Session | None:
    """The session with which the page was opened, be it over or not; null = nobody signed in."""
    return sessions.of_claims(st.user.to_dict())


def local() -> Actor:
    """Whoever uses this machine, where nobody has to sign in."""
    return Actor(_local_user(), "admin")


def may(actor: Actor, action: Action) -> bool:
    """Whether the actor may do this; a refusal is kept."""
    try:
        permissions.require(actor, action)
    except PermissionDenied as exc:
        denials.record(read.database(), actor, exc, "page")
        return False
    return True


def acting(
    action: Action,
) -> Callable[[Callable[Concatenate[Actor, P], None]], Callable[P, None]]:
    """Makes a callback that does this action: its first argument is whoever is at the page when it
    is called, not who was when the page was drawn. Nothing is done for who has to sign in first,
    whose role may not, or while it cannot be known."""

    def decorate(act: Callable[Concatenate[Actor, P], None]) -> Callable[P, None]:
        @wraps(act)
        def acted(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                actor = visitor(writes=True)
            except ScoutError as exc:
                _log.warning("not done", action=action, reason=type(exc).__name__)
                st.session_state[NOT_DONE] = True
                return
            if actor is not None and may(actor, action):
                act(actor, *args, **kwargs)

        acted.action = action  # type: ignore[attr-defined]
        return acted

    return decorate


def name_of(claims: Mapping[str, Any], issuer: str, *, is_only: bool) -> str:
    """The name under which somebody acts: the address where the provider has verified it, else its
    subject. is_only false = there are several providers: the subject is told with its issuer, and
    always where it could be taken for an address or for another kind of name."""
    address = claims.get("email")
    is_verified = claims.get("email_verified") is True
    if is_verified and isinstance(address, str) and _ADDRESS.fullmatch(address):
        return address
    subject = str(claims["sub"])
    return subject if is_only and _PLAIN.fullmatch(subject) else f"{issuer}#{subject}"


def role_of(claims: Mapping[str, Any], roles: Mapping[str, Any]) -> Role:
    """The role that claims give under these [roles]: the claim's value, or where [roles.values] is
    there, what that makes of it. Anything unknown is a viewer; of several the one that may do most
    counts."""
    claim = roles.get("claim")
    given = claims.get(str(claim)) if claim else None
    values = given if isinstance(given, list | tuple) else [given]
    named = roles.get("values", {})
    named = named if isinstance(named, Mapping) else {}
    words = {str(value) for value in values if value is not None}
    # a group "admin" of the provider is not our admin because of its name
    found = {str(named[word]) for word in words if word in named} if named else words
    return next((role for role in reversed(get_args(Role)) if role in found), LEAST)


def roles() -> Mapping[str, Any]:
    """What [roles] in .streamlit/secrets.toml says."""
    return dict(st.secrets.get("roles", {}))


def _in_force(session: Session | None, writes: bool) -> Actor | None:
    if session is None or sessions.is_over(session, writes=writes):
        return None
    return session.actor


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"
