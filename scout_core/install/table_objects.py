"""Steps of the installation that touch the owner's tables: indexes and change tracking.

Each may be refused for lack of a right; then the product works without it and says what is lost.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, Row, text

from scout_core.db import connecting
from scout_core.db.driver_errors import wrapped_errors
from scout_core.install.session import (
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    Installer,
    StatementRefused,
    ask,
    run_formatted,
    run_script,
)
from scout_core.install.tree import AUDIT_TABLES, TableObject, table_objects
from scout_core.install.views import recorded

_TRIES = 3
# An index that waits blocks no writer; a trigger that waits makes every writer wait behind it.
_INDEX_LOCK_SECONDS = 30
_TRIGGER_LOCK_SECONDS = 3
_PLURAL = {"trigger": "triggers", "index": "indexes"}


def wanted_objects(
    conn: Connection, sql_root: Path, topic: str, usable: frozenset[str]
) -> list[TableObject]:
    """Indexes or triggers whose table is there, and a table: a view takes neither."""
    objects = [o for o in table_objects(sql_root, topic) if o.relation in usable]
    kinds = ask(conn, "kinds", relation_names=sorted({o.relation for o in objects}))
    able = {row.relation_name for row in kinds if getattr(row, f"may_have_{topic}")}
    return [o for o in objects if o.relation in able]


def refresh_indexes(installer: Installer, usable: frozenset[str]) -> None:
    """Build what is missing, concurrently; drop leftovers of a broken build, and of a table that
    has lost its name to another one."""
    with installer.as_login() as conn:
        wanted = wanted_objects(conn, installer.sql_root, "indexes", usable)
    _drop_astray(installer, "index", wanted)
    with installer.as_owner() as conn:
        known = recorded(conn, "index")
        relations = _relations(conn, "index")
    with installer.as_login() as conn:
        there = index_states(conn, wanted)
    for name in sorted(known.keys() - {index.name for index in wanted}):
        _drop_index(installer, relations[name], name)
        _forget(installer, "index", name)
        installer.did(f"Dropped index {name}, no longer needed.")
    built = set()
    for index in wanted:
        is_as_wanted = there.get(index.name) and known.get(index.name, (None,))[0] == index.checksum
        if not is_as_wanted and _build(installer, index):
            _record(installer, "index", index)
            installer.did(f"Built index {index.name} on {index.relation}.")
            built.add(index.relation)
    for relation in sorted(built):
        analyze(installer, relation)


def drop_indexes_upon(installer: Installer, functions: frozenset[str]) -> None:
    """Drop the indexes that stand on functions which are about to change: what they hold was
    computed by the former ones, and would be found no more. `refresh_indexes` builds them anew."""
    objects = table_objects(installer.sql_root, "indexes")
    upon = [index for index in objects if index.mentions & functions]
    with installer.as_login() as conn:
        there = index_states(conn, upon)
    for index in upon:
        if index.name in there:
            _drop_index(installer, index.relation, index.name)
            installer.did(f"Dropped index {index.name}: what it is computed by changes.")


def refresh_triggers(installer: Installer, usable: frozenset[str]) -> frozenset[str]:
    """Create what is missing or disabled. The sources of which changes may have been missed: a
    trigger that had been there was gone or off."""
    with installer.as_login() as conn:
        wanted = wanted_objects(conn, installer.sql_root, "triggers", usable)
    _drop_astray(installer, "trigger", wanted)
    missed = set()
    with installer.as_owner() as conn:
        known = recorded(conn, "trigger")
        relations = _relations(conn, "trigger")
    with installer.as_login() as conn:
        there = trigger_states(conn, wanted)
    for name in sorted(known.keys() - {trigger.name for trigger in wanted}):
        drop_trigger(installer, relations[name], name)
        _forget(installer, "trigger", name)
        installer.did(f"Dropped trigger {name}, no longer needed.")
    for trigger in wanted:
        is_as_wanted = (
            there.get(trigger.name) and known.get(trigger.name, (None,))[0] == trigger.checksum
        )
        if not is_as_wanted and _create_trigger(installer, trigger):
            _record(installer, "trigger", trigger)
            installer.did(f"Created trigger {trigger.name} on {trigger.relation}.")
            if trigger.name in known and not there.get(trigger.name):
                missed.add(trigger.relation)
    # whether changes are all noted is asked against these: one that was refused is in no catalog
    tracking = sum(trigger.name.startswith("scout_note_") for trigger in wanted)
    with installer.as_owner() as conn:
        ask(conn, "note_fact", name="tracking_triggers", value=str(tracking))
    return frozenset(missed)


def index_states(conn: Connection, wanted: list[TableObject]) -> dict[str, bool]:
    """Whether each index that exists is valid."""
    return {row.name: row.is_valid for row in _ask_objects(conn, "indexes", wanted)}


def trigger_states(conn: Connection, wanted: list[TableObject]) -> dict[str, bool]:
    """Whether each trigger that exists is enabled."""
    return {row.name: row.is_enabled for row in _ask_objects(conn, "triggers", wanted)}


def drop_trigger(installer: Installer, relation: str, name: str) -> None:
    """Drop a trigger of ours; nothing where its table is gone."""
    with installer.as_login(lock_seconds=_TRIGGER_LOCK_SECONDS) as conn:
        if ask(conn, "relations", relation_names=[relation]):
            run_formatted(conn, "drop trigger if exists %I on %I.%I", name, *relation.split("."))


def drop_installed(installer: Installer) -> None:
    """Take away every index and trigger of ours on the owner's tables."""
    for kind, noun in _PLURAL.items():
        dropped = _drop_astray(installer, kind, [])
        with installer.as_owner() as conn:
            names = list(_relations(conn, kind))
        for name in names:
            _forget(installer, kind, name)
        if dropped:
            installer.did(f"Dropped {dropped} {noun} on the source tables.")


