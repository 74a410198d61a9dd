"""What an installation consists of, and whether this database has just that.

sql/manifest.json is made of a fresh installation (`make manifest`) and holds each function,
trigger, column, constraint and index of ours. Views depend on the tables of the owner, so they are
made once more of their files, under other names in a transaction that is rolled back. Nothing that
the database keeps about itself is believed.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection

from scout_core import sources
from scout_core.db import sql
from scout_core.db.database import PROBE, Database
from scout_core.db.driver_errors import wrapped_errors
from scout_core.errors import DatabaseReadOnly
from scout_core.install.session import (
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    StatementRefused,
    run_script,
)
from scout_core.install.tree import (
    AUDIT_TABLES,
    SQL_ROOT,
    ViewFile,
    append_only_tables,
    schema_files,
    view_files,
)
from scout_core.install.views import differing as differing_from_notes

PATH = SQL_ROOT / "manifest.json"
# the zone that a setting puts into the body of scout.source_timezone()
_ZONE = "SCOUT_SOURCE_TIMEZONE"
_ZONE_FUNCTION = "function scout.source_timezone()"
_SHOWN = 200
_VIEW_HEAD = re.compile(r"create or replace view\s+[\w.]+", re.IGNORECASE)
_VIEW_END = re.compile(r";\s*$(?=\s*(?:comment\b|\Z))", re.MULTILINE | re.IGNORECASE)


def objects(conn: Connection, known: Iterable[str] | None = None) -> dict[str, str]:
    """Each object of ours in this database and what it is, in one line. known: leaves out plain
    indexes of other names, which do no harm."""
    _name_in_full(conn)
    known_names = None if known is None else list(known)
    values = {"relations_of_ops": _relations_of_ops(), "known_names": known_names}
    found = {}
    for row in conn.execute(sql.query("install/manifest", "of_ours"), values):
        facts = row.facts
        if row.body is not None:
            hashed = hashlib.sha256(row.body.encode()).hexdigest()
            facts += f" body {hashed if row.is_long else row.body}"
        found[row.name] = facts
    return found


def as_text(conn: Connection, zone: str) -> str:
    """The manifest of this database, a line for each object; it must be a fresh installation for
    this zone."""
    found = objects(conn)
    found[_ZONE_FUNCTION] = _without_zone(found[_ZONE_FUNCTION], zone)
    return json.dumps(found, indent=0, sort_keys=True, ensure_ascii=False) + "\n"


def differing(
    conn: Connection, *, zone: str | None = None, known_event_triggers: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Each object that is not as this version makes it, is missing, or is somebody else's. zone:
    of the settings; null = what was noted at the installation."""
    _name_in_full(conn)
    pending = _schema_files_that_differ(conn)
    if pending:
        yield from pending
        return
    shipped = _shipped()
    found = objects(conn, shipped)
    zone = zone or conn.execute(sql.query("install/manifest", "installed_zone")).scalar() or ""
    if _ZONE_FUNCTION in found:
        found[_ZONE_FUNCTION] = _without_zone(found[_ZONE_FUNCTION], zone)
    expected = _expected_here(conn, shipped, found)
    for name in sorted(expected.keys() | found.keys()):
        if found.get(name) != expected.get(name):
            yield _difference(name, expected.get(name), found.get(name))
    values = {
        "relations_of_ops": _relations_of_ops(),
        "append_only": [table.name for table in append_only_tables()],
        "known_event_triggers": list(known_event_triggers),
    }
    for row in conn.execute(sql.query("install/manifest", "of_others"), values):
        yield {"object": row.name, "problem": row.problem}


class _MayNotMake(Exception):
    """No view can be made here to compare with: init gives the right, somebody took it away."""


def differing_views(db: Database) -> Iterator[dict[str, Any]]:
    """Each view that is not what its file makes of it in this database.

    Where nothing can be written, as on a standby, what init noted is compared instead.
    """
    transaction = db.begin(PROBE)
    try:
        conn = transaction.conn
        _name_in_full(conn)
        wanted = view_files(SQL_ROOT, sources.usable_names(sources.inspect(conn)))
        try:
            problems = _probe(conn, wanted)
        except _MayNotMake:
            problems = {
                view.name: "cannot be compared with its file: no right to make temporary objects"
                for view in wanted
            }
        except DatabaseReadOnly:
            transaction.rollback()
            transaction = db.begin(PROBE)
            _name_in_full(transaction.conn)
            changed = differing_from_notes(transaction.conn, wanted)
            problems = {view.name: "is not as init made it" for view in changed}
    finally:
        transaction.rollback()
    for name, problem in sorted(problems.items()):
        yield {"object": f"view {name}", "problem": problem}


