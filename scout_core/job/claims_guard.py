"""The job never touches the claims: it looks at its own privileges before it starts."""

from sqlalchemy import Connection

from scout_core import logs
from scout_core.db import sql
from scout_core.errors import PermissionDenied

_log = logs.get_logger("claims guard")


def check(conn: Connection) -> None:
    """PermissionDenied when the role at work could write claims or payments, or is a superuser.

    Where the login may not create roles it works as itself; then the right is only reported, for
    the login may need it for other work.
    """
    row = conn.execute(sql.query("job/claims_guard", "privileges")).mappings().one()
    if row["is_superuser"]:
        raise PermissionDenied(
            "The job would run as a superuser, with every right on the claims: run "
            "`python -m scout_core init` as a login that may create roles, then start again."
        )
    if not row["guarded_count"]:
        _log.warning("no claims or payments table is there, so none could be checked")
    if row["writable"]:
        names = ", ".join(row["writable"])
        if row["has_role"]:
            raise PermissionDenied(
                f"The role {row['role_name']} may write {names}, which the job must never touch: "
                f"revoke that from it, then start again."
            )
        _log.warning(
            "the login may write claims; without roles of our own nothing prevents it", tables=names
        )
