"""A secrets file of the tests, and cookies of whoever would have signed in with it."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

SECRET = secrets.token_hex()
# nobody listens there, and nobody is asked before somebody signs in
METADATA = "http://127.0.0.1:9/.well-known/openid-configuration"


def write(file: Path, origin: str, **changed: str) -> None:
    """Sign-in for a server that is reached there; one that is changed to nothing is left out."""
    auth = {
        "redirect_uri": f"{origin}/scouts/oauth2callback",
        "cookie_secret": SECRET,
        "client_id": "scouts",
        "client_secret": "of the tests",
        "server_metadata_url": METADATA,
        **changed,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in auth.items() if value]
    # whole at once: the server looks at it all the time
    made = file.with_suffix(".new")
    made.write_text("\n".join(["[auth]", *lines, "[roles]", 'claim = "scout_role"', ""]))
    made.replace(file)


def cookie(secret: str, origin: str) -> str:
    """The Cookie header of an admin whose session was signed with this secret."""
    claims = {
        "origin": origin,
        "is_logged_in": True,
        "email": "ana@example.com",
        "sub": "ana",
        "subject": "ana",
        "actor": "ana@example.com",
        "role": "admin",
        "scout_role": "admin",
        "signed_in_at": datetime.now(UTC).isoformat(),
    }
    signed = create_signed_value(secret, USER_COOKIE_NAME, json.dumps(claims)).decode()
    return f"{USER_COOKIE_NAME}={signed}"
