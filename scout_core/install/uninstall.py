"""Taking the product away again: everything of ours but the audit tables and the enum labels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from scout_core.db.database import ADMIN_LOOK, Database
from scout_core.errors import ForeignObject, InstallError
from scout_core.install import roles
from scout_core.install.init import check_server
from scout_core.install.session import (
    Installer,
    InstallReport,
    StatementRefused,
    ask,
    exclusive,
    run_formatted,
    run_script,
)
from scout_core.install.table_objects import drop_installed
from scout_core.install.tree import AUDIT_TABLES
from scout_core.install.views import drop_views, recorded


@dataclass(frozen=True)
class Judgement:
    """What people decided and held: it is in schema scout alone, and goes with it."""

    decisions: int
    holds: int

    def __str__(self) -> str:
        """`1 decision in force and 2 holds`."""
        decisions = f"{self.decisions} decision{'s' * (self.decisions != 1)} in force"
        return f"{decisions} and {self.holds} hold{'s' * (self.holds != 1)}"

    @property
    def consequence(self) -> str:
        """What it means that they go; empty when there are none."""
        if not self.decisions and not self.holds:
            return ""
        return (
            "After `init` and `refresh` the rules decide those persons again: a scout that the "
            "ledger has stays; who was decided to have none, or was held, gets what the evidence "
            "says."
        )


@dataclass(frozen=True)
class UninstallReport(InstallReport):
    """As of an installation, and what people had decided and held that went with it."""

    judgement: Judgement


def count_judgement(db: Database) -> Judgement:
    """Decisions in force and holds that nobody released; none where the product is not there."""
    installer = Installer(db, report=lambda _: None)
    _find_owner(installer)
    with installer.as_owner() as conn:
        return _judgement(conn)


def _judgement(conn: Connection, *, is_last: bool = False) -> Judgement:
    if not ask(conn, "judgement")[0].is_there:
        return Judgement(0, 0)
    if is_last:
        run_script(conn, "lock table scout.decisions, scout.holds in access exclusive mode")
    row = ask(conn, "judgement_in_force")[0]
    return Judgement(row.decisions, row.holds)


def uninstall(db: Database, *, report: Callable[[str], None]) -> UninstallReport:
    """Take away views, schema scout, triggers, indexes, grants, and roles that nothing else needs.

    The audit tables stay with the login. Raises ForeignObject when something that is not ours
    stands on what is. Done again, it finishes what was interrupted.
    """
    with db.transaction(ADMIN_LOOK) as conn:
        check_server(conn)
    gone = Judgement(0, 0)
    with exclusive(db, report):
        installer = Installer(db, report)
        login = _find_owner(installer)
        if login.schema_owner is not None:
            _refuse_foreign(installer)
            drop_installed(installer)
            gone = _drop_ours(installer)
        _keep_audit_tables(installer, login.name)
        _revoke(installer)
        roles.drop_unused(installer)
        if installer.done:
            installer.misses(
                "The labels added to the type of ops.ingestion_runs.job_type stay: PostgreSQL "
                "cannot take a label away."
            )
        db.forget()
        return UninstallReport(tuple(installer.done), tuple(installer.lost), False, gone)


def _find_owner(installer: Installer) -> Row[Any]:
    """Who the login is; from here on the installer can work as the owner of what is ours."""
    with installer.as_login() as conn:
        login = ask(conn, "login")[0]
        contents = ask(conn, "schema_contents")[0]
        taken = {
            row.rolname for row in ask(conn, "roles", roles=list(roles.ROLES)) if row.may_be_taken
        }
    if login.schema_owner is None:
        return login
    if not contents.is_ours:
        raise ForeignObject("Schema scout is not ours: nothing was changed.")
    if login.schema_owner == roles.OWNER and roles.OWNER in taken:
        installer.owner = roles.OWNER
    elif login.schema_owner != login.name and not login.is_superuser:
        raise InstallError(
            f"The installation belongs to {login.schema_owner}, which {login.name} is not: "
            f"run uninstall as {login.schema_owner} or as its member."
        )
    return login


def _refuse_foreign(installer: Installer) -> None:
    with installer.as_owner() as conn:
        foreign = ask(conn, "foreign_dependents", audit_tables=list(AUDIT_TABLES))
    if foreign:
        names = ", ".join(row.description for row in foreign)
        raise ForeignObject(
            f"Something that is not ours stands on what would go: {names}. Nothing was changed. "
            "Drop it or move it elsewhere, then run uninstall again."
        )


def _drop_ours(installer: Installer) -> Judgement:
    with installer.as_owner() as conn:
        gone = _judgement(conn, is_last=True)
        views = sorted(recorded(conn, "view"))
        drop_views(conn, views)
        for tie in ask(conn, "audit_ties", relation_names=list(AUDIT_TABLES)):
            run_script(conn, tie.statement)
        # Nothing foreign stands on it, that was asked before; the lock keeps other installs out.
        run_script(conn, "drop schema scout cascade")
    installer.did(f"Dropped {len(views)} views and schema scout, with {gone}.")
    if gone.consequence:
        installer.misses(gone.consequence)
    return gone


def _keep_audit_tables(installer: Installer, login: str) -> None:
    with installer.as_login() as conn:
        kept = [
            row.relation_name
            for row in ask(conn, "relations", relation_names=list(AUDIT_TABLES))
            if row.owner_name == roles.OWNER
        ]
        try:
            with conn.begin_nested():
                _give_to_login(conn, kept, login)
        except StatementRefused as exc:
            installer.misses(
                f"The audit tables stay with {roles.OWNER} ({exc.words}): let an administrator run "
                f"reassign owned by {roles.OWNER} to {login};"
            )
            return
    if kept:
        installer.did(f"Kept the audit tables, now owned by {login}: {', '.join(kept)}.")


def _give_to_login(conn: Connection, tables: list[str], login: str) -> None:
    who = ask(conn, "login")[0]
    if tables and who.version >= 160000 and not who.is_superuser:
        # From 16 on only a member that inherits may give away what belongs to a role.
        run_formatted(conn, "grant %I to %I with inherit true", roles.OWNER, login)
    for table in tables:
        run_formatted(conn, "alter table %I.%I owner to %I", *table.split("."), login)
    if tables and who.version >= 160000 and not who.is_superuser:
        run_formatted(conn, "grant %I to %I with inherit false", roles.OWNER, login)


def _revoke(installer: Installer) -> None:
    with installer.as_login() as conn:
        grants = ask(conn, "remaining_grants", roles=[*roles.ROLES, roles.REPORT])
        for grant in grants:
            run_script(conn, grant.statement)
    if grants:
        installer.did(f"Revoked {len(grants)} privileges on the sources.")
