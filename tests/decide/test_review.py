"""Identity review: who a row may be, what a person does about it, and that it can be taken back."""

import pytest

from scout_core.access.permissions import Actor
from scout_core.db.database import LOOK
from scout_core.decide import review, undo
from scout_core.errors import BadInput, ChangedMeanwhile, NotFound, PermissionDenied, Refused
from tests.support import factories as new
from tests.support.job import OPERATOR, broken, do, key, refresh, rows, value, writing
from tests.support.state import fingerprint

LUZ = Actor("luz", "analyst")
WHY = "the scout confirmed it by phone"
ANA, BETO = key("ana"), key("beto")


@pytest.fixture
def left(db, db_url) -> str:
    """A scouting row whose licence two persons have, left by a run; its neighbour was linked."""
    with writing(db_url) as conn:
        new.person(conn, key=ANA, license="Q1234567", phone="999111222")
        new.person(conn, key=BETO, license="Q1234567")
        new.person(conn, key=key("carla"), license="Q7654321")
        row = new.scouting_row(conn, scout=7, license="q-1234567", phone="999111222")
        new.scouting_row(conn, scout=8, license="Q7654321")
    refresh(db)
    return str(row)


def links(url: str) -> list[tuple]:
    return rows(
        url, "select source_pk, person_key, match_rule from canon.identity_links order by source_pk"
    )


def row_of(db, pk):
    with db.transaction(LOOK) as conn:
        return review.by_row(conn, pk)


def test_row_that_waits_is_listed_and_told_side_by_side_without_identifiers(db, left):
    with db.transaction(LOOK) as conn:
        page = review.list_open(conn)
        assert review.count_reasons(conn) == {"AMBIGUOUS_LICENSE": 1}
    assert [(r.source_pk, r.reason_code, r.scout_id, r.is_held) for r in page.rows] == [
        (left, "AMBIGUOUS_LICENSE", 7, False)
    ]
    assert sorted(page.rows[0].candidate_person_keys) == sorted([str(ANA), str(BETO)])
    told = row_of(db, left)
    assert [(c.person_key, c.shares_license, c.shares_phone) for c in told.candidates] == [
        (str(ANA), True, True),
        (str(BETO), True, False),
    ]
    shown = repr(told)
    assert "1234567" not in shown
    assert "999111222" not in shown


def test_row_is_linked_by_hand_with_its_audit_and_taken_back(db, db_url, left):
    before = links(db_url)
    done = review.link(db, actor=LUZ, source_pk=left, person_key=str(ANA), reason=WHY)
    assert links(db_url) == [(left, ANA, "REVIEW_LINK"), *before]
    assert rows(
        db_url,
        "select action_type, person_key, actor from ops.identity_links_backfill_audit"
        " where ingestion_run_id = :run",
        run=done.run_id,
    ) == [("CREATED", ANA, "luz")]
    assert row_of(db, left).person_key == str(ANA)
    with db.transaction(LOOK) as conn:
        assert review.list_open(conn).rows == ()
    with pytest.raises(ChangedMeanwhile):
        review.link(db, actor=LUZ, source_pk=left, person_key=str(BETO), reason=WHY)
    assert broken(db) == {}
    result = undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    assert (result.links, result.held_rows) == (1, 1)
    assert links(db_url) == before
    refresh(db)
    assert links(db_url) == before
    with db.transaction(LOOK) as conn:
        assert [(r.source_pk, r.is_held) for r in review.list_open(conn).rows] == [(left, True)]
    assert broken(db) == {}


def test_person_registered_by_hand_goes_again_with_the_undo(db, db_url, left):
    done = review.create(db, actor=LUZ, source_pk=left, reason=WHY)
    assert (
        value(
            db_url,
            "select primary_license || ' ' || primary_phone from canon.identity_registry"
            " where person_key = :k",
            k=done.person_key,
        )
        == "Q1234567 999111222"
    )
    assert value(db_url, "select count(*) from canon.identity_registry") == 4
    assert broken(db) == {}
    undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    assert value(db_url, "select count(*) from canon.identity_registry") == 3
    assert broken(db) == {}


def test_row_set_aside_is_linked_by_no_run_until_that_is_taken_back(db, db_url, left):
    before = links(db_url)
    done = review.dismiss(db, actor=LUZ, source_pk=left, reason=WHY)
    do(db_url, f"delete from canon.identity_registry where person_key = '{BETO}'")
    refresh(db)
    assert links(db_url) == before
    with pytest.raises(ChangedMeanwhile):
        review.dismiss(db, actor=LUZ, source_pk=left, reason=WHY)
    assert undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY).dismissals == 1
    refresh(db)
    assert links(db_url) == [(left, ANA, "BACKFILL_LICENSE_MATCH"), *before]
    assert broken(db) == {}