def _probe(conn: Connection, wanted: Sequence[ViewFile]) -> dict[str, str]:
    """What is wrong with each view that is not as its file makes it. DatabaseReadOnly on a standby,
    _MayNotMake where the right to make one is gone."""
    problems = {}
    made = {view.name: (_probe_of(n), _statement(n, view)) for n, view in enumerate(wanted)}
    if _refusal(conn, "".join(statement for _, statement in made.values())) is not None:
        # one of them, or several: one after the other
        for name, (_, statement) in list(made.items()):
            words = _refusal(conn, statement)
            if words is not None:
                problems[name] = f"cannot be made of its file ({words})"
                del made[name]
    values = {"names": list(made), "probes": [probe for probe, _ in made.values()]}
    rows = conn.execute(sql.query("install/manifest", "probed_views"), values)
    is_alike = {row.name: row.is_alike for row in rows}
    for name in made:
        if name not in is_alike:
            problems[name] = "is missing"
        elif not is_alike[name]:
            problems[name] = "is not what its file says"
    return problems


def _probe_of(number: int) -> str:
    return f"pg_temp.scout_probe_{number}"


def _statement(number: int, view: ViewFile) -> str:
    body = _VIEW_END.split(view.body, maxsplit=1)[0]
    return _VIEW_HEAD.sub(f"create temporary view scout_probe_{number}", body, count=1) + ";\n"


def _refusal(conn: Connection, script: str) -> str | None:
    """Why the server refuses the script, which then has done nothing; null when it does not."""
    try:
        with wrapped_errors(), conn.begin_nested():
            run_script(conn, script)
    except StatementRefused as exc:
        if exc.code == INSUFFICIENT_PRIVILEGE:
            raise _MayNotMake from exc
        if exc.code == LOCK_NOT_AVAILABLE:
            raise
        return exc.words
    return None


def _name_in_full(conn: Connection) -> None:
    run_script(conn, "set local search_path = pg_catalog, pg_temp")


@cache
def _shipped() -> Mapping[str, str]:
    found: dict[str, str] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


@cache
def _relations_of_ops() -> list[str]:
    names = (view.name for view in view_files(SQL_ROOT, frozenset()))
    return [*AUDIT_TABLES, *(name for name in names if name.startswith("ops."))]


def _without_zone(facts: str, zone: str) -> str:
    return facts.replace(f"'{zone}'", f"'{_ZONE}'")


def _schema_files_that_differ(conn: Connection) -> list[dict[str, Any]]:
    files = {file.name: file.checksum for file in schema_files(SQL_ROOT)}
    rows = conn.execute(sql.query("install/manifest", "schema_files"))
    applied = {row.name: row.checksum for row in rows}
    problems = []
    for name in sorted(files.keys() | applied.keys()):
        if name not in applied:
            problem = "is not applied: run init"
        elif name not in files:
            problem = "is not of this version: install the newer one"
        elif files[name] != applied[name]:
            problem = "was another one when it was applied"
        else:
            continue
        problems.append({"object": f"schema file {name}", "problem": problem})
    return problems


def _expected_here(
    conn: Connection, shipped: Mapping[str, str], found: Mapping[str, str]
) -> dict[str, str]:
    """What there should be in this database: less than in a fresh one, where a table of the owner
    is absent or not ours to put a trigger on, or an audit table is older than the product."""
    expected = dict(shipped)
    usable = sources.usable_names(sources.inspect(conn))
    rows = conn.execute(
        sql.query("install/manifest", "tables_of_the_owner"), {"names": sorted(usable)}
    )
    may_have_triggers = {row.name: row.may_have_triggers for row in rows}
    for name in shipped:
        kind, _, rest = name.partition(" ")
        table = rest.rpartition(".")[0]
        is_of_owner = kind == "trigger" and not table.startswith("scout.")
        if not is_of_owner or table in AUDIT_TABLES or name in found:
            continue
        if not may_have_triggers.get(table, False):
            del expected[name]
    for table in AUDIT_TABLES:
        if _is_older(table, shipped, found):
            own = tuple(f"{kind} {table}." for kind in ("column", "constraint", "index"))
            expected |= {name: facts for name, facts in found.items() if name.startswith(own)}
            for name in shipped:
                if name.startswith(own[1:]) and name not in found:
                    del expected[name]
    return expected


def _is_older(table: str, shipped: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Whether an audit table was there before the product, which then only added to it."""
    ours, here = _columns(table, shipped), _columns(table, found)
    identity = f"column {table}.id"
    return here[: len(ours)] != ours or "identity" not in found.get(identity, "")


def _columns(table: str, of: Mapping[str, str]) -> list[str]:
    prefix = f"column {table}."
    return sorted(
        (name for name in of if name.startswith(prefix)),
        key=lambda name: int(of[name].partition(" ")[0]),
    )


def _difference(name: str, expected: str | None, found: str | None) -> dict[str, Any]:
    if found is None:
        problem = "is missing"
    elif expected is None:
        problem = f"is not of this version: {found[:_SHOWN]}"
    elif (
        name.startswith("function ")
        and found.partition(" body ")[0] == (expected.partition(" body ")[0])
    ):
        problem = "has another body"
    else:
        problem = f"is {found[:_SHOWN]}, not {expected[:_SHOWN]}"
    return {"object": name, "problem": problem}
