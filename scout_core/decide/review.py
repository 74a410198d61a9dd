"""Identity review: scouting rows that no rule could link, and what a person does about each.

Link it to somebody, move the link that it has, register a new person for it, or set it aside as
nobody: each a run with its reason and audit row, which an undo takes back.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection

from scout_core.access import permissions
from scout_core.access.masks import mask_code, mask_name, mask_phone
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint, settle
from scout_core.db import sql
from scout_core.db.database import LOOK, Database
from scout_core.errors import ChangedMeanwhile, NotFound, Refused
from scout_core.lists import filters
from scout_core.lists.paging import Key, Page, Sort, read_page
from scout_core.runs import runner
from scout_core.runs.record import Request, Trigger
from scout_core.runs.runner import Run

Act = Literal["LINKED", "MOVED", "CREATED", "DISMISSED"]

REASONS = (
    "AMBIGUOUS_LICENSE",
    "AMBIGUOUS_PHONE",
    "IDENTIFIERS_DISAGREE",
    "NO_IDENTIFIERS",
    "KEYS_MOVED",
)
SORTS = {
    "newest": Sort(Key("unmatched_id", "integer")),
    "oldest": Sort(Key("unmatched_id", "integer"), is_descending=False),
}
MAX_CANDIDATES = 10
TABLE = "module_ct_scouting_daily"
_LINKED = "canon.identity_registry, canon.identity_links, canon.identity_unmatched"
_LEFT = "canon.identity_unmatched"


@dataclass(frozen=True)
class OpenRow:
    """A scouting row that waits for a person. candidate_person_keys: whom a run could not tell
    apart, at most ten; is_held: no run links it until its hold is released."""

    unmatched_id: int
    source_pk: str
    reason_code: str
    scout_id: int | None
    registered_on: date | None
    has_license: bool
    has_phone: bool
    candidate_person_keys: list[str]
    is_held: bool
    left_at: datetime | None


@dataclass(frozen=True)
class RowCandidate:
    """A person that a row may be. has_other_license: known under another licence than the row's.
    Identifiers masked."""

    person_key: str
    shares_license: bool
    shares_phone: bool
    has_other_license: bool
    name: str | None
    phone: str | None
    license: str | None
    ledger_scout_id: int | None
    scout_ids: tuple[int, ...]
    is_lead: bool


@dataclass(frozen=True)
class ExplainedRow:
    """A scouting row looked at closely. person_key: to whom it is linked, null when to nobody;
    outdated_person_key: to whom it is linked by a link that does not count, as the row said
    something else then; status OPEN, RESOLVED, IGNORED or null (no run judged it yet); audit in
    time order."""

    source_pk: str
    scout_id: int | None
    registered_on: date | None
    name: str | None
    phone: str | None
    license: str | None
    has_license: bool
    has_phone: bool
    person_key: str | None
    outdated_person_key: str | None
    status: str | None
    reason_code: str | None
    hold_id: int | None
    candidates: tuple[RowCandidate, ...]
    audit: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ReviewResult:
    """What a review did. person_key null = the row was set aside."""

    run_id: int
    act: Act
    source_pk: str
    person_key: str | None
    is_attached: bool


def list_open(
    conn: Connection,
    *,
    reason_code: str | None = None,
    scout_id: int | None = None,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
) -> Page[OpenRow]:
    """Scouting rows that no rule could link, last or first left first. Reads
    canon.identity_unmatched."""
    filters.check_scout(scout_id)
    return read_page(
        conn,
        sql.query("decide/review", "list_open"),
        OpenRow,
        {"reason_code": filters.check_text(reason_code, "reason_code"), "scout_id": scout_id},
        sorts=SORTS,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
    )


def count_reasons(conn: Connection) -> dict[str, int]:
    """How many rows wait, by the reason why no rule could link them, most first."""
    return {row.reason_code: row.row_count for row in _query(conn, "reasons")}


def by_row(conn: Connection, source_pk: str) -> ExplainedRow:
    """One scouting row with whom it may be, names, phones and licences masked. NotFound when there
    is none of this id, Refused when several have it."""
    pk = _checked_pk(source_pk)
    row = _row(conn, pk)
    keys = {name: row[name] for name in ("license_key", "phone_key")}
    persons = _query(conn, "candidate_keys", source_pk=pk, row_limit=MAX_CANDIDATES, **keys)
    found = _query(conn, "candidates", person_keys=list(persons.scalars()), **keys).mappings()
    return ExplainedRow(
        source_pk=row["source_pk"],
        scout_id=row["scout_id"],
        registered_on=row["registered_on"],
        name=mask_name(_query(conn, "names", source_pk=pk).scalar()),
        phone=mask_phone(row["phone"]),
        license=mask_code(row["license"]),
        has_license=row["license_key"] is not None,
        has_phone=row["phone_key"] is not None,
        person_key=row["person_key"],
        outdated_person_key=row["outdated_person_key"],
        status=row["status"],
        reason_code=row["reason_code"],
        hold_id=row["hold_id"],
        candidates=tuple(_candidate(person) for person in found),
        audit=tuple(dict(entry) for entry in _query(conn, "audit", source_pk=pk).mappings()),
    )


def link(
    db: Database,
    *,
    actor: Actor,
    source_pk: str,
    person_key: str,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> ReviewResult:
    """Link a scouting row to a registered person. NotFound for row or person, ChangedMeanwhile
    when the row is linked by now."""
    key = fingerprint.checked_key(person_key)
    request = _request(db, actor, source_pk, reason, request_id, trigger, requested_at)

    return _run(db, request, lambda run: _link(run, source_pk, key, "LINKED"))


def move(
    db: Database,
    *,
    actor: Actor,
    source_pk: str,
    person_key: str,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> ReviewResult:
    """Move the link of a scouting row to another registered person. NotFound for row or person,
    Refused when the row is linked to nobody or to that person already."""
    key = fingerprint.checked_key(person_key)
    request = _request(
        db, actor, source_pk, reason, request_id, trigger, requested_at, moves_to=key
    )
    return _run(db, request, lambda run: _link(run, source_pk, key, "MOVED"))


def create(
    db: Database,
    *,
    actor: Actor,
    source_pk: str,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> ReviewResult:
    """Register a new person for a scouting row and link it. NotFound for the row,
    ChangedMeanwhile when it is linked by now."""
    request = _request(db, actor, source_pk, reason, request_id, trigger, requested_at)
    return _run(db, request, lambda run: _link(run, source_pk, None, "CREATED"))


def dismiss(
    db: Database,
    *,
    actor: Actor,
    source_pk: str,
    reason: str,
    request_id: str | None = None,
    trigger: Trigger = "manual",
    requested_at: datetime | None = None,
) -> ReviewResult:
    """Set a scouting row aside as nobody: no run links it. NotFound for the row, ChangedMeanwhile
    when it is linked or set aside by now."""
    request = _request(db, actor, source_pk, reason, request_id, trigger, requested_at)

    def work(run: Run) -> None:
        done = run.one_unless_written("decide/review/dismiss_row", _LEFT, source_pk=source_pk)
        if not done["dismissed_count"]:
            raise _changed(source_pk)
        _record(run, "DISMISSED", source_pk, None)

    return _run(db, request, work)


def _request(
    db: Database,
    actor: Actor,
    source_pk: str,
    reason: str,
    request_id: str | None,
    trigger: Trigger,
    requested_at: datetime | None,
    moves_to: str | None = None,
) -> Request:
    permissions.require(actor, "review")
    words = checked_note(reason, "reason")
    request = Request("review", actor, trigger, words, False, request_id, requested_at)
    if runner.find_request(db, request) is None:
        pk = _checked_pk(source_pk)
        with db.transaction(LOOK) as conn:
            row = _row(conn, pk)
        if moves_to is not None:
            _check_move(row, moves_to)
        elif row["person_key"] is not None:
            raise _changed(source_pk, row["person_key"])
    return request


def _check_move(row: Any, person_key: str) -> None:
    linked = row["person_key"] or row["outdated_person_key"]
    if linked is None:
        raise Refused(
            f"Scouting row {row['source_pk']} is linked to nobody: `review link` links it.",
            source_pk=row["source_pk"],
        )
    if row["person_key"] == person_key:
        raise Refused(
            f"Scouting row {row['source_pk']} is linked to {person_key} already.",
            source_pk=row["source_pk"],
        )


def _link(run: Run, source_pk: str, person_key: str | None, act: Act) -> None:
    done = run.unless_written(lambda: _link_row(run, source_pk, person_key, act), _LINKED)
    if not done["linked_count"]:
        raise _changed(source_pk)
    _record(run, act, source_pk, done["person_key"])


def _link_row(run: Run, source_pk: str, person_key: str | None, act: Act) -> dict[str, Any]:
    if (
        person_key is not None
        and not run.one("decide/review/lock_person", person_key=person_key)["person_count"]
    ):
        raise NotFound(f"Nobody is registered under {person_key}: choose one of the candidates.")
    return run.one(
        "decide/review/link_row",
        source_pk=source_pk,
        person_key=person_key,
        is_new_person=person_key is None,
        is_move=act == "MOVED",
    )


def _record(run: Run, act: Act, source_pk: str, person_key: str | None) -> None:
    told = {"act": act, "source_pk": source_pk, "person_key": person_key}
    run.stats["review"] = told
    run.log_step("review", {"seen": 1, "changed": 1, **told})


def _run(db: Database, request: Request, work: Any) -> ReviewResult:
    result = runner.finished(db, runner.work_run(db, request, work, max_rows=2))
    told = result.stats.get("review")
    if told is None or result.status != "COMPLETED":
        raise Refused(
            f"Run {result.run_id} of the same request reviewed nothing: send it as a new request.",
            run_id=result.run_id,
        )
    settle.settle_soon(db)
    return ReviewResult(run_id=result.run_id, is_attached=result.is_attached, **told)


def _changed(source_pk: str, person_key: str | None = None) -> ChangedMeanwhile:
    where = f" to {person_key}" if person_key else ""
    return ChangedMeanwhile(
        f"Scouting row {source_pk} was linked{where} or set aside meanwhile: nothing was written. "
        "Look at it again.",
        source_pk=source_pk,
        person_key=person_key,
    )


def _candidate(row: Any) -> RowCandidate:
    return RowCandidate(
        person_key=row["person_key"],
        shares_license=row["shares_license"],
        shares_phone=row["shares_phone"],
        has_other_license=row["has_other_license"],
        name=mask_name(row["full_name"]),
        phone=mask_phone(row["phone"]),
        license=mask_code(row["license"]),
        ledger_scout_id=row["ledger_scout_id"],
        scout_ids=tuple(row["scout_ids"]),
        is_lead=row["is_lead"],
    )


def _checked_pk(source_pk: str) -> str:
    pk = filters.check_text(source_pk, "source_pk")
    if pk is None:
        raise NotFound("Give the id of a scouting row: `review list` lists those that wait.")
    return pk


def _row(conn: Connection, pk: str) -> Any:
    found = _query(conn, "row", source_pk=pk).mappings().all()
    if not found:
        raise NotFound(f"There is no scouting row {pk!r}: `review list` lists those that wait.")
    if len(found) > 1:
        raise Refused(
            f"{len(found)} scouting rows have the number {pk} (REPEATED_ID): none of them can be "
            "reviewed until each has a number of its own.",
            source_pk=pk,
        )
    return found[0]


def _query(conn: Connection, name: str, **parameters: object) -> Any:
    return conn.execute(sql.query("decide/review", name), parameters)
