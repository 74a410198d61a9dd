"""The rows that the rules read and write. Days are ISO text: they may be infinity or BC."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.model.keys import license_key, phone_key, scouting_md5_key

SCOUTING = "module_ct_scouting_daily"
MIGRATIONS = "module_ct_migrations"
CABINET = "module_ct_cabinet_leads"
DRIVERS = "drivers"
BACKFILL = "BACKFILL_SINGLE_SCOUT_FROM_EVENTS"
EXTERNAL = "EXTERNAL_CHANGE"
MANUAL, REVERT = "MANUAL_DECISION", "REVERT"


@dataclass
class Person:
    """A row of canon.identity_registry."""

    key: str
    license: str | None = None
    phone: str | None = None


@dataclass
class Link:
    """A row of canon.identity_links. content: what the row said when we linked it, None = the
    owner's, which holds whatever the row says."""

    source_table: str
    source_pk: str
    person_key: str
    rule: str = "OWNER"
    score: int = 100
    confidence: str = "HIGH"
    content: str | None = None


@dataclass
class Unmatched:
    """A row of canon.identity_unmatched about a scouting row. content: what the row said that a
    person set aside; resolved_by: the link that closed it."""

    reason: str
    status: str = "OPEN"
    content: str | None = field(default=None, compare=False)
    resolved_by: Link | None = field(default=None, compare=False)


@dataclass
class Event:
    """A row of observational.lead_events. payload is JSON text or None."""

    id: int
    person_key: str | None
    event_date: str
    scout_id: int | None
    payload: str | None
    created_at: datetime
    source_table: str


@dataclass
class LedgerRow:
    """A row of observational.lead_ledger."""

    person_key: str
    scout_id: int | None
    updated_at: datetime
    rule: str | None = None
    source: str | None = None
    score: str = "0.50"
    confidence: str = "low"
    status: str = "unassigned"


@dataclass
class Migration:
    """A row of public.module_ct_migrations. hire_date is the day of its timestamp without zone."""

    id: int
    driver_id: str | None
    scout_id: int | None
    hire_date: str | None
    created_at: datetime | None


@dataclass
class ScoutingRow:
    """A row of public.module_ct_scouting_daily."""

    id: int
    scout_id: int | None
    phone: str | None
    license: str | None
    registration_date: str | None
    acquisition_method: str | None
    created_at: datetime | None

    @property
    def old_key(self) -> str:
        """The key of the older system."""
        return scouting_md5_key(self.scout_id, self.phone, self.license, self.registration_date)

    @property
    def content(self) -> str:
        """What it says of who its driver is, whatever its number."""
        keys = license_key(self.license), phone_key(self.phone)
        if any(keys):
            return repr(keys)
        return repr((self.old_key, self.license or "", self.phone or ""))


@dataclass
class Payment:
    """A row of public.module_ct_cabinet_payments. person_key may be unknown to the registry."""

    id: int
    scout_id: int | None
    date: str | None
    driver_id: str | None
    person_key: str | None
    created_at: datetime | None


@dataclass
class Driver:
    """A row of canon.drivers_index."""

    driver_id: str
    license: str | None
    phone: str | None


@dataclass
class Decision:
    """A row of scout.decisions. seq is its place among the audit rows."""

    person_key: str
    kind: str
    scout_id: int | None
    considered: frozenset[int]
    seq: int
    before: int | None = None
    is_undone: bool = False


@dataclass
class AuditRow:
    """A row of ops.lead_ledger_scout_backfill_audit."""

    person_key: str
    old: int | None
    new: int | None
    method: str
    at: datetime
    seq: int
    old_row: LedgerRow | None = None
    new_row: LedgerRow | None = None
    is_undone: bool = False


@dataclass
class LinkWrite:
    """A link that a run made; person_key empty = a row that a person set aside. before: the link
    that it moved; left: the row of canon.identity_unmatched of what was set aside."""

    source_pk: str
    person_key: str
    link: Link | None
    is_founder: bool = False
    reason_before: str | None = None
    before: Link | None = None
    left: Unmatched | None = None
    is_undone: bool = False


