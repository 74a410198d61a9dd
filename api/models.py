"""What the routes answer and what lists can be asked for. Names are those of the views."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)

from scout_core.access.note import NOTE_MAX, NOTE_MIN
from scout_core.alerts import register
from scout_core.attribution import backlog, conflicts
from scout_core.decide import holds, reasons
from scout_core.health import source_checks
from scout_core.health.states import Status
from scout_core.lists import filters, paging
from scout_core.money import collection, liquidation
from scout_core.runs import audit, history

# amounts and shares leave as numbers, as they always did
Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
ScoutId = Annotated[int, Field(ge=1, le=filters.MAX_SCOUT_ID, examples=[14])]
RunId = Annotated[int, Field(ge=1, le=filters.MAX_SCOUT_ID, examples=[7])]
KeyPart = Annotated[str, Field(max_length=filters.MAX_TEXT, examples=["f8049a80"])]
Day = Annotated[date, Field(ge=filters.FIRST_DAY, le=filters.LAST_DAY, examples=["2026-11-22"])]
Cursor = Annotated[str, Field(max_length=paging.MAX_CURSOR)]


def _storable(value: str) -> str:
    """The text, when a database can hold it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("made of whole characters") from None
    if "\0" in value:
        raise ValueError("without NUL")
    return value


# why somebody does something, as it is kept
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=NOTE_MIN, max_length=NOTE_MAX),
    AfterValidator(_storable),
]

PERSON = "f8049a80-25d9-2679-76cf-fa5e786dc4a2"


class Answer(BaseModel):
    """Made of the rows of the library."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class Filter(BaseModel):
    """Parameters of a list; one that is not known is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Question(Filter):
    """Which page of a list."""

    page: int | None = Field(None, ge=1, le=1_000_000)
    """Which page, from 1. Pages beyond the first 10,000 rows are reached by cursor only."""
    page_size: int = Field(50, ge=1, le=paging.MAX_PAGE_SIZE)
    after: Cursor | None = None
    """Cursor of the page before: its pagination.after."""
    before: Cursor | None = None
    """Cursor of the page behind: its pagination.before."""


class ConflictFilter(Filter):
    """Which open conflicts; what is not given does not matter."""

    scout_id: ScoutId | None = None
    source: Literal[filters.EVIDENCE_SOURCES] | None = None  # type: ignore[valid-type]
    conflict_kind: Literal[conflicts.KINDS] | None = None  # type: ignore[valid-type]
    since: Day | None = None
    """The newest evidence is of this day or later."""
    until: Day | None = None
    """The newest evidence is of this day or earlier."""
    text: KeyPart | None = None
    """The beginning of a person key."""
    sort: Literal[tuple(conflicts.SORTS)] = "newest"  # type: ignore[valid-type]


class BacklogFilter(Filter):
    """Which persons without a scout."""

    category: Literal[backlog.CATEGORIES] | None = None  # type: ignore[valid-type]
    reason_code: Literal[tuple(backlog.REASONS)] | None = None  # type: ignore[valid-type]
    source: str | None = Field(None, max_length=filters.MAX_TEXT)
    """A table that their events come from, as the events name it."""
    scout_id: ScoutId | None = None
    """The one scout of their events."""
    lead_only: bool = False
    since: Day | None = None
    until: Day | None = None
    text: KeyPart | None = None
    sort: Literal[tuple(backlog.SORTS)] = "newest"  # type: ignore[valid-type]


class CollectionFilter(Filter):
    """Which claims on Yango."""

    scout_missing_only: bool = False
    conflicts_only: bool = False
    scout_id: ScoutId | None = None
    bucket: Literal[collection.BUCKETS] | None = None  # type: ignore[valid-type]
    """A scout_quality_bucket."""
    overdue_bucket: Literal[collection.OVERDUE_BUCKETS] | None = None  # type: ignore[valid-type]
    payment_status: Literal[collection.PAYMENT_STATUSES] | None = None  # type: ignore[valid-type]
    unpaid_only: bool = False
    driver: str | None = Field(None, max_length=filters.MAX_TEXT)
    """The beginning of a driver id."""
    text: KeyPart | None = None
    sort: Literal[tuple(collection.SORTS)] = "overdue"  # type: ignore[valid-type]


