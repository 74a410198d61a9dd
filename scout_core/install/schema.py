"""Steps of the installation that make what holds data: schema scout, labels, numbered files."""

from typing import Any

from sqlalchemy import Row, text

from scout_core.errors import ForeignObject, InstallError, MissingTables, SchemaFileChanged
from scout_core.install.session import (
    INSUFFICIENT_PRIVILEGE,
    Installer,
    StatementRefused,
    ask,
    run_formatted,
    run_script,
)
from scout_core.install.table_objects import drop_indexes_upon
from scout_core.install.tree import AUDIT_TABLES, SQL_ROOT, SchemaFile, schema_files

# as the catalog query names it
SCHEMA = "schema scout"
JOB_TYPES = ("scout_attribution_refresh", "scout_attribution_undo", "scout_attribution_decision")

# Values that we write where an older table may have a closed list.
_AUDIT_VALUES = {
    "action_type": ("CREATED", "AMBIGUOUS", "SKIPPED", "REVERTED"),
    "backfill_method": (
        "BACKFILL_SINGLE_SCOUT_FROM_EVENTS",
        "MANUAL_DECISION",
        "EXTERNAL_CHANGE",
        "REVERT",
        "ERASURE",
    ),
}


def make_schema(installer: Installer) -> None:
    """Schema scout. ForeignObject where somebody else has one of that name."""
    with installer.as_login() as conn:
        login = ask(conn, "login")[0]
        contents = ask(conn, "schema_contents")[0]
        if login.schema_owner and not (contents.is_ours or contents.is_empty):
            raise ForeignObject(
                "Schema scout exists already and holds something that is not ours: nothing was "
                "changed. Rename it, or install on another database."
            )
        if login.schema_owner is None:
            if not login.may_create_schemas:
                raise InstallError(
                    f"{login.name} may not create schema scout. Let an administrator run: "
                    f"create schema scout authorization {login.name};"
                )
            run_formatted(
                conn, "create schema scout authorization %I", installer.owner or login.name
            )
            installer.did("Created schema scout.")


def take_over(installer: Installer, relation_names: list[str]) -> None:
    """Give what is ours and belongs to somebody else to the owner of the installation."""
    with installer.as_login() as conn:
        owner = installer.owner or ask(conn, "login")[0].name
        others = ask(conn, "owned_by_others", owner=owner, relation_names=relation_names)
        others.sort(key=lambda thing: thing.object_name == SCHEMA)
        if others and others[-1].object_name == SCHEMA:
            # a table can only be given to a role that may create one there
            run_formatted(conn, "grant usage, create on schema scout to %I", owner)
        for thing in others:
            try:
                with conn.begin_nested():
                    run_script(conn, thing.change_statement)
            except StatementRefused as exc:
                if exc.code != INSUFFICIENT_PRIVILEGE:
                    raise
                raise InstallError(
                    f"{thing.object_name} belongs to {thing.owner_name} and cannot be taken over "
                    f"({exc.words}). Let {thing.owner_name} or an administrator run: "
                    f"{thing.change_statement};"
                ) from exc
        if installer.owner:
            run_formatted(conn, "set local role %I", installer.owner)
        for thing in others:
            if thing.keep_statement:
                run_script(conn, thing.keep_statement)
    for thing in others:
        installer.did(f"Took over {thing.object_name} from {thing.owner_name}.")


