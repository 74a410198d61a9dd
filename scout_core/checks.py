"""The invariants that SQL can state: one file of sql/checks each, returning the offending rows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from scout_core import sql

SAMPLE_ROWS = 5
# persons from which on a verify that is not full recomputes a sample
LARGE = 200_000
# what settling everything anew puts right
STATE_CHECKS = ("persons_are_as_recomputed", "totals_are_counts", "unlinked_rows_are_as_recomputed")

# what looking at all alerts puts right
ALERT_CHECK = "alerts_match_conditions"


@dataclass(frozen=True)
class CheckResult:
    """One invariant: what must hold, how many rows offend, and the first of them."""

    name: str
    label: str
    offending_count: int
    sample: tuple[dict[str, Any], ...]

    @property
    def holds(self) -> bool:
        """Whether nothing offends."""
        return self.offending_count == 0


def names() -> list[str]:
    """Every check, by file name."""
    return sorted(path.stem for path in (sql.ROOT / "checks").glob("*.sql"))


def verify(conn: Connection, *, is_full: bool = True) -> list[CheckResult]:
    """Every invariant on this snapshot, by name. Writes nothing.

    Not full: persons are recomputed for a sample where there are more than LARGE of them, which
    takes seconds and not minutes.
    """
    is_sampled = not is_full and _persons(conn) > LARGE
    return [_check(conn, name, is_sampled=is_sampled) for name in names()]


def _persons(conn: Connection) -> int:
    return int(conn.execute(sql.query("refresh", "facts")).mappings().one()["total_persons"])


def _check(conn: Connection, name: str, *, is_sampled: bool) -> CheckResult:
    path = sql.ROOT / "checks" / f"{name}.sql"
    sampled = sql.ROOT / "checks" / "sampled" / f"{name}.sql"
    if is_sampled and sampled.is_file():
        path = sampled
    body = path.read_text(encoding="utf-8")
    label = body.splitlines()[0].removeprefix("--").strip()
    rows = conn.execution_options(stream_results=True).execute(text(body)).mappings()
    sample: list[dict[str, Any]] = []
    count = 0
    for row in rows:
        count += 1
        if len(sample) < SAMPLE_ROWS:
            sample.append(dict(row))
    return CheckResult(name, label, count, tuple(sample))
