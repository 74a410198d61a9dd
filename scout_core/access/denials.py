"""What was refused: the one trace of an action that the role did not allow."""

from typing import Literal

from scout_core import logs
from scout_core.access.permissions import Actor
from scout_core.db import sql
from scout_core.db.database import CONTROL, Database
from scout_core.errors import PermissionDenied, ScoutError

Via = Literal["api", "page", "cli"]

_log = logs.get_logger("access")


def record(db: Database, actor: Actor, denied: PermissionDenied, via: Via) -> None:
    """Keep that this was refused: a log line each time, a row once a minute for the same. A
    database that cannot be written to leaves the log line."""
    action = str(denied.facts.get("action", "?"))
    _log.warning("denied", actor=actor.name, role=actor.role, action=action, via=via)
    values = {"actor": actor.name, "role": actor.role, "action": action, "via": via}
    try:
        with db.transaction(CONTROL) as conn:
            conn.execute(sql.query("access/denials", "record"), values)
    except ScoutError as exc:
        _log.warning("denial not kept", reason=type(exc).__name__)