class LiquidationFilter(Filter):
    """Which persons with a scout."""

    payment_status: Literal[liquidation.PAYMENT_STATUSES] | None = None  # type: ignore[valid-type]
    block_reason: Literal[liquidation.BLOCK_REASONS] | None = None  # type: ignore[valid-type]
    scout_id: ScoutId | None = None
    since: Day | None = None
    until: Day | None = None
    text: KeyPart | None = None
    sort: Literal[tuple(liquidation.SORTS)] = "newest"  # type: ignore[valid-type]


class RunFilter(Filter):
    """Which runs."""

    kind: Literal[history.KINDS] | None = None  # type: ignore[valid-type]
    status: Literal[history.STATUSES] | None = None  # type: ignore[valid-type]
    trigger: Literal[history.TRIGGERS] | None = None  # type: ignore[valid-type]
    actor: str | None = Field(None, max_length=filters.MAX_TEXT)
    since: Day | None = None
    until: Day | None = None
    changed_only: bool = False
    """Only those that changed a link or the ledger."""
    sort: Literal[tuple(history.SORTS)] = "newest"  # type: ignore[valid-type]


class AuditFilter(Filter):
    """Which rows of one audit table."""

    table: Literal[tuple(audit.TABLES)] = "ledger"  # type: ignore[valid-type]
    person: KeyPart | None = None
    """The beginning of a person key."""
    run_id: RunId | None = None
    method: Literal[audit.ALL_METHODS] | None = None  # type: ignore[valid-type]
    """The rule that wrote, or the reason that left."""
    actor: str | None = Field(None, max_length=filters.MAX_TEXT)
    since: Day | None = None
    until: Day | None = None
    sort: Literal[tuple(audit.SORTS)] = "newest"  # type: ignore[valid-type]


CheckName = Literal[source_checks.CHECK_NAMES]  # type: ignore[valid-type]


class QualityFilter(Filter):
    """Which rows of the checks of the sources."""

    check: CheckName | None = Field(None, examples=["shared_phones"])
    """The check that found them."""
    sort: Literal[tuple(source_checks.SORTS)] = "newest"  # type: ignore[valid-type]


class ConflictQuestion(Question, ConflictFilter):
    """Which page of which open conflicts."""


class BacklogQuestion(Question, BacklogFilter):
    """Which page of which persons without a scout."""


class CollectionQuestion(Question, CollectionFilter):
    """Which page of which claims."""


class LiquidationQuestion(Question, LiquidationFilter):
    """Which page of which persons with a scout."""


class RunQuestion(Question, RunFilter):
    """Which page of which runs."""


class QualityQuestion(Question, QualityFilter):
    """Which page of which rows of the checks of the sources."""


class Pagination(BaseModel):
    """Where in the list these rows are. page null = reached by cursor; after and before null =
    nothing there."""

    page: int | None
    page_size: int
    total: int
    total_pages: int
    after: str | None
    before: str | None


class Backlog(BaseModel):
    """Persons without a scout by category; together persons_missing_scout."""

    a_events_without_scout: int
    d_scout_in_events_not_in_ledger: int
    c_legacy: int


class LastJob(BaseModel):
    """The last run of the job; all null when it has never run."""

    status: str | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_seconds: Number | None
    summary: dict[str, Any] | None
    error: str | None


