"""Sequences that would give a number which a row has already.

Who loads rows with their numbers (COPY, a restore, a data frame) leaves the sequence where it was,
and the next row of ours collides. A run says so and moves nobody's sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from scout_core.db import sql


@dataclass(frozen=True)
class Behind:
    """A sequence that is behind its column: the number that it gives next, and the highest there.

    statement sets it.
    """

    table_name: str
    column_name: str
    sequence_name: str
    next_value: int
    highest: int
    statement: str

    @property
    def column(self) -> str:
        """Table and column."""
        return f"{self.table_name}.{self.column_name}"

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        return (
            f"sequence {self.sequence_name} is behind {self.column}: it "
            f"gives {self.next_value} next, and {self.highest} is there already"
        )


def list_behind(conn: Connection) -> list[Behind]:
    """Those behind the columns that a run fills, as far as this role may look."""
    behind = []
    for row in conn.execute(sql.query("db/sequences", "list_read")):
        found = conn.exec_driver_sql(
            row.comparison, execution_options={"no_parameters": True}
        ).one()
        if found.highest is not None and found.next_value <= found.highest:
            behind.append(
                Behind(
                    row.table_name,
                    row.column_name,
                    row.sequence_name,
                    found.next_value,
                    found.highest,
                    row.statement,
                )
            )
    return behind


def said_of(behind: Sequence[Behind]) -> str:
    """What a run that met them says, and what to do."""
    texts = "; ".join(one.text for one in behind)
    statements = " ".join(one.statement for one in behind)
    return (
        f"{texts[0].upper()}{texts[1:]}. Rows were loaded with their numbers. Nothing was written; "
        f"let the owner of the table run: {statements} Then start it again."
    )
