"""Installation on the owner's database: `init`. Run again, it does only what is missing."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, text

from scout_core import __version__, sources
from scout_core.attribution import settle
from scout_core.db import grounds, row_security, sql
from scout_core.db.database import ADMIN_LOOK, SETTLE, Database
from scout_core.errors import (
    DatabaseReadOnly,
    ForeignObject,
    InstallError,
    MissingTables,
    WrongDatabase,
)
from scout_core.install import column_types, roles
from scout_core.install.restored import (
    RESTORED,
    note_not_restored,
    refresh_own_triggers,
    refresh_statistics,
)
from scout_core.install.schema import (
    add_job_types,
    apply_schema_files,
    make_schema,
    take_over,
)
from scout_core.install.session import (
    Installer,
    InstallReport,
    ask,
    exclusive,
    run_formatted,
    run_script,
)
from scout_core.install.table_objects import refresh_indexes, refresh_triggers
from scout_core.install.tree import AUDIT_TABLES, SQL_ROOT, mentioned, table_objects, view_files
from scout_core.install.views import refresh_views
from scout_core.settings import Settings
from scout_core.sources import SourceState

OLDEST_VERSION = 150000
# what is stored is computed from these and all that they stand on
_STATE_VIEWS = ("scout.v_person_attribution_live", "scout.v_unlinked_rows_live")


def init(
    db: Database,
    settings: Settings,
    *,
    report: Callable[[str], None],
    sql_root: Path = SQL_ROOT,
) -> InstallReport:
    """Install or bring up to date; a second time does nothing. `report` gets a line per change.

    Raises WrongDatabase, DatabaseReadOnly, MissingTables, SchemaFileChanged, ForeignObject, and
    InstallError where a column has a type that we cannot work with.
    """
    with db.transaction(ADMIN_LOOK) as conn:
        check_server(conn)
    with exclusive(db, report):
        installer = Installer(db, report, sql_root)
        with installer.as_login() as conn:
            states = sources.inspect(conn)
            _refuse_missing(conn, states)
            _refuse_types(conn, states)
            _refuse_unknown_zone(conn, settings.source_timezone)
        usable = sources.usable_names(states)
        views = [view.name for view in view_files(sql_root, usable)]
        _refuse_other_kinds(installer, views)

        roles.settle_owner(installer, usable)
        make_schema(installer)
        add_job_types(installer)
        take_over(installer, [*AUDIT_TABLES, *views])
        apply_schema_files(installer)
        was_weak = refresh_own_triggers(installer)
        _set_timezone(installer, settings.source_timezone)
        changed = _changed_sources(installer)
        refresh_views(installer, usable)
        roles.settle_rights_on_ours(installer, usable, [*AUDIT_TABLES, *views])
        refresh_indexes(installer, usable)
        missed = refresh_triggers(installer, usable)
        _keep_contents(installer)
        _note_sources(installer, states)
        _note_facts(installer, settings)
        db.forget()
        restored = refresh_statistics(installer, usable)
        why = _why_anew(
            installer, is_restored=restored, was_weak=was_weak, missed=missed, changed=changed
        )
        if _build_state(installer, settings, usable, why=why):
            note_not_restored(installer)
        return InstallReport(
            tuple(installer.done), tuple(installer.lost), installer.owner is not None
        )


def check_server(conn: Connection) -> None:
    """WrongDatabase below version 15, DatabaseReadOnly where nothing can be written."""
    server = ask(conn, "server")[0]
    if server.version < OLDEST_VERSION:
        raise WrongDatabase(
            f"PostgreSQL {server.version_text} is too old: version 15 or newer is needed. "
            "Upgrade the server or set DATABASE_URL to another one."
        )
    if server.is_standby or server.is_read_only:
        raise DatabaseReadOnly


def _refuse_missing(conn: Connection, states: list[SourceState]) -> None:
    unusable = [s for s in states if s.source.is_mandatory and not s.is_usable]
    if not unusable:
        return
    facts = {"missing": [s.source.name for s in unusable]}
    if not any(s.exists for s in states):
        database = ask(conn, "server")[0].database_name
        names = ", ".join(s.source.name for s in unusable)
        raise MissingTables(
            f"Database {database} has none of the source tables ({names}). Set DATABASE_URL to the "
            "database that has them; for a try, `python -m scout_core demo` makes an invented set "
            "in an empty one.",
            **facts,
        )
    lacks = ", ".join(f"{s.source.name} ({s.lack})" for s in unusable)
    raise MissingTables(
        f"Source tables cannot be used: {lacks}. Nothing was installed. Set DATABASE_URL to the "
        "database that has them all, or grant the login the right to read them.",
        **facts,
    )


def _refuse_types(conn: Connection, states: list[SourceState]) -> None:
    unfit = [odd for odd in column_types.list_odd(conn, states) if odd.needed]
    if unfit:
        said = " ".join(f"{odd.said} {odd.todo}" for odd in unfit)
        raise InstallError(f"{said} Nothing was changed.", columns=[odd.name for odd in unfit])


def _refuse_unknown_zone(conn: Connection, zone: str) -> None:
    known = text("select 1 from pg_catalog.pg_timezone_names where name = :zone")
    if not conn.execute(known, {"zone": zone}).first():
        raise InstallError(
            f"The database server does not know the time zone {zone}: correct "
            "SCOUT_SOURCE_TIMEZONE or install its time zone data."
        )


def _refuse_other_kinds(installer: Installer, view_names: list[str]) -> None:
    with installer.as_login() as conn:
        for relation in ask(conn, "relations", relation_names=view_names):
            if relation.relkind != "v":
                raise ForeignObject(
                    f"{relation.relation_name} exists already and is no view: nothing was changed. "
                    "Rename or drop it, then run init again."
                )


def _set_timezone(installer: Installer, zone: str) -> None:
    with installer.as_owner() as conn:
        current = ask(conn, "source_timezone")[0].body
        if current == zone:
            return
        run_formatted(
            conn,
            "create or replace function scout.source_timezone() returns text"
            " language sql immutable parallel safe return %L",
            zone,
        )
        # What an index computed with the former zone would be found no more.
        for index in ask(conn, "indexes_upon_timezone"):
            run_script(conn, index.statement)
    installer.did(f"Source timestamps without a zone are read as {zone}.")


def _keep_contents(installer: Installer) -> None:
    """What rows say is kept beside what was done to them; older versions kept nothing."""
    with installer.as_owner() as conn:
        # a tree of before keeps nothing
        kept = conn.execute(text("select to_regclass('scout.ignored_rows')")).scalar_one()
        if kept is None or row_security.list_hidden(conn):
            return
        count = conn.execute(sql.statement("install/keep_contents")).scalar_one()
    if count:
        noun = "row says" if count == 1 else "rows say"
        installer.did(f"Kept what {count:,} linked, held or set aside {noun}.")


def _build_state(
    installer: Installer, settings: Settings, usable: frozenset[str], *, why: str | None
) -> bool:
    """Settle every person once: the first time, and when the rules or the sources have changed.

    why: another reason to do it, e.g. changes may have been missed. False where rows are hidden and
    nobody could be settled.
    """
    with installer.as_owner() as conn:
        hidden = row_security.list_hidden(conn)
    if hidden:
        installer.misses(f"No person is settled. {row_security.said_of(hidden)}")
        return False
    with installer.as_owner() as conn:
        bodies = {row.function_name: row.bodies for row in ask(conn, "function_bodies")}
    definition = _definition(installer.sql_root, settings, usable, bodies)
    with installer.db.transaction(SETTLE) as conn:
        now = conn.execute(sql.query("attribution/settle", "definition")).one()
        is_tracked = settle.is_tracked(conn)
    mode = "TRACKED" if is_tracked else "REBUILT"
    if not is_tracked:
        installer.misses(
            "Not every change of the sources is noted: the numbers are true as of the last run, "
            "not as of now, and say so."
        )
    if why is None and (now.mode, now.definition) == (mode, definition):
        return True

    def tell(done: int, total: int) -> None:
        if total > 1:
            installer.report(f"Settling persons: part {done} of {total}.")

    done = settle.build(installer.db, definition=definition, progress=tell)
    persons = f"{done.persons:,} person{'' if done.persons == 1 else 's'}"
    installer.did(f"{why}: settled {persons} anew." if why else f"Settled {persons}.")
    return True


def _definition(
    sql_root: Path, settings: Settings, usable: frozenset[str], bodies: dict[str, str]
) -> str:
    """Hash of all that a settled row is computed from, but the data: views, and functions (bodies)
    that these stand on."""
    views = {view.name: view for view in view_files(sql_root, usable)}
    wanted, found = list(_STATE_VIEWS), dict[str, str]()
    while wanted:
        name = wanted.pop()
        if name in found or not (name in views or name in bodies):
            continue
        is_view = name in views
        found[name] = views[name].checksum if is_view else bodies[name]
        wanted += views[name].mentions if is_view else mentioned(bodies[name])
    parts = [f"{name} {found[name]}" for name in sorted(found)]
    return hashlib.sha256("\n".join([*parts, settings.source_timezone]).encode()).hexdigest()


def _changed_sources(installer: Installer) -> list[grounds.Trouble]:
    """Sources that are other relations than at the last init; none at the first."""
    with installer.as_owner() as conn:
        if not ask(conn, "relations", relation_names=["scout.v_source_troubles"]):
            return []
        return [t for t in grounds.list_stopping(conn) if isinstance(t, grounds.Trouble)]


def _why_anew(
    installer: Installer,
    *,
    is_restored: bool,
    was_weak: bool,
    missed: frozenset[str],
    changed: list[grounds.Trouble],
) -> str | None:
    """Why changes may have been missed, so that everything is settled anew; null = no reason."""
    if is_restored:
        return RESTORED
    if changed:
        return grounds.changed(changed)
    if missed:
        return f"The change tracking of {', '.join(sorted(missed))} had been off or gone"
    if was_weak:
        return "Triggers of ours had been off"
    with installer.as_owner() as conn:
        requests = grounds.list_rebuild_requests(conn)
    if requests:
        names = ", ".join(sorted({r.source_name for r in requests}))
        return f"Changes of {names} could not be noted"
    return None


def _note_sources(installer: Installer, states: list[SourceState]) -> None:
    """Keep what each source is now, for whoever judges later whether it is still that."""
    tracked = {o.relation for o in table_objects(installer.sql_root, "triggers")}
    with installer.as_owner() as conn:
        ask(
            conn,
            "note_sources",
            source_names=[s.source.name for s in states],
            are_mandatory=[s.source.is_mandatory for s in states],
            are_used=[s.is_usable for s in states],
            are_tracked=[s.source.name in tracked for s in states],
            columns=[" ".join(s.source.columns) for s in states],
            lacks=[s.lack for s in states],
        )
        for untracked in grounds.list_untracked(conn):
            installer.misses(f"{untracked.text}.")


def _note_facts(installer: Installer, settings: Settings) -> None:
    facts = {"version": __version__, "source_timezone": settings.source_timezone}
    with installer.as_owner() as conn:
        conn.execute(
            text(
                "insert into scout.install_facts (name, value)"
                " select 'installed_at', to_char(now() at time zone 'utc',"
                ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'
                " where not exists"
                " (select from scout.install_facts where name = 'installed_at')"
            )
        )
        for name, value in facts.items():
            if ask(conn, "note_fact", name=name, value=value):
                installer.did(f"Noted {name} {value}.")
