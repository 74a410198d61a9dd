"""`doctor`: layer by layer what is right, what is not, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from scout_core import roles, sources, sql
from scout_core.database import ADMIN_LOOK, Database
from scout_core.install import OLDEST_VERSION
from scout_core.install_files import SQL_ROOT, schema_files, table_objects, view_files
from scout_core.install_objects import index_states, trigger_states
from scout_core.install_schema import AUDIT_TABLES, JOB_TYPES
from scout_core.install_views import definition_hashes, differing
from scout_core.installer import ask, run_formatted, run_script
from scout_core.settings import Settings
from scout_core.sources import SourceState

State = Literal["OK", "WARN", "FAIL"]
INIT = "Run `python -m scout_core init`."
APPEND_ONLY = (*AUDIT_TABLES, "scout.seals", "scout.decisions")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `what` is a sentence; `todo` is empty where nothing is."""

    layer: str
    name: str
    state: State
    what: str
    todo: str = ""


def examine(db: Database, settings: Settings, *, sql_root: Path = SQL_ROOT) -> list[Finding]:
    """Every finding, in the order in which one rests on the other. Changes nothing."""
    with db.transaction(ADMIN_LOOK) as conn:
        run_script(conn, "set local search_path = pg_catalog")
        findings = list(_server(conn))
        if findings[0].state == "FAIL":
            return findings
        states = sources.inspect(conn)
        usable = sources.usable_names(states)
        login = ask(conn, "login")[0]
        findings += _sources(conn, states)
        if not ask(conn, "schema_contents")[0].is_ours:
            findings.append(
                Finding(
                    "installation", "schema scout", "FAIL", "The product is not installed.", INIT
                )
            )
            return findings
        findings += _login(conn, login, usable)
        findings += _runs(conn, settings, usable)
        if login.schema_owner == roles.OWNER:
            if any(f.layer == "login" and f.name == "membership" for f in findings):
                return findings
            run_formatted(conn, "set local role %I", roles.WRITER)
            findings += _claims(conn)
            # Only this role of ours can look into every schema; the transaction is read-only.
            run_formatted(conn, "set local role %I", roles.OWNER)
        findings += _timezone(conn, settings)
        findings += _schema_files(conn, sql_root)
        findings += _views(conn, sql_root, usable)
        findings += _indexes(conn, sql_root, usable)
        findings += _triggers(conn, sql_root, usable)
        findings += _audit(conn)
        findings += _data_quality(conn)
    return findings


def _server(conn: Connection) -> Iterator[Finding]:
    server = ask(conn, "server")[0]
    if server.version < OLDEST_VERSION:
        yield Finding(
            "server",
            "version",
            "FAIL",
            f"PostgreSQL {server.version_text} is too old.",
            "Upgrade to 15 or newer.",
        )
    else:
        yield Finding("server", "version", "OK", f"PostgreSQL {server.version_text}.")
    if server.is_standby or server.is_read_only:
        why = "a standby" if server.is_standby else "set to read-only"
        yield Finding(
            "server",
            "writable",
            "WARN",
            f"The database is {why}: looking works, the job does not.",
            "Point DATABASE_URL of the job at the primary.",
        )
    else:
        yield Finding("server", "writable", "OK", "The database takes writes.")
    is_utf8 = server.encoding == "UTF8"
    yield Finding(
        "server",
        "encoding",
        "OK" if is_utf8 else "WARN",
        f"The encoding is {server.encoding}.",
        "" if is_utf8 else "Names with letters outside it cannot be stored; UTF8 has them all.",
    )


def _sources(conn: Connection, states: list[SourceState]) -> Iterator[Finding]:
    there = [s.source.name for s in states if s.is_usable]
    estimates = {
        r.relation_name: r.estimated_rows for r in ask(conn, "row_estimate", relation_names=there)
    }
    for state in states:
        name = state.source.name
        if state.is_usable:
            rows = estimates[name]
            count = "rows not counted yet" if rows is None else f"about {rows:,} rows"
            yield Finding("sources", name, "OK", f"Usable, {count}.")
        elif state.source.is_mandatory:
            yield Finding(
                "sources",
                name,
                "FAIL",
                f"Cannot be used ({state.lack}): {state.source.used_for}.",
                "Restore it or grant the login the right to read it.",
            )
        else:
            yield Finding(
                "sources",
                name,
                "WARN",
                f"Counts as empty ({state.lack}): {state.source.used_for}.",
                "Nothing, if you do not have it; else mend it and run init.",
            )


def _login(conn: Connection, login: Row[Any], usable: frozenset[str]) -> Iterator[Finding]:
    if login.schema_owner != roles.OWNER:
        yield Finding(
            "login",
            "separate roles",
            "WARN",
            f"Everything of ours belongs to {login.schema_owner}: reading, writing and owning are "
            "not kept apart, and the audit is only as safe as that login.",
            "Run init as a login that may create roles and pass on rights on the sources.",
        )
        return
    found = {row.rolname: row for row in ask(conn, "roles", roles=list(roles.ROLES))}
    lacking = [r for r in roles.ROLES if r not in found or not found[r].may_be_taken]
    if lacking:
        yield Finding(
            "login",
            "membership",
            "FAIL",
            f"{login.name} may not take the role {', '.join(lacking)}.",
            f"Let an administrator run: grant {', '.join(roles.ROLES)} to {login.name};",
        )
        return
    yield Finding(
        "login", "separate roles", "OK", f"{login.name} works as {roles.WRITER} or {roles.READER}."
    )
    strong = [r for r, row in found.items() if row.rolsuper or row.rolcanlogin]
    if strong:
        yield Finding(
            "login",
            "strength of roles",
            "FAIL",
            f"{', '.join(strong)} can log in or is superuser.",
            "Let an administrator run: "
            + " ".join(f"alter role {r} nologin nosuperuser;" for r in strong),
        )
    yield from _privileges(conn, usable)


