"""docs/deploy.md, managed PostgreSQL: no superuser, TLS that is verified, and a pooler between."""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from scout_core import cli, embedded
from scout_core.embedded.account import choose_account
from scout_core.embedded.layout import Layout
from tests.support import fronts, pooler, server
from tests.support.browser import free_port
from tests.support.databases import execute
from tests.support.installing import run, value
from tests.support.server import ROOT

GUIDE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
SECTION = GUIDE.split("\n## Managed PostgreSQL\n")[1].split("\n## ")[0]
HOST, LOGIN, DATABASE, PASSWORD = "db.example.com", "fleet_app", "fleet", "fleet_app"
ROLES = ("scout_owner", "scout_writer", "scout_reader", "scout_report")

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Managed:
    """A server with TLS. admin: URL of its administrator."""

    admin: str
    port: int
    ca: Path

    def url_of(self, database: str) -> str:
        address = make_url(self.admin).set(database=database)
        return address.render_as_string(hide_password=False)


def with_tls() -> Path:
    """The newest PostgreSQL of the system that was built with TLS; the wheel's was not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: p.parts[-3])
    if not found:
        pytest.skip("NO POSTGRESQL WITH TLS IS THERE: install the package postgresql")
    return found[-1].parent


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """A server on this machine under another name, which takes connections with TLS alone."""
    folder = tmp_path_factory.mktemp("managed") / "data"
    port = free_port()
    options = server.OPTIONS | {"listen_addresses": "127.0.0.1", "port": str(port)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PG_BIN_DIR", str(with_tls()))
        started = embedded.start(folder, options=options)
        layout = Layout.at(folder)
        account = choose_account(layout, embedded.find_binaries(folder))
        vouched = fronts.certificate(tmp_path_factory.mktemp("ca"), HOST)
        for given, name in ((vouched.chain, "server.crt"), (vouched.key, "server.key")):
            shutil.copy(given, layout.cluster / name)
            (layout.cluster / name).chmod(0o600)
            account.give(layout.cluster / name)
        rules = layout.cluster / "pg_hba.conf"
        rules.write_text("local all all scram-sha-256\nhostssl all all all scram-sha-256\n")
        admin = started.url_of("postgres")
        for statement in ("alter system set ssl = on", "select pg_reload_conf()"):
            execute(admin, statement)
        yield Managed(admin, port, vouched.chain)
        embedded.stop(folder)


@pytest.fixture
def database(managed: Managed) -> Iterator[str]:
    """URL of the administrator at an empty database that the login owns; gone afterwards."""
    execute(managed.admin, f"create role {LOGIN} login password '{PASSWORD}'")
    execute(managed.admin, f"create database {DATABASE} owner {LOGIN}")
    yield managed.url_of(DATABASE)
    execute(managed.admin, f"drop database {DATABASE} with (force)")
    for role in (*ROLES, LOGIN):
        execute(managed.admin, f"drop role if exists {role}")


def may_create_roles(url: str) -> None:
    run(url, f"alter role {LOGIN} createrole")


def roles_are_made(url: str) -> None:
    """What the guide lets the administrator run."""
    (statements,) = re.findall(r"```sql\n(.*?)```", SECTION, re.S)
    for statement in statements.split(";\n"):
        if statement.strip():
            run(url, statement)


def may_not(_url: str) -> None:
    pass


def address_of_the_guide(managed: Managed) -> str:
    """The DATABASE_URL that the guide shows, led to this machine."""
    (shown,) = re.findall(r"^DATABASE_URL=(\S+)$", SECTION, re.M)
    address = make_url(shown)
    assert (address.username, address.host, address.port) == (LOGIN, HOST, 5432)
    assert (address.database, address.query["sslmode"]) == (DATABASE, "verify-full")
    query = {"sslrootcert": str(managed.ca), "hostaddr": "127.0.0.1"}
    led = address.set(
        drivername="postgresql+psycopg2", port=managed.port, password=PASSWORD
    ).update_query_dict(query)
    return led.render_as_string(hide_password=False)


@contextmanager
def directly(managed: Managed) -> Iterator[str]:
    yield address_of_the_guide(managed)


@contextmanager
def behind_the_pooler(managed: Managed) -> Iterator[str]:
    """PgBouncer with the file of deploy/, led to this machine."""
    recipe = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text(encoding="utf-8")
    listen = free_port()
    for there, here in (
        (f"host={HOST} port=5432", f"host=127.0.0.1 port={managed.port}"),
        ("listen_port = 6432", f"listen_port = {listen}"),
        ("/etc/pgbouncer/userlist.txt", "{users}\nlogfile = {log}\nunix_socket_dir ="),
        ("/etc/ssl/certs/ca-certificates.crt", "{ca}"),
    ):
        assert there in recipe
        recipe = recipe.replace(there, here)
    assert "pool_mode = transaction\n" in recipe
    address = make_url(f"postgresql+psycopg2://{LOGIN}:{PASSWORD}@127.0.0.1:{listen}/{DATABASE}")
    with tempfile.TemporaryDirectory() as place:
        # the pooler's account reads it here
        Path(place).chmod(0o755)
        ca = Path(shutil.copy(managed.ca, place))
        ca.chmod(0o644)
        with pooler.listening(recipe.replace("{ca}", str(ca)), address):
            yield address.render_as_string(hide_password=False)


def verb(url: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SCOUT_GUARD_MAX_PCT", "100")
    return cli.run([*words])


@pytest.mark.parametrize("reach", [directly, behind_the_pooler], ids=["direct", "pooler"])
@pytest.mark.parametrize(
    ("allow", "has_roles"),
    [(may_create_roles, True), (roles_are_made, True), (may_not, False)],
    ids=["createrole", "roles made", "neither"],
)
def test_whole_life_without_a_superuser(
    allow: Callable[[str], None],
    has_roles: bool,
    reach: Callable[[Managed], AbstractContextManager[str]],
    managed: Managed,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    allow(database)
    with ExitStack() as stack:
        url = stack.enter_context(reach(managed))
        assert verb(url, monkeypatch, "demo", "--persons", "200") == 0
        capsys.readouterr()
        assert verb(url, monkeypatch, "init", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["done"], told["has_separate_roles"]) == ([], has_roles)
        lost = [line for line in told["lost"] if line.startswith("Separate privileges are lost")]
        assert len(lost) == len(told["lost"]) == (0 if has_roles else 1)
        assert verb(url, monkeypatch, "refresh") == 0
        assert verb(url, monkeypatch, "verify") == 0
        assert verb(url, monkeypatch, "doctor") == 0
        assert "WARN" in capsys.readouterr().out or has_roles
        assert verb(url, monkeypatch, "health") in {0, 1, 2}
    assert value(database, "select count(*) from scout.seals") >= 1
    superuser = f"select rolsuper from pg_roles where rolname = '{LOGIN}'"
    assert value(database, superuser) is False


@pytest.mark.parametrize("what", ["another authority", "another name"])
def test_certificate_of_somebody_else_is_refused(
    what: str, managed: Managed, database: str, tmp_path: Path
) -> None:
    good = make_url(address_of_the_guide(managed))
    if what == "another name":
        bad = good.set(host="db.example.org")
    else:
        other = fronts.certificate(tmp_path, HOST).chain
        bad = good.update_query_dict({"sslrootcert": str(other)})
    encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    assert value(good.render_as_string(hide_password=False), encrypted) is True
    with pytest.raises(OperationalError, match="certificate"):
        value(bad.render_as_string(hide_password=False), encrypted)
