"""Who looks at the page or asks by the browser's session, and what they may do.

The one place where what an identity provider says becomes a role.
"""

import getpass
import json
from collections.abc import Mapping
from typing import Any, get_args

import streamlit as st

from scout_core import denials, permissions
from scout_core.errors import PermissionDenied
from scout_core.permissions import Action, Actor, Role
from ui import read, shield

LEAST: Role = "viewer"


def visitor() -> Actor | None:
    """The person at the page; null = has to sign in first.

    Without an identity provider the server serves this machine only, and whoever uses it is
    trusted as on the command line.
    """
    if not shield.is_sign_in_configured():
        return local()
    return actor_of(st.user.to_dict()) if st.user.is_logged_in else None


def local() -> Actor:
    """Whoever uses this machine, where nobody has to sign in."""
    return Actor(_local_user(), "admin")


def may(actor: Actor, action: Action) -> bool:
    """Whether the actor may do this; asked by every callback that acts, and a refusal is kept."""
    try:
        permissions.require(actor, action)
    except PermissionDenied as exc:
        denials.record(read.database(), actor, exc, "page")
        return False
    return True


def actor_of(claims: Mapping[str, Any]) -> Actor:
    """Who the identity provider says it is. The role is the claim that [roles] names in
    .streamlit/secrets.toml: its value, or what [roles.values] makes of it. Anything unknown is a
    viewer; of several values the one that may do most counts."""
    name = claims.get("email") or claims.get("sub") or "?"
    return Actor(str(name), role_of(claims, _roles()))


def role_of(claims: Mapping[str, Any], roles: Mapping[str, Any]) -> Role:
    """The role that claims give under these [roles]."""
    claim = roles.get("claim")
    given = claims.get(str(claim)) if claim else None
    values = given if isinstance(given, list | tuple) else [given]
    named = roles.get("values", {})
    named = named if isinstance(named, Mapping) else {}
    found = {str(named.get(str(value), value)) for value in values if value is not None}
    return next((role for role in reversed(get_args(Role)) if role in found), LEAST)


def visitor_of(cookies: Mapping[str, str]) -> Actor | None:
    """Who signed in with the browser that sends these cookies; null = has to sign in. As `visitor`,
    for requests that are no page."""
    if not shield.is_sign_in_configured():
        return local()
    from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value)

    try:
        claims = json.loads(get_cookie_with_chunks(signed, USER_COOKIE_NAME) or b"null")
    except ValueError:
        return None
    # signed for the address in the secrets, as Streamlit checks it too
    if not isinstance(claims, dict) or claims.get("origin") != get_origin_from_redirect_uri():
        return None
    return actor_of(claims) if claims.get("is_logged_in") else None


def _roles() -> Mapping[str, Any]:
    return dict(st.secrets.get("roles", {}))


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"
