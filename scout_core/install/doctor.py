"""`doctor`: layer by layer what is right, what is not, and what to do about it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import ProgrammingError

from scout_core import sources
from scout_core.db import sequences, sql
from scout_core.db.database import ADMIN_LOOK, LOOK, QUIET, Database
from scout_core.errors import WrongDatabase
from scout_core.install import column_types, manifest, roles
from scout_core.install import doctor_files as files
from scout_core.install import doctor_layers as installed
from scout_core.install.doctor_layers import INIT, Finding
from scout_core.install.init import OLDEST_VERSION
from scout_core.install.schema import JOB_TYPES
from scout_core.install.session import StatementRefused, ask, run_formatted
from scout_core.install.tree import SQL_ROOT
from scout_core.settings import Settings
from scout_core.sources import SourceState

# what logs statements too and is not ours to set within a transaction -> values that are quiet
LOUD: dict[str, tuple[str | None, ...]] = {
    "log_transaction_sample_rate": ("0",),
    "auto_explain.log_min_duration": (None, "", "-1"),
    "pgaudit.log": (None, "", "none"),
}


def examine(db: Database, settings: Settings, *, sql_root: Path = SQL_ROOT) -> list[Finding]:
    """Every finding, in the order in which one rests on the other. Changes nothing."""
    with db.transaction(ADMIN_LOOK) as conn:
        findings = list(_server(conn))
        if findings[0].state == "FAIL":
            return findings
        states = sources.inspect(conn)
        usable = sources.usable_names(states)
        login = ask(conn, "login")[0]
        findings += [*_sources(conn, states), *_column_types(conn, states)]
        if not ask(conn, "schema_contents")[0].is_ours:
            what = "The product is not installed."
            return [*findings, Finding("installation", "schema scout", "FAIL", what, INIT)]
        findings += _layer(conn, "login", _login(conn, login, usable))
        findings += _layer(conn, "schemas", _schemas(conn, usable))
        findings += _layer(conn, "sources", _functions_of_others(conn, usable))
        findings += [*_server_log(db), *files.examine(settings)]
        findings += _layer(conn, "runs", _runs(conn, settings, usable))
        has_roles = login.schema_owner == roles.OWNER
        if has_roles:
            if any(f.name == "membership" for f in findings):
                return findings
            run_formatted(conn, "set local role %I", roles.WRITER)
            findings += _layer(conn, "claims", _claims(conn))
        findings += _layer(conn, "sequences", _sequences(conn))
        if has_roles:
            # Only this role of ours can look into every schema; the transaction is read-only.
            run_formatted(conn, "set local role %I", roles.OWNER)
        troubles = _layer(conn, "sources", installed.examine_grounds(conn))
        findings = _with_troubles(findings, troubles)
        for layer, found in (
            ("time zone", installed.examine_timezone(conn, settings)),
            ("schema", installed.examine_schema_files(conn, sql_root)),
            ("rights", installed.examine_rights(conn, usable)),
            ("views", installed.examine_views(conn, sql_root, usable, partial(_unlike, db))),
            ("indexes", installed.examine_indexes(conn, sql_root, usable)),
            ("triggers", installed.examine_triggers(conn, sql_root, usable)),
            ("installation", installed.examine_restore(conn)),
            ("state", installed.examine_state(conn)),
            ("audit", installed.examine_audit(conn, sql_root)),
            ("data", installed.examine_data_quality(conn)),
        ):
            findings += _layer(conn, layer, found)
    return findings


def _unlike(db: Database) -> frozenset[str]:
    """The views that are not what their files make of them in this database."""
    found = manifest.differing_views(db)
    return frozenset(one["object"].removeprefix("view ") for one in found)


def _layer(conn: Connection, layer: str, findings: Iterator[Finding]) -> list[Finding]:
    """The findings of a layer; one that says so where it is too damaged to be examined."""
    try:
        with conn.begin_nested():
            return list(findings)
    except ProgrammingError as exc:
        words = StatementRefused(exc.orig).words
        return [Finding(layer, layer, "FAIL", f"Cannot be examined: {words}.", INIT)]


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
    yield _encoding(server.encoding)


def _encoding(encoding: str) -> Finding:
    what = f"The encoding is {encoding}"
    if encoding == "UTF8":
        return Finding("server", "encoding", "OK", f"{what}.")
    if encoding == "SQL_ASCII":
        return Finding(
            "server",
            "encoding",
            "WARN",
            f"{what}: the database keeps bytes and knows no letters. We write and read UTF-8; "
            "what others wrote in another encoding is shown with \ufffd in place of each byte.",
            "Nothing for our own data. To read the names of others, move the database to UTF8 with "
            "pg_dump and pg_restore, naming the encoding that they were written in.",
        )
    return Finding(
        "server",
        "encoding",
        "WARN",
        f"{what}: a note or a name with another letter, as “ or ✓, is refused with its name.",
        "Nothing, or move the database to UTF8 with pg_dump and pg_restore; UTF8 has all letters.",
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


def _column_types(conn: Connection, states: list[SourceState]) -> Iterator[Finding]:
    """Columns that have another type than is meant, and what is read of them."""
    for odd in column_types.list_odd(conn, states):
        yield Finding("sources", odd.name, "FAIL" if odd.needed else "WARN", odd.said, odd.todo)


def _with_troubles(findings: list[Finding], troubles: list[Finding]) -> list[Finding]:
    """The same with what is wrong with a source instead of that it is usable."""
    names = {f.name for f in troubles}
    kept = [f for f in findings if f.layer != "sources" or f.name not in names or f.state != "OK"]
    place = max((i for i, f in enumerate(kept) if f.layer == "sources"), default=-1) + 1
    return [*kept[:place], *troubles, *kept[place:]]


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
    every = [*roles.ROLES, roles.REPORT]
    found = {row.rolname: row for row in ask(conn, "roles", roles=every)}
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
    if roles.REPORT not in found:
        yield Finding(
            "login",
            roles.REPORT,
            "WARN",
            f"Role {roles.REPORT} does not exist: BI users cannot be given the reports alone.",
            f"Let an administrator run: create role {roles.REPORT} nologin; then run init.",
        )
    yield from _privileges(conn, usable)


def _privileges(conn: Connection, usable: frozenset[str]) -> Iterator[Finding]:
    needed = [p for p in roles.privileges(conn, usable) if p.is_wanted]
    missing = [p for p in needed if not p.is_held]
    if missing:
        first = [f"{p.privilege} on {p.object_name} for {p.role_name}" for p in missing[:5]]
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        yield Finding("login", "privileges", "FAIL", f"Missing: {', '.join(first)}{more}.", INIT)
    else:
        yield Finding("login", "privileges", "OK", f"All {len(needed)} privileges are held.")


def _schemas(conn: Connection, usable: frozenset[str]) -> Iterator[Finding]:
    """Roles other than the owner that may create objects in a schema that we use."""
    names = {"pg_catalog", "public", "scout", "ops", *(name.split(".")[0] for name in usable)}
    open_schemas = ask(conn, "foreign_creators", schemas=sorted(names))
    for row in open_schemas:
        yield Finding(
            "schemas",
            row.schema_name,
            "FAIL",
            f"{row.role_names} may create in schema {row.schema_name}: a function or operator put "
            "there can run with the rights of others.",
            f"Let the owner of the schema or an administrator run: {row.statements}",
        )
    if not open_schemas:
        what = "Only the owners may create objects in the schemas that we use."
        yield Finding("schemas", "schemas", "OK", what)


def _functions_of_others(conn: Connection, usable: frozenset[str]) -> Iterator[Finding]:
    """Functions of the owner that run in our sessions and rely on public in the path."""
    for row in ask(conn, "functions_by_bare_names", source_names=sorted(usable)):
        yield Finding(
            "sources",
            row.routine_name,
            "WARN",
            f"{row.routine_name}, used by {row.places}, seems to use {row.names} of schema public "
            "without naming the schema: our sessions do not find it, and the call fails.",
            f"Let its owner name the schema, or run: alter function {row.routine_name} "
            "set search_path = public;",
        )


def _server_log(db: Database) -> Iterator[Finding]:
    """Whether the server writes statements of ours with their values into its log."""
    try:
        with db.transaction(LOOK) as conn:
            login = ask(conn, "login")[0].name
            found = {r.name: r.value for r in ask(conn, "server_log", names=[*QUIET, *LOUD])}
    except WrongDatabase:
        return  # the login may not take the roles, which is said above
    loud = [name for name, value in QUIET.items() if found[name] != value]
    if loud:
        roles_of = f"{roles.WRITER}, {roles.READER}" if db.capabilities.has_roles else login
        yield Finding(
            "server",
            "log",
            "WARN",
            "Statements of ours that fail, are slow or wait may stand in the server's log with "
            f"what somebody searched, a phone or a name ({', '.join(loud)}).",
            f"Let an administrator run: grant set on parameter {', '.join(QUIET)} to {roles_of};",
        )
    elsewhere = {name: found[name] for name, quiet in LOUD.items() if found[name] not in quiet}
    if elsewhere:
        told = ", ".join(f"{name} is {value}" for name, value in elsewhere.items())
        changes = " ".join(
            f"alter role {login} set {name} = '{LOUD[name][-1]}';" for name in elsewhere
        )
        yield Finding(
            "server",
            "log of the login",
            "WARN",
            f"The server's log may show what somebody searched: {told}.",
            f"Let an administrator run: {changes}",
        )
    if not loud and not elsewhere:
        yield Finding("server", "log", "OK", "No value of ours gets into the server's log.")


def _claims(conn: Connection) -> Iterator[Finding]:
    """As the job asks it at its start, in its role."""
    guard = conn.execute(sql.query("job/claims_guard", "privileges")).one()
    if guard.writable:
        yield Finding(
            "login",
            "claims",
            "FAIL",
            f"The job could write to {', '.join(guard.writable)}, so it will refuse to start.",
            f"Revoke that from {roles.WRITER}, from public and from the roles that it can become.",
        )
    else:
        what = (
            f"The job cannot write to any of the {guard.guarded_count} claims and payments tables."
        )
        yield Finding("login", "claims", "OK", what)


def _sequences(conn: Connection) -> Iterator[Finding]:
    """Whether each number that a run takes is free."""
    behind = sequences.list_behind(conn)
    for one in behind:
        what = f"{one.text[0].upper()}{one.text[1:]}: a run that writes there fails."
        todo = f"Let the owner of the table run: {one.statement}"
        yield Finding("sequences", one.sequence_name, "FAIL", what, todo)
    if not behind:
        what = "Every sequence is ahead of the rows of its table."
        yield Finding("sequences", "sequences", "OK", what)


def _runs(conn: Connection, settings: Settings, usable: frozenset[str]) -> Iterator[Finding]:
    if "ops.ingestion_runs" not in usable:
        return
    runs = ask(conn, "last_runs", job_types=list(JOB_TYPES))
    refreshes = [r for r in runs if r.job_type == JOB_TYPES[0]]
    lost = [r for r in runs if r.is_lost]
    stuck = [
        r
        for r in runs
        if r.status == "RUNNING" and not r.is_lost and r.age_minutes > settings.health_stuck_minutes
    ]
    for run in lost:
        yield Finding(
            "runs",
            f"run {run.run_id}",
            "WARN",
            "RUNNING, but nobody works on it: its process is gone.",
            "Nothing: the next run closes it; what it had not committed was rolled back.",
        )
    for run in stuck:
        yield Finding(
            "runs",
            f"run {run.run_id}",
            "WARN",
            f"RUNNING for {run.age_minutes:.0f} minutes.",
            "Look at what it waits for, or end its process; the next run goes on from there.",
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
