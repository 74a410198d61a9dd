"""The invariants that SQL can state: one file of sql/checks each, returning the offending rows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from scout_core import sql

SAMPLE_ROWS = 5


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


def verify(conn: Connection) -> list[CheckResult]:
    """Every invariant on this snapshot, by name. Writes nothing."""
    return [_check(conn, name) for name in names()]


def _check(conn: Connection, name: str) -> CheckResult:
    body = (sql.ROOT / "checks" / f"{name}.sql").read_text(encoding="utf-8")
    label = body.splitlines()[0].removeprefix("--").strip()
    rows = conn.execution_options(stream_results=True).execute(text(body)).mappings()
    sample: list[dict[str, Any]] = []
    count = 0
    for row in rows:
        count += 1
        if len(sample) < SAMPLE_ROWS:
            sample.append(dict(row))
    return CheckResult(name, label, count, tuple(sample))
