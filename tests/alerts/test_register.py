"""Alerts have a life: opened, acknowledged, muted, worse, gone and back again."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from scout_core.access.permissions import Actor
from scout_core.alerts import acts, register, rounds
from scout_core.alerts.register import AlertFilters
from scout_core.attribution import settle
from scout_core.db.database import ADMIN, CHECK, JOB, LOOK, Database
from scout_core.errors import BadInput, ChangedMeanwhile, DatabaseError, NotFound
from scout_core.health import invariants
from scout_core.health.conditions import Condition, News
from scout_core.settings import load
from tests.support import factories as new
from tests.support.job import key
from tests.support.looking import installed, refresh

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ANA, LUIS = Actor("ana", "analyst"), Actor("luis", "operator")
REASON = "the owner of the source knows of it"
RANK = {"INFO": 1, "WARN": 2, "FAIL": 3}
STANDING = "select rule, subject from scout.alerts where status <> 'RESOLVED' and is_of_row"


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    """A database whose alerts each test empties for itself."""
    with installed(server_url) as db:
        yield db


@pytest.fixture
def book(shared: Database) -> Database:
    """The same without alerts."""
    forget(shared)
    return shared


def forget(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql(
            "alter table scout.alert_events disable trigger scout_append_only;"
            "truncate scout.alert_events, scout.alerts;"
            "alter table scout.alert_events enable always trigger scout_append_only"
        )


def wrong(subject: str = "refresh", severity: Any = "WARN", rule: str = "JOB_LATE") -> Condition:
    return Condition(rule, subject, severity, f"Something is {severity}.")


def sync(db: Database, *conditions: Condition, now: datetime = NOW, **how: Any) -> News:
    with db.transaction(JOB) as conn:
        return register.sync(conn, conditions, now, **how)


def rows(db: Database, query: str) -> list[tuple[Any, ...]]:
    with db.transaction(ADMIN) as conn:
        return [tuple(row) for row in conn.execute(text(query))]


def alert(db: Database, subject: str = "refresh", now: datetime = NOW) -> register.Alert:
    (number,) = rows(db, f"select alert_id from scout.alerts where subject = '{subject}'")[0]
    with db.transaction(LOOK) as conn:
        return register.by_id(conn, number, now)


def life(db: Database, subject: str = "refresh") -> list[tuple[str, str, str | None]]:
    with db.transaction(LOOK) as conn:
        events = register.list_events(conn, alert(db, subject).alert_id)
    return [(e.event, e.status, e.actor) for e in reversed(events)]


# A plain model of the life.


@dataclass
class Modelled:
    """An alert as the sentences of the design have it."""

    status: str = "OPEN"
    severity: str = "WARN"
    muted_until: datetime | None = None
    times: int = 1


class Model:
    def __init__(self) -> None:
        self.alerts: dict[str, Modelled] = {}
        self.events: list[tuple[str, str]] = []

    def sync(self, conditions: dict[str, str], now: datetime) -> tuple[set[str], ...]:
        opened, reopened, resolved = set(), set(), set()
        for name, it in self.alerts.items():
            muted = it.muted_until is not None and it.muted_until > now
            if it.muted_until is not None and not muted:
                it.muted_until = None
            was = it.status
            if name not in conditions:
                if was != "RESOLVED":
                    it.status = "RESOLVED"
                    self.events.append((name, "RESOLVED"))
                    if was != "MUTED":
                        resolved.add(name)
                continue
            worse = was != "RESOLVED" and RANK[conditions[name]] > RANK[it.severity]
            it.severity = conditions[name]
            if was == "RESOLVED":
                it.times += 1
                it.status = "MUTED" if muted else "OPEN"
                self.events.append((name, "REOPENED"))
            elif was == "MUTED" and not muted:
                it.status = "OPEN"
                self.events.append((name, "UNMUTED"))
            elif was == "ACKNOWLEDGED" and worse:
                it.status = "OPEN"
            if worse:
                self.events.append((name, "WORSENED"))
            if it.status == "OPEN" and was != "OPEN":
                reopened.add(name)
        for name in conditions.keys() - self.alerts.keys():
            self.alerts[name] = Modelled(severity=conditions[name])
            self.events.append((name, "OPENED"))
            opened.add(name)
        return opened, reopened, resolved

    def act(self, event: str, name: str, now: datetime, until: datetime | None) -> bool:
        it = self.alerts[name]
        muted = it.muted_until is not None and it.muted_until > now
        is_open = it.status == "OPEN" or (it.status == "MUTED" and not muted)
        if event == "ACKNOWLEDGED" and is_open:
            it.status, it.muted_until = "ACKNOWLEDGED", None
        elif event == "MUTED" and (is_open or it.status == "ACKNOWLEDGED"):
            it.status, it.muted_until = "MUTED", until
        elif event == "UNMUTED" and muted:
            it.status = "OPEN" if it.status == "MUTED" else it.status
            it.muted_until = None
        else:
            return False
        self.events.append((name, event))
        return True


NAMES = ("one", "two")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("sync"),
            st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(RANK))),
        ),
        st.tuples(st.sampled_from(["ACKNOWLEDGED", "MUTED", "UNMUTED"]), st.sampled_from(NAMES)),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 30])),
    ),
    max_size=14,
)


def check_life(db: Database, steps: list[tuple[str, Any]]) -> None:
    forget(db)
    model, now = Model(), NOW
    for what, value in steps:
        now += timedelta(seconds=1)
        if what == "wait":
            now += timedelta(hours=value)
        elif what == "sync":
            news = sync(db, *(wrong(name, level) for name, level in value.items()), now=now)
            opened, reopened, resolved = model.sync(value, now)
            assert [sum(part.values()) for part in (news.opened, news.reopened, news.resolved)] == [
                len(opened),
                len(reopened),
                len(resolved),
            ]
            told = {subject for found in news.samples.values() for subject in found}
            assert told == opened | reopened
        elif value in model.alerts:
            until = now + timedelta(hours=6) if what == "MUTED" else None
            is_done = model.act(what, value, now, until)
            doing = {
                "actor": ANA,
                "alert_id": alert(db, value).alert_id,
                "reason": REASON,
                "now": now,
            }
            act = {
                "ACKNOWLEDGED": acts.ack,
                "MUTED": acts.mute,
                "UNMUTED": acts.unmute,
            }[what]
            if until is not None:
                doing["until"] = until
            if is_done:
                assert act(db, **doing).event == what
            else:
                with pytest.raises(ChangedMeanwhile):
                    act(db, **doing)

    # a mute that has passed is none, whether or not somebody took it out since
    def lasting(until: datetime | None) -> datetime | None:
        return until if until is not None and until > now else None

    assert {
        name: (status, severity, lasting(until), times)
        for name, status, severity, until, times in rows(
            db, "select subject, status, severity, muted_until, times_opened from scout.alerts"
        )
    } == {
        name: (it.status, it.severity, lasting(it.muted_until), it.times)
        for name, it in model.alerts.items()
    }
    order = "select a.subject, e.event from scout.alert_events as e join scout.alerts as a"
    events = rows(db, f"{order} using (alert_id) order by e.event_id")
    for name in NAMES:
        assert sorted(e for n, e in events if n == name) == sorted(
            e for n, e in model.events if n == name
        )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
@example(
    steps=[("sync", {"two": "FAIL"}), ("MUTED", "two"), ("sync", {}), ("wait", 30), ("sync", {})]
)
def test_life_is_that_of_the_plain_model(shared: Database, steps: list[tuple[str, Any]]) -> None:
    check_life(shared, steps)


@pytest.mark.long
@settings(
    max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_life_is_that_of_the_plain_model_many_times(
    shared: Database, steps: list[tuple[str, Any]]
) -> None:
    check_life(shared, steps)


def test_each_thing_that_happens_is_kept_with_who_and_why(book: Database) -> None:
    sync(book, wrong(), run_id=7)
    acts.ack(book, actor=ANA, alert_id=alert(book).alert_id, reason=REASON, now=NOW)
    sync(book, wrong(severity="FAIL"))
    later = NOW + timedelta(hours=1)
    acts.mute(book, actor=LUIS, alert_id=alert(book).alert_id, until=later, reason=REASON, now=NOW)
    sync(book, wrong(severity="FAIL"), now=later)
    sync(book, now=later)
    sync(book, wrong(), now=later)
    assert life(book) == [
        ("OPENED", "OPEN", None),
        ("ACKNOWLEDGED", "ACKNOWLEDGED", "ana"),
        ("WORSENED", "OPEN", None),
        ("MUTED", "MUTED", "luis"),
        ("UNMUTED", "OPEN", None),
        ("RESOLVED", "RESOLVED", None),
        ("REOPENED", "OPEN", None),
    ]
    now = alert(book)
    assert (now.opened_at, now.first_opened_at, now.times_opened) == (later, NOW, 2)
    assert (now.actor, now.reason, now.muted_until, now.resolved_at) == (None, None, None, None)
    for change in ("update scout.alert_events set actor = 'x'", "delete from scout.alert_events"):
        with pytest.raises(DatabaseError, match="append-only"), book.transaction(ADMIN) as conn:
            conn.exec_driver_sql(change)


def test_alert_of_another_subject_is_left_alone(book: Database) -> None:
    sync(book, wrong("one"), wrong("two"))
    acts.ack(book, actor=ANA, alert_id=alert(book, "one").alert_id, reason=REASON, now=NOW)
    before = rows(book, "select * from scout.alerts where subject = 'two'")
    news = sync(book, wrong("one", "FAIL"), wrong("two"))
    assert (dict(news.reopened), dict(news.opened)) == ({"JOB_LATE": 1}, {})
    assert rows(book, "select * from scout.alerts where subject = 'two'") == before


def test_mute_that_has_run_out_is_open_before_anybody_looks(book: Database) -> None:
    sync(book, wrong("one"), wrong("two"))
    until = NOW + timedelta(hours=2)
    for name, end in (("one", until), ("two", until + timedelta(hours=2))):
        number = alert(book, name).alert_id
        acts.mute(book, actor=ANA, alert_id=number, until=end, reason=REASON, now=NOW)
    with book.transaction(LOOK) as conn:
        for now, muted in ((NOW, ["one", "two"]), (until, ["two"])):
            mutes = register.list_mutes(conn, now=now)
            assert [a.subject for a in mutes.rows] == muted
            shown = register.list_standing(conn, AlertFilters(status="MUTED"), now=now)
            assert {a.subject for a in shown.rows} == set(muted)
            (count,) = register.count_standing(conn, now)
            assert (count.count, count.muted_count) == (2, len(muted))


def test_same_request_is_one_event_and_the_same_answer(book: Database) -> None:
    sync(book, wrong("one"), wrong("two"))
    number = alert(book, "one").alert_id
    given = {"actor": ANA, "alert_id": number, "reason": REASON, "now": NOW, "request_id": "r1"}
    first = acts.ack(book, **given)
    assert acts.ack(book, **given | {"now": NOW + timedelta(minutes=1)}) == first
    assert [event for event, _, _ in life(book, "one")] == ["OPENED", "ACKNOWLEDGED"]
    both = [number, alert(book, "two").alert_id]
    done = acts.ack_many(book, actor=LUIS, alert_ids=[*both, 999], reason=REASON, now=NOW)
    assert [d.subject for d in done.done] == ["two"]
    assert "acknowledged by ana" in done.skipped[number]
    assert "no alert 999" in done.skipped[999]


@pytest.mark.parametrize(
    "until",
    [NOW, NOW - timedelta(1), NOW + timedelta(91), datetime(2026, 4, 1)],  # noqa: DTZ001
)
def test_mute_has_an_end_that_can_be(book: Database, until: datetime) -> None:
    sync(book, wrong())
    number = alert(book).alert_id
    with pytest.raises(BadInput, match="until"):
        acts.mute(book, actor=ANA, alert_id=number, until=until, reason=REASON, now=NOW)
    with pytest.raises(BadInput, match="reason"):
        acts.ack(book, actor=ANA, alert_id=number, reason="short", now=NOW)
    with pytest.raises(NotFound):
        acts.ack(book, actor=ANA, alert_id=number + 1, reason=REASON, now=NOW)
    assert len(life(book)) == 1


def test_two_who_look_and_act_at_once_do_nothing_twice(book: Database) -> None:
    barrier, failed = threading.Barrier(6), []

    def at_once(number: int) -> None:
        barrier.wait()
        if number < 3:
            sync(book, wrong("one"), wrong("two"))
            return
        try:
            acts.ack(book, actor=ANA, alert_id=first, reason=REASON, now=NOW)
        except ChangedMeanwhile as exc:
            failed.append(exc.message)

    sync(book, wrong("one"))
    first = alert(book, "one").alert_id
    threads = [threading.Thread(target=at_once, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event for event, _, _ in life(book, "one")] == ["OPENED", "ACKNOWLEDGED"]
    assert [event for event, _, _ in life(book, "two")] == ["OPENED"]
    assert len(failed) == 2


def test_round_is_left_to_whoever_is_looking(book: Database) -> None:
    with book.transaction(JOB) as conn:
        register.sync(conn, [wrong()], NOW)
        assert rounds.make_round(book, load({}, dotenv=None), NOW) is None
    looked = rounds.make_round(book, load({}, dotenv=None), NOW)
    assert looked is not None
    assert looked.resolved == {"JOB_LATE": 1}


def test_lists_hold_what_they_say(book: Database) -> None:
    sync(book, wrong("one", "FAIL"), wrong("two"), wrong("three", rule="SOURCE_STALE"))
    sync(book, wrong("one", "FAIL"), wrong("two"), now=NOW + timedelta(hours=1))
    with book.transaction(LOOK) as conn:
        standing = register.list_standing(conn, now=NOW, page_size=1)
        assert (standing.total, standing.rows[0].subject) == (2, "one")
        rest = register.list_standing(conn, now=NOW, page_size=1, after=standing.after)
        assert [a.subject for a in rest.rows] == ["two"]
        failing = register.list_standing(conn, AlertFilters(severity="FAIL"), now=NOW)
        assert [a.subject for a in failing.rows] == ["one"]
        gone = register.list_resolved(conn, AlertFilters(rule="SOURCE_STALE"), now=NOW)
        assert [a.subject for a in gone.rows] == ["three"]
        with pytest.raises(BadInput, match="severity"):
            register.list_standing(conn, AlertFilters(severity="BAD"), now=NOW)


# Alerts of persons and rows.


def matches(db: Database) -> None:
    """Nothing is missed, by the check that compares all."""
    with db.transaction(CHECK) as conn:
        result = invariants._check(conn, invariants.ALERT_CHECK, is_sampled=False)
    assert result.sample == ()


def test_alerts_of_rows_come_and_go_with_what_is_wrong(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis, eva = (new.person(conn, key=key(name)) for name in ("ana", "luis", "eva"))
        new.lead_event(conn, person=ana, scout=1)
        new.ledger(conn, person=eva, scout=1)
        bad = new.lead_event(conn, person=luis, payload={"scout_id": "abc"})
        waits = new.scouting_row(conn, scout=7)
        new.scouting_row(conn)
        for name, person in (("L1", eva), ("L2", luis)):
            new.cabinet_lead(conn, external=name)
            new.link(conn, person=person, table="module_ct_cabinet_leads", pk=name)
    refresh(db)
    review = ("IDENTITY_TO_REVIEW", f"public.module_ct_scouting_daily/{waits}")
    unreadable = ("UNREADABLE_SCOUT", f"observational.lead_events/{bad}")
    (lead,) = rows(db, "select id from public.module_ct_cabinet_leads where external_id = 'L2'")[0]
    without = ("CABINET_LEAD_WITHOUT_SCOUT", f"public.module_ct_cabinet_leads/{lead}")
    assert set(rows(db, STANDING)) == {review, unreadable, without}

    # a neighbour in conflict, without a run: what was settled is looked at
    with db.transaction(ADMIN) as conn:
        new.lead_event(conn, person=ana, scout=2, created_at="2030-01-01")
    matches(db)
    settle.settle(db)
    assert sync(db).opened == {"NEW_CONFLICT": 1}
    matches(db)

    with db.transaction(ADMIN) as conn:
        conn.execute(text("delete from observational.lead_events where scout_id = 2"))
        conn.execute(text("update observational.lead_events set payload_json = '{}'"))
        conn.execute(text("update canon.identity_unmatched set status = 'IGNORED'"))
        conn.execute(
            text("update observational.lead_ledger set attributed_scout_id = null"),
        )
        new.ledger(conn, person=luis, scout=3)
    refresh(db)
    (other,) = rows(db, "select id from public.module_ct_cabinet_leads where external_id = 'L1'")[0]
    assert set(rows(db, STANDING)) == {
        ("CABINET_LEAD_WITHOUT_SCOUT", f"public.module_ct_cabinet_leads/{other}")
    }
    matches(db)
    # everything compared anew says the same
    looked = sync(db, is_whole=True)
    assert (looked.opened, looked.reopened) == ({}, {})
    assert set(looked.resolved) <= {"HEALTH_CHANGED"}  # which nobody said again


def test_what_nobody_noted_is_found_by_verify_and_mended(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = new.person(conn, key=key("ana"))
        bad = new.lead_event(conn, person=ana, payload={"scout_id": "abc"})
    refresh(db)
    matches(db)
    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql("set session_replication_role = replica")
        conn.execute(text("update scout.data_quality_issues set closed_at = now()"))
    with db.transaction(CHECK) as conn:
        result = invariants._check(conn, invariants.ALERT_CHECK, is_sampled=False)
    assert [row["subject"] for row in result.sample] == [f"observational.lead_events/{bad}"]
    news = rounds.make_round(db, load({}, dotenv=None), NOW, is_whole=True)
    assert news is not None
    assert news.resolved == {"UNREADABLE_SCOUT": 1}
    matches(db)


def test_alerts_of_one_row_by_two_rules_come_and_go_apart(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        new.scout_listed(conn, scout=7)
        row = new.scouting_row(conn, scout=8)
        lead = new.cabinet_lead(conn, external="L1", lead_created_at="infinity")
    refresh(db)
    scouting, leads = (
        f"public.module_ct_scouting_daily/{row}",
        (f"public.module_ct_cabinet_leads/{lead}"),
    )
    stands = {("IDENTITY_TO_REVIEW", scouting), ("CABINET_LEAD_WITHOUT_SCOUT", leads)}
    assert set(rows(db, STANDING)) == stands | {
        ("UNKNOWN_SCOUT", scouting),
        ("DATE_OUT_OF_RANGE", leads),
    }
    with db.transaction(ADMIN) as conn:
        new.scout_listed(conn, scout=8)
        conn.execute(text("update public.module_ct_cabinet_leads set external_id = 'L2'"))
    refresh(db)
    assert set(rows(db, STANDING)) == stands | {("DATE_OUT_OF_RANGE", leads)}
    with db.transaction(ADMIN) as conn:
        conn.execute(text("update public.module_ct_cabinet_leads set lead_created_at = now()"))
    refresh(db)
    assert set(rows(db, STANDING)) == stands
    matches(db)


def test_conflict_that_went_before_it_was_settled_leaves_no_alert(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = new.person(conn, key=key("ana"))
        new.lead_event(conn, person=ana, scout=1)
    refresh(db)
    with db.transaction(ADMIN) as conn:
        new.lead_event(conn, person=ana, scout=2, created_at="2030-01-01")
    # a run looks at what is pending, and so saw it
    assert sync(db, run_id=99).opened == {"NEW_CONFLICT": 1}
    with db.transaction(ADMIN) as conn:
        conn.execute(text("delete from observational.lead_events where scout_id = 2"))
    settle.settle(db)
    assert sync(db).resolved == {"NEW_CONFLICT": 1}
    matches(db)


def test_run_that_did_nothing_looks_at_no_row(db: Database) -> None:
    refresh(db)
    before = rows(db, "select whole_at from scout.alert_state")
    refresh(db)
    assert rows(db, "select whole_at from scout.alert_state") == before
    assert sync(db).resolved == {"HEALTH_CHANGED": 1}  # nobody said that it still holds
