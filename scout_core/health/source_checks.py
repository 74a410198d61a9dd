"""Checks of the sources: one file of sql/quality each, its rows kept until it runs again.

A check runs once a Lima day (run_due), or by hand (run_checks), in a transaction of its own; what
it found is a result in scout.quality_results and its rows in scout.quality_rows, so that each
number is the length of the list that it opens. A check that cannot be run has a result too.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping

from scout_core.access import permissions
from scout_core.access.permissions import Actor
from scout_core.days import LIMA
from scout_core.db import locks, sql
from scout_core.db.database import CONTROL, Database, Profile
from scout_core.errors import ScoutError
from scout_core.health import freshness
from scout_core.health.conditions import Condition, Severity
from scout_core.lists import filters, paging
from scout_core.lists.paging import Key, Page, Sort
from scout_core.settings import Settings

State = Literal["OK", "FOUND", "FAILED"]

# The patience of the job: a check reads whole tables, once a day.
QUALITY = Profile("quality", "scout_writer", 5_000, 300_000, notices_dead_client=True)
RETRY = timedelta(hours=1)  # before a check that failed today is tried again
KEEPER = "scout"  # who runs what is due
_LOCK_KEY = 3_000

CHECK_NAMES = tuple(
    sorted(path.stem for path in (sql.ROOT / "health" / "source_checks").glob("*.sql"))
)
SORTS: Mapping[str, Sort] = {
    "newest": Sort(Key("row_id", "integer")),
    "oldest": Sort(Key("row_id", "integer"), is_descending=False),
}


@dataclass(frozen=True)
class Check:
    """A check of the sources. finds: one sentence. tells_rows: each of its rows is an alert of its
    own already, so that the check raises none."""

    name: str
    severity: Severity
    finds: str
    tells_rows: bool

    @property
    def rule(self) -> str:
        """The rule of its alert."""
        return f"QUALITY_{self.name.upper()}"


@dataclass(frozen=True)
class Outcome:
    """How a check ran once. row_count null = it FAILED, for error; appeared and gone: against the
    run before. Times UTC; run_id: the refresh after which it ran."""

    state: State
    row_count: int | None
    appeared_count: int | None
    gone_count: int | None
    error: str | None
    ran_at: datetime
    took_ms: int
    run_id: int | None
    actor: str


@dataclass(frozen=True)
class CheckResult:
    """A check and how it ran last; null = it never did. count_before: rows of the last run before
    that did not fail."""

    check: Check
    last: Outcome | None
    count_before: int | None
    before_at: datetime | None


@dataclass(frozen=True)
class QualityFilters:
    """Which rows: those of one check; null = of all."""

    check: str | None = None


@dataclass(frozen=True)
class QualityRow:
    """A source row that a check found. detail: facts as name=value, masked; person_key null = the
    row leads to nobody, or to whom is not known; found_at (UTC): since when it is found."""

    check_name: str
    source_table: str
    source_pk: str
    person_key: str | None
    detail: str
    on_date: date | None
    found_at: datetime


@cache
def list_checks() -> tuple[Check, ...]:
    """Every check, by name. Reads the first lines of the files of sql/quality."""
    return tuple(_read_check(name) for name in CHECK_NAMES)


def by_name(name: str) -> Check:
    """The check of this name. BadInput for one that there is not."""
    filters.check_choice(name, CHECK_NAMES, "check")
    return next(check for check in list_checks() if check.name == name)


def run_due(
    db: Database,
    settings: Settings,
    now: datetime,
    *,
    run_id: int | None = None,
    actor: str = KEEPER,
) -> tuple[CheckResult, ...]:
    """Run each check that has not run today (Lima), and tell how these ended.

    Nothing due costs one short read. Somebody else at it: what they run is left to them. A check
    that cannot be run is a result; ScoutError only where that could not be written either.
    """
    with db.transaction(CONTROL) as conn:
        due = [r.check for r in list_results(conn) if _is_due(r.last, now)]
    return _run(db, settings, now, due, run_id=run_id, actor=actor, only_due=True)


def run_checks(
    db: Database,
    settings: Settings,
    now: datetime,
    *,
    actor: Actor,
    check: str | None = None,
) -> tuple[CheckResult, ...]:
    """Run one check or all, whenever they ran last, and tell how they ended.

    PermissionDenied by role, BadInput for a check that there is not.
    """
    permissions.require(actor, "run")
    wanted = list_checks() if check is None else (by_name(check),)
    return _run(db, settings, now, wanted, run_id=None, actor=actor.name, only_due=False)


def list_results(conn: Connection) -> tuple[CheckResult, ...]:
    """How each check ran last, by name, also those that never did."""
    found = conn.execute(
        sql.query("health/source_checks", "list_newest"), {"check_names": list(CHECK_NAMES)}
    ).mappings()
    return tuple(
        CheckResult(
            check=check,
            last=None if row["state"] is None else _outcome(row),
            count_before=row["count_before"],
            before_at=row["before_at"],
        )
        for check, row in zip(list_checks(), found, strict=True)
    )


def list_history(conn: Connection, check: str, *, limit: int = 30) -> tuple[Outcome, ...]:
    """How a check ran, newest first."""
    values = {"check_name": by_name(check).name, "row_limit": limit}
    rows = conn.execute(sql.query("health/source_checks", "list_history"), values).mappings()
    return tuple(_outcome(row) for row in rows)


def list_rows(
    conn: Connection,
    given: QualityFilters | None = None,
    *,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[QualityRow]:
    """The rows that a check found when it last ran (or all checks), found last first."""
    return paging.read_page(
        conn,
        sql.query("health/source_checks", "list_rows"),
        QualityRow,
        _parameters(given),
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=total,
    )


def stream_rows(
    conn: Connection, given: QualityFilters | None = None, *, sort: str = "newest"
) -> Iterator[tuple[Any, ...]]:
    """Every row of the list, as the values of QualityRow."""
    return paging.stream_rows(
        conn,
        sql.query("health/source_checks", "list_rows"),
        QualityRow,
        _parameters(given),
        sorts=SORTS,
        sort=sort,
    )


def conditions(conn: Connection) -> list[Condition]:
    """What the checks found when they last ran, one for each check, and which could not be run.

    A check whose rows are alerts of their own raises none. Reads results only.
    """
    found = []
    for result in list_results(conn):
        check, last = result.check, result.last
        if last is None:
            continue
        if last.state == "FAILED":
            text = f"The check {check.name} could not be run: {last.error}"
            found.append(Condition("QUALITY_CHECK_FAILED", check.name, "WARN", text))
        if check.tells_rows:
            continue
        # a check that failed has shown nothing new: what it found before still stands
        count = result.count_before if last.state == "FAILED" else last.row_count
        if count:
            text = f"{check.finds} Rows: {count:,}."
            found.append(Condition(check.rule, check.name, check.severity, text))
    return found


def _read_check(name: str) -> Check:
    body = (sql.ROOT / "health" / "source_checks" / f"{name}.sql").read_text(encoding="utf-8")
    head = [line.removeprefix("-- ") for line in body.splitlines() if line.startswith("-- ")]
    said = dict(line.split(": ", 1) for line in head[1:3] if ": " in line)
    severity: Any = said["severity"]
    return Check(name, severity, head[0], "alert" in said)


def _is_due(last: Outcome | None, now: datetime) -> bool:
    if last is None or last.ran_at.astimezone(LIMA).date() != now.astimezone(LIMA).date():
        return True
    return last.state == "FAILED" and now - last.ran_at >= RETRY


def _run(
    db: Database,
    settings: Settings,
    now: datetime,
    checks: tuple[Check, ...] | list[Check],
    *,
    run_id: int | None,
    actor: str,
    only_due: bool,
) -> tuple[CheckResult, ...]:
    ran = []
    for check in checks:
        values = {
            "check_name": check.name,
            "severity": check.severity,
            "lima_date": now.astimezone(LIMA).date(),
            "ran_at": now,
            "run_id": run_id,
            "actor": actor,
        }
        began = time.monotonic()
        try:
            is_mine = _run_one(db, settings, now, check, values, only_due=only_due)
        except ScoutError as exc:
            is_mine = True
            with db.transaction(CONTROL) as conn:
                conn.execute(
                    sql.statement("health/record_source_failure"),
                    values
                    | {
                        "error": exc.message,
                        "took_ms": int((time.monotonic() - began) * 1000),
                    },
                )
        if is_mine:
            ran.append(check.name)
    if not ran:
        return ()
    with db.transaction(CONTROL) as conn:
        return tuple(r for r in list_results(conn) if r.check.name in ran)


def _run_one(
    db: Database,
    settings: Settings,
    now: datetime,
    check: Check,
    values: Mapping[str, Any],
    *,
    only_due: bool,
) -> bool:
    """Run a check and keep what it found; False when somebody else is at it, or just was."""
    with db.transaction(QUALITY) as conn:
        keys = {"lock_class": locks.LOCK_CLASS, "lock_key": _LOCK_KEY}
        if only_due:
            if not conn.execute(sql.query("attribution/settle", "try_lock"), keys).scalar_one():
                return False
            last = next(r.last for r in list_results(conn) if r.check == check)
            if not _is_due(last, now):
                return False
        else:
            conn.execute(sql.query("attribution/settle", "lock"), keys)
        asked = {
            "today": values["lima_date"],
            "first_day": settings.quality_first_day,
            "drops": _drops(conn, settings, now) if check.name == "volume_drops" else None,
        }
        conn.execute(sql.kept_as("quality_found", f"health/source_checks/{check.name}"), asked)
        conn.exec_driver_sql("analyze quality_found")
        conn.execute(sql.statement("health/record_source_rows"), values)
    return True


def _drops(conn: Connection, settings: Settings, now: datetime) -> str:
    """The sources with few rows, counted now, as the statement of the check reads them."""
    freshness.record_arrivals(conn, now)
    return json.dumps(
        [
            {
                "source_table": source.name,
                "on_date": f"{source.drop.on_date}",
                "row_count": source.drop.row_count,
                "usual": f"{source.drop.usual:g}",
            }
            for source in freshness.list_sources(conn, settings)
            if source.drop is not None
        ]
    )


def _outcome(row: RowMapping) -> Outcome:
    return Outcome(**{name: row[name] for name in Outcome.__dataclass_fields__})


def _parameters(given: QualityFilters | None) -> dict[str, object]:
    check = None if given is None else given.check
    return {"check_name": filters.check_choice(check, CHECK_NAMES, "check")}
