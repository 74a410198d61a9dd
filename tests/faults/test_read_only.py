"""A database that takes no writes: what reads goes on, what writes says why."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scout_core import cli, embedded
from scout_core.db.database import CHECK, Database
from scout_core.errors import DatabaseReadOnly
from scout_core.install import doctor
from scout_core.job.refresh import plan
from tests.support import databases, web
from tests.support.job import do, refresh, settings, story, value
from tests.support.server import OPTIONS
from tests.support.state import fingerprint


@pytest.fixture(params=["set to read-only", "standby"])
def read_only(request, server_url: str, tmp_path: Path) -> Iterator[str]:
    """URL of a database with something to do, which takes no writes."""
    if request.param == "standby":
        yield from standby(tmp_path)
        return
    with databases.clone(server_url, databases.installed_template(server_url)) as url:
        story(url)
        name = value(url, "select current_database()")
        databases.execute(
            server_url, f"alter database {name} set default_transaction_read_only = on"
        )
        yield url


def standby(folder: Path) -> Iterator[str]:
    """A server of its own that replays and takes no writes, as a replica does."""
    server = embedded.start(folder, options=OPTIONS)
    template = databases.installed_template(server.url_of("postgres"))
    databases.execute(
        server.url_of("postgres"),
        f"alter database {template} with allow_connections true",
    )
    story(server.url_of(template))
    embedded.stop(folder)
    (folder / "pg" / "data" / "standby.signal").touch()
    yield embedded.start(folder, options=OPTIONS).url_of(template)
    embedded.stop(folder)


@pytest.fixture
def verb(read_only: str, monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Run a verb of the command line: exit code, and all that it said."""
    monkeypatch.setenv("DATABASE_URL", read_only)

    def run(*arguments: str) -> tuple[int, str]:
        code = cli.run(list(arguments))
        said: Any = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_read_only_database_is_read_and_not_written(read_only: str, verb):
    before = fingerprint(read_only)
    db = Database(read_only)
    with pytest.raises(DatabaseReadOnly, match="read-only") as refused:
        refresh(db)
    assert refused.value.exit_code == 75

    with db.transaction(CHECK) as conn:
        assert len(plan(conn, settings()).scouts) == 2
    (writable,) = [f for f in doctor.examine(db, settings()) if f.name == "writable"]
    assert (writable.layer, writable.state) == ("server", "WARN")
    db.dispose()
    code, said = verb("refresh")
    assert code == 75
    assert "read-only" in said
    assert len(said.splitlines()) == 1
    code, said = verb("init")
    assert code == 75
    assert "read-only" in said
    assert verb("status")[0] == 0
    assert verb("plan")[0] == 0
    assert verb("verify")[0] == 0
    code, said = verb("health")
    assert "Traceback" not in said
    assert verb("doctor")[1].count("looking works, the job does not") == 1
    assert fingerprint(read_only) == before


def test_button_of_the_page_says_that_nothing_can_start_here(read_only: str):
    with web.on(Database(read_only)):
        button = web.open_page("health").button(key="run_now")
        assert button.disabled
        assert "réplica" in button.help


def test_database_made_writable_again_takes_the_run(db: Database, db_url: str, server_url: str):
    story(db_url)
    name = value(db_url, "select current_database()")
    do(server_url, f"alter database {name} set default_transaction_read_only = on")
    first = Database(db_url)
    with pytest.raises(DatabaseReadOnly):
        refresh(first)
    first.dispose()
    do(server_url, f"alter database {name} reset default_transaction_read_only")
    assert refresh(db).stats["steps"]["propagate"]["changed"] == 2
