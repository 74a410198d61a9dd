"""No page reads a source table from end to end: every statement that a page sends is explained.

On a settled state, over claims that answer by key. Scans of whole tables, and the joins that need
them, are switched off for the planner: on so small a database it would prefer them, and what is
left of them shows that there is no other way.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, TextClause, event

from scout_core.alerts import register, source_row
from scout_core.attribution import (
    backlog,
    conflicts,
    coverage,
    fingerprint,
    person_history,
    person_search,
    scouts,
    settle,
    stakes,
    trend,
)
from scout_core.db import sql
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.decide import decisions, holds, review, undo
from scout_core.health import freshness, last_runs, source_checks, verdict
from scout_core.install import demo
from scout_core.money import collection, liquidation
from scout_core.notify import outbox
from scout_core.runs import audit, history, record
from scout_core.settings import load
from tests.support.looking import refreshed_demo, rows

Read = Callable[[Connection], Any]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# a condition of an index that every row meets
NOT_NULL = re.compile(r"[\w.]+ IS NOT NULL|AND|[() ]")
OFF = ("seqscan", "hashjoin", "mergejoin")
# Read whole by whoever reads them: short lists of the owner's, one row a scout, rule or run.
SHORT = {
    "public.module_ct_scouts_list",
    "ops.scout_payment_rules",
    "ops.scout_liquidation_ledger",
    "ops.ingestion_runs",
}
# A partial index over few rows of a table is no reading of the table.
FEW = {"person_attribution_conflicts", "person_attribution_waiting"}
CLAIMS = "public.claims_by_key"
PERSONS = "scout.person_attribution"
# Reads that go through a whole table by nature, with the tables and the reason.
PAYMENTS = "public.module_ct_cabinet_payments"
WHOLE: dict[str, tuple[set[str], str]] = {
    "liquidation by amount": ({CLAIMS, PERSONS}, "the amount is that of the claims of each"),
    "count of claims": ({CLAIMS}, "the owner's relation is counted, nothing of ours knows it"),
    "claims by bucket": ({CLAIMS, PERSONS}, "each claim is joined to its scout and summed"),
    "claims of the trend": ({CLAIMS, PERSONS}, "all claims are summed"),
    "money of the backlog": ({CLAIMS, PERSONS}, "all claims are summed by person"),
    "states of the liquidation": ({CLAIMS, PERSONS, PAYMENTS}, "the same, with days of payments"),
    "scorecards": ({CLAIMS, PERSONS}, "every scout is summed over its persons and claims"),
    "persons by name": ({"canon.identity_registry"}, "a name is searched as a pattern"),
}  # fmt: skip


@pytest.fixture(scope="module")
def db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url, 3_000) as database:
        with database.transaction(ADMIN) as conn:
            demo._run_file(conn, "claims_by_key")
            # so few fit on a page or two, and an index is no way to read those
            conn.exec_driver_sql(
                "insert into public.module_ct_cabinet_payments (date, driver_id)"
                " select current_date, 'other ' || g.n from generate_series(1, 5000) as g (n)"
            )
        settle.settle(database)
        with database._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("vacuum analyze")
        yield database


class Facts:
    """What the reads are called with."""

    def __init__(self, db: Database) -> None:
        (self.person,) = rows(db, "select person_key::text from scout.v_persons_now"
                                  " where conflict_kind is not null limit 1")[0]  # fmt: skip
        self.run = rows(db, "select max(run_id) from scout.runs")[0][0]
        self.row = rows(db, "select min(source_pk) from canon.identity_unmatched")[0][0]
        self.alert = rows(db, "select min(alert_id) from scout.alerts")[0][0]
        self.scout = rows(db, "select min(scout_id) from ops.v_dim_scouts")[0][0]


def pages(read: Callable[..., Any], *args: Any, **more: Any) -> Read:
    """The first page and the one after it."""

    def both(conn: Connection) -> None:
        first = read(conn, *args, page_size=2, **more)
        read(conn, *args, page_size=2, **more, after=first.after)

    return both


def of_list(module: Any, read: Callable[..., Any], sort: str) -> Read:
    # the total is a read of its own
    return pages(read, None, sort=sort, total=0)


def reads(facts: Facts) -> dict[str, Read]:
    person, run = facts.person, facts.run
    found: dict[str, Read] = {
        f"{name} by {sort}": of_list(module, read, sort)
        for name, module, read in (
            ("conflicts", conflicts, conflicts.list_open),
            ("backlog", backlog, backlog.list_missing),
            ("collection", collection, collection.list_claims),
            ("liquidation", liquidation, liquidation.list_base),
        )
        for sort in module.SORTS
    }
    return found | {
        "totals of lists": lambda c: (
            conflicts.count_open(c), backlog.count_missing(c), liquidation.count_base(c),
        ),
        "money of conflicts": conflicts.count_kinds,
        "sides of a conflict": lambda c: conflicts.evidence_by_scout(c, person),
        "count of claims": collection.count_claims,
        "claims by bucket": collection.count_buckets,
        "money of the backlog": backlog.count_reasons,
        "states of the liquidation": liquidation.count_statuses,
        "snapshot": coverage.snapshot,
        "reasons": coverage.count_reasons,
        "days": lambda c: (trend.list_days(c), trend.list_past_days(c, 90)),
        "marks": lambda c: trend.list_marks(c, since=NOW - timedelta(days=30)),
        "funnel": trend.count_funnel,
        "claims of the trend": trend.count_claims,
        "pulse": lambda c: (last_runs.take(c), last_runs.list_last(c, limit=24)),
        "health": lambda c: verdict.assess(c, load({}, dotenv=None), NOW),
        "health of a run": lambda c: verdict.assess(c, load({}, dotenv=None), NOW, completing=run),
        "changes of health": lambda c: verdict.list_changes(c, limit=20),
        "sources": freshness.count_persons,
        "runs": pages(history.list_runs, history.RunFilters()),
        "longest runs": pages(history.list_runs, history.RunFilters(), sort="longest"),
        "a run": lambda c: (history.explain_run(c, run), audit.count_of_run(c, run)),
        "newest runs": lambda c: record.list_newest(c, limit=5),
        "a person": lambda c: (
            person_history.tell(c, person), person_search.by_key(c, person),
            stakes.by_person(c, [person]), person_search.list_claims(c, person),
        ),
        "persons by key": lambda c: person_search.find(c, person),
        "persons by phone": lambda c: person_search.find(c, "987 123 456"),
        "persons by licence": lambda c: person_search.find(c, "Q12345678"),
        "persons by name": lambda c: person_search.find(c, "maria quispe"),
        "scouts of the list": lambda c: (stakes.list_scouts(c), stakes.names_of_scouts(c, [1])),
        "scorecards": pages(scouts.list_scorecards, scouts.ScoutFilters(), today=NOW.date()),
        "weeks of scouts": lambda c: scouts.list_weeks(c, [facts.scout], today=NOW.date()),
        "collisions": lambda c: scouts.list_collisions(c, limit=5),
        "shared conflicts": lambda c: scouts.list_shared_conflicts(c, 1, 2),
        "to decide": lambda c: (
            decisions.preview_many(c, [person], outcome="ASSIGN", scout_id=1),
            fingerprint.seen_of(c, [person]),
            c.execute(sql.query("decide/decisions", "evidence"), {"person_key": person}),
        ),
        "undo of a run": lambda c: undo.preview(c, run),
        "holds": pages(holds.list_open),
        "a hold": lambda c: c.execute(sql.query("decide/holds", "by_id"), {"hold_id": 1}),
        "rows to review": lambda c: (review.count_reasons(c), pages(review.list_open)(c)),
        "a row to review": lambda c: review.by_row(c, facts.row),
        "notifications": lambda c: (
            outbox.count_waiting(c), outbox.list_messages(c), outbox.list_dead(c),
            outbox.list_attempts(c),
        ),
        "state": settle.state,
        "alerts": lambda c: (
            register.count_standing(c, NOW), register.last_look(c),
            register.by_person(c, person, NOW), register.list_events(c, 1),
            register.by_id(c, facts.alert, NOW),
        ),
        "what alerts tell of": lambda c: [
            source_row.explain_row(c, rule, subject, person) for rule, subject in (
                ("UNREADABLE_SCOUT", "observational.lead_events/1"),
                ("IDENTITY_TO_REVIEW", f"public.module_ct_scouting_daily/{facts.row}"),
                ("CABINET_LEAD_WITHOUT_SCOUT", "public.module_ct_cabinet_leads/1"),
            )
        ],
        "checks of the sources": lambda c: (
            source_checks.list_results(c), source_checks.list_history(c, "shared_phones"),
            source_checks.conditions(c),
        ),
        "rows of a check": pages(
            source_checks.list_rows, source_checks.QualityFilters("unreadable_scouts")
        ),
        "rows of all checks": pages(source_checks.list_rows),
    } | {
        f"alerts {status} by {sort}": pages(
            register.list_alerts, register.AlertFilters(status=status), now=NOW, sort=sort
        )
        for status, name in ((None, "list_standing"), *register.LISTS.items())
        for sort in register.SORTS[name]
    } | {
        f"audit of {table}": pages(audit.list_rows, table, audit.AuditFilters())
        for table in audit.TABLES
    }  # fmt: skip


@pytest.fixture(scope="module")
def sent(db: Database) -> tuple[dict[str, list[tuple[str, Any]]], set[str]]:
    """The statements that each read sends, with their parameters; the names of all of them."""
    names: set[str] = set()
    patch = pytest.MonkeyPatch()
    plain, upon = sql.query, sql.query_upon

    def query(topic: str, name: str) -> TextClause:
        names.add(f"{topic}.{name}")
        return plain(topic, name)

    def query_upon(topic: str, name: str, listed: str) -> TextClause:
        names.update({f"{topic}.{name}", f"{topic}.{listed}"})
        return upon(topic, name, listed)

    patch.setattr(sql, "query", query)
    patch.setattr(sql, "query_upon", query_upon)
    found: dict[str, list[tuple[str, Any]]] = {}
    for name, read in reads(Facts(db)).items():
        statements = found[name] = []
        with db.transaction(LOOK) as conn:

            def note(_c: Any, _k: Any, text: str, values: Any, *_: Any) -> None:
                statements.append((text, values))  # noqa: B023 - called within this turn

            event.listen(conn, "before_cursor_execute", note)
            read(conn)
    patch.undo()
    return found, names


NAMES = tuple(
    reads(type("Nothing", (), {"person": "", "run": 0, "row": "", "scout": 0, "alert": 1})())
)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_page_never_reads_a_source_table_whole(
    db: Database, sent: tuple[dict[str, list[tuple[str, Any]]], set[str]], name: str
) -> None:
    statements = sent[0][name]
    assert statements
    whole: set[str] = set()
    with db.transaction(LOOK) as conn:
        conn.exec_driver_sql("; ".join(f"set local enable_{what} = off" for what in OFF))
        for text, values in statements:
            answer = conn.exec_driver_sql(f"explain (verbose, format json) {text}", values)
            plan = answer.scalar_one()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            whole |= set(_read_whole(plan[0]["Plan"], is_lazy=False))
    assert whole - SHORT == WHOLE.get(name, (set(), ""))[0]


def _read_whole(node: dict[str, Any], *, is_lazy: bool) -> Iterator[str]:
    """Tables of the sources, and of settled persons, that a plan reads from end to end. In the
    order of an index below a limit nothing is read that is not asked for."""
    kind = node["Node Type"]
    table = f"{node.get('Schema')}.{node.get('Relation Name')}"
    if table == PERSONS or table.startswith(("canon.", "observational.", "public.")):
        read = node["Plans"][0] if kind == "Bitmap Heap Scan" else node
        is_by_key = "Index Name" in read and (
            read["Index Name"] in FEW or NOT_NULL.sub("", read.get("Index Cond", ""))
        )
        if not is_by_key and not (is_lazy and kind.startswith("Index")):
            yield table
    keeps_order = kind in ("Append", "Merge Append", "Result", "Subquery Scan", "Nested Loop")
    for part in node.get("Plans", ()):
        is_input = part.get("Parent Relationship") in ("Outer", "Member", "Subquery")
        yield from _read_whole(
            part, is_lazy=is_input and (kind == "Limit" or (is_lazy and keeps_order))
        )


def test_every_statement_of_the_pages_is_explained(
    sent: tuple[dict[str, list[tuple[str, Any]]], set[str]],
) -> None:
    topics = (
        "alerts/source_row",
        "alerts/register",
        "runs/audit",
        "attribution/backlog",
        "money/collection",
        "attribution/conflicts",
        "attribution/coverage",
        "decide/decisions",
        "health/freshness",
        "health/verdict",
        "runs/history",
        "decide/holds",
        "money/liquidation",
        "attribution/stakes",
        "attribution/persons",
        "health/last_runs",
        "health/source_checks",
        "decide/review",
        "attribution/scouts",
        "attribution/trend",
        "decide/undo",
    )
    known = {f"{topic}.{name}" for topic in topics for name in sql.queries(topic)}
    assert known - sent[1] == set()
    assert set(WHOLE) <= set(sent[0])