class Metrics(BaseModel):
    """The numbers of one instant. Shares 0..100, null without persons; times in UTC."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "total_persons": 2033,
                "persons_with_scout_satisfactory": 518,
                "pct_scout_satisfactory": 25.48,
                "persons_missing_scout": 1515,
                "conflicts_count": 31,
                "backlog": {
                    "a_events_without_scout": 102,
                    "d_scout_in_events_not_in_ledger": 40,
                    "c_legacy": 1373,
                },
                "last_job": {
                    "status": "COMPLETED",
                    "started_at": "2026-11-22T16:00:00Z",
                    "ended_at": "2026-11-22T16:00:01Z",
                    "duration_seconds": 1.2,
                    "summary": {"batches": 1},
                    "error": None,
                },
                "snapshot_timestamp": "2026-11-22T18:00:00Z",
                "lead_persons": 680,
                "pct_scout_satisfactory_leads": 76.18,
            }
        }
    )

    total_persons: int
    persons_with_scout_satisfactory: int
    pct_scout_satisfactory: Number | None
    persons_missing_scout: int
    conflicts_count: int
    backlog: Backlog
    last_job: LastJob
    snapshot_timestamp: datetime
    lead_persons: int
    pct_scout_satisfactory_leads: Number | None


class BySource(BaseModel):
    """Persons attributed or linked that day, by source."""

    scouting_daily: int
    cabinet_leads: int
    lead_ledger: int


class DailyMetrics(BaseModel):
    """A Lima day. conflicts_count null = not known then; is_estimated: no run recorded the day."""

    date: date
    total_persons: int
    satisfactory_count: int
    pct_satisfactory: Number | None
    missing_count: int
    conflicts_count: int | None
    by_source: BySource
    is_estimated: bool


class Daily(BaseModel):
    """Days, oldest first. Up to 31 of them are complete; of older ones those with a run."""

    daily_metrics: list[DailyMetrics]


class Conflict(Answer):
    """A person with an open conflict. Amounts in soles, null = unknown."""

    person_key: str = Field(examples=[PERSON])
    distinct_scout_count: int
    scout_ids: list[int]
    """Ascending, the ledger's among them."""
    sources: list[str]
    origin_tags: list[str]
    first_event_date: date | None
    last_event_date: date | None
    total_sources: int
    """Pieces of evidence."""
    conflict_kind: str = Field(examples=["SEVERAL_SCOUTS"])
    ledger_scout_id: int | None
    at_stake_pen: Number | None
    """Claims that Yango has not paid."""
    paid_pen: Number | None
    """Already paid to scouts for the person."""
    seen: str | None
    """Fingerprint of the evidence: goes back with a decision."""


class Missing(Answer):
    """A person without a scout."""

    person_key: str = Field(examples=[PERSON])
    category: str
    category_label: str
    scout_id: int | None
    """The scout of the events when they name exactly one."""
    source_tables: list[str]
    origin_tags: list[str]
    first_event_date: date | None
    last_event_date: date | None
    event_count: int
    reason_code: str
    is_conflict: bool
    is_lead: bool
    at_stake_pen: Number | None


class Claim(Answer):
    """A claim (driver_id, milestone_value) with the scout of its person."""

    driver_id: str | None
    person_key: str | None
    driver_name: str | None
    """Masked for viewers."""
    milestone_value: int | None
    lead_date: date | None
    expected_amount: Number | None
    yango_due_date: date | None
    days_overdue_yango: int | None
    overdue_bucket_yango: str | None
    yango_payment_status: str | None
    pay_date: date | None
    reason_code: str | None
    identity_status: str | None
    match_confidence: str | None
    scout_id: int | None
    scout_name: str | None
    scout_is_active: bool | None
    scout_quality_bucket: str
    is_scout_resolved: bool
    scout_attribution_date: date | None
    is_conflict: bool


class Payable(Answer):
    """A person with a scout and what is payable for them. This list pays nothing."""

    person_key: str = Field(examples=[PERSON])
    driver_id: str | None
    scout_id: int
    scout_name: str | None
    origin_tag: str | None
    source_table: str
    source_pk: str
    attribution_date: date | None
    milestone_reached: int | None
    milestone_date: date | None
    eligible_7d: bool | None
    amount_payable: Number | None
    """Soles; null = no payment rule fits, or several are active."""
    payment_status: str
    block_reason: str | None
    paid_to_other_scout_id: int | None
    """Another scout whom the liquidation ledger paid for this person; null = nobody."""


class Run(Answer):
    """A run of any kind. trigger and actor null = not a run of this product."""

    run_id: int
    kind: str
    trigger: str | None
    actor: str | None
    reason: str | None
    is_forced: bool | None
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    duration_seconds: Number | None
    link_count: int | None
    """Scouting rows that it linked."""
    scout_count: int | None
    """Persons whom it gave a scout."""
    error: str | None


class Step(Answer):
    """A step of a run: what it saw and changed, by rule what it did, by reason what it left."""

    name: str
    seconds: float
    seen: int | None
    changed: int | None
    by_rule: dict[str, int]
    skipped: dict[str, int]
    facts: dict[str, int]


class Seal(Answer):
    """What makes a later change of the run's audit visible."""

    seal_no: int
    run_id: int
    row_count: int
    seal_hash: str
    previous_hash: str
    sealed_at: datetime


