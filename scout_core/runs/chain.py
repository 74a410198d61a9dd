"""The chain of seals, checked from outside: hashes are made here, of rows that are read here by
statements from the files of the product. No function or view of the database has a part in it, as
who can change the rows can change those too.

Rows are streamed table by table: memory grows with the number of runs and seals, not of rows.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, text

from scout_core.db import connecting, sql
from scout_core.errors import BadInput
from scout_core.install.tree import append_only_tables, view_query
from scout_core.runs import seals

FORMS = (1, 2)
# the owner's table, which says how a run ended
RUN_ENDS = "ops.ingestion_runs"
# what is counted of a run: audit rows and decisions, not its own log
_COUNTED = {
    "ops.identity_links_backfill_audit",
    "ops.lead_ledger_scout_backfill_audit",
    "ops.lead_events_scout_backfill_audit",
    "scout.decisions",
}
# sorted, as seals of form 1 hash them; the count leaves out the log
_FORM_1_TABLES = (
    "decisions",
    "identity_links_backfill_audit",
    "job_runs_audit",
    "lead_events_scout_backfill_audit",
    "lead_ledger_scout_backfill_audit",
    "runs",
)
_FORM_1_LOG = {"job_runs_audit", "runs"}
_EMPTY_1 = (0, hashlib.sha256().hexdigest())
_STREAMED = {"yield_per": 20_000}


@dataclass(frozen=True)
class Place:
    """Where in the chain a seal is. newer_seals: how many seals came after it, of newer_runs."""

    seal_no: int
    run_id: int
    newer_seals: int
    newer_runs: int


@dataclass
class _Content:
    """What a run wrote, as found today: number of its audit rows, and a line for each table."""

    row_count: int = 0
    lines: str = ""

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.lines.removesuffix("\n").encode()).hexdigest()


def checked_hash(given: str) -> str:
    """The hash of a seal as it is kept. BadInput for anything else."""
    found = given.strip().lower()
    if len(found) != 64 or not set(found) <= set("0123456789abcdef"):
        raise BadInput(
            f"A seal has 64 hexadecimal digits, this one is {given.strip()[:80]!r}: copy it whole "
            "from the summary, log line or message of a run.",
            parameter="seal",
        )
    return found


def place_of(conn: Connection, seal_hash: str) -> Place | None:
    """Where the seal of this hash is in the chain; null when it is in none of its links."""
    found = conn.execute(sql.query("runs/chain", "place_of"), {"seal_hash": seal_hash}).mappings()
    row = found.one_or_none()
    return None if row is None else Place(**row)


def offending_seals(conn: Connection) -> Iterator[dict[str, Any]]:
    """Each seal that does not say what its rows say today, or does not follow the one before."""
    conn.execute(sql.query("runs/chain", "canonical_text"))
    of_runs, of_rows, old = _run_contents(conn), _row_contents(conn), _form_1_contents(conn)
    before, form_before = "", 0
    for seal in _seals(conn):
        problem, found = _judge(seal, of_runs, of_rows, old, before, form_before)
        if problem:
            yield {
                "seal_no": seal.seal_no,
                "run_id": seal.run_id,
                "problem": problem,
                "sealed_rows": seal.row_count,
                "found_rows": found,
            }
        before, form_before = seal.seal_hash, seal.form_no


def _judge(
    seal: Any,
    of_runs: dict[int, _Content],
    of_rows: dict[tuple[int, str], tuple[int, str]],
    old: dict[int, tuple[int, str]],
    before: str,
    form_before: int,
) -> tuple[str | None, int | None]:
    """What is wrong with a seal, if anything is, and how many rows of it were found."""
    if seal.form_no not in FORMS or seal.form_no < form_before:
        return "form that no version wrote", None
    if seal.form_no == 1:
        count, content = old.get(seal.seal_no, _EMPTY_1)
        is_missing = False
        parts = (seal.run_id, seal.row_count, seal.content_hash, seal.previous_hash)
        seal_text = "|".join(map(str, parts))
    else:
        runs = [(run_id, of_runs.get(run_id)) for run_id in seal.covered_run_ids]
        rows = [
            (table, *of_rows.get((seal.seal_no, table), (0, None))) for table in seal.covered_tables
        ]
        content = seals.content_hash([(run_id, c.hash if c else None) for run_id, c in runs], rows)
        count = sum(c.row_count for _, c in runs if c) + sum(n for _, n, _ in rows)
        listed = dict(zip(seal.covered_tables, seal.covered_counts, strict=True))
        is_missing = any(n != listed[table] for table, n, _ in rows)
        seal_text = seal.seal_text
    if is_missing or (count, content) != (seal.row_count, seal.content_hash):
        return "sealed rows changed", count
    if _digest(seal_text).hex() != seal.seal_hash:
        return "seal changed", count
    return (None if seal.previous_hash == before else "chain broken"), count


def _seals(conn: Connection) -> Iterator[Any]:
    with conn.execute(sql.query("runs/chain", "list_seals"), execution_options=_STREAMED) as rows:
        yield from rows


def _run_contents(conn: Connection) -> dict[int, _Content]:
    """What each run wrote that a seal of form 2 covers."""
    found: dict[int, _Content] = {}
    for table in sorted({t.name for t in append_only_tables() if t.run_column} | {RUN_ENDS}):
        rows = _stream(conn, "rows_of_runs", "v_sealed_rows", table_name=table)
        for run_id, count, digest in _digests(rows):
            content = found.setdefault(run_id, _Content())
            content.lines += f"{table}|{count}|{digest}\n"
            content.row_count += count if table in _COUNTED else 0
    return found


def _row_contents(conn: Connection) -> dict[tuple[int, str], tuple[int, str]]:
    """Number and hash of the rows that each seal of form 2 covers by their numbers, by table."""
    found = {}
    for table in sorted({t.name for t in append_only_tables()} | {RUN_ENDS}):
        rows = _stream(conn, "rows_by_number", "v_sealed_rows", table_name=table)
        for seal_no, count, digest in _digests(rows):
            found[seal_no, table] = (count, digest)
    return found


def _form_1_contents(conn: Connection) -> dict[int, tuple[int, str]]:
    """Number and hash of the rows of each seal of form 1."""
    hashers: dict[int, Any] = {}
    counts: Counter[int] = Counter()

    def add(rows: Iterable[tuple[int, str | memoryview]], table: str) -> None:
        for seal_no, row_text in rows:
            hasher = hashers.get(seal_no) or hashers.setdefault(seal_no, hashlib.sha256())
            hasher.update(_digest(row_text))
            counts[seal_no] += table not in _FORM_1_LOG

    wider = list(conn.execute(sql.query("runs/chain", "list_wider_1")).scalars())
    for table in _FORM_1_TABLES:
        add(_stream(conn, "rows_of_runs_1", "v_sealed_rows_1", table_name=table), table)
        for seal_no in wider:
            wanted = {"table_name": table, "seal_no": seal_no}
            add(_stream(conn, "rows_of_seal_1", "v_sealed_rows_1", **wanted), table)
    return {seal_no: (counts[seal_no], hasher.hexdigest()) for seal_no, hasher in hashers.items()}


def _stream(
    conn: Connection, name: str, view: str, **parameters: object
) -> Iterator[tuple[int, str | memoryview]]:
    """Rows of a statement of sql/runs/chain.sql upon what the file of a view reads."""
    chain = sql.queries("runs/chain")
    body, form = chain[name].rstrip(";"), chain["as_text"]
    if connecting.keeps_bytes(conn):
        # read as text, what is no UTF-8 would be another text
        form = chain["as_bytes"]
    query = text(f"with sealed as (\n{view_query(view)}\n),\n\nlisted as (\n{body}\n)\n\n{form}")
    with conn.execute(query, parameters, execution_options=_STREAMED) as rows:
        yield from rows


def _digests(rows: Iterable[tuple[int, str | memoryview]]) -> Iterator[tuple[int, int, str]]:
    """Each part with the number of its rows and the hash over the hash of each."""
    for part, of_part in groupby(rows, key=itemgetter(0)):
        digests = [_digest(row_text) for _, row_text in of_part]
        yield part, len(digests), hashlib.sha256(b"".join(digests)).hexdigest()


def _digest(row_text: str | memoryview) -> bytes:
    content = row_text.encode() if isinstance(row_text, str) else row_text
    return hashlib.sha256(content).digest()
