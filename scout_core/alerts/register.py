"""Alerts as rows with a life: one for each (rule, subject) that was ever wrong.

Whoever looks says what is wrong now; `sync` opens, reopens and resolves. People acknowledge and
mute with a reason (alert_acts). A change and its event are one statement; changes wait for each
other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from scout_core.attribution import fingerprint
from scout_core.db import locks, sql
from scout_core.errors import BadInput, NotFound
from scout_core.health.conditions import Condition, News
from scout_core.lists import filters
from scout_core.lists.paging import Key, Page, Sort, read_page

Status = Literal["OPEN", "ACKNOWLEDGED", "MUTED", "RESOLVED"]

STATUSES: tuple[Status, ...] = ("OPEN", "ACKNOWLEDGED", "MUTED", "RESOLVED")
SEVERITIES = ("FAIL", "WARN", "INFO")
# of persons and source rows, by what they ask for; the others come from whoever looks
ROW_RULES = (
    "NEW_CONFLICT",
    "UNREADABLE_SCOUT",
    "UNKNOWN_SCOUT",
    "IDENTITY_TO_REVIEW",
    "PAYLOAD_SHAPE",
    "PAYLOAD_TOO_LARGE",
    "SIMILAR_KEY",
    "DATE_OUT_OF_RANGE",
    "ROW_WITHOUT_ID",
    "REPEATED_ID",
    "CABINET_LEAD_WITHOUT_SCOUT",
)
# noted persons and rows from which on comparing all is faster than looking each up
MANY = 20_000
MAX_ALERTS = 1000
MAX_EVENTS = 200
_LOCK_KEY = 2_001
_WORST = Sort(
    Key("severity_rank", "integer"), Key("opened_at", "timestamp"), Key("alert_id", "integer")
)
STANDING_SORTS = {
    "worst": _WORST,
    "newest": Sort(Key("opened_at", "timestamp"), Key("alert_id", "integer")),
    "oldest": Sort(Key("opened_at", "timestamp"), Key("alert_id", "integer"), is_descending=False),
}
MUTE_SORTS = {
    "oldest": Sort(Key("muted_at", "timestamp"), Key("alert_id", "integer"), is_descending=False),
    "newest": Sort(Key("muted_at", "timestamp"), Key("alert_id", "integer")),
}
RESOLVED_SORTS = {
    "newest": Sort(Key("resolved_at", "timestamp"), Key("alert_id", "integer")),
    "oldest": Sort(
        Key("resolved_at", "timestamp"), Key("alert_id", "integer"), is_descending=False
    ),
}

# list -> its orders, the usual one first
SORTS: Mapping[str, Mapping[str, Sort]] = {
    "list_standing": STANDING_SORTS,
    "list_mutes": MUTE_SORTS,
    "list_resolved": RESOLVED_SORTS,
}
LISTS = {"MUTED": "list_mutes", "RESOLVED": "list_resolved"}
SORT_NAMES = ("worst", "newest", "oldest")


@dataclass(frozen=True)
class Alert:
    """One (rule, subject) and how it stands. Times in UTC.

    opened_at: since when it stands, opened_run: the run that found it then, null = found between
    two runs. muted_until holds also while it is RESOLVED. actor, reason: of the last thing that
    somebody did to it, null when it changed by itself since.
    """

    alert_id: int
    rule: str
    subject: str
    severity: str
    status: str
    text: str
    person_key: str | None
    opened_at: datetime
    opened_run: int | None
    first_opened_at: datetime
    times_opened: int
    muted_at: datetime | None
    muted_until: datetime | None
    resolved_at: datetime | None
    actor: str | None
    reason: str | None
    changed_at: datetime


@dataclass(frozen=True)
class Event:
    """What happened to an alert. status: what it is since. actor null = by itself; run_id: the run
    that found it."""

    event_id: int
    event: str
    status: str
    severity: str
    actor: str | None
    reason: str | None
    muted_until: datetime | None
    run_id: int | None
    at: datetime


@dataclass(frozen=True)
class Standing:
    """How many alerts of a rule and severity stand, and since when the oldest of them."""

    rule: str
    severity: str
    open_count: int
    acknowledged_count: int
    muted_count: int
    since: datetime

    @property
    def count(self) -> int:
        """All that stand, whatever was said about them."""
        return self.open_count + self.acknowledged_count + self.muted_count


@dataclass(frozen=True)
class LastLook:
    """When alerts were compared with what is wrong: with all of it, and at all; null = never."""

    whole_at: datetime | None
    looked_at: datetime | None


@dataclass(frozen=True)
class AlertFilters:
    """Which alerts: null = any. A status of RESOLVED lists those that went."""

    rule: str | None = None
    severity: str | None = None
    status: str | None = None
    person_key: str | None = None


def sync(
    conn: Connection,
    conditions: Sequence[Condition],
    now: datetime,
    *,
    run_id: int | None = None,
    is_whole: bool = False,
) -> News:
    """Make the alerts what holds now, in the caller's transaction; tell what that changed.

    conditions: everything that holds beside what follows from persons and source rows
    (scout.v_alert_conditions), which are compared where something was touched since the last look;
    all of them the first time, where the state is not tracked, or when is_whole. run_id: the run
    whose effects are in this transaction; null = between two runs. What is muted is no news.
    """
    lock(conn)
    load = conn.execute(sql.statement("alerts/sync/load"), {"many": MANY + 1}).one()
    is_run = run_id is not None
    if load.mode == "TRACKED":
        whole = (
            is_whole or load.whole_at is None or load.is_everything_noted or load.noted_count > MANY
        )
        compares = whole or load.noted_count > 0 or (is_run and load.has_pending)
    else:
        # a run recomputes everybody all the same; between runs only a new build tells anything new
        is_rebuilt = load.mode == "REBUILT" and (
            load.whole_at is None or load.built_at > load.whole_at
        )
        whole = compares = is_whole or is_run or is_rebuilt
    rows = conn.execute(
        sql.statement("alerts/sync/sync"),
        {
            "is_whole": whole,
            "compares_rows": compares,
            "adds_pending": compares and is_run and not whole,
            "rules": [c.rule for c in conditions],
            "subjects": [c.subject for c in conditions],
            "severities": [c.severity for c in conditions],
            "person_keys": [c.person_key for c in conditions],
            "texts": [c.text for c in conditions],
            "now": now,
            "run_id": run_id,
        },
    ).all()
    return News(
        opened={r.rule: r.opened_count for r in rows if r.opened_count},
        reopened={r.rule: r.reopened_count for r in rows if r.reopened_count},
        resolved={r.rule: r.resolved_count for r in rows if r.resolved_count},
        samples={r.rule: tuple(r.samples) for r in rows if r.samples},
    )


def lock(conn: Connection) -> None:
    """Wait for whoever changes alerts now; nobody else does until the transaction ends."""
    conn.execute(sql.query("attribution/settle", "lock"), _lock_keys())


def try_lock(conn: Connection) -> bool:
    """The same without waiting; False when somebody changes them now."""
    return bool(
        conn.execute(sql.query("attribution/settle", "try_lock"), _lock_keys()).scalar_one()
    )


def _lock_keys() -> dict[str, int]:
    return {"lock_class": locks.LOCK_CLASS, "lock_key": _LOCK_KEY}


def list_standing(
    conn: Connection,
    listed: AlertFilters | None = None,
    *,
    now: datetime,
    sort: str = "worst",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Alert]:
    """The alerts that stand: open, acknowledged and muted ones; worst, newest or oldest first.

    No filter by date: what is open is never hidden by its age. Reads scout.alerts.
    """
    return _list(
        conn, "list_standing", STANDING_SORTS, listed, now, sort, after, before, page_size, total
    )


def list_mutes(
    conn: Connection,
    listed: AlertFilters | None = None,
    *,
    now: datetime,
    sort: str = "oldest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Alert]:
    """The mutes in force, oldest first; also of alerts that are gone and may come back."""
    return _list(conn, "list_mutes", MUTE_SORTS, listed, now, sort, after, before, page_size, total)


def list_resolved(
    conn: Connection,
    listed: AlertFilters | None = None,
    *,
    now: datetime,
    sort: str = "newest",
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Alert]:
    """The alerts whose condition is gone, by when it went."""
    return _list(
        conn, "list_resolved", RESOLVED_SORTS, listed, now, sort, after, before, page_size, total
    )


def list_alerts(
    conn: Connection,
    listed: AlertFilters | None = None,
    *,
    now: datetime,
    sort: str | None = None,
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Alert]:
    """The list that the status asks for: mutes, what is resolved, else what stands. sort null = the
    first of SORTS of that list."""
    status = (listed or AlertFilters()).status
    name = LISTS.get(status or "", "list_standing")
    order = sort or next(iter(SORTS[name]))
    return _list(conn, name, SORTS[name], listed, now, order, after, before, page_size, total)


def _list(
    conn: Connection,
    name: str,
    sorts: Mapping[str, Sort],
    listed: AlertFilters | None,
    now: datetime,
    sort: str,
    after: str | None,
    before: str | None,
    page_size: int,
    total: int | None,
) -> Page[Alert]:
    given = listed or AlertFilters()
    parameters: dict[str, object] = {
        "rule": filters.check_text(given.rule, "rule"),
        "severity": filters.check_choice(given.severity, SEVERITIES, "severity"),
        "person_key": None
        if given.person_key is None
        else fingerprint.checked_key(given.person_key),
        "now": now,
    }
    status = filters.check_choice(given.status, STATUSES, "status")
    if name == "list_standing":
        parameters["status"] = status
    statement = sql.query("alerts/register", name)
    return read_page(
        conn,
        statement,
        Alert,
        {n: v for n, v in parameters.items() if n in statement.compile().params},
        sorts=sorts,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=total,
    )


def count_standing(conn: Connection, now: datetime) -> tuple[Standing, ...]:
    """The alerts that stand by rule and severity, the worst first. Reads scout.alerts."""
    rows = conn.execute(sql.query("alerts/register", "count_standing"), {"now": now}).mappings()
    return tuple(Standing(**row) for row in rows)


def by_ids(conn: Connection, alert_ids: Sequence[int], now: datetime) -> dict[int, Alert]:
    """The alerts of these numbers, as far as there are such."""
    rows = conn.execute(
        sql.query("alerts/register", "by_id"), {"alert_ids": list(alert_ids), "now": now}
    ).mappings()
    return {row["alert_id"]: Alert(**row) for row in rows}


def by_id(conn: Connection, alert_id: int, now: datetime) -> Alert:
    """One alert. NotFound when there is none of this number."""
    found = by_ids(conn, [checked_id(alert_id)], now)
    if not found:
        raise missing(alert_id)
    return found[alert_id]


def by_person(conn: Connection, person_key: str, now: datetime) -> tuple[Alert, ...]:
    """The alerts that stand about a person, worst first; at most 1,000."""
    page = list_standing(
        conn, AlertFilters(person_key=person_key), now=now, page_size=MAX_ALERTS, total=0
    )
    return page.rows


def list_events(conn: Connection, alert_id: int) -> tuple[Event, ...]:
    """The life of an alert, newest first; the last 200 things that happened to it."""
    rows = conn.execute(
        sql.query("alerts/register", "list_events"),
        {"alert_id": checked_id(alert_id), "row_limit": MAX_EVENTS},
    ).mappings()
    return tuple(Event(**row) for row in rows)


def last_look(conn: Connection) -> LastLook:
    """When anybody looked last. Reads scout.alert_state."""
    return LastLook(**conn.execute(sql.query("alerts/register", "looked_at")).mappings().one())


def missing(alert_id: int) -> NotFound:
    """What to say where there is no such alert."""
    return NotFound(f"There is no alert {alert_id}: `alerts list` lists them.")


def checked_id(alert_id: int) -> int:
    """The number of an alert, within what it can be. BadInput otherwise."""
    if not 1 <= alert_id <= 2**63 - 1:
        raise BadInput(
            "The number of an alert must be from 1 on.",
            parameter="alert_id",
            allowed="a number from 1 on",
        )
    return alert_id
