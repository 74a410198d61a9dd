"""What an alert of a source row tells of."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from scout_core.alerts import source_row
from scout_core.alerts.source_row import RowTold
from scout_core.db.database import ADMIN, LOOK, Database
from tests.support import factories
from tests.support.looking import installed, refresh

OLDER = """
insert into canon.identity_unmatched
    (source_table, source_pk, snapshot_date, reason_code, candidates_preview, status)
values
    ('drivers', 'd-1', now(), 'OLD_REASON', '[{"phone": "955111222"}, "955111222"]', 'OPEN'),
    ('drivers', 'd-2', now(), 'OLD_REASON', '{"a": 1}', 'IGNORED')
"""


@pytest.fixture(scope="module")
def made(server_url: str) -> Iterator[tuple[Database, dict[str, object]]]:
    """Two bad values, rows to review, a lead without scout; and the keys of them."""
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana, luis = (factories.person(conn) for _ in range(2))
            bad = factories.lead_event(conn, person=ana, payload={"scout_id": "abc"})
            factories.lead_event(conn, person=ana, payload={"scoutId": 7})
            row = factories.scouting_row(conn, scout=7, phone="955111222")
            for person in (ana, luis):
                factories.driver(conn, phone="955111222", person=person)
            factories.cabinet_lead(conn, external="L1")
            factories.link(conn, person=luis, table="module_ct_cabinet_leads", pk="L1")
            for scout in (7, 8):
                factories.lead_event(conn, person=luis, scout=scout)
            conn.execute(text(OLDER))
            lead = conn.execute(text("select id from public.module_ct_cabinet_leads")).scalar_one()
        refresh(db)
        yield db, {"bad": bad, "row": row, "lead": lead, "person": luis}


def told(made: tuple[Database, dict[str, object]], rule: str, subject: str) -> RowTold:
    db, keys = made
    with db.transaction(LOOK) as conn:
        person = str(keys["person"])
        return source_row.explain_row(conn, rule, subject.format(**keys), person)


def test_bad_value_is_told_masked_and_no_other_of_the_person(made) -> None:
    found = told(made, "UNREADABLE_SCOUT", "observational.lead_events/{bad}")
    assert [issue.raw_excerpt for issue in found.issues] == ["abc"]
    assert (found.review, found.lead) == (None, None)
    assert told(made, "SIMILAR_KEY", "observational.lead_events/{bad}").issues == ()


def test_candidates_are_keys_and_never_what_an_older_row_holds(made) -> None:
    found = told(made, "IDENTITY_TO_REVIEW", "public.module_ct_scouting_daily/{row}").review
    assert found is not None
    assert (found.reason_code, found.candidate_count) == ("AMBIGUOUS_PHONE", 2)
    assert all(len(key) == 36 for key in found.candidate_person_keys)
    older = told(made, "IDENTITY_TO_REVIEW", "drivers/d-1").review
    assert older is not None
    assert (older.candidate_count, older.candidate_person_keys) == (0, [])
    assert "955111222" not in str(older)
    assert told(made, "IDENTITY_TO_REVIEW", "drivers/d-2").review is None


def test_lead_is_told_with_what_its_events_say(made) -> None:
    lead = told(made, "CABINET_LEAD_WITHOUT_SCOUT", "public.module_ct_cabinet_leads/{lead}").lead
    assert lead is not None
    assert (lead.external_id, lead.potential_scout_id, lead.has_scout_in_events) == (
        "L1", None, True,
    )  # fmt: skip


@pytest.mark.parametrize("subject", ["job", "/", "a/", "public.module_ct_cabinet_leads/x y"])
def test_what_is_no_row_or_no_more_tells_of_nothing(made, subject: str) -> None:
    for rule in ("UNREADABLE_SCOUT", "IDENTITY_TO_REVIEW", "CABINET_LEAD_WITHOUT_SCOUT"):
        assert told(made, rule, subject) == RowTold((), None, None)