def add_job_types(installer: Installer) -> None:
    """The labels of our runs, in a commit of their own: nothing may use a new label before it."""
    with installer.as_login() as conn:
        found = ask(conn, "job_type")
        if not found:
            raise MissingTables("ops.ingestion_runs has no column job_type: nothing was installed.")
        job_type = found[0]
        missing = [name for name in JOB_TYPES if name not in job_type.labels]
        if not job_type.is_enum or not missing:
            return
        quoted = [f"alter type {job_type.type_name} add value if not exists" for _ in missing]
        try:
            with conn.begin_nested():
                for label, command in zip(missing, quoted, strict=True):
                    run_formatted(conn, command.replace("%", "%%") + " %L", label)
        except StatementRefused as exc:
            if exc.code != INSUFFICIENT_PRIVILEGE:
                raise
            commands = " ".join(f"{c} '{n}';" for n, c in zip(missing, quoted, strict=True))
            raise InstallError(
                f"Only {job_type.owner_name} may add to {job_type.type_name} the kinds of run that "
                f"are ours. Let them run: {commands}"
            ) from exc
    installer.did(f"Added {', '.join(missing)} to {job_type.type_name}.")


def apply_schema_files(installer: Installer) -> None:
    """The numbered files that are pending, each in a transaction of its own."""
    files = schema_files(installer.sql_root)
    with installer.as_owner() as conn:
        if not ask(conn, "schema_contents")[0].is_ours:
            run_script(conn, (SQL_ROOT / "install" / "bookkeeping.sql").read_text(encoding="utf-8"))
        applied = {
            row.version: row
            for row in conn.execute(text("select * from scout.schema_files order by version"))
        }
    _refuse_edited(files, applied)
    pending = [file for file in files if file.version not in applied]
    if not pending:
        return
    _relax_older_audit_tables(installer, pending)
    if applied:
        # before and not after: whoever reads meanwhile, or an init that dies, finds no stale index
        changed = frozenset[str]().union(*(file.replaced_functions for file in pending))
        drop_indexes_upon(installer, changed)
    for file in pending:
        _apply(installer, file)


def _refuse_edited(files: list[SchemaFile], applied: dict[int, Row[Any]]) -> None:
    known = {file.version: file for file in files}
    for version, row in applied.items():
        if version not in known:
            raise InstallError(
                f"This database has schema file {row.name}, which this version of the product "
                "does not know. Install the newer version."
            )
        if known[version].checksum != row.checksum:
            day = f"{row.applied_at.day} {row.applied_at:%B %Y}"
            raise SchemaFileChanged(
                f"Schema file {known[version].name} was edited after it was applied on {day}. "
                "Restore it and add a new file.",
                file_name=known[version].name,
            )


def _apply(installer: Installer, file: SchemaFile) -> None:
    try:
        with installer.as_owner() as conn:
            run_script(conn, file.body)
            conn.execute(
                text(
                    "insert into scout.schema_files (version, name, checksum) "
                    "values (:version, :name, :checksum)"
                ),
                {"version": file.version, "name": file.name, "checksum": file.checksum},
            )
    except StatementRefused as exc:
        raise InstallError(
            f"Schema file {file.name} was refused: {exc.words}. It was rolled back; the "
            "files before it stay. Mend the cause and run init again."
        ) from exc
    installer.did(f"Applied schema file {file.name}.")


def _relax_older_audit_tables(installer: Installer, pending: list[SchemaFile]) -> None:
    """Lift what an older audit table demands and rows of ours cannot give. Rows are kept."""
    names = [name for name in AUDIT_TABLES if any(name in file.body for file in pending)]
    with installer.as_login() as conn:
        for row in ask(conn, "relations", relation_names=names):
            if row.relkind not in ("r", "p"):
                raise ForeignObject(
                    f"{row.relation_name} exists already and is no table: the audit cannot be kept "
                    "there. Rename it and run init again."
                )
    columns = [column for column, values in _AUDIT_VALUES.items() for _ in values]
    values = [value for values in _AUDIT_VALUES.values() for value in values]
    for name in names:
        with installer.as_owner() as conn:
            demands = ask(
                conn,
                "relax_audit_table",
                relation_name=name,
                required=list(AUDIT_TABLES[name]),
                our_columns=columns,
                our_values=values,
            )
            for demand in demands:
                run_script(conn, demand.statement)
        if demands:
            installer.did(f"Relaxed {len(demands)} demands of the older table {name}; rows kept.")
