"""Seals: rows that only grow are hashed and chained, so that a change of them shows.

A run seals what it wrote and how it ended, with its last commit. What comes between runs waits, as
do runs that failed, until a refresh seals it before it begins: in parts, each a transaction of its
own, so that no seal of a run and no decision waits for a bulk load to be hashed.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from scout_core import logs
from scout_core.db import sql
from scout_core.db.database import JOB, Database
from scout_core.db.locks import LOCK_CLASS

# rows of one seal of what waited: about half a second of hashing
PART_ROWS = 50_000
# a note of this table is of a run that failed, with all that it wrote
RUNS = "scout.runs"

_log = logs.get_logger("seals")


def seal_run(conn: Connection, run_id: int) -> dict[str, Any]:
    """Seal what the run wrote, in its transaction, which must end soon: others wait for the chain.

    Gives seal_no, row_count (audit rows and decisions), seal_hash.
    """
    return _seal(conn, run_id, [run_id], {})


def seal_others(db: Database, run_id: int, progress: Callable[[int, int], None]) -> int:
    """Seal what waits: rows that come between runs, and runs that failed; how many rows.

    `run_id` is the run that seals. Killed at any moment, the rest waits for the next.
    """
    with db.transaction(JOB) as conn:
        conn.execute(sql.query("runs/seals", "note_closed_by_hand"))
        total = conn.execute(sql.query("runs/seals", "count_unsealed")).scalar_one()
    done = sealed = 0
    failed_runs: list[int] = []
    after: tuple[str, int] = ("", 0)
    while done < total:
        with db.transaction(JOB) as conn:
            taken = _take(conn, after)
            if not taken:
                break
            last = max(taken)
            after = (last, max(taken[last]))
            done += sum(map(len, taken.values()))
            runs = taken.pop(RUNS, [])
            sealed += _seal(conn, run_id, runs, taken)["row_count"]
        failed_runs += runs
        progress(min(done, total), total)
    if done:
        _log.info("sealed what waited", rows=sealed, failed_runs=failed_runs)
    return sealed


def of_run(conn: Connection, run_id: int) -> dict[str, Any] | None:
    """The seal of a run as its stats tell it: seal_no, rows, sha256; null when it has none."""
    found = (
        conn.execute(sql.query("runs/seals", "of_run"), {"run_id": run_id}).mappings().one_or_none()
    )
    return None if found is None else dict(found)


def content_hash(
    runs: Iterable[tuple[int, str | None]], rows: Iterable[tuple[str, int, str | None]]
) -> str:
    """What a seal of form 2 hashes: each run and the hash of what it wrote, by number; each table
    with the number and hash of its other rows, by name."""
    lines = [_line("run", *run) for run in sorted(runs)]
    lines += [_line("rows", *part) for part in sorted(rows)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _line(*parts: object) -> str:
    return "|".join(str(part) for part in parts if part is not None)


def _take(conn: Connection, after: tuple[str, int]) -> dict[str, list[int]]:
    wanted = {"after_table": after[0], "after_id": after[1], "row_limit": PART_ROWS}
    found = conn.execute(sql.query("runs/seals", "take_unsealed"), wanted)
    return {row.table_name: row.ids for row in found}


def _seal(
    conn: Connection, run_id: int, runs: Sequence[int], rows: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """The next link of the chain: runs with all that they wrote, and other rows by their number."""
    of_runs = conn.execute(sql.query("runs/seals", "run_contents"), {"run_ids": list(runs)}).all()
    of_rows = [(table, *_row_contents(conn, table, ids)) for table, ids in rows.items()]
    content = content_hash([(run.run_id, run.content_hash) for run in of_runs], of_rows)
    # statements of their own: the second must see who was before
    conn.execute(sql.query("runs/seals", "lock"), {"lock_class": LOCK_CLASS})
    values = {
        "run_id": run_id,
        "row_count": sum(run.row_count for run in of_runs) + sum(n for _, n, _ in of_rows),
        "covered_run_ids": list(runs),
        "covered_rows": json.dumps({table: list(ids) for table, ids in rows.items()}),
        "content_hash": content,
    }
    return dict(conn.execute(sql.query("runs/seals", "add"), values).mappings().one())


def _row_contents(conn: Connection, table: str, ids: Sequence[int]) -> tuple[int, str]:
    wanted = {"table_name": table, "ids": list(ids)}
    found = conn.execute(sql.query("runs/seals", "row_contents"), wanted).one()
    return found.row_count, found.content_hash
