"""Who may ask: tokens, sessions, roles; and what a refusal leaves."""

from datetime import UTC, datetime

import pytest

from scout_core.access import tokens
from scout_core.access.permissions import Actor
from tests.api.test_problems import problem
from tests.support.job import rows

PATH = "scouts/attribution/metrics"
RUN = "scouts/attribution/run-now"
DENIALS = "select actor, role, action, via from scout.denials order by id"


@pytest.fixture
def token(ask, db):
    """Make a token; nobody has signed in beside it. Gives the headers to send."""
    ask.be(None)

    def make(role="viewer", **given):
        made = tokens.create(
            db, actor=Actor("a", "admin"), name=role, role=role, now=datetime.now(UTC), **given
        )
        return {"Authorization": f"Bearer {made.token}"}

    return make


def test_token_stands_for_its_role_and_its_use_is_noted(ask, db_url, token):
    viewer, operator = token("viewer"), token("operator")
    assert ask.client.get(f"/v1/{PATH}", headers=viewer).status_code == 200
    assert ask.client.get(f"/v1/{PATH}").status_code == 401
    problem(ask.post(RUN, headers=viewer), 403)
    assert ask.post(RUN, headers=operator).status_code == 202
    assert rows(db_url, DENIALS) == [("token viewer", "viewer", "run", "api")]
    assert rows(db_url, "select actor from scout.runs") == [("token operator",)]
    assert None not in rows(db_url, "select last_used_at from scout.api_tokens")


def test_token_limited_to_actions_does_nothing_else_of_its_role(ask, db_url, token):
    reading = token("operator", actions=["read"])
    assert ask.client.get(f"/v1/{PATH}", headers=reading).status_code == 200
    problem(ask.post(RUN, headers=reading), 403)
    assert rows(db_url, "select actor from scout.runs") == []


def test_wrong_token_is_nobody_even_where_a_session_would_do(ask, token):
    right = token()["Authorization"]
    ask.be("admin")
    for wrong in ("Bearer", "Bearer x", f"{right}x", right.replace("Bearer", "Basic"), ""):
        answer = ask.client.get(f"/v1/{PATH}", headers={"Authorization": wrong})
        problem(answer, 401)
        assert right.partition(" ")[2] not in answer.text


def test_token_that_was_revoked_ends_at_once(ask, db, token):
    headers = token()
    token_id = headers["Authorization"].split("_")[1]
    assert ask.client.get(f"/v1/{PATH}", headers=headers).status_code == 200
    tokens.revoke(db, actor=Actor("a", "admin"), token_id=token_id)
    problem(ask.client.get(f"/v1/{PATH}", headers=headers), 401)
