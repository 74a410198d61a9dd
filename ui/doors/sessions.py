"""The session of a browser: the signed cookie that says who, since when, and whether it is over.

The cookie is Streamlit's, signed with cookie_secret; what it holds is ours and no more than needed.
Whether a session was ended is read from the database, at most SECONDS ago, and anew for each write.
While the database does not answer, what was read last holds: pages show what they showed, and
nothing may be written.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from scout_core import logs
from scout_core.access import sessions as core
from scout_core.access.permissions import Actor, Role
from scout_core.access.sessions import Reason
from scout_core.errors import DatabaseAway, ScoutError
from ui.parts import read

SECONDS = 3.0
KEPT = 1000

_log = logs.get_logger("access")


@dataclass(frozen=True)
class Session:
    """Who signed in, and when (UTC). provider_key: the same session as the provider names it."""

    subject: str
    actor: Actor
    signed_in_at: datetime
    provider_key: str | None = None

    def as_claims(self) -> dict[str, Any]:
        """What the cookie holds of it."""
        return {
            "subject": self.subject,
            "actor": self.actor.name,
            "role": self.actor.role,
            "signed_in_at": self.signed_in_at.isoformat(),
            "provider_key": self.provider_key,
        }


@dataclass(frozen=True)
class _End:
    at: datetime
    reason: Reason
    actor: str


# ends that the database does not have yet; this process knows them
_pending: dict[str, _End] = {}
_tried: dict[str, datetime] = {}  # the reading after which they were last tried
_lock = threading.Lock()


def of_claims(claims: Mapping[str, Any]) -> Session | None:
    """The session that a cookie holds; null = nobody has signed in, or the cookie is not ours."""
    subject, name, role = (claims.get(key) for key in ("subject", "actor", "role"))
    key = claims.get("provider_key")
    try:
        began = datetime.fromisoformat(claims.get("signed_in_at"))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    is_whole = (
        claims.get("is_logged_in") is True
        and began.tzinfo is not None
        and all(isinstance(text, str) and text for text in (subject, name))
        and role in get_args(Role)
        and (key is None or isinstance(key, str))
    )
    return Session(str(subject), Actor(str(name), role), began, key) if is_whole else None  # type: ignore[arg-type]


def of_cookies(cookies: Mapping[str, str]) -> Session | None:
    """The session of the browser that sends these cookies, as Streamlit reads it for a page."""
    claims = claims_of(cookies, USER_COOKIE_NAME)
    # signed for the address in the secrets, as Streamlit checks it too
    if not isinstance(claims, dict) or claims.get("origin") != get_origin_from_redirect_uri():
        return None
    return of_claims(claims)


def claims_of(cookies: Mapping[str, str], cookie: str) -> Any:
    """What a signed cookie of Streamlit holds; null when it is missing or not signed by us."""

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value)

    try:
        return json.loads(get_cookie_with_chunks(signed, cookie) or b"null")
    except ValueError:
        return None


def is_over(session: Session, *, writes: bool = False) -> bool:
    """Whether a session opens nothing any more. DatabaseAway when the database never said whose
    have ended, or does not say it now and something is to be written."""
    if datetime.now(UTC) - session.signed_in_at > lifetime():
        return True
    keys = [key for key in (session.subject, session.provider_key) if key is not None]
    if any(key in _pending and session.signed_in_at <= _pending[key].at for key in keys):
        return True
    known = read.within(0.0 if writes else SECONDS, core.ends)
    if known.is_late and writes:
        raise DatabaseAway()
    if _pending and not known.is_late and known.at != _tried.get("at"):
        _tried["at"] = known.at
        _write_pending()
    return any(key in known.value and session.signed_in_at <= known.value[key] for key in keys)


def lifetime() -> timedelta:
    """How long a session lasts."""
    return timedelta(hours=read.settings().session_hours)


def end(session: Session, reason: Reason) -> None:
    """End every session of this subject, this one too."""
    end_key(session.subject, reason, session.actor.name, session.signed_in_at)


def end_key(subject: str, reason: Reason, actor: str, begun: datetime | None = None) -> None:
    """End the sessions under this key. Where the database cannot be written to, this process knows
    it at once, and writes it as soon as it can."""
    try:
        core.end(read.database(), subject, reason=reason, actor=actor)
    except ScoutError as exc:
        _log.warning("end of sessions not yet kept", reason=type(exc).__name__)
        now = datetime.now(UTC)
        with _lock:
            _pending[subject] = _End(now if begun is None else max(now, begun), reason, actor)
            while len(_pending) > KEPT:
                del _pending[next(iter(_pending))]
    read.forget()


def _write_pending() -> None:
    if not _lock.acquire(blocking=False):
        return
    try:
        for subject, kept in list(_pending.items()):
            core.end(read.database(), subject, reason=kept.reason, actor=kept.actor, at=kept.at)
            del _pending[subject]
            read.forget()
    except ScoutError as exc:
        _log.warning("end of sessions not yet kept", reason=type(exc).__name__)
    finally:
        _lock.release()
