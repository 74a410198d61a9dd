"""Databases in other encodings than UTF-8, and connections that are told to speak another one."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg2
import pytest
from sqlalchemy import make_url, text

from scout_core import cli
from scout_core.access.permissions import Actor
from scout_core.db import connecting
from scout_core.db.database import ADMIN, API, LOOK, Database
from scout_core.embedded.connection import connect
from scout_core.errors import BadInput, CannotBeKept
from scout_core.export import delivery
from scout_core.export.lists import LISTS
from scout_core.export.writer import Form
from scout_core.health import source_checks
from scout_core.install import demo, doctor
from scout_core.install.session import Installer
from scout_core.install.table_objects import _autocommit
from scout_core.install.tree import SQL_ROOT
from tests.support import databases, installing, job, looking, web
from tests.support import server as test_server
from tests.support.asking import asking
from tests.support.job import broken_at_all, do, key, rows
from tests.support.looking import OPERATOR
from ui.parts import site

ENCODINGS = ("LATIN1", "WIN1252", "SQL_ASCII")
CARLA = str(key("carla"))
WORDS = "llamé a Ñahui: «el primero» la registró · bien"
# the bytes of a name in LATIN1, which are no UTF-8
BYTES = b"\xe9\xf1"
# every text of the owner gets them, where no rule of the owner's own says what it may be
SPOIL = """
do $$
declare
    c record;
begin
    for c in
        select a.attrelid::regclass as relation, quote_ident(a.attname) as name
        from pg_attribute as a
        inner join pg_class as t on t.oid = a.attrelid
        where t.relnamespace in (
                'canon'::regnamespace, 'observational'::regnamespace, 'ops'::regnamespace,
                'public'::regnamespace
            )
            and t.relkind = 'r' and a.attnum > 0 and not a.attisdropped
            and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
            and t.relname not like '%audit'
    loop
        begin
            execute format(
                'update %s set %s = left(%2$s, 3) || %L || substr(%2$s, 4)'
                ' where ctid in (select ctid from %1$s where %2$s is not null limit 30)',
                c.relation, c.name, convert_from('\\xe9f1'::bytea, 'SQL_ASCII')
            );
        exception when others then
            null;
        end;
    end loop;
