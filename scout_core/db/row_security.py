"""Row level security may hide rows of a source: evidence is missing, so nothing is attributed.

Every transaction of ours sets `row_security = off`, so that PostgreSQL raises instead of hiding
rows; this module finds the table and the role beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from scout_core.db import sql
from scout_core.errors import RowsHidden


@dataclass(frozen=True)
class Hidden:
    """A table with rows that this role cannot see. source_name: what we read it through, itself or
    a view of the owner."""

    table_name: str
    role_name: str
    source_name: str

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        return f"row level security hides rows of {self.place} from {self.role_name}"

    @property
    def place(self) -> str:
        """The table, and the view of the owner by which we read it."""
        if self.source_name == self.table_name:
            return self.table_name
        return f"{self.table_name} (read by {self.source_name})"

    @property
    def todo(self) -> str:
        """What the owner of the table or an administrator runs."""
        return (
            f"Let the owner of the table run: alter table {self.table_name} disable row level "
            f"security; or an administrator: alter role {self.role_name} bypassrls; A policy is "
            "not enough, as PostgreSQL cannot know that it shows every row."
        )


def list_hidden(conn: Connection) -> tuple[Hidden, ...]:
    """Every table of which a role of ours cannot see every row. Reads scout.v_hidden_rows."""
    return tuple(
        Hidden(**row)
        for row in conn.execute(sql.query("db/row_security", "list_hidden")).mappings()
    )


def check(conn: Connection) -> None:
    """RowsHidden when a role of ours cannot see every row of something that we read."""
    hidden = list_hidden(conn)
    if hidden:
        raise RowsHidden(said_of(hidden), tables=sorted({h.table_name for h in hidden}))


def said_of(hidden: Sequence[Hidden]) -> str:
    """The message of an error or report, with the statements that solve it."""
    tables = sorted({h.table_name for h in hidden})
    names = sorted({h.role_name for h in hidden})
    places = ", ".join(sorted({h.place for h in hidden}))
    disable = " ".join(f"alter table {table} disable row level security;" for table in tables)
    bypass = " ".join(f"alter role {name} bypassrls;" for name in names)
    return (
        f"Row level security hides rows of {places} from {', '.join(names)}, and without "
        "that evidence a wrong scout could be written: nothing was changed. Let the owner run: "
        f"{disable} Or let an administrator run: {bypass} A policy is not enough, as PostgreSQL "
        "cannot know that it shows every row."
    )
