"""Checks of the sources: each finds its row and not the neighbour, and what it found is kept."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from scout_core.access.permissions import Actor
from scout_core.db import sql
from scout_core.db.database import ADMIN, LOOK, SETTLE, Database
from scout_core.errors import BadInput, DatabaseReadOnly, PermissionDenied
from scout_core.health import freshness, source_checks
from scout_core.health.conditions import Condition
from scout_core.health.source_checks import CheckResult, QualityFilters
from scout_core.notify.message import rule_words
from scout_core.runs import lock
from scout_core.settings import load
from tests.install.test_install_sources import drop_optional
from tests.model import keys
from tests.support import factories
from tests.support.installing import init
from tests.support.looking import OPERATOR, installed, refresh, rows, value, write
from ui.parts.text import catalogue

# after whatever the tests' own clock writes
NOW = datetime(2100, 3, 31, 12, tzinfo=UTC)
SETTINGS = load({}, dotenv=None)
SCOUTING, PERSONS = "public.module_ct_scouting_daily", "canon.identity_registry"
MONEY = (
    "create table ops.scout_payment_rules (id serial primary key, origin_tag varchar,"
    " milestone_value integer, amount numeric(12, 2), is_active boolean)",
    "create table ops.scout_liquidation_ledger (id serial primary key, person_key uuid,"
    " scout_id integer, milestone_value integer, amount numeric(12, 2), paid_at timestamptz)",
    "insert into ops.scout_payment_rules (origin_tag, milestone_value, amount, is_active) values"
    " (null, 1, 10, true), (null, 1, 12, false), (null, 5, 30, true), (null, 5, 80, true),"
    " ('web', 5, 45, true)",
)
PAY = (
    "insert into ops.scout_liquidation_ledger (person_key, scout_id, milestone_value, amount,"
    " paid_at) values (:p, :s, 5, :a, :at)"
)
EVENTS, LEDGER = "observational.lead_events", "observational.lead_ledger"


def run(db: Database, check: str | None = None, now: datetime = NOW) -> dict[str, CheckResult]:
    ran = source_checks.run_checks(db, SETTINGS, now, actor=OPERATOR, check=check)
    return {result.check.name: result for result in ran}


def due(db: Database, now: datetime = NOW) -> list[str]:
    return [result.check.name for result in source_checks.run_due(db, SETTINGS, now)]


def listed(db: Database, check: str) -> list[source_checks.QualityRow]:
    with db.transaction(LOOK) as conn:
        return list(source_checks.list_rows(conn, QualityFilters(check), page_size=1000).rows)


def found(db: Database, check: str) -> dict[tuple[str, str], str]:
    return {(row.source_table, row.source_pk): row.detail for row in listed(db, check)}


@pytest.fixture(scope="module")
def some(server_url: str) -> Iterator[SimpleNamespace]:
    """A row for each check to find, beside the nearest that it must not."""
    with installed(server_url) as db:
        for statement in MONEY:
            write(db, statement)
        init(db.url)
        with db.transaction(ADMIN) as conn:
            is_ = SimpleNamespace(db=db)
            phones = ("966222333", "+51966222333", None, "999999999", "999999999", None)
            is_.persons = [
                factories.person(conn, phone=phone, created_at=factories.TIME) for phone in phones
            ]
            eva, juan, rosa, ana, luis, pia = is_.persons

            def event(person, **given):
                return factories.lead_event(conn, person=person, created_at=factories.TIME, **given)

            factories.scout_listed(conn, 7)
            is_.unreadable = event(ana, payload={"scout_id": "x1"})
            is_.unknown = event(luis, scout=99)
            is_.odd = event(eva, payload={"scoutId": 7})
            event(juan, scout=7)
            is_.impossible = event(ana, on="1899-12-31")
            is_.ancient = [event(ana, on="1900-01-01"), event(ana, on="2014-12-31")]
            event(ana, on="2015-01-01")
            event(ana, on="2100-03-31")
            is_.ahead = event(ana, on="2100-04-01")
            factories.ledger(conn, person=ana, at="2100-04-01 04:59Z")  # the 31st in Lima
            factories.ledger(conn, person=luis, at="2100-04-01 05:00Z")

            def row(**given):
                said = {"scout": 7, "license": "Q12345678", "phone": "955111222", **given}
                return factories.scouting_row(conn, created_at=factories.TIME, **said)

            is_.first = row()
            is_.again = [row(license="q-12345678", phone="+51 955 111 222"), row()]
            for other in ({"license": "Q12345679"}, {"phone": "955111223"}, {"on": "2026-03-03"}):
                row(**other)
            is_.by_unknown = row(scout=99)
            row(license=None)
            is_.again.append(row(license="", phone="955-111-222"))
            row(license=None, phone=None)
            row(license=" \t", phone=None)
            is_.none = [row(license="S/N", phone="no tiene"), row(license="S/N", phone="1")]
            # rosa is known by her driver, pia twice by the same phone
            factories.driver(conn, phone="966222333", person=rosa)
            factories.driver(conn, phone="966222333")
            factories.driver(conn, phone="977333444", person=pia)
            linked = row(license="K12345678", phone="977333444")
            factories.link(conn, person=pia, table="module_ct_scouting_daily", pk=linked)
            factories.driver(conn, key="d-none", license="NOTIENE", phone="9998887771")
            for person, scout, amount, at in (
                (pia, 9, 30, "2026-04-01"),
                (luis, 99, 30, "2026-04-01"),
                (juan, 9, 30, "2026-04-01"),
                (juan, 9, -30, "2026-04-02"),
                (juan, 9, 30, "2150-04-01"),
                (rosa, 9, 30, "2026-04-01"),
            ):
                conn.execute(text(PAY), {"p": person, "s": scout, "a": amount, "at": at})
        refresh(db)
        run(db)
        yield is_


def test_each_check_finds_its_rows_and_not_their_neighbours(some: SimpleNamespace) -> None:
    def of(table: str, *pks: object) -> set[tuple[str, str]]:
        return {(table, str(pk)) for pk in pks}

    expected = {
        "unreadable_scouts": of(EVENTS, some.unreadable),
        "unknown_scouts": of(EVENTS, some.unknown) | of(SCOUTING, some.by_unknown),
        "odd_payloads": of(EVENTS, some.odd),
        "impossible_dates": of(EVENTS, some.impossible),
        "ancient_dates": of(EVENTS, *some.ancient),
        "future_dates": of(EVENTS, some.ahead) | of(LEDGER, some.persons[4]),
        "duplicate_scouting_rows": of(SCOUTING, *some.again),
        "licenses_that_are_none": of(SCOUTING, *some.none) | of("canon.drivers_index", "d-none"),
        "shared_phones": of(PERSONS, *some.persons[:3]),
        "phones_that_are_none": of(SCOUTING, *some.none)
        | of(PERSONS, *some.persons[3:5])
        | of("canon.drivers_index", "d-none"),
        "payments_to_others": of("ops.scout_liquidation_ledger", some.persons[5]),
        "repeated_payment_rules": of("ops.scout_payment_rules", "any 5"),
        "volume_drops": set(),
    }
    assert set(expected) == set(source_checks.CHECK_NAMES)
    for check, wanted in expected.items():
        assert set(found(some.db, check)) == wanted, check
    details = found(some.db, "duplicate_scouting_rows")
    assert details[SCOUTING, str(some.again[0])] == f"first_row={some.first}; rows=3"
    assert details[SCOUTING, str(some.again[2])].endswith("rows=2")
    assert set(found(some.db, "ancient_dates").values()) == {"column=event_date"}
    shared = sorted(str(key)[:8] for key in some.persons[:3])
    for (_, key), detail in found(some.db, "shared_phones").items():
        others = " · ".join(other for other in shared if other != key[:8])
        assert detail == f"phones=1; persons=3; with={others}"


def test_no_detail_holds_what_identifies_anybody(some: SimpleNamespace) -> None:
    said = " ".join(
        row.detail for name in source_checks.CHECK_NAMES for row in listed(some.db, name)
    )
    for secret in ("966222333", "955111222", "12345678", "TIENE"):
        assert secret not in said
    assert "NOT****" in said


def test_rows_are_paged_by_key_and_their_number_is_that_of_the_result(
    some: SimpleNamespace,
) -> None:
    with some.db.transaction(LOOK) as conn:
        for result in source_checks.list_results(conn):
            given, seen, after = QualityFilters(result.check.name), [], None
            while True:
                page = source_checks.list_rows(conn, given, after=after, page_size=2)
                assert result.last is not None
                assert page.total == result.last.row_count
                seen += page.rows
                after = page.after
                if after is None:
                    break
            assert seen == listed(some.db, result.check.name)
            assert len(seen) == result.last.row_count
            streamed = list(source_checks.stream_rows(conn, given, sort="oldest"))
            assert [row[2] for row in streamed] == [row.source_pk for row in reversed(seen)]
        with pytest.raises(BadInput, match="shared_phones"):
            source_checks.list_rows(conn, QualityFilters("phones"))
        with pytest.raises(BadInput):
            source_checks.list_history(conn, "phones")


def test_check_raises_one_alert_with_its_number_unless_its_rows_are_alerts(
    some: SimpleNamespace,
) -> None:
    with some.db.transaction(LOOK) as conn:
        told = {c.rule: c for c in source_checks.conditions(conn)}
    assert told["QUALITY_SHARED_PHONES"] == Condition(
        "QUALITY_SHARED_PHONES",
        "shared_phones",
        "WARN",
        "Several persons have one phone, so that it identifies none of them. Rows: 3.",
    )
    assert told["QUALITY_LICENSES_THAT_ARE_NONE"].severity == "INFO"
    rest = {
        "VOLUME_DROPS",
        "UNREADABLE_SCOUTS",
        "UNKNOWN_SCOUTS",
        "ODD_PAYLOADS",
        "IMPOSSIBLE_DATES",
    }
    assert set(told) == {f"QUALITY_{n.upper()}" for n in source_checks.CHECK_NAMES} - {
        f"QUALITY_{name}" for name in rest
    }


def test_alert_of_a_check_has_its_words_on_the_page_and_in_messages() -> None:
    for check in source_checks.list_checks():
        if not check.tells_rows:
            words = catalogue()[f"quality.name_{check.name}"]
            assert (rule_words(check.rule, "es"), rule_words(check.rule, "en")) == words


def test_result_says_what_came_and_went_and_a_row_keeps_since_when(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ids = [factories.scouting_row(conn, license=raw) for raw in ("S/N", "NO", "Q12345678")]
    check = "licenses_that_are_none"
    assert run(db, check)[check].count_before is None
    write(db, f"update {SCOUTING} set driver_license = 'K12345678' where id = {ids[0]}")
    write(db, f"update {SCOUTING} set driver_license = '-' where id = {ids[1]}")
    write(db, f"update {SCOUTING} set driver_license = 'NADA' where id = {ids[2]}")
    later = NOW + timedelta(hours=2)
    second = run(db, check, later)[check]
    assert second.last is not None
    assert (second.last.row_count, second.last.appeared_count, second.last.gone_count) == (2, 1, 1)
    assert (second.count_before, second.before_at) == (2, NOW)
    kept = [(row.source_pk, row.detail, row.found_at) for row in listed(db, check)]
    assert kept == [(str(ids[2]), "value=NAD*", later), (str(ids[1]), "value=-", NOW)]
    with db.transaction(LOOK) as conn:
        history = source_checks.list_history(conn, check)
        assert [(run.row_count, run.ran_at, run.actor) for run in history] == [
            (2, later, "test"),
            (2, NOW, "test"),
        ]
        # the others never ran: no condition, no row
        assert [c.rule for c in source_checks.conditions(conn)] == [
            "QUALITY_LICENSES_THAT_ARE_NONE"
        ]
    with pytest.raises(Exception, match="append-only"):
        write(db, "update scout.quality_results set row_count = 0")


def test_checks_are_due_once_a_day_of_lima(db: Database) -> None:
    before_midnight = datetime(2100, 3, 31, 4, 59, tzinfo=UTC)
    assert due(db, before_midnight) == list(source_checks.CHECK_NAMES)
    assert due(db, before_midnight) == []
    assert due(db, before_midnight + timedelta(minutes=1)) == list(source_checks.CHECK_NAMES)
    assert due(db, NOW) == []
    days = rows(db, "select lima_date, actor, count(*) from scout.quality_results"
                    " group by 1, 2 order by 1")  # fmt: skip
    assert days == [(date(2100, 3, 30), "scout", 13), (date(2100, 3, 31), "scout", 13)]


def test_what_somebody_else_is_running_is_left_to_them(db: Database) -> None:
    keys_of_lock = {"lock_class": lock.LOCK_CLASS, "lock_key": source_checks._LOCK_KEY}
    with db.transaction(SETTLE) as conn:
        conn.execute(sql.query("attribution/settle", "lock"), keys_of_lock)
        assert due(db) == []
    starts = [threading.Thread(target=due, args=(db,)) for _ in range(3)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    due(db)
    counts = Counter(r[0] for r in rows(db, "select check_name from scout.quality_results"))
    assert counts == dict.fromkeys(source_checks.CHECK_NAMES, 1)


def test_check_that_cannot_be_run_has_a_result_and_stops_no_other(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        factories.lead_event(conn, person=factories.person(conn), on="2100-04-01")
    due(db)
    body = value(db, "select pg_get_viewdef('scout.v_source_dates'::regclass)")
    write(db, "drop view scout.v_source_dates")
    tomorrow = NOW + timedelta(days=1)
    states = {r.check.name: r.last for r in source_checks.run_due(db, SETTINGS, tomorrow)}
    failed = {name for name, last in states.items() if last and last.state == "FAILED"}
    assert failed == {"ancient_dates", "future_dates"}
    assert len(states) == 13
    assert len(listed(db, "future_dates")) == 1  # what it found before stays, and its alert too
    with db.transaction(LOOK) as conn:
        told = {(c.rule, c.subject) for c in source_checks.conditions(conn)}
    assert told == {
        ("QUALITY_FUTURE_DATES", "future_dates"),
        ("QUALITY_CHECK_FAILED", "future_dates"),
        ("QUALITY_CHECK_FAILED", "ancient_dates"),
    }
    assert due(db, tomorrow + timedelta(minutes=59)) == []
    write(db, f"create view scout.v_source_dates as {body}",
          "grant select on scout.v_source_dates to scout_writer")  # fmt: skip
    assert due(db, tomorrow + timedelta(hours=1)) == ["ancient_dates", "future_dates"]
    with db.transaction(LOOK) as conn:
        assert not any(c.rule == "QUALITY_CHECK_FAILED" for c in source_checks.conditions(conn))


def test_check_that_takes_too_long_is_ended_and_told(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        source_checks, "QUALITY", replace(source_checks.QUALITY, statement_timeout=1)
    )
    write(
        db,
        f"insert into {EVENTS} (source_table, source_pk, event_date, created_at)"
        " select 'a', n::text, current_date, now() from generate_series(1, 20000) as n",
    )
    (last,) = (r.last for r in run(db, "future_dates").values())
    assert last is not None
    assert (last.state, last.row_count) == ("FAILED", None)
    assert "took longer" in str(last.error)


def test_sources_that_are_absent_are_empty_for_every_check(source_db: str) -> None:
    drop_optional(source_db)
    init(source_db)
    db = Database(source_db)
    assert {r.last.state for r in run(db).values() if r.last} == {"OK"}
    db.dispose()


def test_who_may_not_run_leaves_nothing_and_a_standby_says_so(db: Database) -> None:
    with pytest.raises(PermissionDenied):
        source_checks.run_checks(db, SETTINGS, NOW, actor=Actor("ana", "analyst"))
    with pytest.raises(BadInput):
        source_checks.run_checks(db, SETTINGS, NOW, actor=OPERATOR, check="phones")
    name = value(db, "select current_database()")
    write(db, f'alter database "{name}" set default_transaction_read_only = on')
    db.dispose()
    with pytest.raises(DatabaseReadOnly):
        due(db)
    with db.transaction(LOOK) as conn:
        assert all(r.last is None for r in source_checks.list_results(conn))


def test_source_with_few_rows_on_its_last_day_that_counts_is_found(db: Database) -> None:
    now = datetime.now(UTC)
    today = now.astimezone(freshness.LIMA).date()
    back = (today - timedelta(days=n) for n in range(1, 15))
    last = next(day for day in back if not freshness.is_holiday(day))
    fill = (
        "insert into public.module_ct_{0} (created_at) select d + time '12:00'"
        " from generate_series(cast(:today as date) - 50, :today - 1, '1 day') as d"
        " cross join generate_series(1, 10) as n where d <> :last or n <= {1}"
    )
    for table, count in (("migrations", 4), ("cabinet_payments", 5)):
        write(db, fill.format(table, count), today=today, last=last)
    run(db, "volume_drops", now)
    assert found(db, "volume_drops") == {
        ("public.module_ct_migrations", f"{last}"): "rows=4; usual=10"
    }


Scouting = list[tuple[int | None, str | None, str | None, int, int | None]]
Drivers = list[tuple[str | None, str | None, int | None]]
Known = list[tuple[str | None, str | None]]
PHONES = st.sampled_from(
    ("955111222", "+51 955-111-222", "955111223", "999999999", "123456789", "", None, "12")
)
LICENSES = st.sampled_from(
    ("Q12345678", "q 1234-5678", "Q12345679", "NO TIENE", "-", " ", "", None, "A1", "123456")
)
SCOUTING_ROWS = st.lists(
    st.tuples(st.sampled_from((1, 2, None, 0, -5)), LICENSES, PHONES, st.integers(1, 2),
              st.sampled_from((None, 0, 1, 2, 3))),
    max_size=14,
)  # fmt: skip
DRIVERS = st.lists(st.tuples(LICENSES, PHONES, st.sampled_from((None, 0, 1, 2, 3))), max_size=5)
KNOWN = st.lists(st.tuples(LICENSES, PHONES), min_size=4, max_size=4)
PROFILE = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@PROFILE
@given(scouting=SCOUTING_ROWS, drivers=DRIVERS, known=KNOWN)
def test_checks_find_what_a_plain_reading_of_the_rows_finds(
    db: Database, scouting: Scouting, drivers: Drivers, known: Known
) -> None:
    compare(db, scouting, drivers, known)


@pytest.mark.long
@settings(PROFILE, max_examples=300)
@given(scouting=SCOUTING_ROWS, drivers=DRIVERS, known=KNOWN)
def test_checks_find_the_same_in_many_more_sources(
    db: Database, scouting: Scouting, drivers: Drivers, known: Known
) -> None:
    compare(db, scouting, drivers, known)


def compare(db: Database, scouting: Scouting, drivers: Drivers, known: Known) -> None:
    """The rows that four checks find in these sources are those of the model."""
    none: set[tuple[str, str]] = set()
    no_phones: set[tuple[str, str]] = set()
    phones: dict[str, set[str]] = defaultdict(set)
    seen: dict[object, int] = {}
    again: set[tuple[str, str]] = set()

    def read(table: str, pk: object, raw: str | None, phone: str | None) -> None:
        if (raw or "").strip(keys.BLANKS) and keys.license_key(raw) is None:
            none.add((table, str(pk)))
        if (phone or "").strip(keys.BLANKS) and keys.phone_key(phone) is None:
            no_phones.add((table, str(pk)))

    def knows(phone: str | None, person: object) -> None:
        key = keys.phone_key(phone)
        if key is not None and person is not None:
            phones[key].add(str(person))

    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql(
            f"truncate {SCOUTING}, canon.identity_links, canon.identity_registry,"
            " canon.drivers_index, scout.pending_persons cascade"
        )
        persons = [factories.person(conn, license=raw, phone=phone) for raw, phone in known]
        for key, (raw, phone) in zip(persons, known, strict=True):
            read(PERSONS, key, raw, phone)
            knows(phone, key)
        for raw, phone, place in drivers:
            person = None if place is None else persons[place]
            pk = factories.driver(conn, license=raw, phone=phone, person=person)
            read("canon.drivers_index", pk, raw, phone)
            knows(phone, person)
        for scout, raw, phone, day, place in scouting:
            pk = factories.scouting_row(
                conn, scout=scout, license=raw, phone=phone, on=f"2026-03-0{day}"
            )
            read(SCOUTING, pk, raw, phone)
            said = (scout, keys.license_key(raw), keys.phone_key(phone), day)
            if said[1:3] != (None, None) and seen.setdefault(said, pk) != pk:
                again.add((SCOUTING, str(pk)))
            if place is not None:
                factories.link(conn, person=persons[place], table="module_ct_scouting_daily", pk=pk)
                knows(phone, persons[place])
    for check in (
        "licenses_that_are_none",
        "phones_that_are_none",
        "duplicate_scouting_rows",
        "shared_phones",
    ):
        run(db, check)
    assert set(found(db, "licenses_that_are_none")) == none
    assert set(found(db, "phones_that_are_none")) == no_phones
    assert set(found(db, "duplicate_scouting_rows")) == again
    told = {
        pk: detail.split("; with=")[0] for (_, pk), detail in found(db, "shared_phones").items()
    }
    assert told == details_of(phones)


def details_of(phones: dict[str, set[str]]) -> dict[str, str]:
    """What the check of shared phones says of each person, from the persons of each phone."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for group in phones.values():
        for person in group if len(group) > 1 else ():
            sizes[person].append(len(group))
    return {person: f"phones={len(s)}; persons={max(s)}" for person, s in sizes.items()}