@dataclass
class Run:
    """What a run of the product wrote. id is the database's, 0 before it has one."""

    kind: str
    id: int = 0
    audit: list[AuditRow] = field(default_factory=list)
    links: list[LinkWrite] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing that could be undone."""
        return not (self.audit or self.links or self.decisions)


@dataclass
class World:
    """Everything the rules see."""

    persons: dict[str, Person] = field(default_factory=dict)
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    unmatched: dict[str, Unmatched] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    ledger: dict[str, LedgerRow] = field(default_factory=dict)
    migrations: dict[int, Migration] = field(default_factory=dict)
    scouting: dict[int, ScoutingRow] = field(default_factory=dict)
    payments: dict[int, Payment] = field(default_factory=dict)
    drivers: dict[str, Driver] = field(default_factory=dict)
    scouts_list: set[int] = field(default_factory=set)
    decisions: list[Decision] = field(default_factory=list)
    held_persons: set[str] = field(default_factory=set)
    held_rows: set[tuple[str, str | None]] = field(default_factory=set)
    audit: list[AuditRow] = field(default_factory=list)
    link_audit: list[tuple[str, str]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    seq: int = 0

    def start_run(self, kind: str) -> Run:
        """A new run, on the list when it is done."""
        return Run(kind)

    def audit_of(self, person_key: str) -> list[AuditRow]:
        """The audit rows of a person, oldest first."""
        own = (a for a in self.audit if a.person_key == person_key)
        return sorted(own, key=lambda a: a.seq)

    def next_seq(self) -> int:
        """The next place in the order of what happened to the ledger."""
        self.seq += 1
        return self.seq

    def link_of(self, source_table: str, source_pk: str | None) -> str | None:
        """The person that a source row is linked to."""
        link = self.links.get((source_table, source_pk or ""))
        return link.person_key if link else None

    def person_of_row(self, row: ScoutingRow) -> str | None:
        """The person of a scouting row: the link of its id, unless that is out of date, else of its
        older key."""
        link = self.links.get((SCOUTING, str(row.id)))
        if link is not None and self.outdated_link(row) is None:
            return link.person_key
        return self.link_of(SCOUTING, row.old_key)

    def outdated_link(self, row: ScoutingRow) -> Link | None:
        """The link of ours under the row's id, when the row said something else then."""
        link = self.links.get((SCOUTING, str(row.id)))
        if link is None or link.content in (None, row.content):
            return None
        return link

    def is_shown(self, content: str) -> bool:
        """True when some scouting row says this."""
        return any(row.content == content for row in self.scouting.values())

    def is_meant(self, row: ScoutingRow, pk: str, content: str | None) -> bool:
        """True when what was said of the row with this id, as it was then, is of this row: it has
        the id and says the same, or it says the same and the row with the id does not."""
        if pk == str(row.id):
            return content in (None, row.content)
        home = self.scouting.get(int(pk))
        return content == row.content and (home is None or home.content != content)

    def is_held(self, row: ScoutingRow) -> bool:
        """True when a hold on what the row says keeps runs from linking it."""
        return any(self.is_meant(row, pk, content) for pk, content in self.held_rows)

    def is_ignored(self, row: ScoutingRow) -> bool:
        """True when a person set aside what the row says."""
        return any(
            self.is_meant(row, pk, left.content)
            for pk, left in self.unmatched.items()
            if left.status == "IGNORED"
        )

    def ledger_scout(self, person_key: str) -> int | None:
        """The scout that the ledger has for a person."""
        row = self.ledger.get(person_key)
        return row.scout_id if row else None

    def is_known(self, scout_id: int) -> bool:
        """True when the list of scouts is empty or has the scout."""
        return not self.scouts_list or scout_id in self.scouts_list

    def scouting_rows(self) -> Iterator[ScoutingRow]:
        """The scouting rows, lowest id first."""
        return iter([self.scouting[i] for i in sorted(self.scouting)])
