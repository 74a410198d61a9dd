"""Texts that try to be more than text, wherever people and loaders may leave them: on no page do
they become a link, an image, a formula or emphasis."""

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from scout_core.access.permissions import Actor
from scout_core.alerts import acts, register
from scout_core.attribution import conflicts
from scout_core.db.database import LOOK
from scout_core.decide import decisions, undo
from tests.support import browser as support
from tests.support.browser import DESK, Visit
from tests.support.looking import refreshed_demo, rows, value, write
from ui.parts import site

MARK = "zq"
NOTE = (
    f"**{MARK}** `{MARK}` https://evil.example/p www.evil.example ${MARK}$ :red[{MARK}] ~~{MARK}~~"
    f" <b>{MARK}</b> [{MARK}](https://evil.example)"
)
HOSTILE = f"**{MARK}** a@evil.example {NOTE}"  # an address of mail is refused in a note
FOUND = """() => [...document.querySelectorAll('a, img, iframe')]
  .map(e => e.href || e.src).filter(to => to && to.includes('evil'))
  .concat([...document.querySelectorAll('body *')]
    .filter(e => e.children.length === 0 && e.textContent.trim() === 'zq').map(e => e.outerHTML))"""


@pytest.fixture(scope="module")
def hostile_db(server_url):
    actor = Actor(HOSTILE[:200], "admin")
    with refreshed_demo(server_url) as db:
        write(
            db,
            "update public.module_ct_scouts_list set raw_name = :text, name = :text",
            "update canon.identity_unmatched set reason_code = :text where id % 2 = 0",
            text=HOSTILE,
        )
        for table, column in rows(
            db,
            "select format('%I.%I', table_schema, table_name), column_name"
            " from information_schema.columns where column_name in"
            " ('driver_name', 'full_name', 'scout_name', 'match_rule', 'identity_status', 'notes')"
            " and table_schema in ('public', 'canon', 'observational')"
            " and data_type in ('text', 'character varying')",
        ):
            write(db, f"update {table} set {column} = :text", text=HOSTILE)
        now = value(db, "select clock_timestamp()")
        with db.transaction(LOOK) as conn:
            first, second = conflicts.list_open(conn, conflicts.ConflictFilters()).rows[:2]
            alerts = register.list_alerts(conn, register.AlertFilters(), now=now).rows[:2]
        done = decide(db, actor, first, now)
        undo.run_undo(db, actor=actor, run_id=done.run_id, reason=NOTE, requested_at=now)
        decide(db, actor, second, now)
        acts.ack(db, alert_id=alerts[0].alert_id, actor=actor, reason=NOTE, now=now)
        until = now + timedelta(days=2)
        acts.mute(
            db,
            alert_id=alerts[1].alert_id,
            actor=actor,
            reason=NOTE,
            until=until,
            now=now,
        )
        yield db


def decide(db, actor, row, now):
    with db.transaction(LOOK) as conn:
        (candidate,) = decisions.preview_many(conn, (row.person_key,), outcome="NO_SCOUT")
    return decisions.decide(
        db,
        actor=actor,
        person_key=row.person_key,
        outcome="NO_SCOUT",
        scout_id=None,
        reason_code="OTHER",
        note=NOTE,
        seen=candidate.seen,
        request_id=str(uuid4()),
        requested_at=now,
    )


def test_no_text_of_others_becomes_more_than_text(chromium: Browser, hostile_db, tmp_path):
    key = "select person_key::text from ops.v_scout_attribution_conflicts limit 1"
    opened = [
        *(f"/scouts/{place.address}" for place in site.PLACES),
        *(
            f"/scouts/persona?key={person}"
            for (person,) in rows(
                hostile_db, "select distinct person_key::text from scout.decisions limit 2"
            )
        ),
        f"/scouts/persona?key={value(hostile_db, key)}",
        f"/scouts/conflicts?persona={value(hostile_db, key)}",
        *(
            f"/scouts/persona?row={pk}"
            for (pk,) in rows(
                hostile_db, "select source_pk from canon.identity_unmatched order by id limit 2"
            )
        ),
        *(
            f"/scouts/alerts?alert={number}"
            for (number,) in rows(
                hostile_db,
                "select distinct alert_id from scout.alert_events where reason is not null",
            )
        ),
        *(
            f"/scouts/runs?run={number}"
            for (number,) in rows(
                hostile_db, "select id from ops.ingestion_runs order by id desc limit 3"
            )
        ),
    ]
    with support.served(hostile_db.url, tmp_path / "log") as address:
        visit = Visit(chromium.new_page(viewport={"width": DESK[0], "height": DESK[1]}), address)
        found, said = {}, 0
        for place in opened:
            visit.walk(place)
            for label in visit.page.locator("[data-testid=stExpander] summary").all():
                label.click()
            visit.page.wait_for_timeout(300)
            said += visit.page.locator("body").inner_text().count(f"**{MARK}**")
            if lines := visit.page.evaluate(FOUND):
                found[place] = lines[:3]
        assert found == {}
        assert said > 20
        assert visit.take_faults() == []
        visit.page.close()
