"""A link belongs to what the row says, not to its number: rows loaded anew, and mended in place."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from scout_core.alerts import acts
from scout_core.db.database import CHECK, Database
from scout_core.decide import holds, review, undo
from scout_core.health import invariants
from scout_core.job.refresh import plan
from tests.support import factories as new
from tests.support.installing import init
from tests.support.job import OPERATOR, do, key, refresh, rows, settings, value, writing
from tests.support.looking import look

SCOUTING = "module_ct_scouting_daily"
TABLE = f"public.{SCOUTING}"
COLUMNS = "scout_id, driver_name, driver_phone, driver_license, registration_date, created_at"
ANA, BETO, CARLA, DORA, EVA = PERSONS = [key(n) for n in ("ana", "beto", "carla", "dora", "eva")]
WHY = "loaded by mistake"
NOW = datetime.now(UTC)


@pytest.fixture
def linked(db: Database, db_url: str) -> Database:
    """Five persons; rows 1 to 4, of the first four, were linked by a run. Eva has none."""
    with writing(db_url) as conn:
        for n, person in enumerate(PERSONS, 1):
            new.person(conn, key=person, license=f"Q7000000{n}", phone=f"90011100{n}")
        for n in range(1, 5):
            new.scouting_row(conn, id=n, scout=10 + n, license=f"Q7000000{n}", phone=f"90011100{n}")
    refresh(db)
    assert people(db_url) == {1: ANA, 2: BETO, 3: CARLA, 4: DORA}
    return db


def people(url: str) -> dict[int, UUID]:
    """Whom each row is linked to, whether the link is evidence or not."""
    found = rows(
        url,
        f"select source_pk, person_key from canon.identity_links where source_table = '{SCOUTING}'",
    )
    return {int(pk): person for pk, person in found}


def evidence(url: str) -> dict[UUID, list[int]]:
    """The scouts that scouting rows name for each person."""
    found = rows(
        url,
        "select person_key, array_agg(scout_id order by scout_id) from ops.v_scout_attribution_raw"
        f" where source_table = '{TABLE}' and person_key is not null group by person_key",
    )
    return dict(found)


def waiting(url: str) -> dict[str, tuple[str, str | None]]:
    """The rows that wait for a person: reason, and what the rules said."""
    found = rows(
        url,
        "select source_pk, reason_code, details ->> 'rule_reason' from canon.identity_unmatched"
        " where status = 'OPEN'",
    )
    return {pk: (reason, rule) for pk, reason, rule in found}


def broken(db: Database) -> list[tuple[str, Any]]:
    return [(r.name, r.sample) for r in invariants.verify(db) if not r.holds]


def written_by_another_run(db: Database) -> int:
    """How many links, reasons and scouts one more run writes."""
    steps = refresh(db).stats["steps"]
    return sum(steps["link"][n] for n in ("changed", "moved_back", "reasons_written")) + int(
        steps["propagate"]["changed"]
    )


def links_planned(db: Database) -> dict[str, tuple[str | None, str | None]]:
    with db.transaction(CHECK) as conn:
        planned = plan(conn, settings())
    return {link.source_pk: (link.person_key, link.moved_from) for link in planned.links}


# the sheet lists the newest rows first now, and a row of Eva's came
NEWEST_FIRST = (
    f"insert into {TABLE} ({COLUMNS}) select {COLUMNS} from keep order by id desc",
    f"insert into {TABLE} (scout_id, driver_license, driver_phone, registration_date)"
    " values (15, 'Q70000005', '900111005', '2026-03-05')",
)
KEEP = f"create table keep as select * from {TABLE}"
EMPTIED = {
    "truncated": f"truncate {TABLE} restart identity",
    "deleted": f"with gone as (delete from {TABLE} returning 1)"
    f" select setval(pg_get_serial_sequence('{TABLE}', 'id'), 1, false) from gone",
}


@pytest.mark.parametrize("how", EMPTIED)
@pytest.mark.parametrize("is_one_transaction", [True, False])
def test_rows_loaded_anew_under_other_numbers_are_of_whom_they_name(
    linked: Database, db_url: str, how: str, is_one_transaction: bool
) -> None:
    if is_one_transaction:
        do(db_url, KEEP, EMPTIED[how], *NEWEST_FIRST)
    else:
        do(db_url, KEEP, EMPTIED[how])
        assert evidence(db_url) == {}
        do(db_url, *NEWEST_FIRST)
    # until the run, a number leads nobody to what another row said; rows 1 and 4 changed places
    assert evidence(db_url) == {}
    planned = links_planned(linked)
    assert planned["1"] == (str(DORA), str(ANA))
    assert planned["5"] == (str(EVA), None)
    refresh(linked)
    assert people(db_url) == {1: DORA, 2: CARLA, 3: BETO, 4: ANA, 5: EVA}
    assert evidence(db_url) == {ANA: [11], BETO: [12], CARLA: [13], DORA: [14], EVA: [15]}
    assert waiting(db_url) == {}
    assert broken(linked) == []
    assert written_by_another_run(linked) == 0
    assert evidence(db_url)[DORA] == [14]


def test_moved_link_has_the_audit_of_both_ways(linked: Database, db_url: str) -> None:
    do(db_url, f"update {TABLE} set driver_license = 'Q70000005', driver_phone = null where id = 4")
    assert evidence(db_url) == {ANA: [11], BETO: [12], CARLA: [13]}
    run = refresh(linked)
    assert evidence(db_url) == {ANA: [11], BETO: [12], CARLA: [13], EVA: [14]}
    assert people(db_url) == {1: ANA, 2: BETO, 3: CARLA, 4: EVA}
    assert rows(
        db_url,
        "select action_type, person_key, notes like 'reverts audit row %' or notes = :moved"
        " from ops.identity_links_backfill_audit where ingestion_run_id = :run order by id",
        run=run.run_id,
        moved=f"moved from {DORA}",
    ) == [("REVERTED", DORA, True), ("CREATED", EVA, True)]
    assert broken(linked) == []


def test_swapped_rows_change_their_persons(linked: Database, db_url: str) -> None:
    do(
        db_url,
        f"update {TABLE} as a set driver_license = b.driver_license, driver_phone = b.driver_phone"
        f" from {TABLE} as b where (a.id, b.id) in ((1, 2), (2, 1))",
    )
    assert evidence(db_url) == {CARLA: [13], DORA: [14]}
    refresh(linked)
    assert people(db_url) == {1: BETO, 2: ANA, 3: CARLA, 4: DORA}
    assert evidence(db_url) == {ANA: [12], BETO: [11], CARLA: [13], DORA: [14]}
    assert broken(linked) == []


@pytest.mark.parametrize(
    "mended",
    [
        "scout_id = 19",
        "driver_name = 'somebody'",
        "driver_license = ' q-7000.0004', driver_phone = '+51 900 111 004'",
        "registration_date = '2020-01-01', created_at = now()",
    ],
)
def test_row_that_names_the_same_driver_keeps_its_link(
    linked: Database, db_url: str, mended: str
) -> None:
    before = rows(db_url, "select * from canon.identity_links order by id")
    do(db_url, f"update {TABLE} set {mended} where id = 4")
    assert set(evidence(db_url)) == {ANA, BETO, CARLA, DORA}
    refresh(linked)
    assert rows(db_url, "select * from canon.identity_links order by id") == before


@pytest.mark.parametrize(
    ("mended", "rule"),
    [
        ("driver_license = null, driver_phone = null", "NO_IDENTIFIERS"),
        ("driver_license = 'Q79999999', driver_phone = null", "NOBODY_KNOWN"),
        ("driver_license = null, driver_phone = '900199999'", "NOBODY_KNOWN"),
        ("driver_license = 'Q70000001'", "IDENTIFIERS_DISAGREE"),
    ],
)
def test_row_whose_keys_lead_to_nobody_or_several_waits_for_a_person(
    linked: Database, db_url: str, mended: str, rule: str
) -> None:
    do(db_url, f"update {TABLE} set {mended} where id = 4")
    assert links_planned(linked) == {"4": (None, str(DORA))}
    refresh(linked)
    assert waiting(db_url) == {"4": ("KEYS_MOVED", rule)}
    assert people(db_url)[4] == DORA
    assert evidence(db_url) == {ANA: [11], BETO: [12], CARLA: [13]}
    assert value(db_url, "select count(*) from canon.identity_registry") == 5
    assert broken(linked) == []
    assert written_by_another_run(linked) == 0
    # what it said is there again: so is its link
    do(
        db_url,
        f"update {TABLE} set driver_license = 'Q70000004', driver_phone = '900111004' where id = 4",
    )
    assert evidence(db_url)[DORA] == [14]
    refresh(linked)
    assert waiting(db_url) == {}
    assert people(db_url)[4] == DORA


def test_driver_nobody_knows_is_registered_under_a_number_that_another_row_had(
    linked: Database, db_url: str
) -> None:
    new_driver = NEWEST_FIRST[1].replace("Q70000005", "Q79999999").replace("900111005", "900199999")
    # the newest first: the new one gets number 1
    do(
        db_url,
        KEEP,
        EMPTIED["truncated"],
        new_driver,
        f"insert into {TABLE} ({COLUMNS}) select {COLUMNS} from keep order by id",
    )
    refresh(linked)
    moved = people(db_url)
    assert moved.pop(1) not in PERSONS
    assert moved == {2: ANA, 3: BETO, 4: CARLA, 5: DORA}
    assert waiting(db_url) == {}
    assert broken(linked) == []
    assert written_by_another_run(linked) == 0


def test_row_that_is_gone_and_back_is_as_before(linked: Database, db_url: str) -> None:
    do(db_url, KEEP, f"delete from {TABLE} where id = 4")
    refresh(linked)
    assert evidence(db_url) == {ANA: [11], BETO: [12], CARLA: [13]}
    do(db_url, f"insert into {TABLE} select * from keep where id = 4")
    assert evidence(db_url)[DORA] == [14]
    assert written_by_another_run(linked) == 0
    assert people(db_url)[4] == DORA


def test_undo_gives_back_the_links_that_the_run_moved(linked: Database, db_url: str) -> None:
    do(db_url, KEEP, EMPTIED["truncated"], *NEWEST_FIRST)
    run = refresh(linked)
    done = undo.run_undo(linked, actor=OPERATOR, run_id=run.run_id, reason=WHY)
    assert (done.links, done.changed_later, done.held_rows) == (5, 0, 5)
    assert people(db_url) == {1: ANA, 2: BETO, 3: CARLA, 4: DORA}
    # they are the old links of rows that say something else: nobody's evidence
    assert evidence(db_url) == {}
    assert broken(linked) == []
    assert written_by_another_run(linked) == 0
    # what the first run did was changed by others since
    told = undo.run_undo(linked, actor=OPERATOR, run_id=1, reason=WHY)
    assert (told.links, told.changed_later) == (0, 4)
    assert {(i.later_run_id, i.later_method) for i in told.items} == {(done.run_id, "CREATED")}
    assert broken(linked) == []


def test_links_of_the_owner_hold_whatever_the_row_says(linked: Database, db_url: str) -> None:
    do(
        db_url,
        "update canon.identity_links set match_rule = 'R1_LICENSE', run_id = null"
        " where source_pk = '4'",
        f"update {TABLE} set driver_license = 'Q70000005', driver_phone = null where id in (3, 4)",
    )
    assert evidence(db_url) == {ANA: [11], BETO: [12], DORA: [14]}
    refresh(linked)
    assert people(db_url)[4] == DORA
    assert evidence(db_url)[DORA] == [14]
    # the licence has Eva and, by the owner's link, Dora: the neighbour is for a person to tell
    assert waiting(db_url) == {"3": ("KEYS_MOVED", "AMBIGUOUS_LICENSE")}


def test_pages_and_numbers_agree_between_two_runs(linked: Database, db_url: str) -> None:
    do(db_url, KEEP, EMPTIED["truncated"], *NEWEST_FIRST)
    seen = look(linked)
    assert len(seen.rows_of("v_scout_attribution")) == 0
    assert broken(linked) == []


def test_links_of_a_version_that_kept_no_content_are_of_what_their_rows_say_at_the_upgrade(
    linked: Database, db_url: str
) -> None:
    # as the versions before left it
    do(db_url, "truncate scout.linked_rows")
    init(db_url)
    assert set(evidence(db_url)) == {ANA, BETO, CARLA, DORA}
    do(db_url, f"update {TABLE} set driver_license = 'Q70000005', driver_phone = null where id = 4")
    assert set(evidence(db_url)) == {ANA, BETO, CARLA}
    refresh(linked)
    assert people(db_url)[4] == EVA
    assert broken(linked) == []


def test_hold_is_on_what_the_row_said(linked: Database, db_url: str) -> None:
    undo.run_undo(linked, actor=OPERATOR, run_id=1, reason=WHY)
    # number 4 is Eva's row now; what Dora's said has number 14, and is held as before
    do(
        db_url,
        f"update {TABLE} set id = 14 where id = 4",
        f"insert into {TABLE} (id, scout_id, driver_license) values (4, 15, 'Q70000005')",
    )
    refresh(linked)
    assert people(db_url) == {4: EVA}
    assert broken(linked) == []
    assert written_by_another_run(linked) == 0
    hold = value(db_url, "select hold_id from scout.holds where source_pk = '4'")
    holds.release(linked, actor=OPERATOR, hold_id=hold, reason=WHY)
    refresh(linked)
    assert people(db_url) == {4: EVA, 14: DORA}
    assert broken(linked) == []


@pytest.mark.parametrize("by_sql", [True, False])
def test_row_set_aside_says_nothing_of_another_row_with_its_number(
    db: Database, db_url: str, by_sql: bool
) -> None:
    with writing(db_url) as conn:
        new.person(conn, key=EVA, license="Q70000005")
        for n in (5, 6):
            new.scouting_row(conn, id=n, scout=11, license=None, phone=None, driver_name="prueba")
    refresh(db)
    if by_sql:
        do(db_url, "update canon.identity_unmatched set status = 'IGNORED' where source_pk = '5'")
        refresh(db)
    else:
        review.dismiss(db, actor=OPERATOR, source_pk="5", reason="a test row of the form")
    assert set(waiting(db_url)) == {"6"}
    assert written_by_another_run(db) == 0
    # the test row is gone upstream, a real driver gets its number; the other has no keys still
    do(
        db_url,
        f"delete from {TABLE} where id = 5",
        f"insert into {TABLE} (id, scout_id, driver_license) values (5, 11, 'Q70000005')",
    )
    refresh(db)
    assert people(db_url) == {5: EVA}
    assert set(waiting(db_url)) == {"6"}
    assert broken(db) == []
    # another one whom nobody can tell is open, not set aside
    do(db_url, f"update {TABLE} set driver_license = null, scout_id = 12 where id = 5")
    refresh(db)
    assert waiting(db_url)["5"] == ("KEYS_MOVED", "NO_IDENTIFIERS")
    assert broken(db) == []


def test_row_without_keys_that_was_set_aside_is_open_again_when_it_is_another(
    db: Database, db_url: str
) -> None:
    with writing(db_url) as conn:
        new.scouting_row(conn, id=5, scout=11, license=None, phone="123")
    refresh(db)
    done = review.dismiss(db, actor=OPERATOR, source_pk="5", reason="a test row of the form")
    do(db_url, f"update {TABLE} set driver_phone = '456' where id = 5")
    refresh(db)
    assert waiting(db_url) == {"5": ("NO_IDENTIFIERS", None)}
    told = undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    assert (told.dismissals, told.changed_later) == (0, 1)
    assert broken(db) == []
    review.dismiss(db, actor=OPERATOR, source_pk="5", reason="a test row of the form")
    # the same row under another number stays set aside
    do(db_url, f"update {TABLE} set id = 7 where id = 5")
    refresh(db)
    assert waiting(db_url) == {}
    assert broken(db) == []


@pytest.mark.parametrize("how", ["ack", "mute"])
def test_answer_to_an_alert_is_about_what_the_row_said(db: Database, db_url: str, how: str) -> None:
    with writing(db_url) as conn:
        for n in (5, 6):
            new.scouting_row(conn, id=n, scout=11, license=None, phone=f"12{n}")
    refresh(db)
    alerts = rows(
        db_url, "select alert_id, subject from scout.alerts where rule = 'IDENTITY_TO_REVIEW'"
    )
    assert len(alerts) == 2
    for alert_id, _ in alerts:
        given = {"actor": OPERATOR, "alert_id": alert_id, "reason": WHY, "now": NOW}
        if how == "ack":
            acts.ack(db, **given)
        else:
            acts.mute(db, until=NOW + timedelta(days=7), **given)
    refresh(db)
    statuses = "select status from scout.alerts where rule = 'IDENTITY_TO_REVIEW' order by subject"
    answered = "ACKNOWLEDGED" if how == "ack" else "MUTED"
    assert rows(db_url, statuses) == [(answered,), (answered,)]
    do(db_url, f"update {TABLE} set driver_phone = '999' where id = 5")
    refresh(db)
    assert rows(db_url, statuses) == [("OPEN",), (answered,)]
    assert broken(db) == []
