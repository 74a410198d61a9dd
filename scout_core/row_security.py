"""Row level security may hide rows of a source: evidence is missing, so nothing is attributed.

PostgreSQL raises for us instead of hiding (`row_security = off` in every transaction of ours); this
says beforehand which table and role it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from scout_core import sql
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
        """What is wrong, as a sentence without its end."""
        return f"row level security hides rows of {self.place} from {self.role_name}"

    @property
    def place(self) -> str:
        """The table, and the view of the owner by which we read it."""
        if self.source_name == self.table_name:
            return self.table_name
        return f"{self.table_name} (read by {self.source_name})"

    @property
    def todo(self) -> str:
        """What whoever may does about it."""
        return (
            f"Let the owner of the table run: alter table {self.table_name} disable row level "
            f"security; or an administrator: alter role {self.role_name} bypassrls; (a policy does "
            "not help: nobody can tell whether it shows every row)"
        )


def list_hidden(conn: Connection) -> tuple[Hidden, ...]:
    """Every table of which a role of ours cannot see every row. Reads scout.v_hidden_rows."""
    return tuple(
        Hidden(**row) for row in conn.execute(sql.query("row_security", "list_hidden")).mappings()
    )


def check(conn: Connection) -> None:
    """RowsHidden when a role of ours cannot see every row of something that we read."""
    hidden = list_hidden(conn)
    if hidden:
        raise RowsHidden(said_of(hidden), tables=sorted({h.table_name for h in hidden}))


def said_of(hidden: Sequence[Hidden]) -> str:
    """The sentence for whoever wanted something that needs all rows."""
    tables = sorted({h.table_name for h in hidden})
    names = sorted({h.role_name for h in hidden})
    places = ", ".join(sorted({h.place for h in hidden}))
    disable = " ".join(f"alter table {table} disable row level security;" for table in tables)
    bypass = " ".join(f"alter role {name} bypassrls;" for name in names)
    return (
        f"Row level security hides rows of {places} from {', '.join(names)}, and on a "
        "part of the evidence a wrong scout would be written: nothing was changed. Let the owner "
        f"run: {disable} Or let an administrator run: {bypass} A policy does not help, as nobody "
        "can tell whether it shows every row."
    )
