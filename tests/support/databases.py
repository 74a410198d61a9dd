"""Databases for tests: templates built once, cloned for each test, dropped after it."""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from tests.support.server import ROOT, locked

PREFIX = "scout_test_"
SOURCE_SCHEMA = ROOT / "tests" / "source_schema.sql"
LET_CONNECTIONS_CLOSE = """
do $$ begin
    for attempt in 1..20 loop
        perform pg_stat_clear_snapshot();
        exit when not exists (select from pg_stat_activity where datname = '{name}');
        perform pg_sleep(0.003);
    end loop;
end $$"""
_numbers = itertools.count(1)


def execute(admin_url: str, *statements: str) -> None:
    """Statements outside a transaction, on a connection of their own."""
    engine = sa.create_engine(admin_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect().execution_options(no_parameters=True) as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


@contextmanager
def clone(admin_url: str, template: str) -> Iterator[str]:
    """The URL of a copy of a template, dropped at the end whoever is still connected."""
    name = f"{PREFIX}{os.getpid()}_{next(_numbers)}"
    # A file copy makes a checkpoint, which writes what every other test has changed as well.
    execute(admin_url, f"create database {name} template {template} strategy wal_log")
    try:
        yield url_of(admin_url, name)
    finally:
        # `drop` sleeps for 100 ms when it meets a connection that is about to be closed.
        close = LET_CONNECTIONS_CLOSE.format(name=name)
        execute(admin_url, close, f"drop database if exists {name} with (force)")


def template(
    admin_url: str, kind: str, made_of: str, fill: Callable[[str], None], *, how: str = ""
) -> str:
    """The name of a template, built on first use. made_of tells its content: another one is
    never taken for it. how: options of its `create database`."""
    name = f"{PREFIX}template_{kind}_{made_of}"
    with locked(name):
        if not _exists(admin_url, name):
            building = f"{PREFIX}building_{kind}_{made_of}"
            execute(
                admin_url,
                f"drop database if exists {building} with (force)",
                f"create database {building} template template0 {how}",
            )
            fill(url_of(admin_url, building))
            execute(
                admin_url,
                f"alter database {building} with allow_connections false",
                f"alter database {building} rename to {name}",
            )
    return name


def source_schema_template(admin_url: str) -> str:
    """A template with the owner's tables, empty."""
    return template(admin_url, "source", hash_of("tests/source_schema.sql"), load_source_schema)


def installed_template(admin_url: str) -> str:
    """A template with the owner's tables, empty, and the product installed."""
    made_of = hash_of("tests/source_schema.sql", "sql", "scout_core")
    return template(admin_url, "installed", made_of, install_on_sources)


def load_source_schema(url: str) -> None:
    """The owner's schema as it is, without psql: its backslash lines are left out."""
    lines = SOURCE_SCHEMA.read_text(encoding="utf-8").splitlines()
    execute(url, "\n".join(line for line in lines if not line.startswith("\\")))


@contextmanager
def encoded(admin_url: str, encoding: str, kind: str, fill: Callable[[str], None]) -> Iterator[str]:
    """The URL of a database in this encoding, a copy of what `fill` made of an empty one."""
    made_of = hash_of("tests/source_schema.sql", "sql", "scout_core")
    how = f"encoding '{encoding}' lc_collate 'C' lc_ctype 'C' locale_provider 'libc'"
    name = template(admin_url, f"{kind}_{encoding.lower()}", made_of, fill, how=how)
    with clone(admin_url, name) as url:
        yield url


def drop_leftovers(admin_url: str) -> None:
    """Drops what a killed session left, and templates of an older state of the files."""
    current = (hash_of("tests/source_schema.sql"),)
    current += (hash_of("tests/source_schema.sql", "sql", "scout_core"),)
    drops = [
        f"drop database if exists {name} with (force)"
        for name in _names(admin_url)
        if not (name.startswith(f"{PREFIX}template_") and name.endswith(current))
    ]
    execute(admin_url, *drops)


@cache
def hash_of(*paths: str) -> str:
    """A short digest of files and folders, as they were when this process first asked."""
    digest = hashlib.sha256()
    for path in paths:
        for file in _files(ROOT / path):
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def url_of(admin_url: str, database: str) -> str:
    """The same server and login, another database."""
    url = sa.make_url(admin_url).set(database=database)
    return url.render_as_string(hide_password=False)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in {".py", ".sql"})


def install_on_sources(url: str) -> None:
    from scout_core.db.database import Database
    from scout_core.install import init
    from scout_core.settings import load

    load_source_schema(url)
    database = Database(url)
    try:
        init.init(database, load({}, dotenv=None), report=lambda _: None)
    finally:
        database.dispose()


def _exists(admin_url: str, name: str) -> bool:
    return name in _names(admin_url)


def _names(admin_url: str) -> list[str]:
    engine = sa.create_engine(admin_url, poolclass=sa.NullPool)
    query = sa.text("select datname from pg_database where starts_with(datname, :prefix)")
    with engine.connect() as conn:
        return list(conn.execute(query, {"prefix": PREFIX}).scalars())