def _drop_astray(installer: Installer, kind: str, wanted: list[TableObject]) -> int:
    """Drop what is ours and stands elsewhere than it is wanted: how many, said by table."""
    with installer.as_owner() as conn:
        rows = [
            row
            for row in ask(
                conn,
                "astray",
                names=[thing.name for thing in wanted],
                relations=[thing.relation for thing in wanted],
                audit_tables=list(AUDIT_TABLES),
            )
            if row.kind == kind
        ]
    for row in rows:
        if kind == "trigger":
            with installer.as_login(lock_seconds=_TRIGGER_LOCK_SECONDS) as conn:
                run_formatted(
                    conn,
                    f"drop trigger if exists %I on {row.schema_name}.%I",
                    row.name,
                    row.table_name,
                )
        else:
            with _autocommit(installer) as conn:
                run_script(conn, f"drop index concurrently if exists {row.index_name}")
    if wanted:
        for table in sorted({f"{row.schema_name}.{row.table_name}" for row in rows}):
            count = sum(f"{row.schema_name}.{row.table_name}" == table for row in rows)
            noun = kind if count == 1 else _PLURAL[kind]
            installer.did(f"Dropped {count} {noun} of ours on {table}.")
    return len(rows)


def _build(installer: Installer, index: TableObject) -> bool:
    words = ""
    for attempt in range(_TRIES):
        # A leftover, or one whose definition has changed.
        _drop_index(installer, index.relation, index.name)
        try:
            with _autocommit(installer) as conn:
                run_script(conn, index.body)
        except StatementRefused as exc:
            words = exc.words
            if exc.code != LOCK_NOT_AVAILABLE:
                break
            time.sleep(attempt)
        else:
            return True
    _drop_index(installer, index.relation, index.name)
    installer.misses(
        f"Index {index.name} on {index.relation} could not be built ({words}): what it serves is "
        "slower or less guarded until an init builds it."
    )
    return False