class RunReport(Answer):
    """A run with its steps and seal."""

    run: Run
    version: str | None
    steps: list[Step]
    batch_count: int
    seal: Seal | None


class Conflicts(BaseModel):
    """A page of open conflicts."""

    items: list[Conflict]
    pagination: Pagination


class MissingPersons(BaseModel):
    """A page of persons without a scout."""

    items: list[Missing]
    pagination: Pagination


class Claims(BaseModel):
    """A page of claims."""

    items: list[Claim]
    pagination: Pagination


class Payables(BaseModel):
    """A page of the liquidation base."""

    items: list[Payable]
    pagination: Pagination


class Runs(BaseModel):
    """A page of runs."""

    items: list[Run]
    pagination: Pagination


class JobRun(Answer):
    """A run of the job. completed_at and error null while it runs; step = the last one finished."""

    run_id: int
    status: str
    trigger: str | None
    actor: str | None
    started_at: datetime
    completed_at: datetime | None
    changed_rows: int | None
    error: str | None
    step: str | None


class JobStatus(BaseModel):
    """The job now: the run in progress, the last that ended, the last that ended well, the last
    that the scheduler started and when its next one is due."""

    running: JobRun | None
    last: JobRun | None
    last_completed: JobRun | None
    last_scheduled: JobRun | None
    next_at: datetime | None
    scheduler_status: Status


class PlannedLink(Answer):
    """What a run would do with a scouting row. person_key null = it would leave it; moved_from: the
    person of its link that is out of date."""

    source_pk: str
    scout_id: int
    outcome: str
    person_key: str | None
    match_rule: str | None
    reason_code: str | None
    moved_from: str | None
    is_new_person: bool
    is_new_reason: bool


class PlannedScout(Answer):
    """A person whom a run would give a scout."""

    person_key: str
    scout_id: int
    has_ledger_row: bool


class Plan(BaseModel):
    """What the next run would change. The lists may be cut at `limit`, the counts are whole."""

    total_persons: int
    is_first_run: bool
    changed_rows: int
    guard: str | None
    """Why the guard would stop a scheduled run; null = it would not."""
    link_count: int
    left_count: int
    """Scouting rows that it would look at and leave."""
    scout_count: int
    skipped_scouts: dict[str, int]
    links: list[PlannedLink]
    scouts: list[PlannedScout]


class Evidence(Answer):
    """A piece of evidence that names a scout."""

    scout_id: int
    priority: int
    source_table: str
    source_pk: str
    origin_tag: str | None
    attribution_date: date | None
    created_at: datetime | None


class LedgerChange(Answer):
    """A change of the person's scout in the ledger."""

    audit_id: int
    backfill_timestamp: datetime
    backfill_method: str
    old_attributed_scout_id: int | None
    new_attributed_scout_id: int | None
    run_id: int | None
    actor: str | None


class LinkChange(Answer):
    """A link of a source row to the person, made or not."""

    audit_id: int
    backfill_timestamp: datetime
    action_type: str
    match_method: str | None
    source_table: str
    source_pk: str
    run_id: int | None
    actor: str | None


class Decision(Answer):
    """What a person decided on this one."""

    decision_id: int
    decided_at: datetime
    outcome: str
    scout_id: int | None
    considered_scout_ids: list[int]
    reason_code: str
    note: str
    actor: str
    run_id: int | None


class Hold(Answer):
    """Why no run writes this person."""

    hold_id: int
    held_at: datetime
    reason: str
    actor: str
    run_id: int | None


class Issue(Answer):
    """A value of a source row that cannot be used. raw_excerpt is masked."""

    rule: str
    source_table: str
    source_pk: str
    raw_excerpt: str | None
    first_seen_at: datetime


class PersonState(Answer):
    """The person as it stands: the ledger's scout, else category and reason; an open conflict."""

    person_key: str = Field(examples=[PERSON])
    registered_at: datetime | None
    is_lead: bool
    has_identity_link: bool
    has_ledger_row: bool
    ledger_scout_id: int | None
    ledger_updated_at: datetime | None
    category: str | None
    reason_code: str | None
    conflict_kind: str | None
    event_count: int
    has_unreadable_scout: bool
    erased_at: datetime | None
    """When the person's phones, licences and names were erased; null = never."""
    erased_run_id: int | None


