"""Whether the sources are still what the last init found: the one judgement that every run, doctor,
health and page goes by.

A view of ours is bound to a relation, not to its name. Where a loader swaps names, moves or drops a
table, our views would go on reading the old one; where rows are hidden or cannot be noted, numbers
would be wrong or old. Row level security is judged in `row_security`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from scout_core.db import row_security, sql
from scout_core.db.row_security import Hidden
from scout_core.errors import SourcesChanged

INIT = "Run `python -m scout_core init`."


@dataclass(frozen=True)
class Trouble:
    """A source that is not what the last init found.

    trouble: GONE, OTHER_RELATION, OTHER_COLUMN, LACKS_COLUMN, APPEARED or VIEWS_GONE; detail: what
    is read instead, the columns, or how many views are gone; stops_runs: no run goes on before init
    has mended it.
    """

    source_name: str
    trouble: str
    detail: str | None
    stops_runs: bool

    @property
    def table_name(self) -> str:
        """The source, as `Hidden` names it."""
        return self.source_name

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        if self.trouble == "GONE":
            read = f"; our views still read {self.detail}" if self.detail else ""
            return f"{self.source_name} is gone{read}"
        if self.trouble == "OTHER_RELATION":
            return (
                f"{self.source_name} is another relation than at the last init: our views read "
                f"{self.detail}"
            )
        if self.trouble == "OTHER_COLUMN":
            return f"{self.source_name} has other columns under the names {self.detail}"
        if self.trouble == "VIEWS_GONE":
            views = "1 view" if self.detail == "1" else f"{self.detail} views"
            return f"{views} of ours are gone, as after `drop table ... cascade` of a source"
        if self.trouble == "LACKS_COLUMN":
            return (
                f"{self.source_name} has no column {self.detail} any more: our views read it under "
                "its new name, and each change there makes every number be computed anew"
            )
        return f"{self.source_name} was not there at the last init: our views do not read it"

    @property
    def todo(self) -> str:
        """What to do."""
        if self.trouble == "LACKS_COLUMN" and self.stops_runs:
            return "Give the column its name back: nothing works without it."
        if self.trouble == "LACKS_COLUMN":
            return (
                f"Give the column its name back. If it is to stay so, {self.source_name} counts as "
                "empty after the next init."
            )
        return INIT


@dataclass(frozen=True)
class Untracked:
    """A source whose changes triggers cannot note. why: VIEW, MATERIALIZED_VIEW, FOREIGN_TABLE,
    PARTITIONED, INHERITED, CHILD or SUBSCRIBED."""

    source_name: str
    why: str

    @property
    def text(self) -> str:
        """One sentence without a full stop."""
        return f"Changes of {self.source_name} cannot be noted, as {_WHY[self.why]}"


_WHY = {
    "VIEW": "it is a view",
    "MATERIALIZED_VIEW": "it is a materialized view",
    "FOREIGN_TABLE": "it is a foreign table",
    "PARTITIONED": "its rows are written in partitions",
    "INHERITED": "other tables inherit from it",
    "CHILD": "it belongs to another table, through which its rows are written too",
    "SUBSCRIBED": "logical replication writes it",
}


@dataclass(frozen=True)
class RebuildRequest:
    """Why everything is settled anew: a change of a source that could not be noted."""

    source_name: str
    reason: str
    noted_at: datetime


def list_troubles(conn: Connection) -> tuple[Hidden | Trouble, ...]:
    """Every source that cannot be read whole or is not what the last init found, those that stop
    runs first. Reads scout.v_hidden_rows and scout.v_source_troubles."""
    changed = tuple(
        Trouble(**row) for row in conn.execute(sql.query("db/grounds", "list_troubles")).mappings()
    )
    stopping = [t for t in changed if t.stops_runs]
    return (
        *row_security.list_hidden(conn),
        *stopping,
        *(t for t in changed if not t.stops_runs),
    )


def list_stopping(conn: Connection) -> tuple[Hidden | Trouble, ...]:
    """Those of them with which no run goes on."""
    return tuple(t for t in list_troubles(conn) if isinstance(t, Hidden) or t.stops_runs)


def list_untracked(conn: Connection) -> tuple[Untracked, ...]:
    """Sources whose changes triggers cannot note. Reads scout.v_untracked_sources."""
    rows = conn.execute(sql.query("db/grounds", "list_untracked")).mappings()
    return tuple(Untracked(**row) for row in rows)


def list_rebuild_requests(conn: Connection) -> tuple[RebuildRequest, ...]:
    """Changes that could not be noted since the last rebuild. Reads scout.rebuild_requests."""
    rows = conn.execute(sql.query("db/grounds", "list_rebuild_requests")).mappings()
    return tuple(RebuildRequest(**row) for row in rows)


def check(conn: Connection) -> None:
    """RowsHidden or SourcesChanged when a run would not see the sources as they are."""
    row_security.check(conn)
    stopping = [t for t in list_stopping(conn) if isinstance(t, Trouble)]
    if stopping:
        raise SourcesChanged(said_of(stopping), tables=[t.source_name for t in stopping])


def said_of(troubles: Sequence[Trouble]) -> str:
    """The message of an error, with what solves it."""
    todo = " ".join(dict.fromkeys(trouble.todo for trouble in troubles))
    return (
        f"{changed(troubles)}. A scout could be written against the evidence: nothing was changed. "
        f"{todo}"
    )


def changed(troubles: Sequence[Trouble]) -> str:
    """What is wrong, in a sentence without a full stop."""
    return f"The sources have changed: {'; '.join(t.text for t in troubles)}"
