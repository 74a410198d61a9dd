"""Alerts as rows with a life: one for each (rule, subject) that was ever wrong.

Whoever looks says what is wrong now; `sync` opens, reopens and resolves. People acknowledge and
mute with a reason. Each change and its event are one statement; all changes wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from scout_core import run_lock, sql
from scout_core.conditions import Condition, News

# noted persons and rows from which on comparing all is faster than looking each up
MANY = 20_000
_LOCK_KEY = 2_001


def sync(
    conn: Connection,
    conditions: Sequence[Condition],
    now: datetime,
    *,
    run_id: int | None = None,
    is_whole: bool = False,
) -> News:
    """Make the alerts what holds now, in the caller's transaction; tell what that changed.

    conditions: everything that holds beside what follows from persons and source rows
    (scout.v_alert_conditions), which are compared where something was touched since the last look;
    all of them the first time, where the state is not tracked, or when is_whole. run_id: the run
    whose effects are in this transaction; null = between two runs. What is muted is no news.
    """
    lock(conn)
    load = conn.execute(sql.query("alert_book", "load"), {"many": MANY + 1}).one()
    is_run = run_id is not None
    if load.mode == "TRACKED":
        whole = (
            is_whole or load.whole_at is None or load.is_everything_noted or load.noted_count > MANY
        )
        compares = whole or load.noted_count > 0 or (is_run and load.has_pending)
    else:
        # a run recomputes everybody all the same; between runs only a new build tells anything new
        is_rebuilt = load.mode == "REBUILT" and (
            load.whole_at is None or load.built_at > load.whole_at
        )
        whole = compares = is_whole or is_run or is_rebuilt
    rows = conn.execute(
        sql.statement("alerts/sync"),
        {
            "is_whole": whole,
            "compares_rows": compares,
            "adds_pending": compares and is_run and not whole,
            "rules": [c.rule for c in conditions],
            "subjects": [c.subject for c in conditions],
            "severities": [c.severity for c in conditions],
            "person_keys": [c.person_key for c in conditions],
            "texts": [c.text for c in conditions],
            "now": now,
            "run_id": run_id,
        },
    ).all()
    return News(
        opened={r.rule: r.opened_count for r in rows if r.opened_count},
        reopened={r.rule: r.reopened_count for r in rows if r.reopened_count},
        resolved={r.rule: r.resolved_count for r in rows if r.resolved_count},
        samples={r.rule: tuple(r.samples) for r in rows if r.samples},
    )


def lock(conn: Connection) -> None:
    """Wait for whoever changes alerts now; nobody else does until the transaction ends."""
    conn.execute(
        sql.query("alert_book", "lock"),
        {"lock_class": run_lock.LOCK_CLASS, "lock_key": _LOCK_KEY},
    )


def try_lock(conn: Connection) -> bool:
    """The same without waiting; False when somebody changes them now."""
    keys = {"lock_class": run_lock.LOCK_CLASS, "lock_key": _LOCK_KEY}
    return bool(conn.execute(sql.query("alert_book", "try_lock"), keys).scalar_one())
