"""The refresh: link scouting rows to persons, give persons their scout, record what holds now.

Each step has a candidates view, which the plan shows and the apply statement writes from.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.permissions import Actor
from scout_core.alerts import rounds
from scout_core.attribution import settle
from scout_core.db import grounds, sql
from scout_core.db.database import Database
from scout_core.errors import DatabaseError, GuardStopped, ScoutError, Unavailable
from scout_core.health import freshness
from scout_core.job import claims_guard, mend
from scout_core.runs import runner
from scout_core.runs.record import Request, RunResult, Trigger, checked_reason
from scout_core.runs.runner import Progress, Run
from scout_core.settings import Settings

_WRITTEN = "observational.lead_ledger"
_LINKED = "canon.identity_registry, canon.identity_links, canon.identity_unmatched"
_LEFT = "canon.identity_unmatched"
# how often a run tries to get by what somebody else is writing: finds one row among 10,000 and more
_PATIENCE = 24
_NOBODY: Mapping[str, int] = {"changed_count": 0, "inserted_count": 0}
_NO_ISSUES: Mapping[str, Any] = {"opened_count": 0, "closed_count": 0}
_NOTHING_PLANNED: Mapping[str, Any] = {
    "seen_count": 0,
    "link_count": 0,
    "renumbered_count": 0,
    "new_reason_count": 0,
}


@dataclass(frozen=True)
class PlannedLink:
    """What a run would do with one scouting row. person_key null = left, for reason_code;
    moved_from: the person of the link that it has and that is out of date."""

    source_pk: str
    scout_id: int
    outcome: str
    person_key: str | None
    match_rule: str | None
    reason_code: str | None
    moved_from: str | None
    is_new_person: bool
    is_new_reason: bool


@dataclass(frozen=True)
class PlannedScout:
    """A person whom a run would give a scout."""

    person_key: str
    scout_id: int
    has_ledger_row: bool


@dataclass(frozen=True)
class Plan:
    """What a run would change now, row by row, and what it would leave and why.

    links: every scouting row that would be judged, in that order; one left for the reason that it
    already has (is_new_reason false) is no change. scouts: by key.
    """

    total_persons: int
    is_first_run: bool
    links: tuple[PlannedLink, ...]
    scouts: tuple[PlannedScout, ...]
    skipped_scouts: Mapping[str, int]
    guard: str | None

    @property
    def changed_rows(self) -> int:
        """Links, unmatched rows and ledger rows that the run would write."""
        return _changed_rows(self.links, self.scouts)


def plan(conn: Connection, settings: Settings) -> Plan:
    """What the next run would change on this snapshot. Writes nothing.

    Reads scout.v_identity_candidates and scout.v_planned_scouts.
    """
    grounds.check(conn)
    facts = conn.execute(sql.query("job/refresh", "facts")).mappings().one()
    conn.execute(sql.statement("job/refresh/choose_joins"))
    rows = [dict(row) for row in conn.execute(sql.query("job/refresh", "plan_links")).mappings()]
    renumbered = sum(row.pop("is_renumbered") for row in rows)
    links = tuple(PlannedLink(**row) for row in rows)
    scouts = tuple(
        PlannedScout(**row)
        for row in conn.execute(sql.query("job/refresh", "plan_scouts")).mappings()
    )
    lost = conn.execute(sql.query("job/refresh", "vanished_sources")).mappings()
    guard = vanished_reason([dict(row) for row in lost]) or guard_reason(
        settings, _changed_rows(links, scouts) - renumbered, facts["total_persons"]
    )
    return Plan(
        total_persons=facts["total_persons"],
        is_first_run=facts["is_first_run"],
        links=links,
        scouts=scouts,
        skipped_scouts=_skipped_by_plan(conn, len(scouts)),
        guard=None if facts["is_first_run"] else guard,
    )


def run_refresh(
    db: Database,
    settings: Settings,
    *,
    actor: Actor,
    trigger: Trigger = "manual",
    force: bool = False,
    reason: str | None = None,
    request_id: str | None = None,
    requested_at: datetime | None = None,
    progress: Progress | None = None,
    opened: Callable[[int], None] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> RunResult:
    """Run the job once and tell how it ended. opened is told the run's number when it begins;
    clock tells what time it is when the run looks at the alerts, and after it failed.

    RunBusy when another run has the lock, GuardStopped when it would change too much and is not
    forced (which needs a reason), PermissionDenied by role; any other error leaves the run FAILED
    and rolls back what it had not committed.
    """
    request = Request(
        kind="refresh",
        actor=actor,
        trigger=trigger,
        reason=checked_reason(reason, is_needed=force),
        is_forced=force,
        request_id=request_id,
        requested_at=requested_at,
    )
    permissions.require(actor, "run")
    mend.mend_sources(db, settings)
    settle.settle_before(db)
    freshness.look_if_due(db, settings, clock(), somebody_waits=trigger != "cron")
    try:
        result = runner.work_run(
            db,
            request,
            lambda run: _refresh(run, settings, clock),
            max_rows=settings.run_max_rows,
            progress=progress,
            opened=opened,
        )
    except Unavailable:
        raise
    except ScoutError:
        # where no server is up that makes rounds, a job that fails is told of at once too
        rounds.round_soon(db, settings, clock())
        raise
    settle.settle_after(db)
    return result


def guard_reason(settings: Settings, changed_rows: int, total_persons: int) -> str | None:
    """Why the guard would stop a run that changes that many rows; null when it would not."""
    pct = 100.0 * changed_rows / total_persons if total_persons else 0.0
    if changed_rows > settings.guard_max_rows:
        return (
            f"the run would change {_rows(changed_rows)}, more than SCOUT_GUARD_MAX_ROWS "
            f"({settings.guard_max_rows:,})"
        )
    if pct > settings.guard_max_pct:
        return (
            f"the run would change {_rows(changed_rows)}, {pct:.1f} % of {total_persons:,} "
            f"persons, more than SCOUT_GUARD_MAX_PCT ({settings.guard_max_pct:g})"
        )
    return None


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _changed_rows(links: Sequence[PlannedLink], scouts: Sequence[PlannedScout]) -> int:
    return sum(link.outcome == "LINK" or link.is_new_reason for link in links) + len(scouts)


def _refresh(run: Run, settings: Settings, clock: Callable[[], datetime]) -> None:
    claims_guard.check(run.conn)
    grounds.check(run.conn)
    _count_sources(run)
    run.report("plan", 0, 1)
    planned = _NOTHING_PLANNED
    if run.one("choose_joins")["is_anything"]:
        run.one("keep_ignored")
        planned = run.one("plan_links")
    renewed = planned["renumbered_count"]
    _guard(run, settings, planned["link_count"] - renewed + planned["new_reason_count"])
    run.conn.exec_driver_sql("set local enable_nestloop = on")
    runner.at("mid work")
    _link(run, planned)
    _propagate(run)
    if run.batches > 1:
        # the seal of many rows takes long: nobody waits meanwhile for those written last
        run.next_batch()
    _record(run, settings, clock())


def _count_sources(run: Run) -> None:
    """Stop a scheduled run where a source lost its rows since the last one; look everything up
    where rows came or went that nobody noted. Whoever starts a run by hand is told, and the
    schedule stops until one is forced."""
    run.one("attribution/settle/find_repeated_ids")
    found = run.all("count_sources", is_forced=run.request.is_forced)
    reason = vanished_reason([row for row in found if row["is_vanished"]])
    if reason is not None and run.request.trigger == "cron" and not run.request.is_forced:
        raise GuardStopped(
            f"Nothing was changed: {reason}. Look whether its load has failed; when it is right, "
            "run `refresh --force --reason TEXT`.",
            run_id=run.run_id,
        )
    if found:
        unnoted = [row["source_name"] for row in found if row["is_unnoted"]]
        run.log_step("sources", {"lost": reason, "changed_without_note": unnoted})


def _check_sources_again(run: Run) -> None:
    """What was written rests on the sources as they were counted: a loader that takes a table away
    or empties it while the run is at work stops the run before it commits."""
    grounds.check(run.conn)
    lost = run.conn.execute(sql.query("job/refresh", "lost_meanwhile")).mappings()
    reason = vanished_reason([dict(row) for row in lost])
    if reason is not None:
        raise GuardStopped(
            f"A source lost its rows while the run was at work: {reason}. What was committed before"
            " stays; start it again when the load has ended.",
            run_id=run.run_id,
        )


def vanished_reason(lost: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the guard stops a run where sources lost their rows; null where none did."""
    parts = [
        f"{row['source_name']} had {_rows(row['kept_count'])} at the last run and has "
        f"{row['row_count'] or 'none'} now"
        for row in lost
    ]
    return "; ".join(parts) or None


