"""A person is found by key, phone, licence or name in the form at hand, and shown masked."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from scout_core.access.masks import mask_code, mask_name, mask_phone
from scout_core.attribution import person_search
from scout_core.attribution.person_search import MAX_HITS, Found
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.errors import BadInput
from tests.support import factories
from tests.support.installing import init, opened, run
from tests.support.looking import installed

SCOUTING = "module_ct_scouting_daily"


@pytest.fixture(scope="module")
def people(server_url: str) -> Iterator[tuple[Database, dict[str, UUID]]]:
    """Ana in the registry, Beto by a driver, Carla by a scouting row, Dora by nothing."""
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana = factories.person(
                conn,
                phone="+51 955 111 222",
                license="q-12345678",
                primary_full_name="MARÍA Ñaupari de la Cruz",
                primary_document="45678912",
            )
            beto, carla, dora = (factories.person(conn) for _ in range(3))
            factories.driver(
                conn,
                phone="955333444",
                license="Q87654321",
                person=beto,
                full_name_norm="BETO 100% O'HIGGINS_S",
            )
            row = factories.scouting_row(
                conn,
                scout=7,
                phone="955-555-666",
                license="Z 11223344",
                driver_name="Carla Jose\u0301 Pe\u0301rez",
            )
            factories.link(conn, person=carla, table=SCOUTING, pk=row)
            for _ in range(MAX_HITS + 1):
                factories.person(conn, primary_full_name="Homónima Común")
        yield db, {"ana": ana, "beto": beto, "carla": carla, "dora": dora}


def search(db: Database, wanted: str) -> Found:
    with db.transaction(LOOK) as conn:
        return person_search.find(conn, wanted)


FORMS = {
    "+51 955 111 222": ("ana", "phone"),
    "955-111-222": ("ana", "phone"),
    "0051955111222": ("ana", "phone"),
    "51 (955) 111.222": ("ana", "phone"),
    "955333444": ("beto", "phone"),
    "+51 955 555 666": ("carla", "phone"),
    "Q12345678": ("ana", "license"),
    "q 123-456 78": ("ana", "license"),
    "q87654321": ("beto", "license"),
    "z11223344": ("carla", "license"),
    "maria": ("ana", "name"),
    "NAUPARI  maría": ("ana", "name"),
    "la cruz": ("ana", "name"),
    "\tñaupari\n": ("ana", "name"),
    "nau\u200bpari": ("ana", "name"),
    "jose perez": ("carla", "name"),
    "Pérez": ("carla", "name"),
    "100% o'higgins": ("beto", "name"),
    "higgins_s": ("beto", "name"),
}


@pytest.mark.parametrize("wanted", FORMS)
def test_person_is_found_in_any_form_and_nobody_else(
    people: tuple[Database, dict[str, UUID]], wanted: str
) -> None:
    db, known = people
    name, matched_by = FORMS[wanted]
    found = search(db, wanted)
    assert [(h.person_key, h.matched_by) for h in found.hits] == [(str(known[name]), matched_by)]
    assert not found.has_more


@pytest.mark.parametrize(
    "wanted",
    [
        "955111223",
        "Q12345679",
        "mariana",
        "100_ higgins",
        "higgins%s",
        "n.upari",
        "(dela",
        "ana\\d+",
    ],
)
def test_what_nobody_has_finds_nobody(
    people: tuple[Database, dict[str, UUID]], wanted: str
) -> None:
    assert search(people[0], wanted) == Found((), has_more=False)


def test_key_is_found_whole_in_any_form_and_by_its_start(
    people: tuple[Database, dict[str, UUID]],
) -> None:
    db, known = people
    key = known["dora"]
    for form in (str(key), str(key).upper(), key.hex, f"{{{key}}}", str(key)[:8], f" {key} "):
        assert [h.person_key for h in search(db, form).hits] == [str(key)]


def test_common_name_is_capped_and_says_so(people: tuple[Database, dict[str, UUID]]) -> None:
    found = search(people[0], "homonima comun")
    assert (len(found.hits), found.has_more) == (MAX_HITS, True)
    assert len({h.person_key for h in found.hits}) == MAX_HITS


BAD = {
    "nul\0byte": "search_unreadable",
    "lone \ud800 surrogate": "search_unreadable",
    "bell \a": "search_unreadable",
    "": "search_short",
    "   ": "search_short",
    "%%%": "search_short",
    "a_": "search_short",
    "\u200b\u200b\u200b\u200b": "search_short",
    "x" * 201: "search_long",
}


@pytest.mark.parametrize("wanted", BAD)
def test_text_that_can_be_nothing_is_one_sentence(
    people: tuple[Database, dict[str, UUID]], wanted: str
) -> None:
    with pytest.raises(BadInput) as told:
        search(people[0], wanted)
    assert told.value.parameter == BAD[wanted]


def test_hits_and_identity_are_masked(people: tuple[Database, dict[str, UUID]]) -> None:
    db, known = people
    (hit,) = search(db, "maria naupari").hits
    assert (hit.name, hit.phone, hit.license) == ("María Ñ. D. L. C.", "9••••• 222", "Q1•••••78")
    with db.transaction(LOOK) as conn:
        ana = person_search.by_key(conn, str(known["ana"]))
        beto = person_search.by_key(conn, str(known["beto"]))
    assert (ana.name, ana.phone, ana.license, ana.document) == (
        "María Ñ. D. L. C.",
        "9••••• 222",
        "Q1•••••78",
        "45•••••12",
    )
    assert (beto.name, beto.phone, beto.document) == ("Beto 1. O.", None, None)


def test_masks_of_odd_values_show_nothing_of_them() -> None:
    assert [mask_phone(v) for v in (None, "", "no tiene", "12345", "1234567")] == [
        None,
        None,
        None,
        "•••••",
        "1••• 567",
    ]
    assert [mask_code(v) for v in (None, "-", "abc", "q-1234567")] == [
        None,
        None,
        "•••••",
        "Q1•••••67",
    ]
    assert [mask_name(v) for v in (None, " ", "<b>", "x" * 99)] == [None, None, "B", "X" + "x" * 19]


def test_tables_without_the_columns_of_names_are_searched_all_the_same(source_db: str) -> None:
    run(
        source_db,
        "alter table canon.identity_registry drop column primary_full_name,"
        " drop column primary_document",
        "alter table canon.drivers_index drop column full_name_norm",
        "alter table public.module_ct_scouting_daily drop column driver_name",
    )
    init(source_db)
    with opened(source_db) as db:
        with db.transaction(ADMIN) as conn:
            ana = factories.person(conn, phone="955111222")
        assert [h.person_key for h in search(db, "955 111 222").hits] == [str(ana)]
        assert search(db, "maria").hits == ()
        with db.transaction(LOOK) as conn:
            assert person_search.by_key(conn, str(ana)).name is None


def test_claims_of_a_person_are_its_own_and_those_of_its_drivers(db: Database) -> None:
    with db.transaction(ADMIN) as conn:
        ana, luis = factories.person(conn), factories.person(conn)
        driver = factories.driver(conn, person=ana)
        factories.claim(conn, person=ana, milestone=1, amount=25, lead_date="2026-03-01")
        factories.claim(conn, driver=driver, milestone=5, amount=35, lead_date="2026-03-02")
        factories.claim(conn, person=luis, milestone=25)
    with db.transaction(LOOK) as conn:
        claims = person_search.list_claims(conn, str(ana))
    assert [(c.milestone_value, c.expected_amount) for c in claims] == [(5, 35), (1, 25)]
