"""docs/data-dictionary.md, made from the comments of an installed database.

python -m tests.support.dictionary    # writes it; `make dictionary`
"""

from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, text

from scout_core.db.database import ADMIN
from tests.support import looking, server

PAGE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"

# One row per column of every commented table and view of schemas ops and scout.
COLUMNS = """
select
    n.nspname as schema_name,
    c.relname as relation_name,
    c.relkind in ('v', 'm') as is_view,
    obj_description(c.oid, 'pg_class') as relation_comment,
    a.attname as column_name,
    format_type(a.atttypid, a.atttypmod) as column_type,
    col_description(c.oid, a.attnum) as column_comment
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid
where
    n.nspname in ('ops', 'scout')
    and c.relkind in ('r', 'p', 'v', 'm')
    and obj_description(c.oid, 'pg_class') is not null
    and a.attnum > 0
    and not a.attisdropped
order by n.nspname, c.relname, a.attnum
"""
HEAD = """# Data dictionary

Made from the comments in the database by `make dictionary`; a test compares the two. `\\d+ NAME` in
psql shows the same. The tables of the owner are in [sources.md](sources.md), words in
[glossary.md](glossary.md).
"""
OPS = """
## Schema ops: for SQL users and reports

Views that others rely on: columns may be added, none goes. Tables are append-only.
"""
SCOUT = """
## Schema scout: the product's own

May change with any version. `src_` views read one source table each.
"""


def page(conn: Connection) -> str:
    """The text of the page for the database of this connection."""
    rows = conn.execute(text(COLUMNS)).all()
    parts = [HEAD]
    for schema, of_schema in groupby(rows, lambda row: row.schema_name):
        parts.append(OPS if schema == "ops" else SCOUT)
        for name, of_relation in groupby(of_schema, lambda row: row.relation_name):
            columns = list(of_relation)
            kind = "view" if columns[0].is_view else "table"
            parts.append(
                f"\n### {schema}.{name}\n\n{_cell(columns[0].relation_comment)} ({kind})\n"
            )
            parts.append("\n| column | type | meaning |\n|---|---|---|\n")
            parts += [
                f"| {c.column_name} | {c.column_type} | {_cell(c.column_comment or '')} |\n"
                for c in columns
            ]
    return "".join(parts)


def _cell(comment: str) -> str:
    return " ".join(comment.split()).replace("|", r"\|").replace("<", r"\<")


if __name__ == "__main__":
    server.use_test_environment()
    server.enter_session()
    try:
        url = server.start().url_of("postgres")
        with looking.installed(url) as database, database.transaction(ADMIN) as connection:
            PAGE.write_text(page(connection), encoding="utf-8")
    finally:
        server.leave_session()
