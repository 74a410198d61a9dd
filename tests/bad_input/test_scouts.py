"""Scout numbers that a payload gives in every wrong form: read, absent or unreadable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from scout_core.db.database import ADMIN
from tests.support import factories
from tests.support.looking import Issue, Look, State, installed, look, refresh, rows, value, write

READABLE = ["12", '"12"', '" 12 "', '"12\\n"', '"\\t12\\r"', '"0012"']
UNREADABLE = [
    '"+12"', '"12.0"', "12.0", '"1.2e1"', '"1_2"', '"0x0c"', '"NaN"', "true", "[12]",
    '{"id":12}', '"abc"', '"S-12"', '"12; drop table x"',
]  # fmt: skip
OUT_OF_RANGE = ["-5", "0", "2147483648", '"2147483648"', f'"{"9" * 20}"', "9" * 20, "1e400"]
CODE_POINTS = {
    '"\u0661\u0662"': "U+0661 U+0662",
    '"\uff11\uff12"': "U+FF11 U+FF12",
    '"\u00a012\u00a0"': "U+00A0 U+00A0",
    '"12\u200b"': "U+200B",
}
ABSENT = ['""', '"   "', '" \\t\\r\\n"', "null"]
BAD = [*UNREADABLE, *OUT_OF_RANGE, *CODE_POINTS]
PERSONAL = '"Rosa Quispe 999888777 Q12345678"'


@dataclass
class Scene:
    """One person with one event for each value, a good neighbour, before and after the mending."""

    persons: dict[str, UUID]
    events: dict[str, int]
    neighbour: UUID
    before: Look
    after: Look
    stats: dict[str, object]

    def state(self, text: str, at: Look) -> State:
        return at.states[self.persons[text]]


@pytest.fixture(scope="module")
def scene(server_url: str) -> Iterator[Scene]:
    with installed(server_url) as db:
        persons, events = {}, {}
        with db.transaction(ADMIN) as conn:
            neighbour = factories.person(conn)
            factories.lead_event(conn, person=neighbour, scout=12)
            for text in [*READABLE, *BAD, *ABSENT, PERSONAL, "no key", "no payload", "2147483647"]:
                persons[text] = factories.person(conn)
                payload = {"no key": '{"x": 1}', "no payload": None}.get(
                    text, f'{{"scout_id": {text}}}'
                )
                events[text] = factories.lead_event(
                    conn, person=persons[text], payload_text=payload
                )
        stats = refresh(db).stats
        before = look(db)
        bad = [events[text] for text in (*BAD, PERSONAL)]
        write(
            db,
            "update observational.lead_events set payload_json = '{\"scout_id\": 12}'"
            " where id = any(:bad)",
            bad=bad,
        )
        refresh(db)
        yield Scene(persons, events, neighbour, before, look(db), stats)


@pytest.mark.parametrize("text", READABLE)
def test_readable_scout_is_attributed(scene: Scene, text: str) -> None:
    assert scene.state(text, scene.before) == State(scout=12)
    assert scene.before.open_issues(scene.events[text]) == []


@pytest.mark.parametrize("text", BAD)
def test_unreadable_scout_holds_its_person_back_until_it_is_mended(scene: Scene, text: str) -> None:
    assert scene.state(text, scene.before) == State(category="A", reason="UNREADABLE_SCOUT")
    (issue,) = scene.before.open_issues(scene.events[text])
    assert issue.rule == "UNREADABLE_SCOUT"
    assert issue.person == scene.persons[text]
    assert scene.state(text, scene.after) == State(scout=12)
    assert scene.after.open_issues(scene.events[text]) == []
    kept = [i for i in scene.after.issues if i.pk == str(scene.events[text])]
    assert [i.is_open for i in kept] == [False]


@pytest.mark.parametrize("text", CODE_POINTS)
def test_issue_shows_the_code_points_that_cannot_be_seen(scene: Scene, text: str) -> None:
    (issue,) = scene.before.open_issues(scene.events[text])
    assert issue.excerpt.endswith(CODE_POINTS[text])
    (plain,) = scene.before.open_issues(scene.events['"S-12"'])
    assert plain.excerpt == "S-1*"


@pytest.mark.parametrize("text", [*ABSENT, "no key", "no payload"])
def test_absent_scout_is_no_evidence_and_no_issue(scene: Scene, text: str) -> None:
    assert scene.state(text, scene.before) == State(category="A", reason="EVENTS_WITHOUT_SCOUT")
    assert scene.before.open_issues(scene.events[text]) == []


def test_greatest_scout_number_is_valid(scene: Scene) -> None:
    assert scene.state("2147483647", scene.before) == State(scout=2147483647)


def test_issue_does_not_repeat_what_was_written_in_place_of_a_scout(scene: Scene) -> None:
    (issue,) = scene.before.open_issues(scene.events[PERSONAL])
    assert issue.excerpt == "Ros* ****** ********* *********"
    kept = str(scene.before.issues) + json.dumps(scene.stats)
    assert not [word for word in ("Quispe", "999888777", "12345678", "drop table") if word in kept]


def test_neighbour_and_numbers_are_as_if_the_bad_rows_were_not_there(scene: Scene) -> None:
    assert scene.before.states[scene.neighbour] == State(scout=12)
    assert scene.after.states[scene.neighbour] == State(scout=12)
    (numbers,) = scene.before.views["v_scout_attribution_metrics_snapshot"]
    assert numbers["total_persons"] == len(scene.persons) + 1
    assert numbers["persons_with_scout_satisfactory"] == len(READABLE) + 2
    assert numbers["backlog_a_events_without_scout"] == len(BAD) + len(ABSENT) + 3
    assert numbers["persons_missing_scout"] == len(BAD) + len(ABSENT) + 3
    assert scene.after.rows_of("v_persons_without_scout_categorized", is_conflict=True) == []


def test_run_counts_the_open_issues(scene: Scene) -> None:
    record = scene.stats["steps"]["record"]  # type: ignore[index]
    assert record["issues"]["by_rule"] == {"UNREADABLE_SCOUT": len(BAD) + 1}


def test_unreadable_scout_beside_a_readable_one_holds_the_person(server_url: str) -> None:
    """The garbage may be a second scout, in whatever source it is."""
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            persons = {name: factories.person(conn) for name in ("event", "column", "payment")}
            persons |= {name: factories.person(conn) for name in ("migration", "scouting")}
            clean = factories.person(conn)
            for person in (*persons.values(), clean):
                factories.lead_event(conn, person=person, scout=12)
            bad_event = factories.lead_event(
                conn, person=persons["event"], payload={"scout_id": "abc"}
            )
            bad_column = factories.lead_event(conn, person=persons["column"], scout=-5)
            bad_payment = factories.payment(conn, scout=0, person=persons["payment"])
            factories.driver(conn, key="d1", person=persons["migration"])
            bad_migration = factories.migration(conn, scout=-1, driver="d1")
            bad_scouting = factories.scouting_row(conn, scout=0, phone="999888777")
            factories.link(
                conn, person=persons["scouting"], table="module_ct_scouting_daily", pk=bad_scouting
            )
        refresh(db)
        seen = look(db)
        for person in persons.values():
            assert seen.states[person] == State(category="D", reason="UNREADABLE_SCOUT")
            assert seen.row_of("v_persons_without_scout_categorized", person_key=person) | {
                "scout_id": 12,
                "is_conflict": False,
            } == seen.row_of("v_persons_without_scout_categorized", person_key=person)
        assert seen.states[clean] == State(scout=12)
        assert sorted((i.table, i.pk, i.rule, i.excerpt) for i in seen.issues) == sorted(
            [
                ("observational.lead_events", str(bad_event), "UNREADABLE_SCOUT", "abc"),
                ("observational.lead_events", str(bad_column), "UNREADABLE_SCOUT", "-5"),
                ("public.module_ct_cabinet_payments", str(bad_payment), "UNREADABLE_SCOUT", "0"),
                ("public.module_ct_migrations", str(bad_migration), "UNREADABLE_SCOUT", "-1"),
                ("public.module_ct_scouting_daily", str(bad_scouting), "UNREADABLE_SCOUT", "0"),
            ]
        )
        assert (
            rows(db, "select 1 from observational.lead_ledger where person_key <> :p", p=clean)
            == []
        )


def test_issue_of_a_row_that_is_gone_or_changed_to_another_bad_value_is_closed(
    server_url: str,
) -> None:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana = factories.person(conn)
            gone, changed, back = (
                factories.lead_event(conn, person=ana, payload={"scout_id": "abc"})
                for _ in range(3)
            )
        first = refresh(db).run_id
        change = "update observational.lead_events set payload_json = :payload where id = :id"
        write(db, "delete from observational.lead_events where id = :id", id=gone)
        write(db, change, id=changed, payload='{"scout_id": "xyz"}')
        write(db, change, id=back, payload='{"scout_id": 7}')
        refresh(db)
        seen = look(db)
        assert [(i.pk, i.excerpt) for i in seen.issues if i.is_open] == [(str(changed), "xyz")]
        write(db, change, id=back, payload='{"scout_id": "abc"}')
        last = refresh(db).run_id
        assert look(db).open_issues(back) == [
            Issue("UNREADABLE_SCOUT", "observational.lead_events", str(back), "abc", ana, True)
        ]
        query = (
            "select closed_run is null and first_seen_run = :first and last_seen_run = :last"
            " from scout.data_quality_issues where source_pk = :pk"
        )
        assert value(db, query, first=first, last=last, pk=str(back)) is True


def test_excerpt_masks_every_letter_whatever_the_collation(server_url: str) -> None:
    with installed(server_url) as db:
        masked = 'select scout.mask_excerpt(cast(:raw as text) collate "C")'
        assert value(db, masked, raw="José Ñandú 99") == "Jos* ***** **"


def test_unreadable_scout_in_the_ledger_is_reported_and_left_alone(server_url: str) -> None:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana, luis = factories.person(conn), factories.person(conn)
            factories.ledger(conn, person=ana, scout=0)
            factories.ledger(conn, person=luis, scout=7)
            factories.lead_event(conn, person=ana, scout=7)
        refresh(db)
        seen = look(db)
        assert seen.states == {
            ana: State(scout=0, conflict="CONTRADICTS_LEDGER"),
            luis: State(scout=7),
        }
        assert seen.issues == [
            Issue("UNREADABLE_SCOUT", "observational.lead_ledger", str(ana), "0", ana, True)
        ]
        raw = seen.views["v_scout_attribution_raw"]
        assert sorted((r["priority"], r["scout_id"]) for r in raw) == [(1, 7), (2, 7)]
