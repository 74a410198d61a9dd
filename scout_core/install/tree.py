"""The SQL tree as the installer reads it: schema files, views, indexes, triggers."""

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from scout_core.errors import InstallError

SQL_ROOT = Path(__file__).parents[2] / "sql"

# Columns that every row of ours fills; an older table may demand these and no others.
AUDIT_TABLES: dict[str, tuple[str, ...]] = {
    "ops.identity_links_backfill_audit": ("source_table", "source_pk", "action_type"),
    "ops.lead_ledger_scout_backfill_audit": ("person_key",),
    "ops.lead_events_scout_backfill_audit": (),
    "ops.job_runs_audit": ("ingestion_run_id",),
}

_SECTION = re.compile(r"^-- name: *(.+?) *$", re.MULTILINE)
_SOURCE = re.compile(r"^-- source: *(\S+) *$", re.MULTILINE)
_VIEW = re.compile(r"create or replace view\s+(\w+)\.(\w+)", re.IGNORECASE)
_VIEW_QUERY = re.compile(r"create or replace view [\w.]+ as\n(.+?);\s*(?:^comment|\Z)", re.S | re.M)
_OURS = re.compile(r"\b(?:scout|ops)\.\w+")
_REPLACED = re.compile(r"^create or replace function (scout\.\w+)\(", re.MULTILINE)
_APPEND_ONLY = re.compile(r"\('(\w+\.\w+)', '(\w+)', (?:'(\w+)'|null)\)")
_LINE_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_TRIGGER = re.compile(
    r"^create (?:or replace |constraint )?trigger (\w+)\b[^;]*? on ([\w.]+)[^;]*;"
    r"|^drop trigger (?:if exists )?(\w+) on ([\w.]+)"
    r"|^alter table ([\w.]+) enable always trigger (\w+);",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True)
class SchemaFile:
    """A numbered file, applied once."""

    version: int
    name: str
    body: str
    checksum: str

    @property
    def replaced_functions(self) -> frozenset[str]:
        """The functions of ours that it gives another body."""
        return frozenset(_REPLACED.findall(self.body))


@dataclass(frozen=True)
class ViewFile:
    """A view as it is to be: `body` is the section that fits the sources of this database."""

    name: str
    body: str
    comment: str
    checksum: str
    mentions: frozenset[str]


@dataclass(frozen=True)
class AppendOnlyTable:
    """A table that only grows. run_column: where a run seals its own rows."""

    name: str
    id_column: str
    run_column: str | None


@dataclass(frozen=True)
class TableObject:
    """An index or trigger of ours on a table of the owner."""

    name: str
    relation: str
    body: str
    checksum: str

    @property
    def mentions(self) -> frozenset[str]:
        """What of ours it stands on."""
        return mentioned(self.body)


@dataclass(frozen=True)
class OwnTrigger:
    """A trigger of a table of ours. is_always: it also fires under replication, as guards do."""

    name: str
    relation: str
    body: str
    is_always: bool = False


def statements(topic: str) -> dict[str, str]:
    """The installer's own named statements of sql/install/<topic>.sql."""
    return sections(SQL_ROOT / "install" / f"{topic}.sql")


def sections(path: Path) -> dict[str, str]:
    """Text of each `-- name:` section of a file."""
    parts = _SECTION.split(_read(path))
    return {name: body.strip() + "\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def mentioned(body: str) -> frozenset[str]:
    """The things of ours that some SQL names, comments aside."""
    return frozenset(_OURS.findall(_LINE_COMMENT.sub("", body)))


def schema_files(sql_root: Path) -> list[SchemaFile]:
    """The numbered files in order. InstallError where two share a number."""
    found: dict[int, SchemaFile] = {}
    for path in sorted((sql_root / "schema").glob("*.sql")):
        number = re.match(r"(\d+)_\w+\.sql$", path.name)
        if not number:
            raise InstallError(f"Schema file {path.name} has no number: name it NNN_<subject>.sql.")
        version = int(number.group(1))
        if version in found:
            raise InstallError(
                f"Schema files {found[version].name} and {path.name} share the number {version}: "
                "renumber the newer one."
            )
        body = _read(path)
        found[version] = SchemaFile(version, path.name, body, _sha256(body))
    return [found[version] for version in sorted(found)]


def own_triggers(sql_root: Path) -> list[OwnTrigger]:
    """The triggers that the numbered files leave on tables of ours."""
    found: dict[tuple[str, str], OwnTrigger] = {}
    for file in schema_files(sql_root):
        for match in _TRIGGER.finditer(file.body):
            name, relation, gone, gone_on, always_on, always = match.groups()
            if name:
                found[relation, name] = OwnTrigger(name, relation, match.group())
            elif gone:
                found.pop((gone_on, gone), None)
            else:
                trigger = found[always_on, always]
                found[always_on, always] = replace(trigger, is_always=True)
    return list(found.values())


def view_files(sql_root: Path, usable_sources: frozenset[str]) -> list[ViewFile]:
    """The views, each after those that it mentions."""
    views = {}
    for path in sorted((sql_root / "views").rglob("*.sql")):
        view = _view(path, usable_sources)
        views[view.name] = view
    graph = {v.name: sorted((v.mentions & views.keys()) - {v.name}) for v in views.values()}
    try:
        return [views[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as exc:
        circle = " -> ".join(exc.args[1])
        raise InstallError(f"Views stand on each other in a circle: {circle}.") from exc


@cache
def append_only_tables() -> tuple[AppendOnlyTable, ...]:
    """The tables that only grow: those of scout.v_append_only, whatever the database says."""
    body = _read(SQL_ROOT / "views" / "5_runs" / "v_append_only.sql")
    return tuple(
        AppendOnlyTable(name, column, run or None)
        for name, column, run in _APPEND_ONLY.findall(body)
    )


@cache
def view_query(name: str) -> str:
    """What a view selects, as its file says, whatever the database has; for views of one form."""
    (path,) = (SQL_ROOT / "views").rglob(f"{name}.sql")
    created = _VIEW_QUERY.search(_read(path))
    if created is None:
        raise InstallError(f"View file {path.name} holds no view that ends with a semicolon.")
    return created.group(1)


def table_objects(sql_root: Path, topic: str) -> list[TableObject]:
    """The sections `-- name: <object> on <schema.table>` of sql/install/<topic>.sql."""
    path = sql_root / "install" / f"{topic}.sql"
    if not path.is_file():
        return []
    objects = []
    for heading, body in sections(path).items():
        name, _, relation = heading.partition(" on ")
        objects.append(TableObject(name.strip(), relation.strip(), body, _sha256(body)))
    return objects


def _view(path: Path, usable_sources: frozenset[str]) -> ViewFile:
    text = _read(path)
    body = text
    variants = sections(path)
    if variants:
        needed = _SOURCE.findall(text)
        wanted = "present" if set(needed) <= usable_sources else "absent"
        if not needed or wanted not in variants:
            raise InstallError(
                f"View file {path.name} has sections: it must name its `-- source:` and hold both "
                "`-- name: present` and `-- name: absent`."
            )
        body = variants[wanted]
    created = _VIEW.search(body)
    if not created or created.group(2) != path.stem:
        raise InstallError(
            f"View file {path.name} must `create or replace view <schema>.{path.stem}`."
        )
    comment = _first_comment(text)
    name = f"{created.group(1)}.{created.group(2)}"
    return ViewFile(name, body, comment, _sha256(comment + "\n" + body), mentioned(body))


def _first_comment(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("--") or _SECTION.match(line) or _SOURCE.match(line):
            break
        lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
