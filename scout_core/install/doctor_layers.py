"""What `doctor` looks at in an installation: zone, files, views, indexes, triggers, audit, data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, text

from scout_core.attribution import settle
from scout_core.db import grounds, sql
from scout_core.db.row_security import Hidden
from scout_core.install import roles
from scout_core.install.restored import RESTORED, is_restored, weak_triggers
from scout_core.install.session import ask
from scout_core.install.table_objects import index_states, trigger_states, wanted_objects
from scout_core.install.tree import own_triggers, schema_files, view_files
from scout_core.install.views import definition_hashes, differing, recorded
from scout_core.settings import Settings

State = Literal["OK", "WARN", "FAIL"]
INIT = "Run `python -m scout_core init`."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `what` is a sentence; `todo` is empty where nothing is."""

    layer: str
    name: str
    state: State
    what: str
    todo: str = ""


def examine_timezone(conn: Connection, settings: Settings) -> Iterator[Finding]:
    """The zone of the sources: as set, as installed, as the database has it."""
    wanted = settings.source_timezone
    facts = {row.name: row.value for row in ask(conn, "facts")}
    installed = ask(conn, "source_timezone")[0].body
    if installed != wanted or facts.get("source_timezone") != wanted:
        yield Finding(
            "time zone",
            "setting",
            "FAIL",
            f"SCOUT_SOURCE_TIMEZONE is {wanted}, the database was installed with {installed}.",
            INIT,
        )
    else:
        yield Finding("time zone", "setting", "OK", f"Source times are read as {wanted}.")
    session = ask(conn, "server")[0].session_timezone
    if _same_clock(conn, session, wanted):
        yield Finding("time zone", "database", "OK", f"The database's own zone is {session}.")
    else:
        yield Finding(
            "time zone",
            "database",
            "WARN",
            f"The database's own zone is {session}, not {wanted}: columns filled by the database "
            "(created_at default now()) are then in that zone.",
            "Look at a fresh source row; if its time is not in "
            f"{wanted}, set SCOUT_SOURCE_TIMEZONE and run init.",
        )


def _same_clock(conn: Connection, zone: str, other: str) -> bool:
    query = text("select now() at time zone :zone = now() at time zone :other")
    return bool(conn.execute(query, {"zone": zone, "other": other}).scalar_one())


def examine_schema_files(conn: Connection, sql_root: Path) -> Iterator[Finding]:
    """Each numbered file: applied, unchanged, known."""
    rows = conn.execute(text("select version, name, checksum from scout.schema_files"))
    applied = {row.version: row for row in rows}
    files = {file.version: file for file in schema_files(sql_root)}
    problems = []
    for version, row in applied.items():
        if version not in files:
            problems.append((row.name, "is applied but unknown here", "Install the newer version."))
        elif files[version].checksum != row.checksum:
            todo = "Restore the file and add a new one."
            problems.append((row.name, "was edited after it was applied", todo))
    problems += [
        (file.name, "is not applied yet", INIT)
        for version, file in files.items()
        if version not in applied
    ]
    for name, what, todo in problems:
        yield Finding("schema", name, "FAIL", f"Schema file {name} {what}.", todo)
    if not problems:
        yield Finding(
            "schema", "schema files", "OK", f"All {len(files)} are applied and unchanged."
        )


def examine_rights(conn: Connection, usable: frozenset[str]) -> Iterator[Finding]:
    """The search path of our functions, and rights on our objects that nothing needs."""
    paths = ask(conn, "routines_with_another_path")
    for row in paths:
        what = (
            f"{row.routine_name} does not set search_path to pg_catalog, pg_temp: a caller can "
            "make it run code of their own."
        )
        yield Finding("rights", row.routine_name, "FAIL", what, INIT)
    surplus = [p for p in roles.privileges(conn, usable) if not p.is_wanted]
    for row in surplus:
        what = f"{row.role_name} has {row.privilege} on {row.object_name}, which nothing needs."
        yield Finding("rights", row.object_name, "FAIL", what, INIT)
    if not (paths or surplus):
        what = "Every function sets its search path, and no right is granted that nothing needs."
        yield Finding("rights", "rights", "OK", what)


def examine_views(
    conn: Connection,
    sql_root: Path,
    usable: frozenset[str],
    unlike_their_files: Callable[[], frozenset[str]],
) -> Iterator[Finding]:
    """Each view: there, and as init made it.

    Another version of PostgreSQL prints the same view in other words, after an upgrade or a
    restore; only what differs from the note of init is made of its file once more and compared.
    """
    wanted = view_files(sql_root, usable)
    there = definition_hashes(conn, [view.name for view in wanted])
    noted = {name: checksum for name, (checksum, _) in recorded(conn, "view").items()}
    bad = differing(conn, wanted)
    same_file = {v.name for v in bad if v.name in there and noted.get(v.name) == v.checksum}
    if same_file:
        alike = same_file - unlike_their_files()
        bad = [view for view in bad if view.name not in alike]
    for view in bad:
        what = "is not as init would make it" if view.name in there else "is missing"
        yield Finding("views", view.name, "FAIL", f"{view.name} {what}.", INIT)
    if not bad:
        yield Finding("views", "views", "OK", f"All {len(wanted)} are there and unchanged.")


