"""Who somebody is by the session of the browser: what an identity provider says becomes a role."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from scout_core.access.permissions import Actor
from scout_core.errors import DatabaseAway, SettingsError
from scout_core.settings import load
from tests.support import web
from ui.doors import sessions
from ui.parts import read, shield, who

SECRET = "5c0a7" * 13
ORIGIN = "https://scouts.example.com"
ROLES = {"claim": "groups", "values": {"fleet-ops": "operator", "fleet-boss": "admin"}}


@pytest.mark.parametrize(
    ("claims", "roles", "role"),
    [
        ({"role": "analyst"}, {"claim": "role"}, "analyst"),
        ({"role": "Admin"}, {"claim": "role"}, "viewer"),
        ({"role": "root"}, {"claim": "role"}, "viewer"),
        ({"role": None}, {"claim": "role"}, "viewer"),
        ({}, {"claim": "role"}, "viewer"),
        ({"role": "admin"}, {}, "viewer"),
        ({"": "admin"}, {}, "viewer"),
        ({"role": {"admin": True}}, {"claim": "role"}, "viewer"),
        ({"groups": ["x", "fleet-ops"]}, ROLES, "operator"),
        ({"groups": ["fleet-ops", "fleet-boss"]}, ROLES, "admin"),
        ({"groups": "fleet-ops"}, ROLES, "operator"),
        ({"groups": []}, ROLES, "viewer"),
        ({"groups": ["fleet"]}, {"claim": "groups", "values": {"fleet": "emperor"}}, "viewer"),
        # a group of the provider that happens to be called as a role of ours
        ({"groups": ["admin", "fleet-ops"]}, ROLES, "operator"),
        ({"groups": ["admin"]}, ROLES, "viewer"),
    ],
)
def test_claim_gives_the_role_that_it_names_and_anything_else_is_a_viewer(claims, roles, role):
    assert who.role_of(claims, roles) == role


ISSUER = "https://id.example.com"


@pytest.mark.parametrize(
    ("claims", "is_only", "name"),
    [
        ({"email": "ana@example.com", "email_verified": True}, True, "ana@example.com"),
        ({"email": "ana@example.com", "email_verified": True}, False, "ana@example.com"),
        ({"email": "ana@example.com"}, True, "8f14e45f"),
        ({"email": "ana@example.com", "email_verified": False}, True, "8f14e45f"),
        ({"email": "ana@example.com", "email_verified": "true"}, True, "8f14e45f"),
        ({"email": "ana@example.com", "email_verified": 1}, True, "8f14e45f"),
        ({"email": "ana", "email_verified": True}, True, "8f14e45f"),
        ({"email": "ana@example.com ", "email_verified": True}, True, "8f14e45f"),
        ({"email": "aña@example.com", "email_verified": True}, True, "8f14e45f"),
        ({"preferred_username": "boss@example.com"}, True, "8f14e45f"),
        ({}, True, "8f14e45f"),
        ({}, False, f"{ISSUER}#8f14e45f"),
        ({"sub": "boss@example.com"}, True, f"{ISSUER}#boss@example.com"),
        ({"sub": "token sync"}, True, f"{ISSUER}#token sync"),
    ],
)
def test_actor_is_a_verified_address_or_the_subject(claims, is_only, name):
    assert who.name_of({"sub": "8f14e45f", **claims}, ISSUER, is_only=is_only) == name


@pytest.fixture
def signed_in(monkeypatch, db):
    """Sign in is configured; gives cookies of whoever signed in."""
    auth = {"cookie_secret": SECRET, "redirect_uri": f"{ORIGIN}/scouts/oauth2callback"}
    monkeypatch.setattr(secrets_singleton, "_secrets", {"auth": auth})
    monkeypatch.setattr(secrets_singleton, "load_if_toml_exists", lambda: True)
    assert shield.is_sign_in_configured()

    def cookies(secret=SECRET, origin=ORIGIN, role="operator", hours=0.0, **claims):
        began = datetime.now(UTC) - timedelta(hours=hours)
        session = sessions.Session(f"{ISSUER}#ana", Actor("ana@example.com", role), began)
        told = {"origin": origin, "is_logged_in": True, **session.as_claims(), **claims}
        found = {}
        set_cookie_with_chunks(
            lambda name, value: found.update(
                {name: create_signed_value(secret, name, value).decode()}
            ),
            lambda name, value: create_signed_value(secret, name, value),
            USER_COOKIE_NAME,
            told,
            cookie_attr_size=100,
        )
        return found

    with web.on(db):
        yield cookies


def test_session_of_a_browser_is_who_signed_in_with_it(signed_in):
    assert who.visitor_of(signed_in()) == Actor("ana@example.com", "operator")
    # more than one cookie holds
    long = signed_in(role="analyst", note=random.Random(1).randbytes(6000).hex())
    assert len(long) > 1
    assert who.visitor_of(long).role == "analyst"


def test_session_that_is_not_ours_is_nobody(signed_in):
    good = signed_in(role="admin")
    ((name, value),) = good.items()
    assert who.visitor_of({}) is None
    assert who.visitor_of({name: value[:-2]}) is None
    assert who.visitor_of({name: json.dumps({"is_logged_in": True})}) is None
    assert who.visitor_of(signed_in(secret="another", role="admin")) is None
    assert who.visitor_of(signed_in(origin="https://evil.example", role="admin")) is None
    assert who.visitor_of(signed_in(is_logged_in=False, role="admin")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"signed_in_at": None},
        {"signed_in_at": "yesterday"},
        {"signed_in_at": "2026-11-22T12:00:00"},
        {"signed_in_at": 1.0},
        {"subject": None},
        {"subject": ""},
        {"actor": ["ana"]},
        {"role": "emperor"},
        {"role": None},
        {"provider_key": 7},
    ],
)
def test_cookie_that_lacks_something_is_nobody(signed_in, wrong):
    """As one that was made before a session had an end."""
    assert who.visitor_of(signed_in(**wrong)) is None


@pytest.mark.parametrize(("hours", "lasts"), [("1", 1), ("12", 12), ("720", 720)])
def test_session_lasts_as_long_as_the_setting_says(signed_in, db, hours, lasts):
    read.use(db, load({"SCOUT_SESSION_HOURS": hours}, dotenv=None))
    assert who.visitor_of(signed_in(hours=lasts - 0.01)) is not None
    assert who.visitor_of(signed_in(hours=lasts + 0.01)) is None


@pytest.mark.parametrize("hours", ["0", "721", "-1", "x"])
def test_lifetime_that_cannot_be_is_refused(hours):
    with pytest.raises(SettingsError, match="SCOUT_SESSION_HOURS"):
        load({"SCOUT_SESSION_HOURS": hours}, dotenv=None)


def test_while_nothing_was_ever_read_nobody_is_known(signed_in):
    cookies = signed_in()
    with web.on(None), pytest.raises(DatabaseAway):
        who.visitor_of(cookies)


def test_nobody_signs_in_means_this_machine_may_do_everything():
    assert not shield.is_sign_in_configured()
    assert who.visitor_of({}).role == "admin"