def _privileges(conn: Connection, usable: frozenset[str]) -> Iterator[Finding]:
    needed = roles.needed_privileges(conn, usable)
    missing = [p for p in needed if not p.is_held]
    if missing:
        first = [f"{p.privilege} on {p.object_name} for {p.role_name}" for p in missing[:5]]
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        yield Finding("login", "privileges", "FAIL", f"Missing: {', '.join(first)}{more}.", INIT)
    else:
        yield Finding("login", "privileges", "OK", f"All {len(needed)} privileges are held.")


def _claims(conn: Connection) -> Iterator[Finding]:
    """As the job asks it at its start, in its role."""
    guard = conn.execute(sql.query("claims_guard", "privileges")).one()
    if guard.writable:
        yield Finding(
            "login",
            "claims",
            "FAIL",
            f"The job could write to {', '.join(guard.writable)}, so it will refuse to start.",
            f"Revoke insert, update, delete, truncate there from {roles.WRITER} and from public.",
        )
    else:
        what = (
            f"The job cannot write to any of the {guard.guarded_count} claims and payments tables."
        )
        yield Finding("login", "claims", "OK", what)


def _runs(conn: Connection, settings: Settings, usable: frozenset[str]) -> Iterator[Finding]:
    if "ops.ingestion_runs" not in usable:
        return
    runs = ask(conn, "last_runs", job_types=list(JOB_TYPES))
    refreshes = [r for r in runs if r.job_type == JOB_TYPES[0]]
    stuck = [
        r for r in runs if r.status == "RUNNING" and r.age_minutes > settings.health_stuck_minutes
    ]
    for run in stuck:
        yield Finding(
            "runs",
            f"run {run.run_id}",
            "WARN",
            f"RUNNING for {run.age_minutes:.0f} minutes.",
            "If its process is gone, the next refresh closes it; nothing of it was kept.",
        )
    ended = [r for r in refreshes if r.status != "RUNNING"]
    if not refreshes:
        what, todo = "No refresh has run yet.", "Run `python -m scout_core refresh`."
        yield Finding("runs", "last refresh", "WARN", what, todo)
    elif ended and ended[0].status == "FAILED":
        yield Finding(
            "runs",
            "last refresh",
            "WARN",
            f"Run {ended[0].run_id} failed: {ended[0].error_message or 'no reason was noted'}.",
            "Mend the cause and run `python -m scout_core refresh`.",
        )
    elif ended:
        age = ended[0].age_minutes
        yield Finding(
            "runs", "last refresh", "OK", f"Run {ended[0].run_id} started {age:.0f} minutes ago."
        )


def _timezone(conn: Connection, settings: Settings) -> Iterator[Finding]:
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


def _schema_files(conn: Connection, sql_root: Path) -> Iterator[Finding]:
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


def _views(conn: Connection, sql_root: Path, usable: frozenset[str]) -> Iterator[Finding]:
    wanted = view_files(sql_root, usable)
    there = definition_hashes(conn, [view.name for view in wanted])
    bad = differing(conn, wanted)
    for view in bad:
        what = "is not as init would make it" if view.name in there else "is missing"
        yield Finding("views", view.name, "FAIL", f"{view.name} {what}.", INIT)
    if not bad:
        yield Finding("views", "views", "OK", f"All {len(wanted)} are there and unchanged.")


def _indexes(conn: Connection, sql_root: Path, usable: frozenset[str]) -> Iterator[Finding]:
    wanted = [o for o in table_objects(sql_root, "indexes") if o.relation in usable]
    states = index_states(conn, wanted)
    for index in wanted:
        if not states.get(index.name):
            what = "is invalid" if index.name in states else "is missing"
            yield Finding(
                "indexes", index.name, "WARN", f"{index.name} on {index.relation} {what}.", INIT
            )
    if all(states.get(index.name) for index in wanted):
        yield Finding("indexes", "indexes", "OK", f"All {len(wanted)} are there and valid.")


def _triggers(conn: Connection, sql_root: Path, usable: frozenset[str]) -> Iterator[Finding]:
    wanted = [o for o in table_objects(sql_root, "triggers") if o.relation in usable]
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


def _audit(conn: Connection) -> Iterator[Finding]:
    tables = ask(conn, "append_only", relation_names=list(APPEND_ONLY))
    open_tables = [row.relation_name for row in tables if not row.is_guarded]
    for name in open_tables:
        yield Finding(
            "audit",
            name,
            "FAIL",
            f"{name} can be changed: its guard scout_append_only is missing or not always on.",
            "Find out who took it away, run `python -m scout_core verify`, then let the owner run: "
            f"alter table {name} enable always trigger scout_append_only;",
        )
    if not open_tables:
        yield Finding("audit", "append-only", "OK", f"All {len(tables)} tables refuse changes.")


def _data_quality(conn: Connection) -> Iterator[Finding]:
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