def examine_indexes(conn: Connection, sql_root: Path, usable: frozenset[str]) -> Iterator[Finding]:
    """Each index whose table is there: built and valid."""
    wanted = wanted_objects(conn, sql_root, "indexes", usable)
    states = index_states(conn, wanted)
    for index in wanted:
        if not states.get(index.name):
            what = "is invalid" if index.name in states else "is missing"
            yield Finding(
                "indexes", index.name, "WARN", f"{index.name} on {index.relation} {what}.", INIT
            )
    if all(states.get(index.name) for index in wanted):
        yield Finding("indexes", "indexes", "OK", f"All {len(wanted)} are there and valid.")


def examine_triggers(conn: Connection, sql_root: Path, usable: frozenset[str]) -> Iterator[Finding]:
    """Each trigger of the change tracking: there and enabled."""
    wanted = wanted_objects(conn, sql_root, "triggers", usable)
    states = trigger_states(conn, wanted)
    for trigger in wanted:
        if not states.get(trigger.name):
            what = "is disabled" if trigger.name in states else "is missing"
            yield Finding(
                "triggers",
                trigger.name,
                "WARN",
                f"{trigger.name} on {trigger.relation} {what}: scouts set there by hand are not "
                "recorded.",
                "Run init as a login that may create triggers there.",
            )
    if all(states.get(trigger.name) for trigger in wanted):
        yield Finding("triggers", "triggers", "OK", f"All {len(wanted)} are there and enabled.")


def examine_audit(conn: Connection, sql_root: Path) -> Iterator[Finding]:
    """Each table of ours: its guard is always on, and its other triggers work."""
    wanted = own_triggers(sql_root)
    weak = weak_triggers(conn, wanted)
    for trigger in weak:
        if trigger.is_always:
            yield Finding(
                "audit",
                trigger.relation,
                "FAIL",
                f"{trigger.relation} can be changed: its guard {trigger.name} is missing or not "
                "always on.",
                f"After a restore: {INIT} Else find out who took it away first. Then run "
                "`python -m scout_core verify`.",
            )
        else:
            what = f"{trigger.name} on {trigger.relation} is missing or off: what it notes is lost."
            yield Finding("triggers", trigger.name, "FAIL", what, INIT)
    if not any(trigger.is_always for trigger in weak):
        count = sum(trigger.is_always for trigger in wanted)
        yield Finding("audit", "append-only", "OK", f"All {count} tables refuse changes.")


def examine_restore(conn: Connection) -> Iterator[Finding]:
    """Whether init has to follow a restore."""
    if is_restored(conn):
        what = f"{RESTORED}: settled numbers and the planner's statistics may be out of date."
        yield Finding("installation", "restore", "WARN", what, INIT)


def examine_grounds(conn: Connection) -> Iterator[Finding]:
    """Sources that are not what the last init found, or whose changes cannot be noted."""
    for trouble in grounds.list_troubles(conn):
        said = trouble.text
        if isinstance(trouble, Hidden):
            said = f"{said[0].upper()}{said[1:]}"
        if isinstance(trouble, Hidden) or trouble.stops_runs:
            what = f"{said}: no run starts, as a scout could be written against the evidence."
            yield Finding("sources", trouble.table_name, "FAIL", what, trouble.todo)
        else:
            yield Finding("sources", trouble.table_name, "WARN", f"{said}.", trouble.todo)
    for untracked in grounds.list_untracked(conn):
        what = f"{untracked.text}: each run settles everybody anew."
        todo = "Nothing, if it has to be so."
        yield Finding("sources", untracked.source_name, "WARN", what, todo)


def examine_state(conn: Connection) -> Iterator[Finding]:
    """How persons are kept: as of now, or as of when."""
    now = settle.state(conn)
    name = "persons"
    for request in grounds.list_rebuild_requests(conn):
        yield Finding(
            "state",
            request.source_name,
            "WARN",
            f"A change of {request.source_name} could not be noted ({request.reason}): numbers are "
            f"as of {request.noted_at:%d %b %H:%M} UTC, and the next run settles everybody anew.",
            "Mend the cause and run `python -m scout_core refresh`.",
        )
    waiting = f"{now.pending_count:,} touched source rows wait to be settled"
    if now.mode == "LIVE":
        what = "No state of persons is stored: every number is recomputed from all history."
        yield Finding("state", name, "WARN", what, INIT)
    elif now.mode == "REBUILT":
        what = (
            f"Not every change of the sources is noted: numbers are as of {now.as_of:%d %b %H:%M} "
            "UTC, and each run settles everybody anew."
        )
        yield Finding("state", name, "WARN", what, "Mend the triggers (see above) and run init.")
    elif not now.is_exact:
        yield Finding(
            "state",
            name,
            "WARN",
            f"{waiting}: numbers are as of {now.as_of:%d %b %H:%M} UTC.",
            "Run `python -m scout_core settle`, or wait for the server or the next run.",
        )
    else:
        yield Finding("state", name, "OK", f"Numbers are as of now; {waiting}.")


def examine_data_quality(conn: Connection) -> Iterator[Finding]:
    """Issues of source values that are open, by rule."""
    if conn.scalar(sql.query("health/verdict", "scouts_list")):
        yield Finding(
            "data",
            "list of scouts",
            "FAIL",
            "The list of scouts, public.module_ct_scouts_list, has entries and none with a number "
            "that can be read: no scout is known, and nobody gets one.",
            "Mend scout_id there; the next refresh goes on from it.",
        )
    issues = ask(conn, "open_issues")
    for issue in issues:
        yield Finding(
            "data",
            issue.rule,
            "WARN",
            f"{issue.issue_count:,} source values are bad in this way.",
            "Mend them at the source; the next refresh closes what is mended "
            "(list: scout.data_quality_issues).",
        )
    if not issues:
        yield Finding("data", "data quality", "OK", "No issue is open.")
