"""Tokens of the API: shown once, kept as a hash, for as much and as long as was said."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from scout_core import cli
from scout_core.access import denials, tokens
from scout_core.access.permissions import Actor
from scout_core.db.database import API, LOOK
from scout_core.errors import BadInput, NotFound, PermissionDenied
from tests.support.job import do, rows

ADMIN = Actor("adela", "admin")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COLUMNS = "select * from scout.api_tokens"


def make(db, name="sync", role="operator", **given):
    return tokens.create(db, actor=ADMIN, name=name, role=role, now=NOW, **given)


@pytest.fixture
def verb(db_url, monkeypatch, capsys):
    """Run a verb on the test's database: what it prints."""
    monkeypatch.setenv("DATABASE_URL", db_url)

    def run(*args):
        assert cli.run(args) == 0
        return capsys.readouterr().out

    return run


def known(db, token, now=NOW):
    with db.transaction(API) as conn:
        return tokens.find(conn, token, now)


def test_token_is_known_by_its_secret_which_is_nowhere(db, db_url):
    made, other = make(db), make(db, "other", "viewer")
    found = known(db, made.token)
    assert found.actor == Actor("token sync", "operator")
    assert known(db, other.token).actor.role == "viewer"
    secret = made.token.rpartition("_")[2]
    assert len(made.token) > 60
    assert secret not in str(rows(db_url, COLUMNS))
    assert secret not in json.dumps(rows(db_url, "select t::text from scout.api_tokens as t"))


def test_nothing_but_the_whole_token_is_known(db):
    made, other = make(db), make(db, "other")
    head, secret = made.token.rpartition("_")[::2]
    swapped = f"{other.token.rpartition('_')[0]}_{secret}"
    flipped = made.token[:-1] + ("A" if made.token[-1] != "A" else "B")
    for wrong in (
        "",
        head,
        f"{made.token} ",
        f"{made.token}\n",
        secret,
        swapped,
        flipped,
        "\ud800",
    ):
        assert known(db, wrong) is None


def test_token_ends_when_it_expires_or_is_revoked(db):
    made, other = make(db, days=2), make(db, "other")
    later = NOW + timedelta(days=2)
    assert known(db, made.token, later - timedelta(seconds=1)) is not None
    assert known(db, made.token, later) is None
    assert known(db, other.token, later) is not None
    tokens.revoke(db, actor=ADMIN, token_id=other.token_id)
    assert known(db, other.token) is None
    assert known(db, made.token) is not None
    with pytest.raises(NotFound):
        tokens.revoke(db, actor=ADMIN, token_id=other.token_id)


def test_use_is_noted_once_a_minute(db, db_url):
    made = make(db)
    for seconds, is_due in ((0, True), (30, False), (59, False), (61, True)):
        at = NOW + timedelta(seconds=seconds)
        assert known(db, made.token, at).is_use_due is is_due
        tokens.record_use(db, made.token_id, at)
    (used,) = rows(db_url, "select last_used_at from scout.api_tokens")
    assert used == (NOW + timedelta(seconds=61),)


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\0"},
        {"role": "root"},
        {"role": "viewer", "actions": ["run"]},
        {"role": "admin", "actions": ["fly"]},
        {"days": 0},
        {"days": 3651},
        {"name": "taken"},
    ],
)
def test_token_that_cannot_be_is_not_made(db, db_url, given):
    make(db, "taken")
    with pytest.raises(BadInput):
        make(db, **given)
    assert len(rows(db_url, COLUMNS)) == 1


@pytest.mark.parametrize("role", ["viewer", "analyst", "operator"])
def test_only_an_admin_makes_lists_or_revokes_tokens(db, role):
    made = make(db)
    actor = Actor("ana", role)
    with pytest.raises(PermissionDenied):
        tokens.create(db, actor=actor, name="mine", role="viewer", now=NOW)
    with pytest.raises(PermissionDenied):
        tokens.revoke(db, actor=actor, token_id=made.token_id)
    with pytest.raises(PermissionDenied), db.transaction(LOOK) as conn:
        tokens.list_tokens(conn, actor=actor)
    assert known(db, made.token) is not None


def test_verbs_make_list_and_revoke_and_show_the_secret_once(verb):
    made = json.loads(
        verb("token", "create", "bi", "--role", "analyst", "--action", "read", "--json")
    )["token"]
    assert (made["role"], made["actions"]) == ("analyst", ["read"])
    listed = verb("token", "list", "--json")
    assert json.loads(listed)["tokens"][0]["token_id"] == made["token_id"]
    assert made["token"].rpartition("_")[2] not in listed + verb("token", "list")
    verb("token", "revoke", made["token_id"])
    assert "revoked" in verb("token", "list")


DENIALS = "select actor, role, action, via from scout.denials order by id"


def denied(role="viewer", action="run"):
    return PermissionDenied("no", role=role, action=action)


def test_denial_is_kept_and_a_read_only_database_stops_nothing(db, db_url):
    denials.record(db, Actor("vera", "viewer"), denied(), "page")
    assert rows(db_url, DENIALS) == [("vera", "viewer", "run", "page")]


def test_who_is_refused_again_and_again_leaves_a_row_a_minute_and_a_line_each_time(
    db, db_url, capsys
):
    vera = Actor("vera", "viewer")
    for _ in range(20):
        denials.record(db, vera, denied(), "api")
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("denied") == 20
    assert rows(db_url, DENIALS) == [("vera", "viewer", "run", "api")]
    others = [
        (Actor("luis", "viewer"), "run", "api"),
        (Actor("vera", "analyst"), "run", "api"),
        (vera, "undo", "api"),
        (vera, "run", "page"),
    ]
    for actor, action, via in others:
        denials.record(db, actor, denied(actor.role, action), via)
    kept = [("vera", "viewer", "run", "api"), *((a.name, a.role, x, via) for a, x, via in others)]
    assert rows(db_url, DENIALS) == kept


def test_denial_of_a_minute_ago_is_followed_by_another(db, db_url):
    for seconds in (70, 61, 50):
        ago = f"clock_timestamp() - interval '{seconds} seconds'"
        do(
            db_url,
            "insert into scout.denials (actor, role, action, via, recorded_at) values ('old"
            f" {seconds}', 'viewer', 'run', 'api',"
            f" {ago})",
        )
        denials.record(db, Actor(f"old {seconds}", "viewer"), denied(), "api")
    counted = "select actor, count(*) from scout.denials group by actor order by actor"
    assert rows(db_url, counted) == [("old 50", 1), ("old 61", 2), ("old 70", 2)]