class PersonMoney(Answer):
    """Claims of a person and what was paid for it, in soles; null = unknown."""

    claim_count: int
    unpaid_claim_count: int
    at_stake_pen: Number | None
    paid_pen: Number | None


class AlertQuestion(Question):
    """Which alerts; what is not given does not matter."""

    status: Literal[register.STATUSES] | None = None  # type: ignore[valid-type]
    """Left out: all that stand, which is all but RESOLVED. MUTED: the mutes in force."""
    rule: Annotated[str, Field(max_length=60, examples=["NEW_CONFLICT"])] | None = None
    severity: Literal[register.SEVERITIES] | None = None  # type: ignore[valid-type]
    person_key: UUID | None = None
    sort: Literal[register.SORT_NAMES] | None = None  # type: ignore[valid-type]
    """Left out: the worst first; mutes by age; what is resolved newest first. worst: not of those
    two."""


class Alert(Answer):
    """One thing that asks for attention, or did. (rule, subject) names it."""

    alert_id: int = Field(examples=[41])
    rule: str = Field(examples=["NEW_CONFLICT"])
    subject: str = Field(examples=[PERSON])
    """A person key, a row of a source (table/key), a source or an indicator."""
    severity: str = Field(examples=["WARN"])
    status: str = Field(examples=["OPEN"])
    text: str = Field(
        examples=["The evidence of this person names several scouts, and nobody has decided."]
    )
    person_key: str | None = Field(examples=[PERSON])
    opened_at: datetime
    """Since when it stands."""
    opened_run: int | None
    first_opened_at: datetime
    times_opened: int
    muted_at: datetime | None
    muted_until: datetime | None
    resolved_at: datetime | None
    actor: str | None
    """Who did the last thing to it; null = it changed by itself since."""
    reason: str | None
    changed_at: datetime


class Person(Answer):
    """One person explained. Lists in time order; verdict, why, next_action in words."""

    state: PersonState
    seen: str
    """Fingerprint of the evidence: goes back with a decision."""
    verdict: str
    why: str
    next_action: str
    evidence: list[Evidence]
    ledger_audit: list[LedgerChange]
    link_audit: list[LinkChange]
    decisions: list[Decision]
    holds: list[Hold]
    issues: list[Issue]
    alerts: list[Alert]
    """Those that stand about the person, worst first."""
    money: PersonMoney
    runs: list[int]
    """Those that wrote, linked, decided or held here, oldest first."""


class AlertCount(Answer):
    """How many alerts of a rule and severity stand, and since when the oldest of them."""

    rule: str = Field(examples=["NEW_CONFLICT"])
    severity: str = Field(examples=["WARN"])
    open_count: int
    acknowledged_count: int
    muted_count: int
    since: datetime


class Alerts(BaseModel):
    """All that stands by rule, the worst first, and a page of the alerts asked for."""

    standing: list[AlertCount]
    items: list[Alert]
    pagination: Pagination


class AlertEvent(Answer):
    """Something that happened to an alert. actor null = by itself."""

    event_id: int
    event: str = Field(examples=["ACKNOWLEDGED"])
    status: str = Field(examples=["ACKNOWLEDGED"])
    severity: str
    actor: str | None
    reason: str | None
    muted_until: datetime | None
    run_id: int | None
    at: datetime


class AlertTold(BaseModel):
    """An alert and its life, newest first."""

    alert: Alert
    events: list[AlertEvent]


class RunStarted(BaseModel):
    """The run that this request is. The same request again is answered the same."""

    run_id: int | None = Field(examples=[7])
    """Null when it has not begun yet: job-status tells when it has."""
    request_id: str
    status_url: str


