"""Seals: what was written to the audit is hashed and chained, so that a change of it shows.

A run seals what it wrote, with its last commit. What others wrote, and what runs left that died
between batches, a refresh seals before it begins: in parts, each a transaction of its own, so that
no seal of a run and no decision waits for a bulk load to be hashed.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from scout_core import logs, sql
from scout_core.database import JOB, Database
from scout_core.run_lock import LOCK_CLASS

# rows of one seal of what others changed: about half a second of hashing
PART_ROWS = 50_000

_log = logs.get_logger("seals")


def seal_run(conn: Connection, run_id: int) -> dict[str, Any]:
    """Seal what the run wrote, in its transaction, which must end soon: others wait for the chain.

    Gives seal_no, row_count (audit rows and decisions), seal_hash.
    """
    return _seal_runs(conn, run_id, [run_id])


def seal_others(db: Database, run_id: int, progress: Callable[[int, int], None]) -> int:
    """Seal what waits: rows that belong to no run, then batches of runs that died; how many rows.

    `run_id` is the run that seals. Killed at any moment, the rest waits for the next.
    """
    with db.transaction(JOB) as conn:
        lost = list(conn.execute(sql.query("seals", "list_lost")).scalars())
        total = conn.execute(sql.query("seals", "count_unsealed")).scalar_one()
        sealed = _seal_runs(conn, run_id, lost)["row_count"] if lost else 0
    done, after = 0, 0
    while done < total:
        with db.transaction(JOB) as conn:
            part = dict(
                conn.execute(
                    sql.query("seals", "take_unsealed"),
                    {"after_id": after, "row_limit": PART_ROWS},
                )
                .mappings()
                .one()
            )
            if not part["taken_count"]:
                break
            _add(conn, run_id, [], part)
        done += part["taken_count"]
        sealed += part["row_count"]
        after = part["last_id"]
        progress(min(done, total), total)
    if sealed:
        _log.info("sealed what others wrote", rows=sealed, lost_runs=lost)
    return sealed


def _seal_runs(conn: Connection, run_id: int, covered: list[int]) -> dict[str, Any]:
    content = conn.execute(sql.query("seals", "content_of_runs"), {"covered_run_ids": covered})
    return _add(conn, run_id, covered, dict(content.mappings().one()))


def _add(
    conn: Connection, run_id: int, covered: list[int], content: dict[str, Any]
) -> dict[str, Any]:
    """The next link of the chain. Statements of their own: the second must see who was before."""
    conn.execute(sql.query("seals", "lock"), {"lock_class": LOCK_CLASS})
    return dict(
        conn.execute(
            sql.query("seals", "add"),
            {
                "run_id": run_id,
                "covered_run_ids": covered,
                "row_count": content["row_count"],
                "content_hash": content["content_hash"],
                "external_audit_ids": content["external_audit_ids"],
            },
        )
        .mappings()
        .one()
    )
