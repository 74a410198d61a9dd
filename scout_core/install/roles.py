"""The roles that keep the product's rights apart, and what each may do.

scout_owner owns everything of ours and cannot log in, scout_writer works for the job, scout_reader
for pages. Where the login cannot make them, everything belongs to the login. scout_report is for
BI users: it reads the contract views without phones, licences and names of drivers.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Row, text

from scout_core.db.database import QUIET
from scout_core.errors import InstallError
from scout_core.install.session import (
    DUPLICATE,
    INSUFFICIENT_PRIVILEGE,
    Installer,
    StatementRefused,
    ask,
    run_formatted,
    run_script,
)
from scout_core.install.tree import SQL_ROOT, append_only_tables

OWNER, WRITER, READER = "scout_owner", "scout_writer", "scout_reader"
ROLES = (OWNER, WRITER, READER)
REPORT = "scout_report"

_GRANTS = SQL_ROOT / "install" / "grants.sql"
# Two databases of one cluster may be installed at once: the loser of the race looks again.
_RACED = DUPLICATE | {"XX000", "40001"}


class _MissingRightError(Exception):
    """Separate roles cannot be had; the argument says why."""


def settle_owner(installer: Installer, source_names: Iterable[str]) -> None:
    """Set installer.owner: scout_owner with its rights on the sources, or None with the reason."""
    with installer.as_login() as conn:
        login = ask(conn, "login")[0]
    names = sorted(source_names)
    try:
        _retry_race(lambda: _make_roles(installer, login, names))
    except _MissingRightError as exc:
        if login.schema_owner == OWNER:
            raise InstallError(
                f"The installation belongs to {OWNER}, but {exc}. Run init as the login that made "
                f"it, or let an administrator run: grant {', '.join(ROLES)} to {login.name};"
            ) from None
        installer.owner = None
        installer.misses(
            f"Separate privileges are lost: {exc}. Everything of ours belongs to {login.name}, "
            "who can also change what is append-only for others."
        )
    else:
        installer.owner = OWNER


def privileges(conn: Connection, source_names: Iterable[str]) -> list[Row[Any]]:
    """Each privilege that a role needs, and each that is granted and not needed (is_wanted false):
    role_name, privilege, object_name, is_held, ..."""
    login = ask(conn, "login")[0].name
    query = text(_GRANTS.read_text(encoding="utf-8"))
    values = {
        "source_names": sorted(source_names),
        "append_only": [table.name for table in append_only_tables()],
        "login": login,
    }
    return list(conn.execute(query, values))


def settle_rights_on_ours(
    installer: Installer, source_names: Iterable[str], names: list[str]
) -> None:
    """Make the rights on the objects of ours those of the list: grant what is lacking, take away
    what must not be; then see to it that no function works by names that others can make.

    names: objects of ours outside schema scout.
    """
    source_names = sorted(source_names)
    _revoke_writes(installer, source_names, names)
    with installer.as_owner() as conn:
        surplus = [p for p in _on_ours(installer, conn, source_names) if not p.is_wanted]
        for privilege in surplus:
            run_script(conn, privilege.statement)
        # asked again: a role may have had the right only through public
        missing = [p for p in _on_ours(installer, conn, source_names) if not p.is_held]
        paths = ask(conn, "routines_with_another_path")
        for change in (*missing, *paths):
            run_script(conn, change.statement)
    if missing:
        who = ", ".join(sorted({p.role_name for p in missing}))
        installer.did(f"Granted {len(missing)} privileges to {who}.")
    if surplus:
        who = ", ".join(sorted({p.role_name for p in surplus}))
        installer.did(f"Revoked {len(surplus)} privileges from {who} that are not needed.")
    if paths:
        installer.did(f"Set the search path of {len(paths)} functions to pg_catalog, pg_temp.")


def _on_ours(installer: Installer, conn: Connection, source_names: Iterable[str]) -> list[Row[Any]]:
    found = [p for p in privileges(conn, source_names) if p.is_ours]
    # without separate roles here, roles of these names belong to another database
    return [p for p in found if installer.owner or p.role_name not in (*ROLES, REPORT)]


def _revoke_writes(installer: Installer, source_names: list[str], names: list[str]) -> None:
    """Take away what default privileges of the database gave, e.g. when a backup was restored."""
    with installer.as_owner() as conn:
        held = ask(conn, "writes_on_ours", relation_names=names, roles=[WRITER, READER])
        if not held:
            return
        needed = {
            (p.role_name, p.privilege, p.object_name)
            for p in _on_ours(installer, conn, source_names)
            if p.is_wanted
        }
        surplus = [p for p in held if (p.role_name, p.privilege, p.object_name) not in needed]
        for privilege in surplus:
            run_script(conn, privilege.revoke_statement)
    if surplus:
        who = ", ".join(sorted({privilege.role_name for privilege in surplus}))
        installer.did(f"Revoked {len(surplus)} privileges to change what is ours from {who}.")


def drop_unused(installer: Installer) -> None:
    """Drop the roles that nothing in the cluster needs any more; the others stay, and why."""
    for role in (*ROLES, REPORT):
        try:
            with installer.as_login() as conn:
                if not conn.execute(
                    text("select 1 from pg_roles where rolname = :role"), {"role": role}
                ).first():
                    continue
                for parameter in ask(conn, "granted_parameters", roles=[role]):
                    run_script(conn, parameter.revoke_statement)
                run_formatted(conn, "drop role %I", role)
        except StatementRefused as exc:
            installer.misses(f"Role {role} stays: {exc.words}.")
        else:
            installer.did(f"Dropped role {role}.")


def _make_roles(installer: Installer, login: Row[Any], source_names: list[str]) -> None:
    done: list[str] = []
    lost: list[str] = []
    # One transaction: a login that can make the roles but not pass on rights leaves none behind.
    with installer.as_login() as conn:
        existing = {row.rolname for row in ask(conn, "roles", roles=[*ROLES, REPORT])}
        for role in ROLES:
            if role not in existing:
                if not login.may_create_roles:
                    raise _MissingRightError(
                        f"role {role} does not exist and {login.name} may not create roles"
                    )
                run_formatted(conn, "create role %I nologin", role)
                done.append(f"Created role {role}.")
        if REPORT not in existing:
            if login.may_create_roles:
                run_formatted(conn, "create role %I nologin", REPORT)
                done.append(f"Created role {REPORT}.")
            else:
                lost.append(
                    f"BI users cannot be given the reports alone: role {REPORT} does not exist and "
                    f"{login.name} may not create roles. Let an administrator run: create role "
                    f"{REPORT} nologin; then run init again."
                )
        for row in ask(conn, "roles", roles=list(ROLES)):
            if not row.may_be_taken:
                _join(conn, row.rolname, login)
                done.append(f"Made {login.name} a member of {row.rolname}.")
        if login.is_superuser and (silent := _grant_silence(conn)):
            done.append(
                f"Let {WRITER} and {READER} keep values out of the server's log ({silent})."
            )
        granted = _grant_on_sources(conn, source_names, login.name)
        if granted:
            done.append(f"Granted {granted} privileges on the sources.")
    for line in done:
        installer.did(line)
    for line in lost:
        installer.misses(line)


def _join(conn: Connection, role: str, login: Row[Any]) -> None:
    option = " with inherit false, set true" if login.version >= 160000 else ""
    try:
        with conn.begin_nested():
            run_formatted(conn, "grant %I to %I" + option, role, login.name)
    except StatementRefused as exc:
        if exc.code != INSUFFICIENT_PRIVILEGE:
            raise
        raise _MissingRightError(f"{login.name} is not a member of {role}") from exc


def _grant_silence(conn: Connection) -> str:
    """Let the roles that work with values keep their statements out of the server's log. Which
    parameters were not theirs to set yet."""
    lacking = ask(conn, "loud_parameters", roles=[WRITER, READER], names=list(QUIET))
    for parameter in lacking:
        run_script(conn, parameter.grant_statement)
    return ", ".join(sorted({parameter.name for parameter in lacking}))


def _grant_on_sources(conn: Connection, source_names: list[str], login: str) -> int:
    missing = [p for p in privileges(conn, source_names) if not (p.is_ours or p.is_held)]
    try:
        with conn.begin_nested():
            for privilege in missing:
                run_script(conn, privilege.statement)
    except StatementRefused as exc:
        if exc.code != INSUFFICIENT_PRIVILEGE:
            raise
        raise _MissingRightError(
            f"{login} may not pass on rights on the sources ({exc.words})"
        ) from exc
    # Without the grant option a grant only warns.
    refused = [p for p in privileges(conn, source_names) if not (p.is_ours or p.is_held)]
    if refused:
        objects = ", ".join(sorted({p.object_name for p in refused}))
        raise _MissingRightError(f"{login} may not pass on rights on {objects}")
    return len(missing)


def _retry_race(work: Callable[[], None]) -> None:
    for pause_seconds in (0.1, 0.3, 1.0):
        try:
            work()
        except StatementRefused as exc:
            if exc.code not in _RACED:
                raise
            time.sleep(pause_seconds)
        else:
            return
    work()
