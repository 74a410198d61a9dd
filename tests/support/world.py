"""A small invented world (seed.sql): installed and after its first run."""

from pathlib import Path

from tests.support import databases
from tests.support.job import do, refresh, settings

SEED = Path(__file__).parent / "seed.sql"


def seeded(server_url: str) -> str:
    """The name of a template: the world, nothing of ours."""
    made_of = databases.hash_of("tests/source_schema.sql", "tests/support/seed.sql")
    return databases.template(server_url, "seeded", made_of, load)


def first_run(server_url: str) -> str:
    """The name of a template: the world, installed, after its first run."""
    made_of = databases.hash_of(
        "tests/source_schema.sql", "tests/support/seed.sql", "sql", "scout_core"
    )
    return databases.template(server_url, "ran", made_of, _install_and_run)


def load(url: str) -> None:
    """The tables of the owner and the rows of the world, in an empty database."""
    databases.load_source_schema(url)
    do(url, SEED.read_text(encoding="utf-8"))


def _install_and_run(url: str) -> None:
    from scout_core.db.database import Database
    from scout_core.install.init import init

    load(url)
    database = Database(url)
    try:
        init(database, settings(), report=lambda _: None)
        refresh(database)
    finally:
        database.dispose()