end
$$
"""


def _fill(url: str) -> None:
    databases.install_on_sources(url)


def _fill_demo(url: str) -> None:
    database = Database(url)
    settings = job.settings()
    demo.load(database, settings, persons=300, report=lambda _: None)
    looking.refresh(database)
    source_checks.run_checks(database, settings, datetime.now(UTC), actor=OPERATOR)
    database.dispose()


@pytest.fixture(params=ENCODINGS)
def encoding(request) -> str:
    return request.param


@pytest.fixture
def url(server_url, encoding) -> Iterator[str]:
    """A database of this encoding, with the product installed and nothing in it."""
    with databases.encoded(server_url, encoding, "installed", _fill) as found:
        yield found


@pytest.fixture
def other(url) -> Iterator[Database]:
    with installing.opened(url) as database:
        yield database


@pytest.fixture
def lived_in(server_url, encoding) -> Iterator[Database]:
    """The same with demo data after one run."""
    with (
        databases.encoded(server_url, encoding, "demo", _fill_demo) as found,
        installing.opened(found) as database,
    ):
        yield database


@pytest.fixture
def spoiled(server_url) -> Iterator[Database]:
    """A database in SQL_ASCII whose texts have bytes that are no UTF-8, before its next run."""
    with databases.encoded(server_url, "SQL_ASCII", "demo", _fill_demo) as found:
        as_bytes(found, SPOIL)
        with installing.opened(found) as database:
            yield database


def as_bytes(url: str, *statements: str) -> None:
    """Statements of somebody whose client speaks no encoding."""
    target = make_url(url)
    connection = psycopg2.connect(
        host=target.query["host"],
        port=target.query["port"],
        user=target.username,
        password=target.password,
        dbname=target.database,
        client_encoding="SQL_ASCII",
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def every_address(ask) -> list[str]:
    """Every address of the API that takes no key."""
    spec = ask.client.get("/openapi.json").json()
    return [path for path, ways in spec["paths"].items() if "get" in ways and "{" not in path]


def look_everywhere(database: Database) -> str:
    """Every page, every address of the API, every file in each form, verify; all that was said."""
    said = []
    with web.on(database):
        for place in site.PLACES:
            page = web.open_page(place.name)
            assert not page.exception, place.name
            assert page.title, place.name
            said.append(web.words(page))
    with asking(database) as ask:
        for path in every_address(ask):
            answer = ask.client.get(path)
            assert answer.status_code == 200, (path, answer.text[:300])
            said += [] if "sheet" in answer.headers["content-type"] else [answer.text]
        assert ask.root.get("/health").status_code == 200
        assert ask.root.get("/metrics").status_code == 200
    for name in LISTS:
        for form in (Form("csv"), Form("csv", is_raw=True), Form("xlsx")):
            out = io.BytesIO()
            delivery.export_to(
                database,
                database,
                name,
                None,
                out,
                form,
                actor=Actor("ana", "analyst"),
                via="api",
                now=datetime.now(UTC),
            )
            assert out.getvalue()
            said += [out.getvalue().decode()] if form.format == "csv" else []
    assert broken_at_all(database) == {}
    return "\n".join(said)


# connections


@pytest.mark.parametrize("told", ["role", "database", "environment"])
@pytest.mark.parametrize("spoken", ["latin1", "win1252", "sql_ascii"])
def test_connection_speaks_utf8_whatever_it_is_told(server_url, db_url, monkeypatch, told, spoken):
    login = f"scout_test_{spoken}_{os.getpid()}"
    name = make_url(db_url).database
    do(server_url, f"drop role if exists {login}")
    do(server_url, f"create role {login} superuser login password '{login}'")
    try:
        if told == "role":
            do(server_url, f"alter role {login} set client_encoding = '{spoken}'")
        elif told == "database":
            do(server_url, f"alter database {name} set client_encoding = '{spoken}'")
        else:
            monkeypatch.setenv("PGCLIENTENCODING", spoken)
        mine = installing.as_login(db_url, login)
        raw = connecting.engine(mine)
        driver = raw.raw_connection()
        assert driver.driver_connection.encoding == "UTF8"
        driver.close()
        raw.dispose()
        ask = text("select current_setting('client_encoding')")
        with installing.opened(mine) as database:
            for profile in (ADMIN, LOOK, API):
                with database.transaction(profile) as conn:
                    assert conn.scalar(ask) == "UTF8"
            probe = database._engine.dialect.connect(
                *database._probe_arguments[0], **database._probe_arguments[1]
            )
            assert probe.encoding == "UTF8"
            probe.close()
            with _autocommit(Installer(database, lambda _: None)) as conn:
                assert conn.scalar(ask) == "UTF8"
        embedded = connect(test_server.start(), "postgres")
        assert embedded.encoding == "UTF8"
        embedded.close()
    finally:
        monkeypatch.delenv("PGCLIENTENCODING", raising=False)
        do(server_url, f"alter database {name} reset client_encoding")
        do(server_url, f"drop role {login}")


def test_every_connection_of_ours_is_opened_in_the_two_places_that_say_so():
    mine = [
        *(test_server.ROOT / "scout_core").rglob("*.py"),
        *(test_server.ROOT / "api").rglob("*.py"),
        *(test_server.ROOT / "ui").rglob("*.py"),
        *(test_server.ROOT / "pages").rglob("*.py"),
        *(test_server.ROOT / "benchmarks").rglob("*.py"),
        test_server.ROOT / "app.py",
    ]
    opens = re.compile(r"\b(create_engine|psycopg2\.connect)\(")
    found = {
        f"{path.relative_to(test_server.ROOT)}" for path in mine if opens.search(path.read_text())
    }
    assert found == {"scout_core/db/connecting.py", "scout_core/embedded/connection.py"}
    for path in found:
        assert "client_encoding" in (test_server.ROOT / path).read_text()


def test_statements_of_ours_can_be_kept_in_latin1():
    files = [*SQL_ROOT.rglob("*.sql")]
    assert len(files) > 100
    for path in files:
        path.read_text(encoding="utf-8").encode("latin-1")


# a database of another encoding, from its installation to its last page


def test_other_encoding_lives_through_everything(other, url, encoding):
    job.story(url)
    assert job.refresh(other).status == "COMPLETED"
    job.decide(other, "carla", 9)
    with asking(other) as ask:
        place = "scouts/attribution/runs"
        run_id = ask.get(place).json()["items"][0]["run_id"]
        undone = ask.post(f"{place}/{run_id}/undo", json={"reason": WORDS})
        assert undone.status_code == 200, undone.text
    kept = looking.value(other, "select reason from scout.runs order by run_id desc limit 1")
    assert kept == WORDS
    assert job.refresh(other).status == "COMPLETED"
    assert installing.init(url).is_nothing
    assert broken_at_all(other) == {}
    findings = {f.name: f for f in doctor.examine(other, job.settings())}
    assert findings["encoding"].state == "WARN"
    assert encoding in findings["encoding"].what
    assert [f for f in findings.values() if f.state == "FAIL"] == []


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"], indirect=True)
def test_demo_is_shown_whole_in_another_encoding(lived_in):
    said = look_everywhere(lived_in)
    assert re.search("Huamán|Ñahui|Chávez|Núñez|Ríos|León", said)
    assert connecting.UNREADABLE not in said
    assert looking.refresh(lived_in).status == "COMPLETED"


# what it cannot hold


@pytest.mark.parametrize("encoding", ["LATIN1"], indirect=True)
@pytest.mark.parametrize(("note", "named"), [("“Fui yo”, dice", "“"), ("visto ✓ y firmado", "✓")])
def test_letter_that_cannot_be_kept_is_named_and_nothing_is_written(other, url, note, named):
    code = f"U+{ord(named):04X}"
    job.story(url)
    job.refresh(other)
    before = rows(url, "select count(*) from ops.ingestion_runs")
    with asking(other) as ask:
        (conflict,) = ask.get("scouts/attribution/conflicts").json()["items"]
        sent = {
            "outcome": "ASSIGN",
            "scout_id": 9,
            "reason_code": "OTHER",
            "seen": conflict["seen"],
        }
        answer = ask.post(
            f"scouts/attribution/conflicts/{CARLA}/decision", json={**sent, "note": note}
        )
        assert answer.status_code == 422
        assert f"“{named}” ({code})" in answer.json()["detail"]
        assert "LATIN1" in answer.json()["detail"]
    assert job.scouts(url).get(key("carla")) is None
    assert rows(url, "select count(*) from ops.ingestion_runs") == before
    assert rows(url, "select count(*) from scout.decisions") == [(0,)]


@pytest.mark.parametrize("encoding", ["LATIN1"], indirect=True)
def test_verb_ends_with_2_and_names_the_letter(other, url, monkeypatch, tmp_path, capsys):
    job.story(url)
    job.refresh(other)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    capsys.readouterr()
    why = ("--reason", "visto ✓ y firmado por la supervisora")
    for verb in (
        ("decide", CARLA, "--scout", "9", *why),
        ("undo", "1", *why),
        ("refresh", "--force", *why),
    ):
        assert cli.run([*verb, "--json"]) == 2, verb
        error = json.loads(capsys.readouterr().out)["error"]
        assert "“✓” (U+2713)" in error["message"]
    assert job.run_states(url) == [("COMPLETED", None)]
    assert broken_at_all(other) == {}


@pytest.mark.parametrize("encoding", ["LATIN1"], indirect=True)
def test_page_says_which_letter_cannot_be_kept(other, url):
    job.story(url)
    job.refresh(other)
    with web.on(other):
        page = web.open_page("conflicts", persona=CARLA)
        radio = next(r for r in page.radio if r.label == "¿Quién trajo a esta persona?")
        radio.set_value("9").run()
        page.text_area[-1].set_value("visto ✓ y firmado por la supervisora").run()
        button = next(b for b in page.button if b.label == "Asignar al scout 9")
        button.click().run()
        assert "“✓” (U\\+2713)" in web.words(page) or "“✓” (U+2713)" in web.words(page)
        assert "LATIN1" in web.words(page)
        searched = web.open_page("persona", q="✓✓✓")
        assert not searched.exception
    assert rows(url, "select count(*) from scout.decisions") == [(0,)]


@pytest.mark.parametrize("encoding", ["LATIN1"], indirect=True)
def test_file_does_not_leave_when_its_reason_cannot_be_kept(other):
    out = io.BytesIO()
    with pytest.raises(CannotBeKept):
        delivery.export_to(
            other,
            other,
            "conflicts",
            None,
            out,
            Form("csv", is_clear=True),
            actor=Actor("ana", "admin"),
            via="api",
            now=datetime.now(UTC),
            reason="para la señora “Ana” de caja",
        )
    assert out.getvalue() == b""


@pytest.mark.parametrize("encoding", ["LATIN1"], indirect=True)
def test_run_that_fails_over_a_letter_is_closed_as_failed(other, url, monkeypatch):
    def fail() -> None:
        raise BadInput("the words “of” somebody")

    job.story(url)
    job.at_point(monkeypatch, "mid work", fail)
    with pytest.raises(BadInput):
        job.refresh(other)
    ((status, reason),) = job.run_states(url)
    assert status == "FAILED"
    assert reason == r"the words \u201cof\u201d somebody"


# bytes that are no text


def test_bytes_that_are_no_text_stop_nothing_and_are_shown_as_such(spoiled):
    assert looking.refresh(spoiled).status == "COMPLETED"
    said = look_everywhere(spoiled)
    assert connecting.UNREADABLE in said
    assert [f for f in doctor.examine(spoiled, job.settings()) if f.state == "FAIL"] == []


def test_seal_covers_bytes_that_are_no_text(server_url):
    with (
        databases.encoded(server_url, "SQL_ASCII", "installed", _fill) as found,
        installing.opened(found) as database,
    ):
        job.story(found)
        as_bytes(
            found,
            "update observational.lead_ledger set attribution_rule ="
            " convert_from('\\xe9f1'::bytea, 'SQL_ASCII') where attributed_scout_id is null",
        )
        assert job.refresh(database).status == "COMPLETED"
        assert broken_at_all(database) == {}
        with database.transaction(ADMIN) as conn:
            conn.execute(
                text(
                    "update observational.lead_ledger set attributed_scout_id = 9"
                    " where attributed_scout_id is not null"
                )
            )
        assert job.refresh(database).status == "COMPLETED"
        assert broken_at_all(database) == {}


def test_seals_of_a_database_in_utf8_are_as_they_were(db, db_url):
    job.story(db_url)
    job.refresh(db)
    with db.transaction(ADMIN) as conn:
        conn.exec_driver_sql(
            "create function pg_temp.same() returns boolean language sql as $$"
            " select scout.utf8_bytes('ñandú ✓') = convert_to('ñandú ✓', 'UTF8') $$"
        )
        assert conn.scalar(text("select pg_temp.same()")) is True
    assert broken_at_all(db) == {}


def test_output_of_a_verb_is_utf8_from_a_database_of_bytes(spoiled, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "scout_core", "conflicts"],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": spoiled.url, "PYTHONPATH": str(test_server.ROOT)},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    ended.stdout.decode("utf-8")
