"""Connections that do not come about: what is said, what to do, and whether to try again."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from scout_core import address, cli, embedded
from scout_core.db.database import ADMIN_LOOK, Database
from scout_core.embedded.account import choose_account
from scout_core.embedded.binaries import find_binaries, program
from scout_core.embedded.layout import Layout
from scout_core.errors import DatabaseAway, DatabaseReadOnly, ScoutError, WrongDatabase
from scout_core.settings import load
from tests.support import server as test_server
from tests.support.asking import asking
from tests.support.browser import free_port
from tests.support.job import do, value
from tests.support.tls import Tls, serving

SECRET = "zu9Geheim"
LOGIN = f"scout_test_login_{os.getpid()}"


@pytest.fixture(scope="module")
def tls() -> Iterator[Tls]:
    with serving() as found:
        do(
            found.server.url_of("postgres"),
            f"create role {LOGIN} login password '{SECRET}'",
            "create role scout_test_group nologin",
        )
        yield found


def refused(url: str) -> ScoutError:
    """How the database of this address is refused, as the settings read it."""
    database = Database(load({"DATABASE_URL": url}, dotenv=None).database_url)
    try:
        with pytest.raises(ScoutError) as found, database.transaction(ADMIN_LOOK):
            pass
    finally:
        database.dispose()
    message = found.value.message
    assert SECRET not in message
    assert "SQLSTATE None" not in message
    assert "\n" not in message
    return found.value


def answers(url: str) -> str:
    """The name of the database behind this address."""
    database = Database(load({"DATABASE_URL": url}, dotenv=None).database_url)
    try:
        with database.transaction(ADMIN_LOOK) as conn:
            return str(conn.scalar(text("select current_database()")))
    finally:
        database.dispose()


# what somebody has to mend: said by the driver, in plain words, with what to do; exit code 1

Case = Callable[[Tls], tuple[str, str, str]]
MENDED: dict[str, Case] = {
    "missing root certificate": lambda t: (
        t.url() + "?sslmode=verify-full&sslrootcert=/nowhere/ca.crt",
        'root certificate file "/nowhere/ca.crt" does not exist',
        "sslrootcert",
    ),
    "certificate of another authority": lambda t: (
        t.url(host="localhost") + f"?sslmode=verify-ca&sslrootcert={t.stranger}",
        "certificate verify failed",
        "sslrootcert",
    ),
    "certificate of another name": lambda t: (
        t.url(host="127.0.0.1") + f"?sslmode=verify-full&sslrootcert={t.authority}",
        'does not match host name "127.0.0.1"',
        "host in DATABASE_URL",
    ),
    "bad sslmode": lambda t: (
        t.url() + "?sslmode=no-verify",
        'invalid sslmode value: "no-verify"',
        "correct or remove it",
    ),
    "missing key of the client": lambda t: (
        t.url() + f"?sslmode=require&sslcert={t.authority}&sslkey=/nowhere/c.key",
        'not private key file "/nowhere/c.key"',
        "sslcert",
    ),
    "wrong password": lambda t: (
        t.url(login=f"{LOGIN}:{SECRET}x"),
        f'password authentication failed for user "{LOGIN}"',
        "user and password",
    ),
    "no password": lambda t: (t.url(login=LOGIN), "no password supplied", "user and password"),
    "missing database": lambda t: (
        t.url(database="nowhere"),
        'database "nowhere" does not exist',
        "no such database",
    ),
    "no right to connect": lambda t: (
        t.url(login=f"{LOGIN}:{SECRET}", database="closed_to_others"),
        'permission denied for database "closed_to_others"',
        "grant connect on database",
    ),
    "database that takes no connections": lambda t: (
        t.url(database="shut"),
        '"shut" is not currently accepting connections',
        "administrator",
    ),
    "line of pg_hba": lambda t: (
        t.url(login=f"{LOGIN}:{SECRET}", database="barred"),
        "pg_hba.conf rejects connection",
        "pg_hba.conf",
    ),
    "login that may not log in": lambda t: (
        t.url(login=f"scout_test_group:{SECRET}"),
        "scout_test_group",
        "DATABASE_URL",
    ),
    "bad target_session_attrs": lambda t: (
        t.url() + "?target_session_attrs=write",
        "invalid target_session_attrs value",
        "correct or remove it",
    ),
    "wrong password of the second host": lambda t: (
        f"postgresql://{LOGIN}:{SECRET}x@127.0.0.1:{free_port()},127.0.0.1:{t.port}/postgres",
        "password authentication failed",
        "user and password",
    ),
}


@pytest.fixture(scope="module")
def arranged(tls: Tls) -> Tls:
    admin = tls.server.url_of("postgres")
    from tests.support.databases import execute

    execute(
        admin,
        "create database closed_to_others",
        "revoke connect on database closed_to_others from public",
        "create database shut",
        "alter database shut with allow_connections false",
        "create database barred",
    )
    hba = Path(value(admin, "show hba_file"))
    rules = hba.read_text()
    hba.write_text(f"host barred all 127.0.0.1/32 reject\n{rules}")
    do(admin, "select pg_reload_conf()")
    return tls


@pytest.mark.parametrize("case", MENDED)
def test_what_somebody_has_to_mend_is_said_and_is_1(arranged, case, monkeypatch, capsys, tmp_path):
    url, said, todo = MENDED[case](arranged)
    found = refused(url)
    assert type(found) is WrongDatabase, found
    assert said in found.message
    assert todo in found.message
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    assert cli.run(["status"]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert SECRET not in printed.out + printed.err


def test_api_says_that_the_operator_has_to_look_and_nothing_of_the_address(arranged):
    url, _, _ = MENDED["wrong password"](arranged)
    database = Database(url)
    with asking(database) as ask:
        answer = ask.get("scouts/attribution/metrics")
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("database-refused")
        assert LOGIN not in answer.text
        assert ask.root.get("/health").status_code == 503
    database.dispose()


# what passes by itself: 75

PASSING: dict[str, Case] = {
    "nobody listens": lambda t: (
        f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/x",
        "Connection refused",
        "",
    ),
    "no socket": lambda t: (f"postgresql://u:{SECRET}@/x?host=/nowhere", "on socket", ""),
    "both hosts are down": lambda t: (
        f"postgresql://u:{SECRET}@127.0.0.1:{free_port()},127.0.0.1:{free_port()}/x",
        "Connection refused",
        "",
    ),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_by_itself_is_75(tls, case, monkeypatch, capsys, tmp_path):
    url, said, _ = PASSING[case](tls)
    found = refused(url)
    assert type(found) is DatabaseAway, found
    assert found.message.startswith("The database does not answer.")
    assert said in found.message
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    assert cli.run(["status"]) == 75
    assert said in capsys.readouterr().err


def test_unknown_host_is_told_by_what_the_names_service_says():
    """A name that there is not is to be mended; a service that does not answer comes back."""
    found = refused(f"postgresql://u:{SECRET}@no-such-host.invalid/x")
    passes = "Temporary failure" in found.message or "try again" in found.message.split("Check")[0]
    assert found.exit_code == (75 if passes else 1)
    assert 'could not translate host name "no-such-host.invalid"' in found.message


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('could not translate host name "x" to address: Name or service not known', 1),
        ('could not translate host name "x" to address: Temporary failure in name resolution', 75),
        ('connection to server at "x" failed: FATAL:  the database system is starting up', 75),
        (
            'connection to server at "x" failed: FATAL:  el sistema está iniciándose',
            75,
        ),
        ('connection to server at "x" failed: FATAL:  sorry, too many clients already', 75),
        ('connection to server at "x" failed: timeout expired', 75),
        ('connection to server at "x" failed: SSL SYSCALL error: Connection reset by peer', 75),
        ('connection to server at "x" failed: FATAL:  query_wait_timeout', 75),
        ('connection to server at "x" failed: session is read-only', 75),
        ('connection to server at "x" failed: FATAL:  something nobody has heard of', 1),
        ('connection to server at "x" failed: FATAL:  la autentificación password falló', 1),
    ],
)
def test_words_of_a_driver_or_server_that_is_not_at_hand(said, code):
    """The names service, the language and the state of a server cannot be had at will."""
    import psycopg2
    from sqlalchemy.exc import DBAPIError

    from scout_core.db.driver_errors import wrapped_errors

    with pytest.raises(ScoutError) as found, wrapped_errors():
        raise DBAPIError.instance(
            None,
            None,
            psycopg2.OperationalError(said),
            psycopg2.Error,  # type: ignore[call-overload]
        )
    assert found.value.exit_code == code


def test_server_that_takes_nobody_in_yet_is_75(tmp_path):
    """As during a start: a standby that lets nobody look."""
    data_dir = tmp_path / "data"
    server = embedded.start(data_dir, options=test_server.OPTIONS)
    cluster = Path(value(server.url_of("postgres"), "show data_directory"))
    url = server.url_of("postgres")
    embedded.stop(data_dir)
    (cluster / "standby.signal").touch()
    shutil.chown(cluster / "standby.signal", *_owner(cluster))
    layout, binaries = Layout(data_dir), find_binaries(data_dir)
    control = [program(binaries, "pg_ctl"), "--wait", f"--pgdata={cluster}"]
    log = f"--log={layout.startup_log}"
    account = choose_account(layout, binaries)
    account.run([*control, "start", "-o", "-c hot_standby=off", log])
    try:
        found = refused(url)
        assert found.exit_code == 75
        assert "accepting connections" in found.message or "starting up" in found.message
    finally:
        account.run([*control, "stop", "--mode=immediate"])


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


# addresses as people have them


def test_address_of_every_form_reaches_the_database(tls):
    password = tls.server.password
    dead = free_port()
    folder = tls.server.host
    for url in (
        tls.url(),
        tls.url().replace("postgresql://", "postgres://"),
        tls.url(host="[::1]"),
        tls.url(host="localhost") + f"?sslmode=verify-full&sslrootcert={tls.authority}",
        tls.url() + "?sslmode=require&channel_binding=require",
        tls.url() + "?pgbouncer=true&connection_limit=1&schema=public",
        tls.url() + "?ssl=true&prepareThreshold=0",
        tls.url() + "?client_encoding=latin1",
        f"postgresql://postgres:{password}@127.0.0.1:{dead},127.0.0.1:{tls.port}/postgres",
        f"postgresql://postgres:{password}@127.0.0.1:{tls.port},127.0.0.1:{dead}/postgres"
        "?target_session_attrs=read-write",
        f"postgresql://postgres:{password}@[::1]:{dead},[::1]:{tls.port}/postgres",
        f"postgresql://postgres:{password}@/postgres?host=127.0.0.1,127.0.0.1"
        f"&port={dead},{tls.port}",
        tls.server.url_of("postgres"),
        f"postgresql://postgres:{password}@{folder.replace('/', '%2F')}:{tls.server.port}/postgres",
    ):
        assert answers(url) == "postgres", url
    tcp = make_url(tls.url() + "?ssl=true")
    database = Database(address.read(tcp.render_as_string(False)).render_as_string(False))
    with database.transaction(ADMIN_LOOK) as conn:
        ask = text("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        assert conn.scalar(ask) is True
    database.dispose()


@pytest.mark.parametrize(
    "raw", ["p@ss", "a/b@c", "a?b=c@d", "a#b", "12/3@4", "a:b@", "%zz@x", "a b"]
)
def test_password_that_is_not_encoded_reaches_the_database(tls, raw):
    do(tls.server.url_of("postgres"), f"alter role {LOGIN} password '{raw}'")
    try:
        assert answers(tls.url(login=f"{LOGIN}:{raw}")) == "postgres"
        more = "?sslmode=require&application_name=a%40b"
        assert answers(tls.url(login=f"{LOGIN}:{raw}") + more) == "postgres"
    finally:
        do(tls.server.url_of("postgres"), f"alter role {LOGIN} password '{SECRET}'")


def test_first_of_several_hosts_that_is_a_standby_is_passed_by(tls):
    admin = tls.server.url_of("postgres")
    do(admin, f"alter role {LOGIN} set default_transaction_read_only = on")
    try:
        found = refused(tls.url(login=f"{LOGIN}:{SECRET}") + "?target_session_attrs=read-write")
        assert type(found) is DatabaseReadOnly
        assert found.exit_code == 75
    finally:
        do(admin, f"alter role {LOGIN} reset default_transaction_read_only")


def test_run_works_over_several_hosts_when_the_first_is_down(db, db_url, monkeypatch, tmp_path):
    """The whole product, not one connection: init and a refresh."""
    here = make_url(db_url)
    host = str(here.query["host"])
    url = (
        f"postgresql://{here.username}:{here.password}@/{here.database}"
        f"?host=/nowhere,{host}&port=5432,{here.query['port']}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    assert cli.run(["init"]) == 0
    assert cli.run(["refresh"]) == 0


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://ana:s3cret@db/fleet?sslmod=require",
        "postgresql://ana:s3cret@db:99999/fleet",
        "postgresql://ana:s3cret@db:0/fleet",
        "postgresql://ana:s3cret@db fleet/x",
        "postgresql://ana:s3cret@db/fleet?sslmode",
        "postgresql://ana:s3cret@db:1:2/fleet",
    ],
)
def test_address_that_cannot_be_read_is_2_and_not_repeated(given, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", given)
    assert cli.run(["status"]) == 2
    said = capsys.readouterr().err
    assert "DATABASE_URL" in said
    assert "s3cret" not in said
    assert len(said.splitlines()) == 1


def test_every_address_is_read_the_same_again():
    for url in (
        "postgresql://u:p@h1:5432,h2:5433/db?target_session_attrs=any",
        "postgresql://u:p%40@[::1]:1,[::2]/db",
        "postgresql://%2Frun%2Fpg/db",
        "postgresql://u@h/d%2Fb?options=-c%20a%3Db",
    ):
        once = address.read(url)
        assert address.read(once.render_as_string(hide_password=False)) == once
