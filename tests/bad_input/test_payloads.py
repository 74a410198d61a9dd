"""Payloads of a wrong shape or size, and events that contradict themselves or lead to nobody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from scout_core.db.database import ADMIN
from tests.support import factories
from tests.support.looking import Look, State, installed, look, refresh, write

SIMILAR = ['{"Scout_ID": 12}', '{"scoutId": 12}', '{"SCOUTID": "12"}', '{"scout__id": 12}']
WRONG_SHAPE = ["[12]", "12", '"12"', "null", "true", '[{"scout_id": 12}]', '["scout_id"]']
DEEP = '{"x": ' + "[" * 5_000 + "]" * 5_000 + ', "scout_id": 12}'
TOO_LARGE = {
    "long number": json.dumps({"scout_id": "9" * 5_000_000}),
    "long text beside": json.dumps({"scout_id": 12, "x": "Rosa 999888777 " * 5_000}),
    "long array": json.dumps([12] * 40_000),
    "incompressible": json.dumps({"scout_id": 12, "x": [i * i * 7919 for i in range(9_000)]}),
}
BELOW_THE_LIMIT = json.dumps({"scout_id": 12, "x": "y" * 65_000})
NO_SCOUT = State(category="A", reason="EVENTS_WITHOUT_SCOUT")
HELD = State(category="A", reason="UNREADABLE_SCOUT")


@dataclass
class Scene:
    """One person with one event for each payload, before and after the mending."""

    persons: dict[str, UUID]
    events: dict[str, int]
    before: Look
    after: Look

    def state(self, name: str) -> State:
        return self.before.states[self.persons[name]]

    def issues(self, name: str) -> list[tuple[str, str]]:
        found = self.before.open_issues(self.events[name])
        return [(i.rule, i.excerpt) for i in found]

    def is_mended(self, name: str) -> bool:
        mended = self.after.open_issues(self.events[name]) == []
        return mended and self.after.states[self.persons[name]] == State(scout=7)


@pytest.fixture(scope="module")
def scene(server_url: str) -> Iterator[Scene]:
    payloads = {text: text for text in (*SIMILAR, *WRONG_SHAPE)} | TOO_LARGE
    payloads |= {
        "deep": DEEP,
        "below the limit": BELOW_THE_LIMIT,
        "both keys": '{"scout_id": 7, "scoutId": 12}',
        "other keys": '{"scout": 12, "scout_ids": [12], "id_scout": 12}',
    }
    with installed(server_url) as db:
        persons, events = {}, {}
        with db.transaction(ADMIN) as conn:
            for name, payload in payloads.items():
                persons[name] = factories.person(conn)
                events[name] = factories.lead_event(
                    conn, person=persons[name], payload_text=payload
                )
        refresh(db)
        before = look(db)
        write(db, "update observational.lead_events set payload_json = '{\"scout_id\": 7}'")
        refresh(db)
        yield Scene(persons, events, before, look(db))


@pytest.mark.parametrize("text", SIMILAR)
def test_similar_key_is_no_scout_and_is_reported(scene: Scene, text: str) -> None:
    assert scene.state(text) == NO_SCOUT
    assert [rule for rule, _ in scene.issues(text)] == ["SIMILAR_KEY"]
    assert scene.is_mended(text)


def test_similar_key_does_not_take_the_place_of_the_right_one(scene: Scene) -> None:
    assert scene.state("both keys") == State(scout=7)
    assert [rule for rule, _ in scene.issues("both keys")] == ["SIMILAR_KEY"]
    assert scene.state("other keys") == NO_SCOUT
    assert scene.issues("other keys") == []


@pytest.mark.parametrize("text", WRONG_SHAPE)
def test_payload_that_is_no_object_is_reported_and_holds_nobody(scene: Scene, text: str) -> None:
    assert scene.state(text) == NO_SCOUT
    assert [rule for rule, _ in scene.issues(text)] == ["PAYLOAD_SHAPE"]
    assert scene.is_mended(text)


@pytest.mark.parametrize("name", TOO_LARGE)
def test_payload_beyond_the_limit_is_not_searched_and_holds_its_person(
    scene: Scene, name: str
) -> None:
    assert scene.state(name) == HELD
    ((rule, excerpt),) = scene.issues(name)
    assert rule == "PAYLOAD_TOO_LARGE"
    assert len(excerpt) <= 200
    assert "Rosa" not in excerpt
    assert scene.is_mended(name)


def test_payload_below_the_limit_is_read_however_deep(scene: Scene) -> None:
    assert scene.state("below the limit") == State(scout=12)
    assert scene.state("deep") == State(scout=12)
    assert scene.issues("below the limit") == scene.issues("deep") == []


def test_column_and_payload_that_disagree_are_two_pieces_and_a_conflict(server_url: str) -> None:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            two, one, half = (factories.person(conn) for _ in range(3))
            event = factories.lead_event(conn, person=two, scout=5, payload={"scout_id": 7})
            factories.lead_event(conn, person=one, scout=5, payload={"scout_id": " 05"})
            factories.lead_event(conn, person=half, scout=5, payload={"scout_id": "abc"})
        refresh(db)
        seen = look(db)
        assert seen.states == {
            two: State(category="D", reason="SEVERAL_SCOUTS", conflict="SEVERAL_SCOUTS"),
            one: State(scout=5),
            half: State(category="D", reason="UNREADABLE_SCOUT"),
        }
        pieces = seen.rows_of("v_scout_attribution_raw", person_key=two)
        assert sorted((p["scout_id"], p["source_pk"]) for p in pieces) == [
            (5, str(event)),
            (7, str(event)),
        ]
        assert len(seen.rows_of("v_scout_attribution_raw", person_key=one, priority=2)) == 1
        conflict = seen.row_of("v_scout_attribution_conflicts", person_key=two)
        assert conflict["scout_ids"] == [5, 7]
        assert conflict["total_sources"] == 2
        assert [row["person_key"] for row in seen.views["v_scout_attribution_conflicts"]] == [two]


def test_event_without_person_makes_nobody(server_url: str) -> None:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana = factories.person(conn)
            factories.lead_event(conn, person=ana, scout=7)
            factories.lead_event(conn, scout=5)
            factories.lead_event(conn, scout=6)
            factories.lead_event(conn)
            bad = factories.lead_event(conn, payload={"scout_id": "abc"})
        refresh(db)
        seen = look(db)
        assert seen.states == {ana: State(scout=7)}
        assert [(i.pk, i.person) for i in seen.issues] == [(str(bad), None)]
        nobody = seen.rows_of("v_scout_attribution_raw", person_key=None)
        assert sorted(row["scout_id"] for row in nobody) == [5, 6]
        for name, rows in seen.views.items():
            if name != "v_scout_attribution_raw":
                assert not [r for r in rows if "person_key" in r and r["person_key"] is None], name
        (numbers,) = seen.views["v_scout_attribution_metrics_snapshot"]
        assert numbers["total_persons"] == 1
        assert numbers["conflicts_count"] == 0
