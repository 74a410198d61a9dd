"""The table of who may do what: in the document, and the same by every way in (I24)."""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from scout_core import cli
from scout_core.access import permissions, sessions, tokens
from scout_core.access.permissions import MAY, WORDS, Action, Actor, Role
from scout_core.alerts import acts
from scout_core.cli import session
from scout_core.db.database import LOOK, Database
from scout_core.decide import decisions, erasure, holds, review, undo
from scout_core.errors import ChangedMeanwhile, NotFound, PermissionDenied
from scout_core.export import delivery
from scout_core.export.writer import Form
from scout_core.job.refresh import run_refresh
from scout_core.notify import outbox
from tests.support.asking import Asking, asking
from tests.support.job import rows, settings, story
from tests.support.looking import installed
from tests.support.state import effects
from ui.parts import read, who

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
ROLES = get_args(Role)
REASON = "a reason of the tests"
NOBODY, NOTHING = "00000000-0000-4000-8000-000000000000", 999_999
DECISION = {"reason_code": "CAME_ALONE", "note": REASON, "seen": "0" * 32}
DENIALS = "select actor, role, action, via from scout.denials order by id"


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    """A database that every attempt is made on."""
    with installed(server_url) as database:
        story(database.url)
        yield database


@pytest.fixture(scope="module")
def ask(shared: Database) -> Iterator[Asking]:
    with asking(shared) as found:
        yield found


def test_document_has_the_table_of_the_code():
    table = [
        f"| `{action}` | {WORDS[action]} | "
        + " | ".join("yes" if role in may else "-" for role in ROLES)
        + " |"
        for action, may in MAY.items()
    ]
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == table
    assert set(MAY) == set(WORDS) == set(get_args(Action))


def test_token_limited_to_actions_may_no_more_than_its_role():
    for role in ROLES:
        for action in MAY:
            only = Actor("t", role, frozenset({action}))
            assert permissions.may(only, action) == (role in MAY[action])
            for other in set(MAY) - {action}:
                assert not permissions.may(only, other)


