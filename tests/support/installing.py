"""Short ways to install, look and change, for the tests of the installation."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from scout_core.db.database import Database
from scout_core.install import init as install
from scout_core.install.session import InstallReport
from scout_core.install.tree import SQL_ROOT
from scout_core.settings import Settings, load

ROLES = ("scout_owner", "scout_writer", "scout_reader", "scout_report")


def settings(**environ: str) -> Settings:
    return load(environ, dotenv=None)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


def init(url: str, sql_root: Path = SQL_ROOT, **environ: str) -> InstallReport:
    with opened(url) as db:
        return install.init(db, settings(**environ), report=lambda _: None, sql_root=sql_root)


@contextmanager
def connection(url: str, role: str | None = None) -> Iterator[Connection]:
    """A transaction as the login of the URL, or under a role."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect().execution_options(no_parameters=True) as conn, conn.begin():
        if role:
            conn.exec_driver_sql(f"set local role {role}")
        yield conn


def run(url: str, *statements: str, role: str | None = None) -> None:
    with connection(url, role) as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


def value(url: str, query: str, role: str | None = None) -> Any:
    with connection(url, role) as conn:
        return conn.execute(text(query)).scalar()


def column(url: str, query: str) -> list[Any]:
    with connection(url) as conn:
        return list(conn.execute(text(query)).scalars())


def as_login(url: str, login: str) -> str:
    """The same database for another login; logins of the tests have their name as password."""
    changed = make_url(url).set(username=login, password=login)
    return changed.render_as_string(hide_password=False)


def sql_tree(folder: Path) -> Path:
    """A copy of the SQL tree to change."""
    shutil.copytree(SQL_ROOT, folder / "sql")
    return folder / "sql"


def view_file(tree: Path, name: str, columns: str, comment: str = "One row.") -> Path:
    """Add a view of the product in schema ops, with a select list as `1 as n`."""
    path = tree / "views" / "6_reports" / f"{name}.sql"
    path.write_text(f"-- {comment}\ncreate or replace view ops.{name} as select {columns};\n")
    return path
