"""Steps of the installation that put back what a dump and a restore lose or change.

A dump keeps rows, definitions and comments. It loses the planner's statistics, and what
`--data-only --disable-triggers` sets again is `enable`, never `enable always`.
"""

from sqlalchemy import Connection, Row

from scout_core.install.session import Installer, ask, run_formatted, run_script
from scout_core.install.table_objects import analyze
from scout_core.install.tree import AUDIT_TABLES, OwnTrigger, own_triggers

RESTORED = "The database was restored from a backup since the last init"


def is_restored(conn: Connection) -> bool:
    """Whether the rows of this installation came with a dump since init last ran."""
    return bool(ask(conn, "restored")[0].is_restored)


def weak_triggers(conn: Connection, wanted: list[OwnTrigger]) -> list[OwnTrigger]:
    """Triggers of our tables that are missing, off, or do not fire as often as they should."""
    names = {
        "names": [trigger.name for trigger in wanted],
        "relations": [trigger.relation for trigger in wanted],
    }
    there = {(row.relation_name, row.name): row for row in ask(conn, "own_triggers", **names)}
    return [t for t in wanted if not _is_as_wanted(t, there.get((t.relation, t.name)))]


def refresh_own_triggers(installer: Installer) -> bool:
    """Set the triggers of our tables as the numbered files have them. True when one was not."""
    with installer.as_owner() as conn:
        weak = weak_triggers(conn, own_triggers(installer.sql_root))
        for trigger in weak:
            _set(conn, trigger)
    guards = sorted(trigger.relation for trigger in weak if trigger.is_always)
    others = sorted({trigger.relation for trigger in weak if not trigger.is_always})
    if guards:
        noun = "1 table" if len(guards) == 1 else f"{len(guards)} tables"
        installer.did(
            f"The guards that keep the audit append-only are always on again on {noun}: "
            f"{', '.join(guards)}. They were off, ordinary or gone, as after a restore of the data "
            "alone; if there was none, find out who did it, and run verify."
        )
    if others:
        installer.did(f"Triggers that were off or gone work again on {', '.join(others)}.")
    return bool(weak)


def refresh_statistics(installer: Installer, usable: frozenset[str]) -> bool:
    """After a restore, let the planner know the tables again. True when there was a restore."""
    with installer.as_owner() as conn:
        restored = is_restored(conn)
        ours = [row.relation_name for row in ask(conn, "own_tables", names=list(AUDIT_TABLES))]
    if restored:
        for relation in ours:
            analyze(installer, relation, is_ours=True)
        for relation in sorted(usable):
            analyze(installer, relation)
        installer.did(f"{RESTORED}: the planner's statistics were collected anew.")
    return restored


def note_not_restored(installer: Installer) -> None:
    """From now on a restore can be told: a row that names the transaction that wrote it."""
    with installer.as_owner() as conn:
        ask(conn, "note_written_here")


def _is_as_wanted(trigger: OwnTrigger, row: Row[tuple[str, str, str]] | None) -> bool:
    return row is not None and row.enabled in ({"A"} if trigger.is_always else {"A", "O"})


def _set(conn: Connection, trigger: OwnTrigger) -> None:
    schema, table = trigger.relation.split(".")
    if not ask(conn, "own_triggers", names=[trigger.name], relations=[trigger.relation]):
        run_script(conn, trigger.body)
    how = "enable always" if trigger.is_always else "enable"
    run_formatted(conn, f"alter table %I.%I {how} trigger %I", schema, table, trigger.name)