def library(db: Database, actor: Actor) -> dict[Action, Callable[[], Any]]:
    """The function behind each action."""

    def list_tokens() -> None:
        with db.transaction(LOOK) as conn:
            tokens.list_tokens(conn, actor=actor)

    def list_sign_ins() -> None:
        with db.transaction(LOOK) as conn:
            sessions.list_sign_ins(conn, actor=actor)

    def take(is_clear: bool) -> None:
        delivery.export_to(
            db,
            db,
            "runs",
            None,
            io.BytesIO(),
            Form(is_clear=is_clear),
            actor=actor,
            via="api",
            now=datetime.now(UTC),
            reason=REASON,
        )

    given = settings(SCOUT_GUARD_MAX_PCT="100")
    return {
        "run": lambda: run_refresh(db, given, actor=actor),
        "export": lambda: take(False),
        "export_clear": lambda: take(True),
        "tokens": list_tokens,
        "sessions": lambda: [list_sign_ins(), sessions.end_of_person(db, actor=actor, whom="x")],
        # of subjects that there are not: who may is told that, and nobody else anything
        "decide": lambda: decisions.decide(
            db, actor=actor, person_key=NOBODY, outcome="NO_SCOUT", **DECISION
        ),
        "undo": lambda: undo.run_undo(db, actor=actor, run_id=NOTHING, reason=REASON),
        "release": lambda: holds.release(db, actor=actor, hold_id=NOTHING, reason=REASON),
        "mute": lambda: acts.ack(
            db, actor=actor, alert_id=NOTHING, reason=REASON, now=datetime.now(UTC)
        ),
        "notify": lambda: [
            outbox.send_test(db, given, actor=actor, now=datetime.now(UTC)),
            outbox.retry_dead(db, given, actor=actor, now=datetime.now(UTC)),
            outbox.drop_dead(db, actor=actor, now=datetime.now(UTC)),
        ],
        "review": lambda: review.dismiss(db, actor=actor, source_pk=str(NOTHING), reason=REASON),
        "erase": lambda: erasure.erase(db, actor=actor, person_key=NOBODY, reason=REASON),
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", sorted(set(MAY) - {"read"}))
def test_library_asks_the_table_itself(shared, role, action):
    attempt = library(shared, Actor("lib", role))[action]
    before = effects(shared.url)
    if role in MAY[action]:
        with contextlib.suppress(NotFound, ChangedMeanwhile):
            attempt()
    else:
        with pytest.raises(PermissionDenied) as denied:
            attempt()
        assert denied.value.facts["action"] == action
        assert effects(shared.url) == before


ROUTES: dict[str, tuple[str, str, Any]] = {
    "read": ("get", "scouts/attribution/metrics", None),
    "export": ("get", "scouts/attribution/runs.csv", None),
    "export_clear": ("post", "scouts/attribution/runs.csv", {"reason": REASON}),
    "run": ("post", "scouts/attribution/run-now", None),
    "decide": (
        "post",
        f"scouts/attribution/conflicts/{NOBODY}/decision",
        {"outcome": "NO_SCOUT", **DECISION},
    ),
    "undo": ("post", f"scouts/attribution/runs/{NOTHING}/undo", {"reason": REASON}),
    "release": ("post", f"scouts/attribution/holds/{NOTHING}/release", {"reason": REASON}),
    "mute": ("post", f"scouts/attribution/alerts/{NOTHING}/ack", {"reason": REASON}),
    "review": (
        "post",
        f"scouts/attribution/review/{NOTHING}",
        {"reason": REASON, "act": "dismiss"},
    ),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ROUTES)
def test_api_asks_the_table_and_keeps_only_that_it_refused(ask, shared, role, action):
    method, path, body = ROUTES[action]
    before, denied = effects(shared.url), rows(shared.url, DENIALS)
    answer = ask.be(role).client.request(method, f"/v1/{path}", json=body)
    if role in MAY[action]:
        assert answer.status_code in {200, 202, 404, 409}, answer.text
        assert rows(shared.url, DENIALS) == denied
        # a run that was accepted writes later: not while the next one looks
        while rows(shared.url, "select id from ops.ingestion_runs where status = 'RUNNING'"):
            time.sleep(0.02)
    else:
        assert answer.status_code == 403
        assert effects(shared.url) == before
        assert rows(shared.url, DENIALS) == [*denied, (f"{role} of the tests", role, action, "api")]


@pytest.mark.parametrize("role", ROLES)
def test_callback_of_a_page_asks_the_table_and_keeps_what_it_refused(shared, role):
    read.use(shared, settings())
    denied = len(rows(shared.url, DENIALS))
    try:
        for action in MAY:
            assert who.may(Actor("page", role), action) == (role in MAY[action])
    finally:
        read.use(None)
    refused = [("page", role, action, "page") for action, may in MAY.items() if role not in may]
    assert rows(shared.url, DENIALS)[denied:] == refused


VERBS: dict[Action, tuple[str, ...]] = {
    "run": ("refresh",),
    "export": ("export", "runs"),
    "export_clear": ("export", "runs", "--clear", "--reason", REASON),
    "tokens": ("token", "list"),
    "sessions": ("session", "list"),
    "decide": ("decide", NOBODY, "--none", "--reason", REASON),
    "undo": ("undo", str(NOTHING), "--reason", REASON),
    "release": ("hold", "release", str(NOTHING), "--reason", REASON),
    "mute": ("alerts", "ack", str(NOTHING), "--reason", REASON),
    "review": ("review", "dismiss", str(NOTHING), "--reason", REASON),
    "notify": ("notify", "retry"),
    "erase": ("erase", NOBODY, "--reason", REASON),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", VERBS)
def test_command_line_ends_with_3_for_a_role_that_may_not(shared, role, action, monkeypatch, capfd):
    monkeypatch.setenv("DATABASE_URL", shared.url)
    monkeypatch.setenv("SCOUT_GUARD_MAX_PCT", "100")
    monkeypatch.setattr(session, "actor", lambda: Actor("cli", role))
    denied = rows(shared.url, DENIALS)
    code = cli.run(VERBS[action])
    capfd.readouterr()
    if role in MAY[action]:
        # 1: there is no such person, run, hold or row
        assert code == (
            1 if action in {"decide", "mute", "undo", "release", "review", "erase"} else 0
        )
        assert rows(shared.url, DENIALS) == denied
    else:
        assert code == 3
        assert rows(shared.url, DENIALS) == [*denied, ("cli", role, action, "cli")]