class Given(BaseModel):
    """The body of a write; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ReasonGiven(Given):
    """Why, kept for good."""

    reason: Reason = Field(examples=["The file of Monday was loaded twice"])
    """10 to 1,000 characters."""


class MuteGiven(ReasonGiven):
    """Until when nobody is told, and why."""

    until: AwareDatetime = Field(examples=["2026-12-01T08:00:00-05:00"])
    """With its zone; after now and at most 90 days ahead."""


class AlertActed(Answer):
    """What was done to an alert, and what it is since."""

    alert_id: int = Field(examples=[41])
    rule: str = Field(examples=["SOURCE_STALE"])
    subject: str = Field(examples=["public.module_ct_migrations"])
    event: str = Field(examples=["MUTED"])
    status: str = Field(examples=["MUTED"])
    actor: str
    reason: str
    muted_until: datetime | None
    at: datetime


class DecisionGiven(Given):
    """A decision about a person."""

    outcome: Literal[reasons.OUTCOMES]  # type: ignore[valid-type]
    scout_id: ScoutId | None = None
    """Only of ASSIGN: a scout of the evidence, or any known one with a stronger reason."""
    reason_code: str = Field(max_length=40, examples=["NEWEST_EVIDENCE"])
    note: Reason = Field(examples=["Called both, 14 registered him first"])
    """10 to 1,000 characters, no phones or licences."""
    seen: str = Field(max_length=32, examples=["9e107d9d372bb6826bd81d3542a419d6"])
    """What the conflict or the person gave out: refused when the evidence is another one by now."""


class DecisionTaken(BaseModel):
    """What was decided. paid_pen: soles already paid for the person, a warning; null = none."""

    run_id: int
    decision_id: int
    person_key: str
    outcome: str
    scout_id: int | None
    old_scout_id: int | None
    is_ledger_changed: bool
    paid_pen: Number | None


class UndoItem(Answer):
    """A thing that the run did. later_*: who changed it since."""

    subject: str = Field(examples=["LEDGER"])
    outcome: str = Field(examples=["UNDO"])
    person_key: str | None
    source_table: str | None
    source_pk: str | None
    old_scout_id: int | None
    new_scout_id: int | None
    later_run_id: int | None
    later_actor: str | None
    later_method: str | None
    later_at: datetime | None


class UndoPlan(Answer):
    """What undoing a run would do: subject -> outcome -> how many; the first hundred one by one."""

    run_id: int
    kind: str
    status: str
    counts: dict[str, dict[str, int]]
    items: list[UndoItem]
    founded_count: int
    removable_count: int
    paid_persons: int
    paid_pen: Number | None
    is_partial: bool


class Undone(Answer):
    """What an undo did; is_partial: some things stay, as items tell."""

    run_id: int
    undone_run_id: int
    undone: int
    changed_later: int
    already_undone: int
    ledger_rows: int
    decisions: int
    links: int
    dismissals: int
    persons_removed: int
    persons_kept: int
    held_persons: int
    held_rows: int
    items: list[UndoItem]
    is_partial: bool


class HoldQuestion(Question):
    """Which holds."""

    subject: Literal[holds.SUBJECTS] | None = None  # type: ignore[valid-type]
    run_id: RunId | None = None
    """Of this undo."""
    text: KeyPart | None = None
    """The beginning of a person key."""


class OpenHold(Answer):
    """A person or source row that is held. run_id null = somebody held it with SQL."""

    hold_id: int
    subject: str
    person_key: str | None
    source_table: str | None
    source_pk: str | None
    reason: str
    actor: str
    run_id: int | None
    held_at: datetime


class Holds(BaseModel):
    """A page of holds."""

    items: list[OpenHold]
    pagination: Pagination


class Released(Answer):
    """Holds that were released by this run."""

    run_id: int
    hold_ids: list[int]


class ReviewQuestion(Question):
    """Which scouting rows without a person."""

    reason_code: Annotated[str, Field(max_length=60)] | None = None
    scout_id: ScoutId | None = None


class ReviewRow(Answer):
    """A scouting row that no rule could link."""

    unmatched_id: int
    source_pk: str
    reason_code: str = Field(examples=["AMBIGUOUS_LICENSE"])
    scout_id: int | None
    registered_on: date | None
    has_license: bool
    has_phone: bool
    candidate_person_keys: list[str]
    is_held: bool
    left_at: datetime | None


class ReviewRows(BaseModel):
    """A page of scouting rows that wait."""

    items: list[ReviewRow]
    pagination: Pagination


class RowCandidate(Answer):
    """A person that a row may be; identifiers are masked."""

    person_key: str
    shares_license: bool
    shares_phone: bool
    has_other_license: bool
    name: str | None
    phone: str | None
    license: str | None
    ledger_scout_id: int | None
    scout_ids: list[int]
    is_lead: bool


class ExplainedRow(Answer):
    """A scouting row looked at closely; person_key: to whom it is linked, null = nobody;
    outdated_person_key: whom its link names that does not count, as the row said something else."""

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
    candidates: list[RowCandidate]


class ReviewGiven(ReasonGiven):
    """What to do with a scouting row."""

    act: Literal["link", "move", "create", "dismiss"]
    person_key: UUID | None = None
    """Only of link and move."""

    @model_validator(mode="after")
    def _person_of_a_link(self) -> "ReviewGiven":
        if (self.act in ("link", "move")) != (self.person_key is not None):
            raise ValueError("a person_key with act link or move, and none with the others")
        return self


class Reviewed(Answer):
    """What was done. person_key null = the row was set aside."""

    run_id: int
    act: str
    source_pk: str
    person_key: str | None


class Problem(BaseModel):
    """An error (RFC 9457). instance stands in the log too."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:scout:problem:bad-parameter",
                "title": "A value cannot be used",
                "status": 422,
                "detail": "category must be one of A, C, D.",
                "instance": "urn:uuid:0b1f6f6e-3c6b-4f0e-9d3a-2b1c7c1f9c55",
                "errors": [{"parameter": "category", "in": "query", "allowed": "one of A, C, D"}],
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = None
    run_id: int | None = None


