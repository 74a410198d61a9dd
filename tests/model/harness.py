"""A real database beside the model: changes and runs happen in both, then they are compared."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import psycopg2
import pytest

from scout_core.access.permissions import Actor
from scout_core.attribution import fingerprint, settle
from scout_core.db.database import CHECK, LOOK, Database
from scout_core.decide import decisions, review, undo
from scout_core.errors import BadInput, DatabaseAway, Refused
from scout_core.health.invariants import check_rows
from scout_core.job.refresh import plan, run_refresh
from scout_core.runs import runner
from scout_core.settings import load
from tests.model.generator import Generator
from tests.model.identity import pool
from tests.model.invariants import AFTER_A_RUN, BROKEN, CLAIMS, OPEN_ISSUES
from tests.model.observe import (
    QUERIES,
    Rows,
    differences,
    expected,
    observe,
    planned_by_model,
    planned_by_product,
)
from tests.model.refresh import refresh
from tests.model.twin import Twin
from tests.model.world import BACKFILL, MANUAL, World

PLAN = replace(LOOK, role="scout_writer")
CUT = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    " where datname = current_database() and application_name = 'scout'"
)


class Harness:
    """A database of its own and the model of it. Needs a superuser: it empties and loads tables."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url.replace("+psycopg2", ""))
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        # The views are planned once and not for each look.
        self._cursor.execute("set plan_cache_mode = force_generic_plan; set timezone = 'UTC'")
        self._empty_all = self._make_reset()
        self._prepared: dict[str, str] = {}
        self.database = Database(url)
        self.reset()

    def _make_reset(self) -> str:
        """One statement that empties every table: append-only triggers fire no longer for it."""
        self._cursor.execute(
            "select format('alter table %s enable trigger %I', t.tgrelid::regclass, t.tgname)"
            " from pg_trigger as t where t.tgenabled = 'A' and not t.tgisinternal"
        )
        for (statement,) in self._cursor.fetchall():
            self._cursor.execute(statement)
        self._cursor.execute(
            "select string_agg(format('delete from %s', c.oid::regclass), ';') from pg_class as c"
            " where c.relkind = 'r' and c.relnamespace::regnamespace::text in"
            " ('canon', 'observational', 'ops', 'public', 'scout') and c.relname not in"
            " ('schema_files', 'installed_objects', 'install_facts', 'installed_sources',"
            " 'source_views', 'content_key', 'state', 'alert_state')"
        )
        ((deletes,),) = self._cursor.fetchall()
        replica, default = (f"set session_replication_role = {r}" for r in ("replica", "default"))
        return f"begin; {replica}; {deletes}; {default}; commit"

    def reset(self) -> None:
        """Empty every table: a fresh installation, faster than another clone and its plans."""
        self._cursor.execute(self._empty_all)
        self._cursor.execute(
            "insert into public.peer_claims (driver_id, milestone_value, expected_amount, paid)"
            " values ('d0', 1, 25, false), ('d0', 5, 35, true)"
        )
        self.twin = Twin(self._write, self)
        self.generator = Generator(self.twin)
        self._first_ledger: dict[str, int | None] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()
        self.database.dispose()

    @property
    def world(self) -> World:
        """The model's world."""
        return self.twin.world

    def start(self, rng: Random) -> None:
        """The first rows; the ledger of this moment is where a replay begins."""
        self.generator.start(rng)
        self._first_ledger = {key: row.scout_id for key, row in self.world.ledger.items()}

    def _write(self, sql: str, values: Mapping[str, Any]) -> None:
        self._cursor.execute(sql, values)

    def query(self, sql: str) -> Rows:
        """The rows of a query, planned on first use."""
        if sql not in self._prepared:
            name = f"look_{len(self._prepared)}"
            self._cursor.execute(f"prepare {name} as {sql}")
            self._prepared[sql] = name
        self._cursor.execute(f"execute {self._prepared[sql]}")
        return list(self._cursor.fetchall())

    def refresh(self, max_rows: int = 10_000) -> None:
        """One run in the database and in the model. Claims and payments must stay as they are."""
        with self.claims_untouched():
            result = run_refresh(
                self.database,
                load({"SCOUT_RUN_MAX_ROWS": str(max_rows)}, dotenv=None),
                actor=Actor("test", "operator"),
                force=True,
                reason="a run of the state machine",
            )
        assert not self.query(AFTER_A_RUN), "I5 ledger and audit are not of one transaction"
        assert sorted(self.query(OPEN_ISSUES)) == sorted(self.query(QUERIES["issues"]))
        self._conserved(result.stats)
        run = refresh(self.world)
        run.id = result.run_id
        self.world.runs.append(run)
        self._take_times()

    def _conserved(self, stats: dict[str, Any]) -> None:
        """The numbers of a run add up: nothing read is lost (I12)."""
        link = stats["steps"]["link"]
        assert link["seen"] == link["changed"] + sum(link["skipped"].values()), link
        assert link["seen"] <= len(pool(self.world)), link

    def _take_times(self) -> None:
        """Times that only the database knows: when its run wrote a ledger row."""
        for key, at in self.query(
            "select person_key::text, updated_at from observational.lead_ledger"
        ):
            row = self.world.ledger.get(key)
            if row is not None and row.rule in (BACKFILL, MANUAL):
                row.updated_at = at

    def decide(self, person_key: str, kind: str, scout_id: int | None) -> int:
        """The product's decision on the evidence as it is now. Claims and payments stay."""
        with self.database.transaction(LOOK) as conn:
            seen = fingerprint.seen_of(conn, [person_key])[person_key]
        with self.claims_untouched():
            result = decisions.decide(
                self.database,
                actor=Actor("test", "analyst"),
                person_key=person_key,
                outcome=kind,
                scout_id=scout_id,
                reason_code="DOCUMENT_SHOWN" if kind == "ASSIGN" else "OTHER",
                note="decided by the state machine",
                seen=seen,
            )
        self._take_times()
        return result.run_id

    def is_refused_to_decide(self, person_key: str, kind: str, scout_id: int | None) -> None:
        """The product refuses it and writes nothing."""
        before = observe(self.query)
        self._refused(lambda: self.decide(person_key, kind, scout_id))
        assert observe(self.query) == before

    def review(self, row_id: int, person_key: str | None, act: str) -> int:
        """The product's review of a scouting row."""
        given: dict[str, Any] = {
            "actor": Actor("test", "analyst"),
            "source_pk": str(row_id),
            "reason": "reviewed by the state machine",
        }
        if act in ("link", "move"):
            done = review.link if act == "link" else review.move
            return done(self.database, person_key=str(person_key), **given).run_id
        done = review.create if act == "create" else review.dismiss
        return done(self.database, **given).run_id

    def undo(self, run_id: int, expected: Mapping[str, int]) -> int:
        """The product's undo: it does what its preview and the model say (I15)."""
        with self.database.transaction(CHECK) as conn:
            plan = undo.preview(conn, run_id)
        told = {name: plan.total(name) for name in ("UNDO", "CHANGED_LATER", "ALREADY_UNDONE")}
        assert told == expected
        with self.claims_untouched():
            result = undo.run_undo(
                self.database,
                actor=Actor("test", "operator"),
                run_id=run_id,
                reason="undone by the state machine",
                max_rows=(10_000, 1, 2)[run_id % 3],
            )
        done = result.undone, result.changed_later, result.already_undone
        assert done == tuple(expected.values())
        assert result.persons_removed == plan.removable_count
        self._take_times()
        return result.run_id

    def is_refused_to_undo(self, run_id: int) -> None:
        """The product refuses it and writes nothing: a run is undone at most once (I15)."""
        before = observe(self.query)
        self._refused(
            lambda: undo.run_undo(
                self.database,
                actor=Actor("test", "operator"),
                run_id=run_id,
                reason="undone by the state machine",
            )
        )
        assert observe(self.query) == before

    def _refused(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (Refused, BadInput):
            return
        raise AssertionError("the product does what the model refuses")

    def settle(self, batch_rows: int = 5_000, max_batches: int | None = None) -> None:
        """Settle what is pending, or a part of it, or with no rows a batch everything anew; nothing
        that is shown may change."""
        if not batch_rows:
            settle.build(self.database)
            return
        settle.settle(self.database, batch_rows=batch_rows, max_batches=max_batches)

    def settle_at_once(self, batches: list[int], writes: Callable[[], None], is_cut: bool) -> None:
        """Several settle at the same time while others write, each as `settle` does. Cut: their
        connections die at some moment, which is what a kill -9 of their processes leaves."""
        with ThreadPoolExecutor(len(batches)) as pool:
            settlers = [pool.submit(self.settle, batch_rows) for batch_rows in batches]
            writes()
            if is_cut:
                self._cursor.execute(CUT)
        for settler in settlers:
            try:
                settler.result()
            except DatabaseAway:
                assert is_cut

    def refresh_again(self) -> None:
        """A second run: nothing changes and no audit row is written (I8, I9)."""
        before = observe(self.query)
        self.refresh()
        assert observe(self.query) == before
        waiting = [row for row in before["backlog"] if "WAITING_FOR_NEXT_RUN" in row]
        assert not waiting

    def plan(self) -> None:
        """The plan names exactly the rows that the model's run would change, and writes nothing."""
        before = observe(self.query)
        with self.claims_untouched(), self.database.transaction(PLAN) as conn:
            planned = plan(conn, load({}, dotenv=None))
        assert observe(self.query) == before
        assert planned_by_product(planned) == planned_by_model(self.world)

    @contextmanager
    def claims_untouched(self) -> Iterator[None]:
        """Claims and payments are byte-identical afterwards (I16)."""
        before = self.query(CLAIMS)
        yield
        assert self.query(CLAIMS) == before

    def compare(self) -> None:
        """Every view and table is as the model says, and the invariants hold."""
        shown = observe(self.query)
        wrong = differences(shown, expected(self.world))
        (numbers,) = shown["snapshot"]
        lengths = [len(shown[name]) for name in ("registry", "backlog", "conflicts")]
        if [numbers[0], numbers[3], numbers[4]] != lengths or sum(numbers[5:8]) != numbers[3]:
            wrong.append(f"I12 the numbers {numbers} are not the lengths of the lists {lengths}")
        for label, sql in BROKEN.items():
            wrong += [f"{label}: {row}" for row in self.query(sql)]
        wrong += self._replay()
        assert not wrong, "\n".join(wrong)

    def play(self, seed: int, rounds: int = 4) -> None:
        """A fixed dense script: evidence, plan, run, run again; compared all along."""
        rng = Random(seed)
        self.reset()
        self.start(rng)
        for number in range(rounds):
            if not self.world.is_known(5):
                self.twin.list_scout(5)
            for _ in range(rng.randint(4, 8)):
                self.generator.step(rng)
            self.generator.crowd(rng)
            self.generator.tangle(rng)
            for _ in range(2):
                self.generator.payment(rng)
                self.generator.person(rng)
                self.generator.person(rng)
                self.generator.spoil(rng)
            self.compare()
            self.plan()
            self.refresh(max_rows=(1, 10_000, 2)[number % 3])
            self.compare()
        self.refresh_again()
        self.verify()

    def play_decisions(self, seed: int, steps: int = 30) -> None:
        """A fixed dense script of decisions, reviews and undo, with changes by others between."""
        rng = Random(seed)
        self.reset()
        self.start(rng)
        self.generator.tangle(rng)
        moves = [
            "decision",
            "decision",
            "review",
            "undo",
            "undo",
            "ledger",
            "event",
            "touch_ledger",
        ]
        for number in range(steps):
            if number % 6 == 2:
                self.refresh(rng.choice([1, 2, 10_000]))
                self.overtake(rng)
            getattr(self.generator, rng.choice(moves))(rng)
            self.compare()
        self.verify()

    def overtake(self, rng: Random) -> None:
        """Evidence that comes between looking and deciding: refused, and nothing is written."""
        person = self.generator.anybody(rng)

        def evidence_comes(point: str) -> None:
            if point == "before decision":
                self.generator.name_scout(rng, person)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(runner, "at", evidence_comes)
            self._refused(lambda: self.decide(person, "ASSIGN", 11))
        self.compare()

    def load(self, world: World, rng: Random) -> None:
        """The evidence of another world, inserted in any order."""
        self.reset()
        for person in world.persons.values():
            self.twin.add_person(deepcopy(person))
        calls: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
            *((self.twin.add_driver, (row, None)) for row in world.drivers.values()),
            *((self.twin.add_event, (row,)) for row in world.events.values()),
            *((self.twin.add_migration, (row,)) for row in world.migrations.values()),
            *((self.twin.add_scouting, (row,)) for row in world.scouting.values()),
            *((self.twin.add_payment, (row,)) for row in world.payments.values()),
            *((self.twin.list_scout, (scout,)) for scout in world.scouts_list),
            *(
                (self.twin.add_link, (link.source_table, link.source_pk, link.person_key))
                for link in world.links.values()
            ),
        ]
        rng.shuffle(calls)
        for call, arguments in calls:
            call(*arguments)

    def verify(self) -> None:
        """The product's own checks hold; the reset needs append-only triggers of a softer kind, and
        decisions are written here without a run of their own."""
        with self.database.transaction(CHECK) as conn:
            results = check_rows(conn)
        broken = [
            r
            for r in results
            if not r.holds
            and r.name != "audit_is_append_only"
            and any(row.get("run_id", 0) is not None for row in r.sample)
        ]
        assert not broken, broken

    def _replay(self) -> list[str]:
        """Audit rows in order, applied to the first ledger, give the present one (I14)."""
        ledger = dict(self._first_ledger)
        wrong = []
        for key, old, new in self.query(
            "select person_key::text, old_attributed_scout_id, new_attributed_scout_id"
            " from ops.lead_ledger_scout_backfill_audit order by id"
        ):
            if ledger.get(key) != old:
                wrong.append(f"I14 audit says {key} had {old}, it had {ledger.get(key)}")
            ledger[key] = new
        present = {key: row.scout_id for key, row in self.world.ledger.items() if row.scout_id}
        replayed = {key: scout for key, scout in ledger.items() if scout}
        return wrong if replayed == present else [*wrong, f"I14 {replayed} is not {present}"]
