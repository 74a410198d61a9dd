"""Scouting rows with doubtful identifiers: linked to the right person, or left with the reason."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from scout_core.db.database import ADMIN, Database
from tests.support import factories
from tests.support.looking import look, refresh, rows, value, write

SCOUTING = "module_ct_scouting_daily"
UNMATCHED = """
select reason_code, status::text, candidates_preview, details::text
from canon.identity_unmatched where source_table = 'module_ct_scouting_daily' and source_pk = :pk
"""
LINK = """
select k.person_key, k.match_rule from canon.identity_links as k
where k.source_table = 'module_ct_scouting_daily' and k.source_pk = :pk
"""


def link_of(db: Database, row: int) -> tuple[UUID, str] | None:
    """Person and rule that a scouting row was linked by."""
    found = rows(db, LINK, pk=str(row))
    return tuple(found[0]) if found else None


def left_for(db: Database, row: int) -> tuple[str, set[str]]:
    """Why a scouting row was left, and the candidates; it must have no link."""
    assert link_of(db, row) is None
    ((reason, status, candidates, _),) = rows(db, UNMATCHED, pk=str(row))
    assert status == "OPEN"
    return reason, set(candidates)


def test_row_linked_under_its_id_or_its_older_key_gets_no_second_link(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = (
            factories.person(conn, license="Q11111111"),
            factories.person(conn, license="Q22222222"),
        )
        by_id = factories.scouting_row(conn, scout=7, license="Q11111111")
        by_key = factories.scouting_row(conn, scout=8, license="Q-22222222", phone="(01) 999 1")
        fresh = factories.scouting_row(conn, scout=9, license="Q22222222")
        # linked to somebody whom the rules would not choose: what stands is left alone
        factories.link(conn, person=luis, table=SCOUTING, pk=by_id)
        key = value(
            db, "select scout.scouting_md5_key('8', '(01) 999 1', 'Q-22222222', '2026-03-02')"
        )
        factories.link(conn, person=ana, table=SCOUTING, pk=key)
    refresh(db)
    assert link_of(db, by_id) == (luis, "R1_LICENSE")
    assert link_of(db, by_key) is None
    assert rows(db, UNMATCHED, pk=str(by_key)) == []
    # the licence now has both: whoever registered it, and whom the older key leads to
    assert left_for(db, fresh) == ("AMBIGUOUS_LICENSE", {str(ana), str(luis)})
    seen = look(db)
    pieces = seen.rows_of("v_scout_attribution_raw", source_table="public.module_ct_scouting_daily")
    assert {(p["scout_id"], p["person_key"]) for p in pieces} == {(7, luis), (8, ana), (9, None)}
    assert len(pieces) == 3


def test_license_of_one_and_phone_of_another_is_left_with_both(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn, license="Q11111111", phone="999888001")
        luis = factories.person(conn, license="Q22222222", phone="999888002")
        crossed = factories.scouting_row(conn, scout=7, license="Q11111111", phone="999888002")
        stranger = factories.scouting_row(conn, scout=7, license="Q33333333", phone="999888002")
        right = factories.scouting_row(conn, scout=7, license="Q11111111", phone="999888001")
        other_phone = factories.scouting_row(conn, scout=7, license="Q22222222", phone="999888003")
    refresh(db)
    assert left_for(db, crossed) == ("IDENTIFIERS_DISAGREE", {str(ana), str(luis)})
    assert left_for(db, stranger) == ("IDENTIFIERS_DISAGREE", {str(luis)})
    assert link_of(db, right) == (ana, "BACKFILL_LICENSE_MATCH")
    assert link_of(db, other_phone) == (luis, "BACKFILL_LICENSE_MATCH")
    assert value(db, "select count(*) from canon.identity_registry") == 2


def test_phone_of_several_is_left_with_all_of_them(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis, eva = (factories.person(conn) for _ in range(3))
        for person in (ana, luis):
            factories.driver(conn, phone="999888001", person=person)
        eva = factories.person(conn, phone="999888002")
        shared = factories.scouting_row(conn, scout=7, phone="999888001")
        shared_new = factories.scouting_row(conn, scout=7, phone="999888001", license="Q33333333")
        own = factories.scouting_row(conn, scout=7, phone="999888002")
    refresh(db)
    assert left_for(db, shared) == ("AMBIGUOUS_PHONE", {str(ana), str(luis)})
    assert left_for(db, shared_new) == ("AMBIGUOUS_PHONE", {str(ana), str(luis)})
    assert link_of(db, own) == (eva, "BACKFILL_PHONE_MATCH")


def test_driver_of_a_phone_without_a_person_is_nobody(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        driver = factories.driver(conn, phone="999888001")
        row = factories.scouting_row(conn, scout=7, phone="999888001")
    refresh(db)
    linked = link_of(db, row)
    assert linked is not None
    assert linked[1] == "BACKFILL_NEW_PERSON"
    assert rows(db, "select source_table from canon.identity_links") == [(SCOUTING,)]
    assert value(db, "select evidence ->> 'driver_id' from canon.identity_links") == driver


PHONES = [
    "+51 999 888 777", "999-888-777", "0051999888777", "51999888777", "(999) 888.777",
    "999888777.0", "0999888777", "\t999888777\r\n",
]  # fmt: skip
NO_PHONES = [
    "no tiene", "000000000", "999999999", "123456789", "987654321", "888777666", "99988877", "",
    "5.1999888777E10", "9.99888777E8", "+56 9 9988 8777", "999888777 anexo 12", "9998887771",
    "1999888777", "999888777 ::: 999888778", "+51 51999888777",
]  # fmt: skip
NO_LICENSES = [
    "NO TIENE", "S/N", "-", "", "NINGUNO", "Q1234", "SINNUMERO", "EN TRAMITE 2025", "7.12E+07",
    "7,12e+07", "71234567E7", "00000000", "Q00000000", "en trámite 2025", "SIN LICENCIA 2025",
    "PENDIENTE 2025", "NINGUNA 2025", "NO TIENE 2025",
]  # fmt: skip


def test_every_way_to_write_a_phone_is_one_phone(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn, phone="999 888 777")
        same = [factories.scouting_row(conn, scout=7, phone=phone) for phone in PHONES]
        other = factories.scouting_row(conn, scout=7, phone="999888778")
    refresh(db)
    assert {link_of(db, row) for row in same} == {(ana, "BACKFILL_PHONE_MATCH")}
    linked = link_of(db, other)
    assert linked is not None
    assert linked[0] != ana


def test_row_without_a_usable_key_is_left(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        # somebody who carries the same words must not collect them
        factories.person(conn, license="NO TIENE", phone="999999999")
        left = [factories.scouting_row(conn, scout=7, phone=phone) for phone in NO_PHONES]
        left += [factories.scouting_row(conn, scout=7, license=text) for text in NO_LICENSES]
        left += [factories.scouting_row(conn, scout=7)]
        good = factories.scouting_row(conn, scout=7, license="S/N", phone="999888777")
        silent = factories.scouting_row(conn, phone="no tiene")
    link = refresh(db).stats["steps"]["link"]
    for row in left:
        assert left_for(db, row) == ("NO_IDENTIFIERS", set())
    assert link_of(db, good) is not None
    assert rows(db, UNMATCHED, pk=str(silent)) == []
    assert link["skipped"] == {"NO_IDENTIFIERS": len(left)}
    assert (link["seen"], link["changed"]) == (len(left) + 1, 1)


def test_letters_and_signs_of_a_license(db: Database) -> None:
    """Case and signs do not matter; O and 0 are never taken for each other."""
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn, license="Q12345678")
        zero = factories.person(conn, license="Q0000001")
        same = [
            factories.scouting_row(conn, scout=7, license=text)
            for text in ("q-12345678", " Q 1234 5678 ", "Q.12345678", "Q12345678", "Q12345678.0")
        ]
        letter = factories.scouting_row(conn, scout=7, license="QOOOOOO1")
    refresh(db)
    assert {link_of(db, row) for row in same} == {(ana, "BACKFILL_LICENSE_MATCH")}
    linked = link_of(db, letter)
    assert linked is not None
    assert linked[0] != zero
    assert linked[1] == "BACKFILL_NEW_PERSON"


def test_two_rows_of_a_new_license_are_one_new_person(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        first = factories.scouting_row(conn, scout=7, license="Q12345678", phone="999888001")
        second = factories.scouting_row(conn, scout=8, license="q 12345678", phone="no tiene")
        other = factories.scouting_row(conn, scout=7, license="Q87654321")
    link = refresh(db).stats["steps"]["link"]
    linked = [link_of(db, row) for row in (first, second, other)]
    assert [rule for _, rule in filter(None, linked)] == [
        "BACKFILL_NEW_PERSON",
        "BACKFILL_LICENSE_MATCH",
        "BACKFILL_NEW_PERSON",
    ]
    persons = [person for person, _ in filter(None, linked)]
    assert persons[0] == persons[1] != persons[2]
    assert (link["changed"], link["new_persons"]) == (3, 2)
    new = "select person_key, primary_license, primary_phone from canon.identity_registry"
    assert set(rows(db, new)) == {
        (persons[0], "Q12345678", "999888001"),
        (persons[2], "Q87654321", None),
    }
    assert refresh(db).stats["seal"]["rows"] == 0


def test_license_that_rows_show_with_several_phones_is_nobodys(db: Database) -> None:
    """Counted over all rows that show it, also those of an earlier load and those without a scout;
    who has the licence keeps it, whatever phones rows show."""
    with db.transaction(ADMIN) as conn:
        ana = factories.person(conn, license="Q11111111")
        owned = [
            factories.scouting_row(conn, scout=7, license="Q11111111", phone=f"99988800{n}")
            for n in (1, 2)
        ]
        silent = factories.scouting_row(conn, license="Q12345678", phone="999888003")
        first = factories.scouting_row(conn, scout=7, license="Q12345678", phone="999888004")
        bare = factories.scouting_row(conn, scout=7, license="Q-12345678")
        plain = [
            factories.scouting_row(conn, scout=8, license="Q87654321", phone=phone)
            for phone in ("999888005", "+51 999 888 005", None)
        ]
    refresh(db)
    assert {link_of(db, row) for row in owned} == {(ana, "BACKFILL_LICENSE_MATCH")}
    assert left_for(db, first) == left_for(db, bare) == ("AMBIGUOUS_LICENSE", set())
    assert len({(link_of(db, row) or (None,))[0] for row in plain} - {None}) == 1
    assert rows(db, UNMATCHED, pk=str(silent)) == []
    # the neighbour that spread it was mistyped: judged anew once it is mended
    write(db, "update public.module_ct_scouting_daily set driver_license = null where id = :i",
          i=silent)  # fmt: skip
    refresh(db)
    linked = link_of(db, first)
    assert linked is not None
    assert linked == (link_of(db, bare)[0], "BACKFILL_NEW_PERSON")
    # a row that comes later with another phone finds the person who has the licence by now
    with db.transaction(ADMIN) as conn:
        later = factories.scouting_row(conn, scout=7, license="Q12345678", phone="999888006")
    refresh(db)
    assert link_of(db, later) == (linked[0], "BACKFILL_LICENSE_MATCH")


@pytest.mark.parametrize("status", ["OPEN", "IGNORED"])
def test_row_left_is_linked_once_its_identifiers_are_mended(db: Database, status: str) -> None:
    with db.transaction(ADMIN) as conn:
        row = factories.scouting_row(conn, scout=7, phone="no tiene")
        neighbour = factories.scouting_row(conn, scout=7, phone="S/N")
    refresh(db)
    write(db, "update canon.identity_unmatched set status = :s where source_pk = :pk",
          s=status, pk=str(row))  # fmt: skip
    write(db, "update public.module_ct_scouting_daily set driver_phone = '999888777' where id = :i",
          i=row)  # fmt: skip
    refresh(db)
    after = rows(db, "select status::text from canon.identity_unmatched where source_pk = :pk",
                 pk=str(row))  # fmt: skip
    # what a person set aside was what the row said then
    assert link_of(db, row) is not None
    assert after == [("RESOLVED",)]
    assert left_for(db, neighbour) == ("NO_IDENTIFIERS", set())


def test_what_the_job_writes_about_identities_holds_no_personal_data(db: Database) -> None:
    personal = ["Q12345678", "Q87654321", "999888777", "999888001", "Rosa Quispe"]
    with db.transaction(ADMIN) as conn:
        factories.person(conn, license="Q12345678", primary_full_name="Rosa Quispe")
        factories.person(conn, phone="999888001")
        for keys in (("Q12345678", "999888001"), ("Q87654321", None), (None, "999888777")):
            factories.scouting_row(
                conn, scout=7, license=keys[0], phone=keys[1], driver_name="Rosa Quispe"
            )
    refresh(db)
    written = [
        "select to_jsonb(a)::text from ops.identity_links_backfill_audit as a",
        "select to_jsonb(a)::text from ops.job_runs_audit as a",
        "select to_jsonb(a)::text from ops.ingestion_runs as a",
        "select to_jsonb(u)::text from canon.identity_unmatched as u",
        "select to_jsonb(k)::text from canon.identity_links as k",
        "select to_jsonb(q)::text from scout.data_quality_issues as q",
    ]
    texts = [shown(rows(db, query)) for query in written]
    assert [word for word in personal if word in "".join(texts)] == []
    assert all(texts[:5])


def shown(found: Sequence[Any]) -> str:
    return "".join(row[0] for row in found)