class HealthReason(Answer):
    """One indicator: its state, the value, the threshold that decides, since when (UTC)."""

    indicator: str
    status: Status
    value: float | int | str | None
    threshold: str
    since: datetime | None
    text: str


class Health(Answer):
    """The worst state of the indicators, each of them, and the lights beside, which do not
    count: scheduler, last_run, sources."""

    status: Status
    reasons: list[HealthReason]
    lights: list[HealthReason]


class HealthChange(Answer):
    """A change of state. indicator: overall, an indicator or a light; from_status null = that was
    how it was seen first; run_id null = seen between two runs."""

    indicator: str
    from_status: Status | None
    to_status: Status
    changed_at: datetime
    value: str | None
    run_id: int | None


class HealthHistory(Answer):
    """Changes of state, newest first."""

    changes: list[HealthChange]


class QualityRun(Answer):
    """How a check ran once. row_count null = it FAILED, for error."""

    state: Literal["OK", "FOUND", "FAILED"]
    row_count: int | None = Field(examples=[12])
    appeared_count: int | None = Field(examples=[2])
    """Of those, rows that the run before had not found."""
    gone_count: int | None = Field(examples=[0])
    """Rows of the run before that it found no more."""
    error: str | None
    ran_at: datetime
    took_ms: int = Field(examples=[71])
    run_id: int | None
    """The refresh after which it ran."""
    actor: str = Field(examples=["scout"])


class QualityCheck(BaseModel):
    """A check of the sources and how it ran last; last null = it never did."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    check: CheckName = Field(examples=["shared_phones"])
    severity: Literal["INFO", "WARN", "FAIL"]
    finds: str = Field(
        examples=["Several persons have one phone, so that it identifies none of them."]
    )
    last: QualityRun | None
    count_before: int | None = Field(examples=[10])
    """Rows of the last run before that did not fail."""
    before_at: datetime | None

    @classmethod
    def of(cls, found: source_checks.CheckResult) -> "QualityCheck":
        """Made of what the library says."""
        return cls(
            check=found.check.name,
            severity=found.check.severity,
            finds=found.check.finds,
            last=None if found.last is None else QualityRun.model_validate(found.last),
            count_before=found.count_before,
            before_at=found.before_at,
        )


class QualityChecks(BaseModel):
    """Every check of the sources, by name."""

    checks: list[QualityCheck]


class QualityReport(QualityCheck):
    """A check and how it ran lately, newest first."""

    history: list[QualityRun]


class QualityRow(Answer):
    """A source row that a check found."""

    check_name: CheckName = Field(examples=["shared_phones"])
    source_table: str = Field(examples=["canon.identity_registry"])
    source_pk: str = Field(examples=[PERSON])
    person_key: str | None = Field(examples=[PERSON])
    detail: str = Field(examples=["phones=1; persons=2; with=bede7405"])
    """Facts as name=value, values of the source masked."""
    on_date: date | None = Field(examples=["2026-11-22"])
    """Lima day that the row is of."""
    found_at: datetime
    """Since when it is found."""


class QualityRows(BaseModel):
    """A page of rows that checks found."""

    items: list[QualityRow]
    pagination: Pagination
