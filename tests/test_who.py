"""Who somebody is by the session of the browser: what an identity provider says becomes a role."""

import json
import random

import pytest
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from scout_core.permissions import Actor
from ui import shield, who

SECRET = "a secret of the tests"
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
    ],
)
def test_claim_gives_the_role_that_it_names_and_anything_else_is_a_viewer(claims, roles, role):
    assert who.role_of(claims, roles) == role


@pytest.fixture
def signed_in(monkeypatch):
    """Sign in is configured; gives cookies of whoever signed in."""
    auth = {"cookie_secret": SECRET, "redirect_uri": f"{ORIGIN}/scouts/oauth2callback"}
    kept = secrets_singleton._secrets
    secrets_singleton._secrets = {"auth": auth, "roles": {"claim": "scout_role"}}
    monkeypatch.setattr(secrets_singleton, "load_if_toml_exists", lambda: True)
    assert shield.is_sign_in_configured()

    def cookies(secret=SECRET, origin=ORIGIN, **claims):
        found = {}
        told = {"origin": origin, "is_logged_in": True, "email": "ana@example.com", **claims}
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

    yield cookies
    secrets_singleton._secrets = kept


def test_session_of_a_browser_is_who_signed_in_with_it(signed_in):
    assert who.visitor_of(signed_in(scout_role="operator")) == Actor("ana@example.com", "operator")
    assert who.visitor_of(signed_in()) == Actor("ana@example.com", "viewer")
    # more than one cookie holds
    long = signed_in(scout_role="analyst", note=random.Random(1).randbytes(6000).hex())
    assert len(long) > 1
    assert who.visitor_of(long).role == "analyst"


def test_session_that_is_not_ours_is_nobody(signed_in):
    good = signed_in(scout_role="admin")
    ((name, value),) = good.items()
    assert who.visitor_of({}) is None
    assert who.visitor_of({name: value[:-2]}) is None
    assert who.visitor_of({name: json.dumps({"is_logged_in": True})}) is None
    assert who.visitor_of(signed_in(secret="another", scout_role="admin")) is None
    assert who.visitor_of(signed_in(origin="https://evil.example", scout_role="admin")) is None
    assert who.visitor_of(signed_in(is_logged_in=False, scout_role="admin")) is None


def test_nobody_signs_in_means_this_machine_may_do_everything():
    assert not shield.is_sign_in_configured()
    assert who.visitor_of({}).role == "admin"
