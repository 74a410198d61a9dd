"""Settling: exact in any batches; what readers see above the limit; what a run judges anew."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from scout_core.attribution import settle
from scout_core.db.database import CHECK, JOB, LOOK, Database
from tests.support import factories as new
from tests.support.job import broken, do, key, refresh, rows, value, wait_until, writing
from tests.support.settling import Scene, md5_key, scene
from tests.support.worker import refreshing

SCOUTING = "module_ct_scouting_daily"
KILLED = -9
LINKS = "identity_links"
READ = f"from pg_stat_user_tables where relname = '{LINKS}' and seq_tup_read + idx_tup_fetch"


@pytest.fixture
def stage(db: Database, db_url: str) -> Iterator[Scene]:
    with scene(db, db_url) as made:
        yield made
        assert made.stale() == {}


def limit_readers(url: str, count: int) -> None:
    do(
        url,
        "create or replace function scout.pending_limit() returns integer"
        f" language sql immutable parallel safe return {count}",
    )


def busy_day(stage: Scene) -> None:
    """Changes of every kind for ana to dora."""
    stage.do(
        lambda c: new.lead_event(c, person=key("ana"), scout=7),
        lambda c: new.ledger(c, person=key("beto"), scout=8),
        lambda c: new.link(c, person=key("carla"), table="drivers", pk="d1"),
        lambda c: new.migration(c, scout=9, driver="d1"),
        lambda c: new.payment(c, scout=9, person=key("dora")),
        lambda c: new.lead_event(c, person=key("dora"), scout=7),
        lambda c: new.scouting_row(c, scout=7, license="Q1234567"),
        lambda c: new.person(c, key=key("fina")),
    )


# Settling --------------------------------------------------------------------------------------


def test_settling_one_note_at_a_time_is_exact_at_every_step(stage: Scene):
    busy_day(stage)
    (pending,) = stage.look("pending")[0]
    for left in range(pending - 1, -1, -1):
        assert stage.settle(batch_rows=1, max_batches=1).entries == 1
        assert stage.look("pending") == [(left,)]
    assert stage.settle(batch_rows=1) == settle.Settled()


def test_settling_tells_what_it_did(stage: Scene):
    busy_day(stage)
    told: list[tuple[int, int]] = []
    done = settle.settle(stage.db, batch_rows=3, progress=lambda *now: told.append(now))
    assert (done.entries, done.persons, done.changed, done.is_busy) == (8, 6, 5, False)
    assert told == [(3, 8), (6, 8), (8, 8)]


def test_plan_of_empty_tables_is_not_kept_for_a_bulk_load(db: Database, db_url: str):
    """A session keeps its plans, and nobody may have counted yet how the rows are spread."""
    count = 1_500
    with writing(db_url) as conn:
        new.person(conn, key=key("ana"))
    settle.settle(db)
    with writing(db_url) as conn:
        conn.exec_driver_sql(
            "insert into canon.identity_registry (person_key, confidence_level)"
            f" select md5('p' || n)::uuid, 'HIGH' from generate_series(1, {count}) as n"
        )
        conn.exec_driver_sql(
            "insert into public.module_ct_scouting_daily (scout_id, created_at)"
            f" select 9, now() from generate_series(1, {count})"
        )
        conn.exec_driver_sql(
            "insert into canon.identity_links (person_key, source_table, source_pk, snapshot_date,"
            " match_rule, match_score, confidence_level, linked_at)"
            " select md5('p' || n)::uuid, 'module_ct_scouting_daily', s.id, now(), 'X', 1, 'HIGH',"
            " now() from (select id, row_number() over (order by id) as n"
            " from public.module_ct_scouting_daily) as s"
        )
        conn.exec_driver_sql(
            "insert into observational.lead_ledger (person_key, attributed_scout_id,"
            " attribution_score, confidence_level, decision_status)"
            f" select md5('p' || n)::uuid, 7, 1, 'high', 'assigned'"
            f" from generate_series(1, {count}) as n"
        )
    done = settle.settle(db)
    assert (done.persons, done.changed) == (count, count)
    db.dispose()
    wait_until(db_url, f"select count(*) {READ} >= {count}")
    # each link a few times, not all of them for each person
    assert value(db_url, f"select count(*) {READ} >= {30 * count}") == 0


def test_settling_what_did_not_change_writes_nothing(stage: Scene):
    """Noted again and again, settled or built anew: no row is written."""
    busy_day(stage)
    settle.settle(stage.db)
    every = " union all ".join(
        f"select '{table}', t::text, t.xmin::text from scout.{table} as t"
        for table in (
            "person_attribution",
            "attribution_totals",
            "attribution_scouts",
            "attribution_days",
            "unlinked_rows",
        )
    )
    before = sorted(rows(stage.url, every))
    do(
        stage.url,
        "insert into scout.pending_persons (person_key)"
        " select person_key from canon.identity_registry, generate_series(1, 3)",
        "insert into scout.pending_persons (source_table, source_pk)"
        f" select '{SCOUTING}', id::text from public.module_ct_scouting_daily",
        "insert into scout.pending_persons (person_key) values (gen_random_uuid())",
    )
    done = stage.settle(batch_rows=5)
    assert (done.entries, done.changed) == (21, 0)
    assert sorted(rows(stage.url, every)) == before
    assert settle.build(stage.db).changed == 0
    assert sorted(rows(stage.url, every)) == before


def test_building_anew_takes_what_was_noted_before_it_began(stage: Scene):
    busy_day(stage)
    with writing(stage.url) as conn:
        new.lead_event(conn, person=key("ana"), scout=9)
        done = settle.build(stage.db)
        assert done.entries == 8
    assert stage.look("pending") == [(1,)]
    assert stage.stale() == {}
    assert stage.settle().changed == 1


def test_bulk_load_is_settled_in_one_pass_over_everything(db: Database, db_url: str):
    with scene(db, db_url) as stage:
        do(
            db_url,
            "insert into canon.identity_registry (person_key, confidence_level)"
            " select md5('bulk ' || n)::uuid, 'HIGH' from generate_series(1, 1000) as n",
        )
        settle.settle(db)
        do(
            db_url,
            "insert into observational.lead_events"
            " (source_table, source_pk, event_date, person_key, scout_id)"
            " select 'bulk', n, date '2026-01-01' + n % 60, md5('bulk ' || n % 1000 + 1)::uuid,"
            " n % 7 + 1 from generate_series(1, 60000) as n",
        )
        before = settle_state(db)
        assert (before.reading, before.is_exact, before.pending_count) == ("SETTLED", False, 10_001)
        told: list[tuple[int, int]] = []
        done = settle.settle(db, progress=lambda *now: told.append(now))
        assert told == [(1, 1)]
        assert (done.entries, done.changed) == (60_000, 1_000)
        after = settle_state(db)
        assert (after.mode, after.reading, after.pending_count) == ("TRACKED", "EXACT", 0)
        assert after.built_at is not None
        assert before.built_at is not None
        assert after.built_at > before.built_at
        assert stage.stale() == {}
        assert value(db_url, "select sum(event_count) from scout.person_attribution") == 60_001


# Above the limit of readers --------------------------------------------------------------------


def settle_state(db: Database) -> settle.State:
    with db.transaction(LOOK) as conn:
        return settle.state(conn)


def test_readers_above_the_limit_see_settled_values_and_their_time(stage: Scene):
    limit_readers(stage.url, 3)
    numbers = (
        "select total_persons, persons_with_scout_satisfactory, conflicts_count, lead_persons,"
        " backlog_a_events_without_scout, backlog_d_scout_in_events_not_in_ledger,"
        " backlog_c_legacy_no_events_no_ledger"
    )
    snapshot = " from ops.v_scout_attribution_metrics_snapshot"

    def read(profile: Any) -> tuple[object, ...]:
        with stage.db.transaction(profile) as conn:
            shown = conn.execute(text("select count(*) from scout.v_persons_now")).scalar_one()
            left = conn.execute(text("select count(*) from scout.v_unlinked_rows")).scalar_one()
            return (*conn.execute(text(numbers + snapshot)).one(), shown, left)

    def label(profile: Any) -> tuple[object, ...]:
        with stage.db.transaction(profile) as conn:
            state = settle.state(conn)
            row = conn.execute(text("select is_exact, as_of" + snapshot)).one()
            assert (state.is_exact, state.as_of) == tuple(row)
            oldest = conn.execute(text("select min(noted_at) from scout.pending_persons"))
            noted_at = oldest.scalar_one()
            assert state.as_of is not None
            return (state.reading, state.is_exact, noted_at is None or state.as_of <= noted_at)

    settled = read(LOOK)
    assert settled == read(CHECK) == (5, 1, 0, 1, 0, 0, 4, 5, 0)
    # three notes are not above the limit
    stage.do(*(lambda c, n=n: new.ledger(c, person=key(n), scout=3) for n in ("ana", "beto")))
    stage.do(lambda c: new.lead_event(c, person=key("carla")))
    exact = (5, 3, 0, 2, 1, 0, 1, 5, 0)
    assert label(LOOK) == ("EXACT", True, False)
    assert read(LOOK) == read(CHECK) == read(JOB) == exact
    stage.do(
        lambda c: new.lead_event(c, person=key("dora"), scout=7),
        lambda c: new.scouting_row(c, scout=7, license="Q1234567"),
    )
    truth = (5, 3, 0, 3, 1, 1, 0, 5, 1)
    assert label(LOOK) == ("SETTLED", False, True)
    assert read(LOOK) == settled
    for profile in (CHECK, JOB):
        assert label(profile) == ("EXACT", True, False)
        assert read(profile) == truth
    # but for the limit, which the test has made small
    assert broken(stage.db) == {}
    # two notes fewer: exact again, though some are pending
    settle.settle(stage.db, batch_rows=2, max_batches=1)
    assert label(LOOK) == ("EXACT", True, False)
    assert read(LOOK) == truth
    stage.settle()
    assert label(LOOK) == ("EXACT", True, True)
    assert read(LOOK) == truth


def test_run_above_the_limit_of_readers_works_on_exact_values(stage: Scene):
    limit_readers(stage.url, 0)
    stage.do(
        lambda c: new.lead_event(c, person=key("ana"), scout=7),
        lambda c: new.lead_event(c, person=key("beto"), scout=7),
        lambda c: new.lead_event(c, person=key("beto"), scout=8),
        lambda c: new.scouting_row(c, scout=7, license="Q1234567"),
    )
    assert refresh(stage.db).status == "COMPLETED"
    ledger = dict(
        rows(stage.url, "select person_key, attributed_scout_id from observational.lead_ledger")
    )
    assert ledger == {key("eva"): 5, key("ana"): 7}
    assert (
        value(
            stage.url,
            f"select count(*) from canon.identity_links where source_table = '{SCOUTING}'",
        )
        == 2
    )
    # but for the limit, which the test has made small
    assert broken(stage.db) == {}


def test_reading_writes_nothing_however_much_is_pending(stage: Scene):
    views = rows(
        stage.url,
        "select format('%I.%I', n.nspname, c.relname) from pg_class as c"
        " join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind = 'v' and n.nspname = 'scout' and c.relname ~ '^v_' order by 1",
    )
    for limit in (10_000, 0):
        limit_readers(stage.url, limit)
        if limit:
            busy_day(stage)
        before = stage.look("pending")
        with stage.db.transaction(LOOK) as conn:
            assert conn.execute(text("show transaction_read_only")).scalar_one() == "on"
            for (view,) in views:
                conn.execute(text(f"select count(*) from (select v.* from {view} as v) as r"))
            assert conn.execute(
                text("select pg_current_xact_id_if_assigned() is null")
            ).scalar_one()
        assert stage.look("pending") == before
    limit_readers(stage.url, 10_000)


# What a run judges -----------------------------------------------------------------------------


def judged(stage: Scene) -> set[str]:
    return {pk for (pk,) in stage.look("to_judge")}


def left_rows(stage: Scene) -> dict[str, str]:
    """Scouting rows that a run leaves: `alone` and `phone` show the licence and the phone that two
    persons have, `crossed` those of two others, `blank` names nobody."""
    stage.do(
        *(
            lambda c, n=n: new.person(c, key=key(n), license="TWICE111", phone="911111110")
            for n in ("one", "two")
        ),
        lambda c: new.person(c, key=key("owner"), license="OWNER111", phone="922222220"),
        lambda c: new.person(c, key=key("other"), license="OTHER111", phone="933333330"),
        stage.make("alone", new.scouting_row, scout=7, license="TWICE111"),
        stage.make("phone", new.scouting_row, scout=7, phone="911111110"),
        stage.make("crossed", new.scouting_row, scout=7, license="OWNER111", phone="933333330"),
        stage.make("blank", new.scouting_row, scout=7),
    )
    refresh(stage.db)
    names = {name: str(stage.ids[name]) for name in ("alone", "phone", "crossed", "blank")}
    left = "select source_pk from canon.identity_unmatched where status = 'OPEN'"
    assert {pk for (pk,) in rows(stage.url, left)} == set(names.values())
    return names


def test_run_with_nothing_new_judges_nothing(stage: Scene):
    left_rows(stage)
    assert judged(stage) == set()
    done = refresh(stage.db)
    assert done.stats["steps"]["link"]["seen"] == 0
    assert judged(stage) == set()
    stage.do(lambda c: new.lead_event(c, person=key("ana"), scout=7))
    stage.do(lambda c: new.ledger(c, person=key("owner"), scout=7))
    assert judged(stage) == set()


@pytest.mark.parametrize(
    "settles",
    [pytest.param(True, id="settled"), pytest.param(False, id="pending", marks=pytest.mark.long)],
)
def test_change_brings_the_rows_that_hang_together_with_it(stage: Scene, settles: bool):
    names = left_rows(stage)
    both = {names["alone"], names["phone"]}
    crossed = {names["crossed"]}
    registry = "update canon.identity_registry set"
    of_owner = f"where person_key = '{key('owner')}'"
    drivers = "canon.drivers_index"
    unmatched = "canon.identity_unmatched"
    cases: list[tuple[Any, set[str]]] = [
        # of no row that was left
        (lambda c: new.driver(c, key="d0", license="NOBODY11", phone="944444440"), set()),
        (lambda c: new.person(c, key=key("far"), license="NOBODY22"), set()),
        (lambda c: new.driver(c, key="d1", license="OWNER111"), crossed),
        (f"update {drivers} set plate_norm = 'X' where driver_id = 'd1'", set()),
        (f"update {drivers} set license_norm = 'TWICE111' where driver_id = 'd1'", both | crossed),
        (lambda c: new.link(c, person=key("far"), table="drivers", pk="d1"), both),
        (f"delete from {drivers} where driver_id = 'd1'", both),
        (f"{registry} primary_phone = '955555550' {of_owner}", crossed),
        (f"{registry} primary_full_name = 'X', updated_at = now() {of_owner}", set()),
        (lambda c: new.person(c, key=key("three"), phone="911111110"), both),
        (f"delete from canon.identity_registry where person_key = '{key('three')}'", both),
        (
            f"update {unmatched} set status = 'IGNORED' where source_pk = '{names['blank']}'",
            {names["blank"]},
        ),
        (
            f"update {unmatched} set status = 'OPEN' where source_pk = '{names['blank']}'",
            {names["blank"]},
        ),
        (
            "insert into scout.holds (subject, source_table, source_pk, reason, actor)"
            f" values ('source_row', '{SCOUTING}', '{names['crossed']}', 'undone', 'olga')",
            crossed,
        ),
        ("update scout.holds set released_at = now(), released_by = 'olga'", crossed),
        (f"truncate {drivers}", both | crossed | {names["blank"]}),
    ]
    for change, expected in cases:
        stage.do(change)
        if settles:
            stage.settle()
        assert judged(stage) == expected, change
        seen = refresh(stage.db).stats["steps"]["link"]["seen"]
        assert seen <= len(expected), change
        assert judged(stage) == set(), change
        assert stage.stale() == {}


def test_new_link_or_row_brings_its_cluster_alone(stage: Scene):
    names = left_rows(stage)
    stage.do(stage.make("new", new.scouting_row, scout=8, license="TWICE111"))
    assert judged(stage) == {names["alone"], names["phone"], str(stage.ids["new"])}
    refresh(stage.db)
    assert judged(stage) == set()
    stage.do(lambda c: new.link(c, person=key("one"), table=SCOUTING, pk=stage.ids["new"]))
    assert judged(stage) == {names["alone"], names["phone"]}
    refresh(stage.db)
    stage.do(f"delete from canon.identity_links where source_pk = '{stage.ids['new']}'")
    assert judged(stage) == {names["alone"], names["phone"], str(stage.ids["new"])}
    refresh(stage.db)
    stage.do(f"delete from public.module_ct_scouting_daily where id = {stage.ids['new']}")
    assert judged(stage) == {names["alone"], names["phone"]}


def missed(stage: Scene) -> list[tuple[Any, ...]]:
    """What a run that judges every row would still do: nothing, right after a run."""
    with writing(stage.url) as conn:
        conn.execute(text("insert into scout.touched_keys default values"))
        query = (
            "select row_id, outcome, reason_code from scout.v_identity_candidates"
            " where outcome = 'LINK' or is_new_reason"
        )
        found = [tuple(row) for row in conn.execute(text(query))]
        conn.rollback()
        return found


def test_change_of_what_has_no_key_is_no_reason_to_judge_other_rows(stage: Scene):
    names = left_rows(stage)
    ana, beto = key("ana"), key("beto")
    registry = "canon.identity_registry"
    judged_for_nothing = {}
    for change in (
        lambda c: new.scouting_row(c, driver_name="no keys"),
        "update public.module_ct_scouting_daily set driver_name = 'X' where scout_id is null",
        "delete from public.module_ct_scouting_daily where scout_id is null",
        lambda c: new.driver(c, key="no keys"),
        "update canon.drivers_index set phone_norm = '977777770' where driver_id = 'no keys'",
        "update canon.drivers_index set phone_norm = null where driver_id = 'no keys'",
        "delete from canon.drivers_index where driver_id = 'no keys'",
        f"update {registry} set primary_phone = '966666660' where person_key = '{ana}'",
        f"delete from {registry} where person_key = '{beto}'",
    ):
        stage.do(change)
        judged_for_nothing[str(change)] = judged(stage) & set(names.values())
        refresh(stage.db)
    assert {what: pks for what, pks in judged_for_nothing.items() if pks} == {}


LOSSES = {
    # how a person is known under a licence, and how that ends
    "driver, unlinked": ("driver", "delete from canon.identity_links where source_pk = '{known}'"),
    "driver, license erased": (
        "driver",
        "update canon.drivers_index set license_norm = null where driver_id = '{known}'",
    ),
    "driver, deleted": ("driver", "delete from canon.drivers_index where driver_id = '{known}'"),
    "registry": (
        "registry",
        "update canon.identity_registry set primary_license = null where person_key = '{person}'",
    ),
    "row, unlinked": ("row", "delete from canon.identity_links where source_pk = '{known}'"),
    "row, license erased": (
        "row",
        "update public.module_ct_scouting_daily set driver_license = null where id = {known}",
    ),
    "row, deleted": ("row", "delete from public.module_ct_scouting_daily where id = {known}"),
    "row, taken by its own link": (
        "older",
        "insert into canon.identity_links (person_key, source_table, source_pk, snapshot_date,"
        f" match_rule, match_score, confidence_level) values ('{key('eva')}', '{SCOUTING}',"
        " '{known}', now(), 'X', 1, 'HIGH')",
    ),
}
UNSEEN = ("driver, deleted", "row, license erased", "row, deleted", "row, taken by its own link")


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([loss for loss in LOSSES if loss not in UNSEEN], id="person noted"),
        pytest.param(list(UNSEEN), id="person to be looked up"),
    ],
)
def test_person_who_loses_a_license_gets_the_row_that_it_kept_away(stage: Scene, losses: list[str]):
    """A row with her phone and another licence is left while she is known under a licence."""
    known: dict[str, object] = {}
    kept: dict[str, str] = {}
    with writing(stage.url) as conn:
        for number, loss in enumerate(losses, 1):
            license, how = f"KNOWN{number:03}", LOSSES[loss][0]
            phone, person = f"91111{number:04}", key(loss)
            new.person(
                conn, key=person, phone=phone, license=license if how == "registry" else None
            )
            if how == "driver":
                known[loss] = new.driver(conn, license=license, person=person)
            elif how in ("row", "older"):
                known[loss] = new.scouting_row(conn, scout=7, license=license)
                pk = known[loss] if how == "row" else md5_key(conn, int(str(known[loss])))
                new.link(conn, person=person, table=SCOUTING, pk=pk)
            row = new.scouting_row(conn, scout=7, license=f"OTHER{number:03}", phone=phone)
            kept[str(row)] = loss
    refresh(stage.db)
    disagrees = (
        "select source_pk from canon.identity_unmatched"
        " where reason_code = 'IDENTIFIERS_DISAGREE' and status = 'OPEN'"
    )
    assert {kept[pk] for (pk,) in rows(stage.url, disagrees)} == set(losses)
    stage.do(*(LOSSES[x][1].format(known=known.get(x), person=key(x)) for x in losses))
    refresh(stage.db)
    assert {kept[pk] for (pk,) in rows(stage.url, disagrees)} == set()
    assert missed(stage) == []


def test_deleted_hold_of_a_row_brings_it_to_be_judged(stage: Scene):
    names = left_rows(stage)
    stage.do(
        "insert into scout.holds (subject, source_table, source_pk, reason, actor)"
        f" values ('source_row', '{SCOUTING}', '{names['blank']}', 'undone', 'olga')"
    )
    refresh(stage.db)
    stage.do("delete from scout.holds")
    assert judged(stage) == {names["blank"]}


def test_emptied_holds_hold_nobody(db: Database, db_url: str):
    with scene(db, db_url) as stage:
        stage.step(lambda c: new.lead_event(c, person=key("ana"), scout=7), moves="ana")
        stage.step(
            "insert into scout.holds (subject, person_key, reason, actor)"
            f" values ('person', '{key('ana')}', 'undone', 'olga')",
            moves="ana",
        )
        stage.step("truncate scout.holds", moves="ana")


def test_run_that_died_between_batches_leaves_what_it_was_judging(stage: Scene):
    names = left_rows(stage)
    stage.do(
        *(lambda c, n=n: new.scouting_row(c, scout=n, license=f"FRESH{n:03}") for n in range(1, 5)),
        lambda c: new.driver(c, key="d1", license="OWNER111"),
    )
    stage.settle()
    before = judged(stage)
    assert len(before) == 5
    worker = refreshing(
        stage.url, kill_at="before batch commit", passes=2, environ={"SCOUT_RUN_MAX_ROWS": "2"}
    )
    worker.pipe.send("go")
    assert worker.ends() == KILLED
    linked = {pk for (pk,) in rows(stage.url, "select source_pk from canon.identity_links")}
    assert len(before & linked) == 1
    assert judged(stage) == before - linked
    assert stage.stale() == {}
    refresh(stage.db)
    assert judged(stage) == set()
    left = "select source_pk from canon.identity_unmatched where status = 'OPEN'"
    assert {pk for (pk,) in rows(stage.url, left)} == set(names.values())
    assert (
        value(
            stage.url,
            "select count(*) from canon.identity_links where source_table = :table",
            table=SCOUTING,
        )
        == 5
    )
    assert broken(stage.db) == {}


def test_note_of_a_table_that_is_none_of_ours_does_not_stop_a_run(stage: Scene):
    """Who links or leaves rows of other sources names them as it likes."""
    refresh(stage.db)
    for table, pk in (("lead_events", "seven"), ("lead_ledger", "x"), ("identity_registry", "9")):
        stage.do(
            lambda c, t=table, k=pk: new.link(c, person=key("ana"), table=t, pk=k),
            "insert into canon.identity_unmatched (source_table, source_pk, snapshot_date,"
            f" reason_code) values ('{table}', '{pk}', now(), 'X')",
        )
    assert refresh(stage.db).status == "COMPLETED"
    stage.settle()
    assert refresh(stage.db).status == "COMPLETED"


# One definition --------------------------------------------------------------------------------


def test_live_view_has_the_columns_of_the_settled_table(db_url: str):
    columns = (
        "select attname::text, format_type(atttypid, atttypmod), attcollation::regcollation::text"
        " from pg_attribute where attrelid = cast('{}' as regclass) and attnum > 0"
        " and not attisdropped order by attnum"
    )
    settled = rows(db_url, columns.format("scout.person_attribution"))
    assert len(settled) > 30
    for view in ("v_person_attribution_live", "v_persons_now", "v_settled_now", "v_touched_now"):
        assert rows(db_url, columns.format(f"scout.{view}")) == settled


def test_settling_rewrites_every_column_of_a_person(stage: Scene):
    """However wrong a settled row is, settling it makes it right."""
    stage.do(
        "update scout.person_attribution as s set ("
        + ", ".join(names := settled_columns(stage.url))
        + ") = (select "
        + ", ".join(f"o.{name}" for name in names)
        + f" from scout.person_attribution as o where o.person_key = '{key('ana')}')"
        f" where s.person_key = '{key('eva')}'"
    )
    assert "persons_are_as_recomputed" in stage.stale()
    do(stage.url, f"insert into scout.pending_persons (person_key) values ('{key('eva')}')")
    settle.settle(stage.db)
    assert set(stage.stale()) == {"totals_are_counts"}
    settle.build(stage.db)


def settled_columns(url: str) -> list[str]:
    found = rows(
        url,
        "select attname::text from pg_attribute where attrelid = "
        "'scout.person_attribution'::regclass and attnum > 0 and not attisdropped"
        " and attname <> 'person_key'",
    )
    return [name for (name,) in found]


def test_function_that_notes_runs_as_its_owner_with_a_fixed_path(db_url: str):
    found = rows(
        db_url,
        "select p.proname::text, p.prosecdef, p.proconfig, pg_get_userbyid(p.proowner)::text"
        " from pg_proc as p where p.pronamespace = 'scout'::regnamespace"
        " and p.proname like 'note\\_%' order by 1",
    )
    assert len(found) >= 11
    for name, is_definer, config, owner in found:
        assert (is_definer, config, owner) == (
            True,
            ["search_path=pg_catalog, pg_temp"],
            "scout_owner",
        ), name
    fired = "select count(*) from pg_trigger where tgname ~ '^scout_note' and tgenabled <> 'O'"
    assert value(db_url, fired) == 0
