"""What somebody searches, and what rows hold, never gets into the server's log or ours."""

import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from sqlalchemy import text

from scout_core import embedded, logs
from scout_core.attribution import person_search
from scout_core.db import driver_errors
from scout_core.db.database import JOB, LOOK, QUIET, Database, Profile
from scout_core.decide import review
from scout_core.errors import ScoutError
from scout_core.export.lists import LISTS
from scout_core.install import doctor, uninstall
from tests.support import databases, web
from tests.support.asking import asking
from tests.support.installing import as_login, init, run, settings
from tests.support.job import do, story, writing

# everything that a server can be told to log
LOUD = {
    "log_min_error_statement": "debug5",
    "log_min_messages": "notice",
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_lock_waits": "on",
    "log_error_verbosity": "verbose",
    "log_temp_files": "0",
    "deadlock_timeout": "10ms",
    "fsync": "off",
}


class Logged:
    """A server that logs everything, a database on it, and what it has logged."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def has(self, digits: str) -> list[str]:
        """The lines with these digits, whatever stands between them."""
        lines = [
            line
            for path in self.folder.rglob("*.log")
            for line in path.read_text(errors="replace").splitlines()
        ]
        return [line for line in lines if digits in "".join(c for c in line if c not in " -.+()")]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    folder = tmp_path_factory.mktemp("loud")
    server = embedded.start(folder, options=LOUD)
    try:
        admin = server.url_of("postgres")
        databases.execute(admin, "create database loud template template0")
        url = databases.url_of(admin, "loud")
        databases.load_source_schema(url)
        init(url)
        story(url)
        run(url, "create role app login password 'app'", "grant scout_writer, scout_reader to app")
        yield Logged(folder, url)
    finally:
        embedded.stop(folder)


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Any]:
    made: list[Database] = []

    def of(url: str) -> Database:
        made.append(Database(url))
        return made[-1]

    yield of
    for database in made:
        database.dispose()


def search_everywhere(db: Database, wanted: str) -> int:
    """Every search and filter that takes a text: of the library, the API and the pages."""
    asked = 0
    for look in (person_search.find, review.by_row):
        with suppress(ScoutError), db.transaction(LOOK) as conn:
            asked += 1
            look(conn, wanted)
    for listed in LISTS.values():
        hints = get_type_hints(listed.filters)
        for field in fields(listed.filters):
            if str in (hints[field.name], *getattr(hints[field.name], "__args__", ())):
                given = listed.filters(**{field.name: wanted})
                asked += 1
                with suppress(ScoutError), db.transaction(LOOK) as conn:
                    list(listed.stream(conn, given, sort=next(iter(listed.sorts))))
    with asking(db) as ask:
        for path, methods in ask.app.openapi()["paths"].items():
            if "get" not in methods:
                continue
            address = path.removeprefix("/v1/")
            for parameter in methods["get"].get("parameters", ()):
                asked += 1
                if parameter["in"] == "query":
                    ask.get(address, **{parameter["name"]: wanted})
                else:
                    ask.get(address.replace(f"{{{parameter['name']}}}", wanted))
    with web.on(db):
        page = web.open_page("persona")
        page.text_input[0].set_value(wanted).run()
        web.open_page("conflicts", q=wanted)
        web.open_page("runs", q=wanted)
    return asked


def fail(db: Database, profile: Profile, *statements: str, **values: str) -> ScoutError:
    """The error that these statements of one transaction end in."""
    with pytest.raises(ScoutError) as raised:
        write_as(db, profile, *statements, **values)
    return raised.value


def write_as(db: Database, profile: Profile, *statements: str, **values: str) -> None:
    with db.transaction(profile) as conn:
        for statement in statements:
            conn.execute(text(statement), values if ":phone" in statement else {})


def go_wrong(db: Database, url: str, wanted: str) -> None:
    """Statements with the value that fail, take too long, wait for a lock and break a key."""
    fail(db, LOOK, "select cast(:phone as text), 1 / 0", phone=wanted)
    fail(
        db,
        LOOK,
        "set local statement_timeout = 50",
        "select cast(:phone as text), pg_sleep(5)",
        phone=wanted,
    )
    with writing(url) as other:
        other.execute(text("select person_key from canon.identity_registry for update"))
        fail(
            db,
            JOB,
            "set local lock_timeout = 200",
            "select person_key from canon.identity_registry"
            " where primary_phone is distinct from cast(:phone as text) for no key update",
            phone=wanted,
        )
    fail(
        db,
        JOB,
        "insert into scout.rows_to_check values ('x', :phone), ('x', :phone)",
        phone=wanted,
    )
    write_as(db, LOOK, "select cast(:phone as text), pg_sleep(0.2)", phone=wanted)


def finding(db: Database) -> doctor.Finding:
    layer = [f for f in doctor.examine(db, settings()) if f.layer == "server"]
    (found,) = [f for f in layer if f.name in ("log", "log of the login")]
    return found


@pytest.mark.parametrize("login", ["superuser", "app"])
def test_searches_errors_and_slow_statements_leave_nothing_in_the_log(
    logged: Logged, opened: Any, login: str
):
    """Also for a login that may do nothing itself: init has let the roles of the product."""
    db = opened(logged.url if login == "superuser" else as_login(logged.url, "app"))
    for wanted in ("987612345", "+51 987 612-345", "Q87612345"):
        assert search_everywhere(db, wanted) > 60
        go_wrong(db, logged.url, wanted)
    assert logged.has("987612345") == []
    assert logged.has("Q87612345") == []
    assert finding(db).state == "OK"
    # the log does tell of statements, and of others' values
    do(logged.url, "select '933333333'")
    assert logged.has("933333333")


def test_where_it_may_not_be_set_doctor_gives_the_statement_that_lets_it(
    logged: Logged, opened: Any
):
    names = ", ".join(QUIET)
    run(logged.url, f"revoke set on parameter {names} from scout_writer, scout_reader")
    app = as_login(logged.url, "app")
    db = opened(app)
    go_wrong(db, logged.url, "944444441")
    assert logged.has("944444441")
    told = finding(db)
    assert told.state == "WARN"
    assert "log_min_error_statement" in told.what
    prefix = "Let an administrator run: "
    assert told.todo.startswith(prefix)
    run(logged.url, told.todo.removeprefix(prefix))
    db = opened(app)
    go_wrong(db, logged.url, "955555551")
    assert logged.has("955555551") == []
    assert finding(db).state == "OK"


@pytest.mark.parametrize(
    ("setting", "quiet"),
    [("log_transaction_sample_rate", "1"), ("auto_explain.log_min_duration", "0")],
)
def test_what_a_transaction_cannot_set_for_itself_is_named(
    logged: Logged, opened: Any, setting: str, quiet: str
):
    run(logged.url, f"alter role app set {setting} = '{quiet}'")
    db = opened(as_login(logged.url, "app"))
    told = finding(db)
    assert told.state == "WARN"
    assert setting in told.what
    run(logged.url, *told.todo.removeprefix("Let an administrator run: ").split("; "))
    assert finding(opened(as_login(logged.url, "app"))).state == "OK"


def test_product_that_is_taken_away_leaves_no_role_behind(logged: Logged, opened: Any):
    """A role with a right on a parameter could not be dropped."""
    admin = databases.url_of(logged.url, "postgres")
    databases.execute(admin, "create database gone template template0")
    url = databases.url_of(admin, "gone")
    databases.load_source_schema(url)
    init(url)
    # the roles of the cluster are still needed by the other database
    lines = uninstall.uninstall(opened(url), report=lambda _: None)
    assert [line for line in lines.lost if "Role scout_writer stays" in line]
    db = opened(as_login(logged.url, "app"))
    assert finding(db).state == "OK"
    uninstall.uninstall(opened(logged.url), report=lambda _: None)
    with writing(logged.url) as conn:
        left = conn.execute(text("select rolname from pg_roles where rolname like 'scout%'")).all()
    assert left == []


@pytest.mark.parametrize(
    "statement",
    [
        "select cast(:phone as uuid)",
        "select 'x' where cast(:phone as text) = 1",
        "insert into canon.identity_registry (person_key, confidence_level, primary_phone)"
        " values (null, 'LOW', :phone)",
        "insert into scout.rows_to_check values ('x', :phone), ('x', :phone)",
        "do $$ begin raise exception 'phone % is odd', current_setting('t.phone'); end $$",
        "select (:phone || '(')::jsonpath",
    ],
)
def test_errors_of_the_driver_are_shown_without_the_value(
    db: Database, statement: str, capsys: pytest.CaptureFixture[str]
):
    """In a message, a traceback with all its causes, or a line of the log."""
    phone = "966666661"
    logs.configure("INFO", json=True)
    told = "select set_config('t.phone', :phone, true)"
    error = fail(db, JOB, told, statement, phone=phone)
    assert phone not in error.message
    shown = "".join(traceback.format_exception(error))
    assert "DBAPIError" in shown or "psycopg2" in shown
    assert phone not in shown
    logs.get_logger("x").error("failed", exc_info=error)
    said = capsys.readouterr()
    assert "failed" in said.err
    assert phone not in said.err + said.out
    assert driver_errors.sqlstate(error)
