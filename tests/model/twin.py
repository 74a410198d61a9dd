"""One change made twice: in the model's world and, when there is one, in a real database."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.model.decide import (
    RefusedByModel,
    decide,
    is_refused,
    review,
    undo,
    what_undo_does,
)
from tests.model.world import (
    DRIVERS,
    EXTERNAL,
    SCOUTING,
    AuditRow,
    Driver,
    Event,
    LedgerRow,
    Link,
    Migration,
    Payment,
    Person,
    Run,
    ScoutingRow,
    Unmatched,
    World,
)

Execute = Callable[[str, Mapping[str, Any]], None]


class Product(Protocol):
    """What the product does with the same request; each gives the id of its run."""

    def decide(self, person_key: str, kind: str, scout_id: int | None) -> int: ...

    def review(self, row_id: int, person_key: str | None, act: str) -> int: ...

    def undo(self, run_id: int, expected: Mapping[str, int]) -> int: ...

    def is_refused_to_decide(self, person_key: str, kind: str, scout_id: int | None) -> None: ...

    def is_refused_to_undo(self, run_id: int) -> None: ...


def _nowhere(_sql: str, _values: Mapping[str, Any]) -> None:
    """Take statements when only the model is wanted."""


class Twin:
    """A world and a database that hold the same rows. Not transactional: one writer at a time."""

    def __init__(self, execute: Execute = _nowhere, product: Product | None = None) -> None:
        self.world = World()
        self._execute = execute
        self._product = product

    def add_person(self, person: Person) -> None:
        """Register a person."""
        self.world.persons[person.key] = person
        self._execute(
            "insert into canon.identity_registry"
            " (person_key, confidence_level, primary_license, primary_phone)"
            " values (%(key)s, 'HIGH', %(license)s, %(phone)s)",
            asdict(person),
        )

    def add_link(self, source_table: str, source_pk: str, person_key: str) -> None:
        """Link a source row, as the owner's own programs do."""
        self.world.links[source_table, source_pk] = Link(source_table, source_pk, person_key)
        self._execute(
            "insert into canon.identity_links (person_key, source_table, source_pk, snapshot_date,"
            " match_rule, match_score, confidence_level) values (%(person)s, %(table)s, %(pk)s,"
            " '2024-01-01', 'OWNER', 100, 'HIGH')",
            {"person": person_key, "table": source_table, "pk": source_pk},
        )

    def remove_link(self, source_table: str, source_pk: str) -> None:
        """Take a link of the owner's away."""
        del self.world.links[source_table, source_pk]
        self._execute(
            "delete from canon.identity_links"
            " where source_table = %(table)s and source_pk = %(pk)s",
            {"table": source_table, "pk": source_pk},
        )

    def add_driver(self, driver: Driver, person_key: str | None) -> None:
        """List a driver, with a link when a person is given."""
        self.world.drivers[driver.driver_id] = driver
        self._execute(
            "insert into canon.drivers_index (driver_id, license_norm, phone_norm, snapshot_date)"
            " values (%(driver_id)s, %(license)s, %(phone)s, '2024-01-01')",
            asdict(driver),
        )
        if person_key:
            self.add_link(DRIVERS, driver.driver_id, person_key)

    def add_event(self, event: Event) -> None:
        """Record a lead event."""
        self.world.events[event.id] = event
        self._execute(
            "insert into observational.lead_events (id, source_table, source_pk, event_date,"
            " person_key, scout_id, payload_json, created_at) values (%(id)s, %(source_table)s,"
            " %(id)s::text, %(event_date)s, %(person_key)s, %(scout_id)s, %(payload)s,"
            " %(created_at)s)",
            asdict(event),
        )

    def change_event(self, event: Event) -> None:
        """Give an event that exists another scout and payload."""
        self.world.events[event.id] = event
        self._execute(
            "update observational.lead_events set scout_id = %(scout_id)s,"
            " payload_json = %(payload)s where id = %(id)s",
            asdict(event),
        )

    def remove_event(self, event_id: int) -> None:
        """Delete an event."""
        del self.world.events[event_id]
        self._execute("delete from observational.lead_events where id = %(id)s", {"id": event_id})

    def add_migration(self, row: Migration) -> None:
        """Record a migration."""
        self.world.migrations[row.id] = row
        self._execute(
            "insert into public.module_ct_migrations (id, driver_id, scout_id, hire_date,"
            " created_at) values (%(id)s, %(driver_id)s, %(scout_id)s, %(hire_date)s,"
            " %(created_at)s at time zone 'America/Lima')",
            asdict(row),
        )

    def add_scouting(self, row: ScoutingRow) -> None:
        """Record a scouting row."""
        self.world.scouting[row.id] = row
        self._execute(
            "insert into public.module_ct_scouting_daily (id, scout_id, driver_phone,"
            " driver_license, registration_date, acquisition_method, created_at) values (%(id)s,"
            " %(scout_id)s, %(phone)s, %(license)s, %(registration_date)s,"
            " %(acquisition_method)s, %(created_at)s at time zone 'America/Lima')",
            asdict(row),
        )

    def mend_scouting(self, row: ScoutingRow) -> None:
        """Give a scouting row that exists another scout, phone and licence."""
        self.world.scouting[row.id] = row
        self._execute(
            "update public.module_ct_scouting_daily set scout_id = %(scout_id)s,"
            " driver_phone = %(phone)s, driver_license = %(license)s where id = %(id)s",
            asdict(row),
        )

    def reload_scouting(
        self, rows: Sequence[ScoutingRow], *, is_truncated: bool, is_at_once: bool
    ) -> None:
        """Load the scouting table anew with these rows, whatever ids they have now; at once = in
        one transaction."""
        table = "public.module_ct_scouting_daily"
        self.world.scouting.clear()
        if is_at_once:
            self._execute("begin", {})
        self._execute(f"truncate {table}" if is_truncated else f"delete from {table}", {})
        for row in rows:
            self.add_scouting(row)
        if is_at_once:
            self._execute("commit", {})

    def add_payment(self, row: Payment) -> None:
        """Record a payment; its person_key need not be registered."""
        self.world.payments[row.id] = row
        self._execute(
            "insert into public.module_ct_cabinet_payments (id, scout_id, date, driver_id,"
            " person_key, created_at) values (%(id)s, %(scout_id)s, %(date)s, %(driver_id)s,"
            " %(person_key)s, %(created_at)s at time zone 'America/Lima')",
            asdict(row),
        )

    def list_scout(self, scout_id: int) -> None:
        """Put a scout on the list of scouts."""
        self.world.scouts_list.add(scout_id)
        self._execute(
            "insert into public.module_ct_scouts_list (scout_id, raw_name, is_active)"
            " values (%(scout)s, 'x', false)",
            {"scout": scout_id},
        )

    def unlist_scouts(self) -> None:
        """Empty the list of scouts."""
        self.world.scouts_list.clear()
        self._execute("delete from public.module_ct_scouts_list", {})

    def ignore_row(self, row_id: int) -> None:
        """Mark a scouting row as one that a person does not want linked."""
        before = self.world.unmatched.get(str(row_id))
        if before is None or before.status == "RESOLVED":
            reason = before.reason if before else "BY_HAND"
            self.world.unmatched[str(row_id)] = Unmatched(reason, "IGNORED")
        else:
            before.status = "IGNORED"
        self._execute(
            "insert into canon.identity_unmatched"
            " (source_table, source_pk, snapshot_date, reason_code, status)"
            " values (%(table)s, %(pk)s, '2024-01-01', 'BY_HAND', 'IGNORED')"
            " on conflict (source_table, source_pk) do update set status = 'IGNORED'",
            {"table": SCOUTING, "pk": str(row_id)},
        )

    def hold_person(self, person_key: str) -> None:
        """Hold a person as an undo does."""
        self.world.held_persons.add(person_key)
        self._execute(
            "insert into scout.holds (subject, person_key, reason, actor)"
            " values ('person', %(person)s, 'a test', 'test')",
            {"person": person_key},
        )

    def hold_row(self, row_id: int) -> None:
        """Hold a scouting row as an undo does."""
        self.world.held_rows.add((str(row_id), None))
        self._execute(
            "insert into scout.holds (subject, source_table, source_pk, reason, actor)"
            " values ('source_row', %(table)s, %(pk)s, 'a test', 'test')",
            {"table": SCOUTING, "pk": str(row_id)},
        )

    def release_holds(self) -> None:
        """Release every hold."""
        self.world.held_persons.clear()
        self.world.held_rows.clear()
        self._execute("update scout.holds set released_at = now() where released_at is null", {})

    def load_ledger(self, row: LedgerRow) -> None:
        """Give a ledger row from before the installation: no trigger notes it."""
        self.world.ledger[row.person_key] = row
        self._execute(
            "set session_replication_role = replica;"
            " insert into observational.lead_ledger (person_key, attributed_scout_id, updated_at,"
            " attribution_score, confidence_level, decision_status, evidence_json) values"
            " (%(person_key)s, %(scout_id)s, %(updated_at)s, %(score)s, %(confidence)s,"
            " %(status)s, '{\"old\": 1}');"
            " set session_replication_role = default",
            asdict(row),
        )

    def set_ledger(self, row: LedgerRow) -> None:
        """Set a scout in the ledger by hand."""
        before = self.world.ledger.get(row.person_key)
        if row.person_key in self.world.ledger:
            own = self.world.ledger[row.person_key]
            self.world.ledger[row.person_key] = replace(own, scout_id=row.scout_id)
            self._execute(
                "update observational.lead_ledger set attributed_scout_id = %(scout_id)s"
                " where person_key = %(person_key)s",
                asdict(row),
            )
        else:
            self.world.ledger[row.person_key] = row
            self._execute(
                "insert into observational.lead_ledger (person_key, attributed_scout_id,"
                " updated_at, attribution_score, confidence_level, decision_status) values"
                " (%(person_key)s, %(scout_id)s, %(updated_at)s, %(score)s, %(confidence)s,"
                " %(status)s)",
                asdict(row),
            )
        self._note(row.person_key, before, EXTERNAL)

    def remove_ledger(self, person_key: str) -> None:
        """Delete a ledger row by hand."""
        before = self.world.ledger.pop(person_key)
        self._execute(
            "delete from observational.lead_ledger where person_key = %(person)s",
            {"person": person_key},
        )
        self._note(person_key, before, EXTERNAL)

    def reload_ledger(self) -> None:
        """Empty the ledger and load the same rows again, in one transaction: no change."""
        self._execute(
            "create temp table keep as select * from observational.lead_ledger;"
            " truncate observational.lead_ledger;"
            " insert into observational.lead_ledger select * from keep; drop table keep",
            {},
        )

    def _note(self, person_key: str, before: LedgerRow | None, method: str) -> None:
        """Audit a change of the ledger in the model; in the database triggers do it."""
        old, after = before.scout_id if before else None, self.world.ledger.get(person_key)
        new = after.scout_id if after else None
        if old != new:
            now, seq = datetime.now(UTC), self.world.next_seq()
            rows = deepcopy(before), deepcopy(after)
            self.world.audit.append(AuditRow(person_key, old, new, method, now, seq, *rows))

    def decide(self, person_key: str, kind: str, scout_id: int | None = None) -> None:
        """Decide about a person, in the model and by the product; both refuse or neither."""
        later = deepcopy(self.world)
        try:
            run = decide(later, person_key, kind, scout_id)
        except RefusedByModel:
            if self._product is not None:
                self._product.is_refused_to_decide(person_key, kind, scout_id)
            return
        self._take(later, run)
        if self._product is not None:
            run.id = self._product.decide(person_key, kind, scout_id)

    def review(self, row_id: int, person_key: str | None, act: str) -> None:
        """Link a scouting row by hand, register a person for it, or set it aside."""
        later = deepcopy(self.world)
        try:
            run = review(later, row_id, person_key, act)
        except RefusedByModel:
            return
        self._take(later, run)
        if self._product is not None:
            run.id = self._product.review(row_id, person_key, act)

    def undo(self, number: int) -> None:
        """Undo the run of this place in the list of runs."""
        later = deepcopy(self.world)
        target = later.runs[number]
        if target.kind == "undo" or target.is_empty or is_refused(later, target):
            if self._product is not None:
                self._product.is_refused_to_undo(target.id)
            return
        expected = what_undo_does(later, target)
        run = undo(later, target)
        self._take(later, run)
        if self._product is not None:
            run.id = self._product.undo(target.id, expected)

    def _take(self, later: World, run: Run) -> None:
        """What the model makes of it is the world now; others hold on to the same object."""
        vars(self.world).update(vars(later))
        self.world.runs.append(run)