def _guard(run: Run, settings: Settings, scouting_rows: int) -> None:
    facts = run.conn.execute(sql.query("job/refresh", "facts")).mappings().one()
    if run.request.is_forced or facts["is_first_run"]:
        return
    changed = scouting_rows + run.one("count_planned_scouts")["person_count"]
    stopped = guard_reason(settings, changed, facts["total_persons"])
    if stopped is not None:
        raise GuardStopped(
            f"Nothing was changed: {stopped}. Look at `plan`; when it is right, run "
            "`refresh --force --reason TEXT`.",
            run_id=run.run_id,
        )


def _link(run: Run, planned: Mapping[str, Any]) -> None:
    total = planned["seen_count"]
    counts = {"linked": 0, "moved": 0, "new_persons": 0}
    counts |= dict.fromkeys(("license_match", "phone_match", "new_person"), 0)
    after, seen = 0, 0
    while seen < planned["link_count"] and after < total:
        if run.room < run.max_rows // 4:
            run.next_batch()
        # a link may found its person, which is a row of its own in the same commit
        upto = after + max(1, run.room // 2)
        batch = run.one_unless_written(
            "link_identities", _LINKED, after_order=after, upto_order=upto
        )
        before, after = after, upto
        # what the plan made of other rows may hang on it, so the plan is made anew
        if run.one("count_withdrawn", after_order=before, upto_order=after)["row_count"]:
            raise DatabaseError(
                "Scouting rows were held or ignored while the run linked them: start it again.",
                sqlstate="40001",
            )
        seen += batch["seen_count"]
        run.changed_in_batch += batch["changed_count"] + batch["founded_count"]
        counts["linked"] += batch["changed_count"]
        counts["moved"] += batch["moved_count"]
        counts["new_persons"] += batch["founded_count"]
        for rule in ("license_match", "phone_match", "new_person"):
            counts[rule] += batch[f"{rule}_count"]
        run.report("link", seen, planned["link_count"])
    left: dict[str, int] = {
        row["reason_code"]: row["row_count"] for row in run.all("count_unmatched")
    }
    written, after = 0, 0
    while True:
        batch = run.one_unless_written(
            "leave_unmatched", _LEFT, after_order=after, row_limit=run.room
        )
        if not batch["seen_count"]:
            break
        after = batch["last_order"]
        written += batch["changed_count"]
        run.changed_in_batch += batch["changed_count"]
    moved_back = 0
    if planned is not _NOTHING_PLANNED:
        moved_back = run.one_unless_written("close_moved_back", _LEFT)["row_count"]
    overtaken = planned["link_count"] - counts["linked"]
    if overtaken:
        left["LINKED_MEANWHILE"] = overtaken
    run.one("forget_plan", is_whole=not overtaken)
    run.log_step(
        "link",
        {
            "seen": total,
            "changed": counts["linked"],
            "moved": counts["moved"],
            "moved_back": moved_back,
            "new_persons": counts["new_persons"],
            "by_rule": {
                "BACKFILL_LICENSE_MATCH": counts["license_match"],
                "BACKFILL_PHONE_MATCH": counts["phone_match"],
                "BACKFILL_NEW_PERSON": counts["new_person"],
            },
            "skipped": left,
            "reasons_written": written,
        },
    )


def _propagate(run: Run) -> None:
    ends = run.all("list_batch_ends", row_limit=run.max_rows)
    total = ends[0]["person_count"] if ends else 0
    changed = inserted = 0
    after: UUID | None = None
    patience = iter(range(_PATIENCE))
    for end in ends:
        # ranges are cut at max_rows: what the link step left of this commit is not enough for one
        if run.changed_in_batch and run.changed_in_batch + min(total, run.max_rows) > run.max_rows:
            run.next_batch()
        batch = _give_scouts(run, after, end["person_key"], patience)
        after = end["person_key"]
        changed += batch["changed_count"]
        inserted += batch["inserted_count"]
        run.report("propagate", changed, total)
    skipped = dict(_skipped(run.conn))
    if total - changed > 0:
        skipped["LOCKED_OR_CHANGED_MEANWHILE"] = total - changed
    run.log_step(
        "propagate",
        {
            "seen": changed + sum(skipped.values()),
            "changed": changed,
            "inserted": inserted,
            "skipped": skipped,
        },
    )


def _give_scouts(
    run: Run, after: UUID | None, upto: UUID, patience: Iterator[int]
) -> Mapping[str, int]:
    """Write one range of person keys; again when a decision or hold came in between."""
    for _ in range(runner.TRIES):
        # the persons of a range are looked up: reading every table for each range is dearer
        run.conn.exec_driver_sql("savepoint range; set local random_page_cost = 1.1")
        mark = run.one("mark_overtaking")
        batch = run.one_yielding("propagate_scouts", _WRITTEN, after_key=after, upto_key=upto)
        if batch is None:
            return _give_by_halves(run, after, upto, patience)
        _check_sources_again(run)
        if not run.one("count_overtaken", **mark)["person_count"]:
            run.changed_in_batch += batch["changed_count"]
            return batch
        run.conn.exec_driver_sql("rollback to savepoint range")
    raise DatabaseError(
        "Persons were decided or held each time that the run was about to give them a scout: "
        "start it again when the deciding is done."
    )


def _give_by_halves(
    run: Run, after: UUID | None, upto: UUID, patience: Iterator[int]
) -> Mapping[str, int]:
    """Where somebody else is writing ledger rows of the range, half of the persons at a time, down
    to who is in the way, as long as there is patience: the next run takes who was left."""
    within = {"after_key": after, "upto_key": upto}
    keys = list(run.conn.execute(sql.query("job/refresh", "waiting_between"), within).scalars())
    if len(keys) < 2 or next(patience, None) is None:
        return _NOBODY
    middle = keys[len(keys) // 2 - 1]
    done = _NOBODY
    for begin, end in ((after, middle), (middle, upto)):
        run.let_go()
        part = _give_scouts(run, begin, end, patience)
        done = {name: done[name] + part[name] for name in _NOBODY}
    return done


def _record(run: Run, settings: Settings, now: datetime) -> None:
    run.report("record", 0, 1)
    issues = (
        run.one("record_issues") if run.one("find_rows_to_check")["is_anything"] else _NO_ISSUES
    )
    still_open = run.one("count_issues")
    metrics = run.one("record_metrics")
    news, status = rounds.look(run.conn, settings, now, run_id=run.run_id)
    run.log_step(
        "record",
        {
            "issues": {
                "open": still_open["issue_count"],
                "opened": issues["opened_count"],
                "closed": issues["closed_count"],
                "by_rule": still_open["by_rule"],
            },
            "metrics": metrics,
            "health": status,
            "alerts": {
                "opened": dict(news.opened),
                "reopened": dict(news.reopened),
                "resolved": dict(news.resolved),
            },
        },
    )


def _skipped_by_plan(conn: Connection, scout_count: int) -> dict[str, int]:
    """As `_skipped`, with those whom a link that the run would make keeps from getting a scout."""
    skipped = _skipped(conn)
    candidates = conn.execute(sql.query("job/refresh", "count_candidates")).scalar_one()
    if candidates > scout_count:
        reason = "OTHER_SOURCE_DISAGREES"
        skipped[reason] = skipped.get(reason, 0) + candidates - scout_count
    return dict(sorted(skipped.items()))


def _skipped(conn: Connection) -> dict[str, int]:
    """Persons whose events name a scout and who get none now, by reason."""
    rows = conn.execute(sql.query("job/refresh", "skipped_scouts"))
    return {row.reason_code: row.person_count for row in rows}
