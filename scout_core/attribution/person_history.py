"""What happened to a person in one ordered list, and in one sentence why it has this scout or none.

Works on what `persons.explain` read; words are the caller's, here are codes and values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from sqlalchemy import Connection

from scout_core.attribution.persons import TOLD_AS_CONFLICT, Explanation, explain
from scout_core.days import LIMA
from scout_core.db import sql

EntryKind = Literal[
    "REGISTERED",
    "EVIDENCE",
    "CONFLICT_OPENED",
    "LEDGER_CHANGED",
    "LINK",
    "DECISION",
    "HELD",
    "RELEASED",
    "ISSUE_OPENED",
    "ISSUE_CLOSED",
]
Writer = Literal["RUN", "DECISION", "SQL", "UNDO", "BEFORE"]

WRITERS: Mapping[str, Writer] = {
    "BACKFILL_SINGLE_SCOUT_FROM_EVENTS": "RUN",
    "MANUAL_DECISION": "DECISION",
    "EXTERNAL_CHANGE": "SQL",
    "REVERT": "UNDO",
}


@dataclass(frozen=True)
class Entry:
    """Something that happened. at null = the source gives only a day (on); both null = no date.

    values by kind: EVIDENCE scout_id, source_table, source_pk; LEDGER_CHANGED method, old_scout_id,
    new_scout_id; LINK action, method, source_table, source_pk; DECISION outcome, scout_id, note;
    HELD and RELEASED reason; ISSUE_* rule, source_table, source_pk, excerpt; CONFLICT_OPENED
    scout_ids, conflict_kind; with run_id and actor where there are any.
    """

    kind: EntryKind
    at: datetime | None
    on: date | None
    values: Mapping[str, Any] = field(default_factory=dict)
    explains_state: bool = False

    @property
    def is_evidence(self) -> bool:
        """Whether a source says it, not somebody who changed something."""
        return self.kind in ("REGISTERED", "EVIDENCE", "CONFLICT_OPENED")


@dataclass(frozen=True)
class Conclusion:
    """Why the person has this scout or none, and what next.

    scout_id null = none, for reason_code of category. writer: who gave the ledger its scout, with
    run_id and actor. conflict_kind null = none open; conflict_since: day or time of the evidence
    that opened it. scout_ids: all that the evidence names, ascending. next_code: DECIDE, NOTHING
    (attributed), else the reason_code whose next action it is.
    """

    scout_id: int | None
    category: str | None
    reason_code: str | None
    writer: Writer | None
    run_id: int | None
    actor: str | None
    conflict_kind: str | None
    conflict_since: datetime | date | None
    scout_ids: tuple[int, ...]
    next_code: str

    @property
    def is_told_as_conflict(self) -> bool:
        """Whether the reason says already that there is a conflict."""
        return self.reason_code in TOLD_AS_CONFLICT


@dataclass(frozen=True)
class Story:
    """A person as a page tells it. last_refresh_at null = no run has completed yet."""

    told: Explanation
    conclusion: Conclusion
    entries: tuple[Entry, ...]
    last_refresh_at: datetime | None


def tell(conn: Connection, person_key: str) -> Story:
    """All about the person of this key, of one snapshot. NotFound when nobody has it."""
    told = explain(conn, person_key)
    last = conn.execute(sql.query("attribution/persons", "last_refresh")).one_or_none()
    return Story(
        told=told,
        conclusion=conclude(told),
        entries=list_entries(conn, told),
        last_refresh_at=None if last is None else last.completed_at,
    )


def conclude(told: Explanation) -> Conclusion:
    """The state of an explained person in one sentence's worth of codes."""
    state = told.state
    scout = state["ledger_scout_id"]
    written = _writing_row(told)
    opened = _conflict_opener(told)
    next_code = "DECIDE" if state["conflict_kind"] else (state["reason_code"] or "NOTHING")
    return Conclusion(
        scout_id=scout,
        category=state["category"],
        reason_code=state["reason_code"],
        writer=None if scout is None else _writer(written),
        run_id=written["run_id"] if written else None,
        actor=written["actor"] if written else None,
        conflict_kind=state["conflict_kind"],
        conflict_since=None if opened is None else _moment(opened)[0] or _moment(opened)[1],
        scout_ids=tuple(sorted({row["scout_id"] for row in told.evidence})),
        next_code=next_code,
    )


def list_entries(conn: Connection, told: Explanation) -> tuple[Entry, ...]:
    """Everything that happened to an explained person, newest first, what has no date last.

    Reads the holds and issues that are over too, which the explanation leaves out.
    """
    parameters = {"person_key": told.state["person_key"]}
    holds = conn.execute(sql.query("attribution/persons", "all_holds"), parameters).mappings().all()
    issues = (
        conn.execute(sql.query("attribution/persons", "all_issues"), parameters).mappings().all()
    )
    entries = [
        *_evidence(told),
        *_changes(told),
        *_holds(holds),
        *_issues(issues),
    ]
    return tuple(sorted(entries, key=_place, reverse=True))


def _place(entry: Entry) -> tuple[datetime, bool]:
    if entry.at is not None:
        return entry.at, entry.kind == "CONFLICT_OPENED"
    day = entry.on or date.min.replace(year=2)
    return datetime.combine(day, time.min, LIMA).astimezone(UTC), entry.kind == "CONFLICT_OPENED"


