"""The model itself, by the table of bad input and the words of the rules."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.model import keys
from tests.model.evidence import list_pieces, read_event
from tests.model.identity import founding_key
from tests.model.persons import list_states, snapshot
from tests.model.refresh import after_refresh
from tests.model.world import (
    DRIVERS,
    SCOUTING,
    AuditRow,
    Driver,
    Event,
    LedgerRow,
    Link,
    Payment,
    Person,
    ScoutingRow,
    World,
)

THEN = datetime(2026, 1, 1, tzinfo=UTC)
ANA, LUIS = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


def event(
    event_id: int, person: str | None, scout: int | None = None, payload: str | None = None
) -> Event:
    at = THEN + timedelta(minutes=event_id)
    return Event(event_id, person, "2026-01-01", scout, payload, at, "cabinet")


def scouting(
    row_id: int, scout: int | None, license_: str | None = None, phone: str | None = None
) -> ScoutingRow:
    return ScoutingRow(row_id, scout, phone, license_, "2026-01-02", None, THEN)


def world(*rows: object) -> World:
    made = World()
    made.persons = {key: Person(key) for key in (ANA, LUIS)}
    places = {Event: "events", ScoutingRow: "scouting", Payment: "payments"}
    for row in rows:
        if isinstance(row, Person):
            made.persons[row.key] = row
        elif isinstance(row, Link):
            made.links[row.source_table, row.source_pk] = row
        elif isinstance(row, LedgerRow):
            made.ledger[row.person_key] = row
        elif isinstance(row, Driver):
            made.drivers[row.driver_id] = row
        else:
            getattr(made, places[type(row)])[row.id] = row
    return made


@pytest.mark.parametrize("text", ["12", " 12 ", "12\n", "0012", "\t12\r"])
def test_readable_scout(text: str) -> None:
    assert keys.parse_scout(text) == 12
    assert not keys.is_unreadable(text)


@pytest.mark.parametrize("text", [None, "", "   ", " \t\r\n"])
def test_absent_scout(text: str | None) -> None:
    assert keys.parse_scout(text) is None
    assert not keys.is_unreadable(text)


@pytest.mark.parametrize(
    "text",
    ["+12", "12.0", "1.2e1", "1_2", "0x0c", "NaN", "true", "[12]", "abc", "S-12", "-5", "0",
     "2147483648", "9" * 20, "\u0661\u0662", "\uff11\uff12", "\u00a012", "12\u200b",
     "12; drop table x"],
)  # fmt: skip
def test_unreadable_scout(text: str) -> None:
    assert keys.parse_scout(text) is None
    assert keys.is_unreadable(text)


@pytest.mark.parametrize(
    ("payload", "scouts", "unreadable"),
    [
        ('{"scout_id": 12}', (12,), False),
        ('{"scout_id": 12.0}', (), True),
        ('{"scout_id": true}', (), True),
        ('{"scout_id": [12]}', (), True),
        ('{"scout_id": {"id": 12}}', (), True),
        ('{"scout_id": 1e400}', (), True),
        ('{"scout_id": null}', (), False),
        ('{"scoutId": 12}', (), False),
        ("[12]", (), False),
        ("12", (), False),
        ("null", (), False),
        ('{"scout_id": 7}', (7,), False),
        ('{"scout_id": "2147483647"}', (2147483647,), False),
        ('{"pad": "' + "x" * 70_000 + '", "scout_id": 3}', (), True),
    ],
)
def test_payload(payload: str, scouts: tuple[int, ...], unreadable: bool) -> None:
    reading = read_event(event(1, ANA, None, payload))
    assert (reading.scouts, reading.unreadable) == (scouts, unreadable)


def test_column_and_payload_that_differ_are_a_conflict() -> None:
    made = world(event(1, ANA, 5, '{"scout_id": 7}'), event(2, LUIS, 5, '{"scout_id": "5"}'))
    states = list_states(made)
    assert states[ANA].conflict_kind == "SEVERAL_SCOUTS"
    assert states[LUIS].conflict_kind is None
    assert len(list_pieces(made)) == 3


@pytest.mark.parametrize(
    "phone",
    ["999888777", "+51 999 888 777", "999-888-777", "0051999888777", "51999888777", "0999888777",
     "+51 (0)999.888.777", "+999888777", "00999888777", "999888777.0", "+51999888777.0 ",
     "999\t888\r\n777", "(999) 888-777"],
)  # fmt: skip
def test_one_phone_in_many_spellings(phone: str) -> None:
    assert keys.phone_key(phone) == "999888777"


@pytest.mark.parametrize(
    "phone",
    ["no tiene", "000000000", "999999999", "123456789", "987654321", "98888777", "9998887771",
     "+51 51999888777", "00999888777 anexo 12", "999888777 anexo 12", "900111005 ::: 900111006",
     "900111005/900111006", "9.99888777E8", "5.1999888777E10", "+56 9 1234 5678", "99988877.0",
     "999888777.00", "00999888777+", "5100999888777", "", "+", "tel 999888777", "\uff1999888777"],
)  # fmt: skip
def test_no_phone(phone: str) -> None:
    assert keys.phone_key(phone) is None


def test_licenses() -> None:
    assert keys.license_key("q-12345678") == keys.license_key("Q12345678") == "Q12345678"
    assert keys.license_key("O1234567") != keys.license_key("01234567")
    assert [keys.license_key(x) for x in ("NO TIENE", "S/N", "-", "Q1234")] == [None] * 4
    assert keys.license_key("71234567.0") == keys.license_key("71234567.0 ") == "71234567"
    assert keys.license_key("712345.06") == "71234506"
    assert keys.license_key("Q1111111") == "Q1111111"
    assert keys.license_key("E1234567") == "E1234567"
    assert keys.license_key("X12345678") == "X12345678"


@pytest.mark.parametrize(
    "license_",
    ["7.12E+07", "7,12E+07", "7.1234567e+07", "71234567E7", "00000000", "11111111", "Q00000000",
     "QA-0000000", "QABC000000", "EN TRAMITE 2025", "en tr\u00e1mite 2025", "PENDIENTE 12",
     "NINGUNO 2025", "ninguna 01", "NO TIENE 2025", "no-tiene-2025", "SIN LICENCIA 1", "SIN 12345",
     "XXX 2025", "XX123456", "POR CONFIRMAR 7", "00000000.0"],
)  # fmt: skip
def test_no_license(license_: str) -> None:
    assert keys.license_key(license_) is None


@pytest.mark.parametrize(
    ("day", "kept"),
    [("2026-01-31", True), ("9999-12-31", False), ("infinity", False), ("0044-03-15 BC", False),
     ("10000-01-01", False), ("1900-01-01", True), ("1899-12-31", False), ("2199-12-31", True)],
)  # fmt: skip
def test_days(day: str, kept: bool) -> None:
    assert keys.sound_day(day) == (day if kept else None)


def test_person_with_events_but_no_ledger_row_gets_one() -> None:
    row = after_refresh(world(event(1, ANA, 5))).ledger[ANA]
    assert (row.scout_id, row.score, row.source) == (5, "0.95", "cabinet")


@pytest.mark.parametrize(
    "reason", ["UNREADABLE_SCOUT", "SEVERAL_SCOUTS", "OTHER_SOURCE_DISAGREES", "UNKNOWN_SCOUT",
               "HELD_AFTER_UNDO"],
)  # fmt: skip
def test_what_holds_a_person_back(reason: str) -> None:
    made = world(event(1, ANA, 5))
    if reason == "UNREADABLE_SCOUT":
        made.events[2] = event(2, ANA, None, '{"scout_id": "S-12"}')
    if reason == "SEVERAL_SCOUTS":
        made.events[2] = event(2, ANA, 7)
    if reason == "OTHER_SOURCE_DISAGREES":
        made.payments[1] = Payment(1, 7, None, None, ANA, THEN)
    if reason == "UNKNOWN_SCOUT":
        made.scouts_list = {7}
    if reason == "HELD_AFTER_UNDO":
        made.held_persons.add(ANA)
    after = after_refresh(made)
    assert ANA not in after.ledger
    assert list_states(after)[ANA].reason_code == reason


def test_ledger_from_elsewhere_is_contradicted_by_newer_evidence_only() -> None:
    ledger = LedgerRow(ANA, 5, THEN + timedelta(minutes=1, seconds=30))
    made = world(event(1, ANA, 7), ledger)
    assert list_states(made)[ANA].conflict_kind is None
    made.events[2] = event(2, ANA, 7)
    assert list_states(made)[ANA].conflict_kind == "CONTRADICTS_LEDGER"
    assert list_states(made)[ANA].conflict_scout_ids == (5, 7)


def test_an_external_change_is_the_moment_that_counts() -> None:
    made = world(event(9, ANA, 7), LedgerRow(ANA, 5, THEN))
    assert list_states(made)[ANA].conflict_kind == "CONTRADICTS_LEDGER"
    made.audit.append(AuditRow(ANA, 7, 5, "EXTERNAL_CHANGE", THEN + timedelta(hours=1), 1))
    assert list_states(made)[ANA].conflict_kind is None


def test_two_rows_of_one_new_license_are_one_person() -> None:
    after = after_refresh(world(scouting(1, 5, "q-123456"), scouting(2, 5, "Q123456")))
    assert after.link_of(SCOUTING, "1") == after.link_of(SCOUTING, "2") == founding_key(1)
    assert after.links[SCOUTING, "2"].rule == "BACKFILL_LICENSE_MATCH"


@pytest.mark.parametrize(
    ("license_", "phone", "reason"),
    [
        ("Q111111", "999888771", "IDENTIFIERS_DISAGREE"),
        ("Q333333", "999888771", "IDENTIFIERS_DISAGREE"),
        (None, "999888772", "AMBIGUOUS_PHONE"),
        ("-", "no tiene", "NO_IDENTIFIERS"),
    ],
)
def test_what_stays_unmatched(license_: str | None, phone: str, reason: str) -> None:
    made = world(
        Person(ANA, "Q111111"),
        Person(LUIS, "Q222222", "999888771"),
        Driver("d1", None, "51999888772"),
        Driver("d2", None, "999888772"),
        Link(DRIVERS, "d1", ANA),
        Link(DRIVERS, "d2", LUIS),
        scouting(1, 5, license_, phone),
    )
    after = after_refresh(made)
    assert after.link_of(SCOUTING, "1") is None
    assert after.unmatched["1"].reason == reason


def test_a_row_linked_under_its_older_key_gets_no_second_link() -> None:
    row = scouting(1, 5, "Q123456")
    after = after_refresh(world(row, Link(SCOUTING, row.old_key, ANA)))
    assert (SCOUTING, "1") not in after.links
    assert not after.unmatched


def test_lower_rows_are_judged_again_when_their_license_gets_its_person() -> None:
    made = world(
        scouting(1, 5, "Q111111", "999888771"),
        scouting(2, 5, "Q222222", "999888771"),
        scouting(3, 5, "Q222222"),
    )
    after = after_refresh(made)
    assert after.link_of(SCOUTING, "3") == founding_key(3)
    assert after.unmatched["2"].reason == "IDENTIFIERS_DISAGREE"


def test_license_that_nobody_has_with_several_phones_founds_nobody() -> None:
    made = world(
        scouting(1, 5, "Q111111", "999888771"),
        scouting(2, None, "q-111111", "999888772"),
        scouting(3, 5, "Q111111"),
        scouting(4, 5, "Q222222", "999888773"),
        scouting(5, 7, "Q222222"),
        scouting(6, 7, "Q222222", "no tiene"),
        scouting(7, 5, None, "999888771"),
    )
    after = after_refresh(made)
    assert {pk: row.reason for pk, row in after.unmatched.items()} == {
        "1": "AMBIGUOUS_LICENSE",
        "3": "AMBIGUOUS_LICENSE",
    }
    assert {after.link_of(SCOUTING, pk) for pk in "456"} == {founding_key(4)}
    assert after.link_of(SCOUTING, "7") == founding_key(7)


def test_numbers_reconcile() -> None:
    made = world(event(1, ANA, 5), event(2, LUIS), event(3, None, 9))
    numbers = snapshot(made)
    missing = numbers["persons_missing_scout"]
    parts = [v for k, v in numbers.items() if k.startswith("backlog_")]
    assert missing == sum(parts) == 2
    assert snapshot(World())["pct_scout_satisfactory"] is None


def test_a_person_key_that_the_registry_lacks_is_nobody() -> None:
    made = world(Payment(1, 7, None, None, "00000000-0000-4000-8000-0000000000ff", THEN))
    assert [p.person_key for p in list_pieces(made)] == [None]
