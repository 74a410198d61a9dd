"""SQL text of the product, kept in files under sql/.

A file sql/<room>/<topic>.sql holds several statements, each under a line `-- name: <statement>`; a
file sql/<room>/<topic>/<statement>.sql is one statement. Both are read once, their bound parameters
are written `:name`.
"""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

ROOT = Path(__file__).resolve().parents[2] / "sql"

_NAME = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)


@cache
def statement(path: str) -> TextClause:
    """The one statement of `sql/<path>.sql`, e.g. `job/refresh/link_identities`."""
    return text((ROOT / f"{path}.sql").read_text(encoding="utf-8"))


@cache
def kept_as(table: str, path: str) -> TextClause:
    """The statement of `sql/<path>.sql`, its rows kept in a temporary table of the transaction."""
    rows = (ROOT / f"{path}.sql").read_text(encoding="utf-8")
    return text(f"create temporary table {table} on commit drop as\n{rows}")


@cache
def query(topic: str, name: str) -> TextClause:
    """The statement called `name` in `sql/<topic>.sql`."""
    return text(queries(topic)[name])


@cache
def query_upon(topic: str, name: str, listed: str) -> TextClause:
    """The statement `name`, which reads the rows of the statement `listed` as listed."""
    rows = queries(topic)[listed].rstrip(";")
    return text(f"with listed as (\n{rows}\n)\n\n{queries(topic)[name]}")


@cache
def queries(topic: str) -> dict[str, str]:
    """Every statement of `sql/<topic>.sql`, by name."""
    parts = _NAME.split((ROOT / f"{topic}.sql").read_text(encoding="utf-8"))
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