def test_what_cannot_be_reviewed_is_refused_and_leaves_nothing(db, db_url, left):
    before = fingerprint(db_url)
    with pytest.raises(NotFound):
        review.dismiss(db, actor=LUZ, source_pk="987654", reason=WHY)
    with pytest.raises(BadInput):
        review.create(db, actor=LUZ, source_pk=left, reason="short")
    for act in (review.create, review.dismiss):
        with pytest.raises(PermissionDenied):
            act(db, actor=Actor("vera", "viewer"), source_pk=left, reason=WHY)
    assert fingerprint(db_url) == before
    with pytest.raises(NotFound):
        review.link(db, actor=LUZ, source_pk=left, person_key=str(key("nobody")), reason=WHY)
    assert row_of(db, left).person_key is None


def test_link_is_moved_by_hand_and_given_back(db, db_url, left):
    linked = next(pk for pk, _, _ in links(db_url))
    (before,) = links(db_url)
    done = review.move(db, actor=LUZ, source_pk=linked, person_key=str(BETO), reason=WHY)
    assert (done.act, done.person_key) == ("MOVED", str(BETO))
    assert links(db_url) == [(linked, BETO, "REVIEW_MOVE")]
    assert rows(
        db_url,
        "select action_type, person_key, actor, notes from ops.identity_links_backfill_audit"
        " where ingestion_run_id = :run order by id",
        run=done.run_id,
    ) == [
        (
            "REVERTED",
            key("carla"),
            "luz",
            f"reverts audit row {audit_of(db_url, linked)} of run 1: somebody moved the link",
        ),
        ("CREATED", BETO, "luz", f"moved from {key('carla')}"),
    ]
    assert broken(db) == {}
    # the rules would choose another; what a person said stands
    refresh(db)
    assert (linked, BETO, "REVIEW_MOVE") in links(db_url)
    result = undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    assert (result.links, result.changed_later) == (1, 0)
    assert links(db_url)[-1] == before
    assert broken(db) == {}


def audit_of(url: str, pk: str) -> int:
    return value(
        url,
        "select min(id) from ops.identity_links_backfill_audit"
        " where source_pk = :pk and action_type = 'CREATED'",
        pk=pk,
    )


def test_link_of_the_owner_is_moved_and_is_theirs_again_after_the_undo(db, db_url, left):
    with writing(db_url) as conn:
        new.link(conn, person=ANA, table=review.TABLE, pk=left, evidence='{"phone": "x"}')
    theirs = (
        "select person_key, match_rule, linked_at, run_id, evidence from canon.identity_links"
        " where source_pk = :pk"
    )
    before = rows(db_url, theirs, pk=left)
    done = review.move(db, actor=LUZ, source_pk=left, person_key=str(BETO), reason=WHY)
    assert (left, BETO, "REVIEW_MOVE") in links(db_url)
    assert broken(db) == {}
    undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    assert rows(db_url, theirs, pk=left) == before
    assert broken(db) == {}


def test_row_whose_link_is_out_of_date_is_linked_moved_or_set_aside(db, db_url, left):
    linked = next(pk for pk, _, _ in links(db_url))
    do(
        db_url,
        "update public.module_ct_scouting_daily set driver_license = 'Q9999999'"
        f" where id = {linked}",
    )
    refresh(db)
    told = row_of(db, linked)
    assert (told.person_key, told.outdated_person_key, told.reason_code) == (
        None,
        str(key("carla")),
        "KEYS_MOVED",
    )
    with db.transaction(LOOK) as conn:
        assert review.count_reasons(conn) == {"AMBIGUOUS_LICENSE": 1, "KEYS_MOVED": 1}
    done = review.dismiss(db, actor=LUZ, source_pk=linked, reason=WHY)
    assert row_of(db, linked).status == "IGNORED"
    undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    # it is Carla all the same: her licence was mended
    done = review.move(db, actor=LUZ, source_pk=linked, person_key=str(key("carla")), reason=WHY)
    assert row_of(db, linked).person_key == str(key("carla"))
    assert broken(db) == {}
    undo.run_undo(db, actor=OPERATOR, run_id=done.run_id, reason=WHY)
    assert row_of(db, linked).outdated_person_key == str(key("carla"))
    done = review.link(db, actor=LUZ, source_pk=linked, person_key=str(BETO), reason=WHY)
    assert row_of(db, linked).person_key == str(BETO)
    assert broken(db) == {}


def test_link_that_cannot_be_moved_is_refused(db, db_url, left):
    linked = next(pk for pk, _, _ in links(db_url))
    before = fingerprint(db_url)
    with pytest.raises(Refused):
        review.move(db, actor=LUZ, source_pk=left, person_key=str(ANA), reason=WHY)
    with pytest.raises(Refused):
        review.move(db, actor=LUZ, source_pk=linked, person_key=str(key("carla")), reason=WHY)
    with pytest.raises(PermissionDenied):
        review.move(
            db, actor=Actor("vera", "viewer"), source_pk=linked, person_key=str(ANA), reason=WHY
        )
    assert fingerprint(db_url) == before
