"""Who looks at the page, and what they may do."""

import getpass
from typing import get_args

import streamlit as st

from scout_core.permissions import Actor, Role
from ui import shield


def visitor() -> Actor | None:
    """The person at the page; null = has to sign in first.

    Without an identity provider the server serves this machine only, and whoever uses it is
    trusted as on the command line. With one, the role is the claim that [roles] names.
    """
    if not shield.is_sign_in_configured():
        return Actor(_local_user(), "admin")
    if not st.user.is_logged_in:
        return None
    claim = dict(st.secrets.get("roles", {})).get("claim", "")
    claimed = str(st.user.get(claim)) if claim else ""
    name = st.user.get("email") or st.user.get("sub") or "?"
    role: Role = next((role for role in get_args(Role) if role == claimed), "viewer")
    return Actor(str(name), role)


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"