def analyze(installer: Installer, relation: str, *, is_ours: bool = False) -> None:
    """Let the planner know a table, or how the keys of new indexes are spread: it guesses badly
    until then. A table that somebody is changing is left to autovacuum."""
    try:
        with installer.as_login(lock_seconds=_INDEX_LOCK_SECONDS) as conn:
            if is_ours and installer.owner:
                run_formatted(conn, "set local role %I", installer.owner)
            run_formatted(conn, "analyze %I.%I", *relation.split("."))
    except StatementRefused as exc:
        if exc.code != LOCK_NOT_AVAILABLE:
            raise


def _create_trigger(installer: Installer, trigger: TableObject) -> bool:
    words = ""
    for attempt in range(_TRIES):
        try:
            with installer.as_login(lock_seconds=_TRIGGER_LOCK_SECONDS) as conn:
                run_script(conn, trigger.body)
                schema, table = trigger.relation.split(".")
                run_formatted(
                    conn, "alter table %I.%I enable trigger %I", schema, table, trigger.name
                )
        except StatementRefused as exc:
            words = exc.words
            if exc.code == INSUFFICIENT_PRIVILEGE:
                break
            if exc.code != LOCK_NOT_AVAILABLE:
                raise
            time.sleep(attempt + 1)
        else:
            return True
    installer.misses(
        f"Trigger {trigger.name} on {trigger.relation} is lost ({words}): changes that others make "
        "there between two runs are not recorded."
    )
    return False


def _drop_index(installer: Installer, relation: str, name: str) -> None:
    with installer.as_login() as conn:
        found = ask(conn, "indexes", names=[name], relations=[relation])
    if found:
        with _autocommit(installer) as conn:
            run_script(conn, f"drop index concurrently if exists {found[0].index_name}")


@contextmanager
def _autocommit(installer: Installer) -> Iterator[Connection]:
    """A connection of the login outside any transaction, as concurrent index builds need it.

    Behind a pooler a setting would stay with whoever gets the connection next: an index then waits
    as long as it takes.
    """
    engine = connecting.engine(installer.db.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with wrapped_errors(), engine.connect() as conn:
        if not _is_pooled(conn):
            run_script(conn, "set search_path = pg_catalog, pg_temp")
            run_script(conn, "set statement_timeout = 0")
            run_script(conn, f"set lock_timeout = '{_INDEX_LOCK_SECONDS}s'")
        yield conn


def _is_pooled(conn: Connection) -> bool:
    """Whether somebody stands between: who answered the login is not who answers now."""
    driver: Any = conn.connection.dbapi_connection
    return bool(driver.info.backend_pid != conn.scalar(text("select pg_catalog.pg_backend_pid()")))


def _ask_objects(conn: Connection, name: str, wanted: list[TableObject]) -> list[Row[Any]]:
    return ask(
        conn,
        name,
        names=[thing.name for thing in wanted],
        relations=[thing.relation for thing in wanted],
    )


def _relations(conn: Connection, kind: str) -> dict[str, str]:
    rows = conn.execute(
        text("select name, relation from scout.installed_objects where kind = :kind order by name"),
        {"kind": kind},
    )
    return {row.name: row.relation for row in rows}


def _record(installer: Installer, kind: str, thing: TableObject) -> None:
    with installer.as_owner() as conn:
        conn.execute(
            text(
                "insert into scout.installed_objects (kind, name, relation, checksum)"
                " values (:kind, :name, :relation, :checksum)"
                " on conflict (kind, name) do update set relation = excluded.relation,"
                " checksum = excluded.checksum, applied_at = now()"
            ),
            {
                "kind": kind,
                "name": thing.name,
                "relation": thing.relation,
                "checksum": thing.checksum,
            },
        )


def _forget(installer: Installer, kind: str, name: str) -> None:
    with installer.as_owner() as conn:
        conn.execute(
            text("delete from scout.installed_objects where kind = :kind and name = :name"),
            {"kind": kind, "name": name},
        )
