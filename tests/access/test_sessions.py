"""Sessions of people: the last sign-in is kept, who ended them and why, and for a month at most."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from scout_core import cli
from scout_core.access import sessions
from scout_core.access.permissions import Actor
from scout_core.db.database import LOOK
from scout_core.errors import NotFound, PermissionDenied
from tests.support.job import do, rows

ADMIN = Actor("adela", "admin")
ANA, EVA = "https://id.example.com#ana", "https://id.example.com#eva"
ENDS = "select subject, reason, actor from scout.session_ends order by subject"


def begin(db, subject=ANA, role="operator", name="ana@example.com"):
    return sessions.begin(db, subject, Actor(name, role))


def ends(db):
    with db.transaction(LOOK) as conn:
        return sessions.ends(conn)


def listed(db):
    with db.transaction(LOOK) as conn:
        return sessions.list_sign_ins(conn, actor=ADMIN)


@pytest.fixture
def verb(db_url, monkeypatch, capsys):
    """Run a verb on the test's database: its exit code and what it prints."""
    monkeypatch.setenv("DATABASE_URL", db_url)

    def run(*args):
        code = cli.run(args)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_sign_in_is_kept_once_for_each_subject_and_ends_nothing(db, db_url):
    first, second = begin(db), begin(db)
    begin(db, EVA, "viewer", "eva@example.com")
    assert first < second
    assert ends(db) == {}
    assert rows(db_url, "select subject, role from scout.sign_ins order by 1") == [
        (ANA, "operator"), (EVA, "viewer"),
    ]  # fmt: skip


def test_another_role_ends_the_older_sessions_of_that_subject(db, db_url):
    old, eva = begin(db), begin(db, EVA)
    new = begin(db, role="viewer")
    assert old <= ends(db)[ANA] < new
    assert EVA not in ends(db)
    assert rows(db_url, ENDS) == [(ANA, "ROLE_CHANGED", "ana@example.com")]
    assert eva < new


def test_two_sign_ins_at_once_with_other_roles_leave_one_in_force(db):
    begun = {}
    begin(db)

    def sign_in(role):
        begun[role] = begin(db, role=role)

    threads = [threading.Thread(target=sign_in, args=(role,)) for role in ("viewer", "admin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = ends(db)[ANA]
    assert sum(at > ended for at in begun.values()) == 1
    (kept,) = listed(db)
    assert begun[kept.role] > ended


def test_end_that_was_noted_earlier_takes_nothing_back(db):
    began = begin(db)
    sessions.end(db, ANA, reason="SIGNED_OUT", actor="ana@example.com")
    ended = ends(db)[ANA]
    assert ended > began
    sessions.end(db, ANA, reason="SIGNED_OUT", actor="x", at=ended - timedelta(hours=1))
    assert ends(db)[ANA] == ended


def test_what_is_older_than_any_session_is_forgotten(db, db_url):
    begin(db)
    begin(db, EVA)
    sessions.end(db, ANA, reason="ADMIN", actor="adela")
    month = "interval '721 hours'"
    do(
        db_url,
        f"update scout.sign_ins set signed_in_at = signed_in_at - {month} where subject = '{ANA}'",
        f"update scout.session_ends set ended_at = ended_at - {month}",
    )
    sessions.end(db, EVA, reason="ADMIN", actor="adela")
    assert list(ends(db)) == [EVA]
    assert rows(db_url, "select subject from scout.sign_ins") == [(EVA,)]


def test_admin_ends_the_sessions_of_a_person_and_of_nobody_else(db, db_url):
    begin(db)
    begin(db, EVA, "viewer", "eva@example.com")
    assert sessions.end_of_person(db, actor=ADMIN, whom="ANA@example.com") == ("ana@example.com",)
    assert rows(db_url, ENDS) == [(ANA, "ADMIN", "adela")]
    assert sessions.end_of_person(db, actor=ADMIN, whom=EVA) == ("eva@example.com",)
    with pytest.raises(NotFound, match="session list"):
        sessions.end_of_person(db, actor=ADMIN, whom="%")
    with pytest.raises(PermissionDenied):
        sessions.end_of_person(db, actor=Actor("o", "operator"), whom="ana@example.com")


def test_verbs_list_and_end(db, verb, db_url):
    assert verb("session", "list")[1].startswith("Nobody signed in")
    begin(db)
    begin(db, EVA, "viewer", "eva@example.com")
    code, out, _ = verb("session", "end", "ana@example.com")
    assert (code, out) == (0, "The sessions of ana@example.com have ended.\n")
    assert [row[:2] for row in rows(db_url, ENDS)] == [(ANA, "ADMIN")]
    code, out, _ = verb("session", "list", "--json")
    found = {one["actor"]: one for one in json.loads(out)["sign_ins"]}
    assert found["ana@example.com"]["reason"] == "ADMIN"
    assert found["eva@example.com"]["ended_at"] is None
    assert "eva@example.com" in verb("session", "list")[1]
    code, _, err = verb("session", "end", "mallory")
    assert code == 1
    assert "session list" in err


def test_ends_of_a_past_session_are_not_those_of_a_new_one(db):
    begin(db)
    sessions.end(db, ANA, reason="SIGNED_OUT", actor="ana@example.com")
    assert listed(db)[0].ended_at is not None
    assert begin(db) > ends(db)[ANA]
    assert listed(db)[0].ended_at is None
    assert listed(db)[0].signed_in_at > datetime.now(UTC) - timedelta(minutes=1)


def test_reader_may_read_and_not_write(db):
    from sqlalchemy import text

    from scout_core.errors import ScoutError

    with pytest.raises(ScoutError), db.transaction(LOOK) as conn:
        conn.execute(text("delete from scout.session_ends"))