def _moment(row: Mapping[str, Any]) -> tuple[datetime | None, date | None]:
    """When a piece of evidence is from: its creation where that is the same day, else the day."""
    created, day = row["created_at"], row["attribution_date"]
    if created is not None and (day is None or created.astimezone(LIMA).date() == day):
        return created, created.astimezone(LIMA).date()
    return None, day


def _evidence(told: Explanation) -> Iterator[Entry]:
    registered = told.state["registered_at"]
    if registered is not None:
        yield Entry("REGISTERED", registered, registered.astimezone(LIMA).date())
    waits = told.state["reason_code"] == "WAITING_FOR_NEXT_RUN"
    opener = _conflict_opener(told)
    pieces = [row for row in told.evidence if row["priority"] > 1]
    newest = max(pieces, key=_order, default=None)
    for row in pieces:
        at, on = _moment(row)
        values = {name: row[name] for name in ("scout_id", "source_table", "source_pk")}
        yield Entry("EVIDENCE", at, on, values, explains_state=waits and row is newest)
    if opener is not None:
        at, on = _moment(opener)
        scouts = tuple(sorted({row["scout_id"] for row in told.evidence}))
        values = {"scout_ids": scouts, "conflict_kind": told.state["conflict_kind"]}
        yield Entry("CONFLICT_OPENED", at, on, values, explains_state=True)


def _order(row: Mapping[str, Any]) -> datetime:
    at, on = _moment(row)
    return at or datetime.combine(on or date.min.replace(year=2), time.min, LIMA)


def _conflict_opener(told: Explanation) -> Mapping[str, Any] | None:
    """The piece of evidence with which the open conflict began; null when none is open."""
    state = told.state
    if state["conflict_kind"] is None:
        return None
    expected: set[int] = set()
    if state["conflict_kind"] == "CONTRADICTS_LEDGER":
        expected = {state["ledger_scout_id"]}
    if state["conflict_kind"] == "NEW_EVIDENCE":
        expected = set(told.decisions[-1]["considered_scout_ids"]) | {
            told.decisions[-1]["scout_id"]
        }
    for row in sorted((r for r in told.evidence if r["priority"] > 1), key=_order):
        if expected and row["scout_id"] not in expected:
            return row
        expected = expected or {row["scout_id"]}
    return None


def _changes(told: Explanation) -> Iterator[Entry]:
    has_conflict = told.state["conflict_kind"] is not None
    writing = _writing_row(told)
    for row in told.ledger_audit:
        values = {
            "method": row["backfill_method"],
            "old_scout_id": row["old_attributed_scout_id"],
            "new_scout_id": row["new_attributed_scout_id"],
            "run_id": row["run_id"],
            "actor": row["actor"],
        }
        explains = row is writing and not has_conflict
        yield _entry("LEDGER_CHANGED", row["backfill_timestamp"], values, explains)
    for row in told.link_audit:
        values = {
            "action": row["action_type"],
            "method": row["match_method"],
            "source_table": row["source_table"],
            "source_pk": row["source_pk"],
            "run_id": row["run_id"],
            "actor": row["actor"],
        }
        yield _entry("LINK", row["backfill_timestamp"], values)
    in_force = told.state["decision_id"]
    for row in told.decisions:
        values = {name: row[name] for name in ("outcome", "scout_id", "note", "run_id", "actor")}
        explains = row["decision_id"] == in_force and not has_conflict
        yield _entry("DECISION", row["decided_at"], values, explains)


def _holds(holds: Any) -> Iterator[Entry]:
    for row in holds:
        is_open = row["released_at"] is None
        values = {"reason": row["reason"], "run_id": row["run_id"], "actor": row["actor"]}
        yield _entry("HELD", row["held_at"], values, is_open)
        if not is_open:
            values = {"reason": row["release_reason"], "actor": row["released_by"]}
            yield _entry("RELEASED", row["released_at"], values)


def _issues(issues: Any) -> Iterator[Entry]:
    for row in issues:
        is_open = row["closed_at"] is None
        values = {name: row[name] for name in ("rule", "source_table", "source_pk")}
        values |= {"excerpt": row["raw_excerpt"]}
        opened = {**values, "run_id": row["run_id"]}
        yield _entry("ISSUE_OPENED", row["first_seen_at"], opened, is_open)
        if not is_open:
            closed = {**values, "run_id": row["closed_run"]}
            yield _entry("ISSUE_CLOSED", row["closed_at"], closed)


def _entry(
    kind: EntryKind, at: datetime, values: Mapping[str, Any], explains_state: bool = False
) -> Entry:
    return Entry(kind, at, at.astimezone(LIMA).date(), values, explains_state)


def _writing_row(told: Explanation) -> Mapping[str, Any] | None:
    scout = told.state["ledger_scout_id"]
    if scout is None:
        return None
    rows = [
        row
        for row in told.ledger_audit
        if row["new_attributed_scout_id"] == scout and row["backfill_method"] != "ERASURE"
    ]
    return rows[-1] if rows else None


def _writer(row: Mapping[str, Any] | None) -> Writer:
    return "BEFORE" if row is None else WRITERS.get(row["backfill_method"], "BEFORE")
