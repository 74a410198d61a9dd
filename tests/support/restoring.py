"""Back up an installation that people work with, and restore it as docs/deploy.md says."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import make_url

from scout_core import embedded
from scout_core.access.permissions import Actor
from scout_core.alerts import acts
from scout_core.attribution import fingerprint
from scout_core.db.database import LOOK, Database
from scout_core.decide import decisions, undo
from tests.support import server
from tests.support.installing import connection
from tests.support.job import do, rows, writing
from tests.support.looking import refreshed_demo
from tests.support.server import ROOT
from tests.support.state import NAMES
from tests.support.worker import refreshing

GUIDE = ROOT / "docs/deploy.md"
ANALYST, OPERATOR = Actor("luz", "analyst"), Actor("olga", "operator")
WHY = "called both, the first one registered him"

NUMBERS = """
    select total_persons, persons_with_scout_satisfactory, pct_scout_satisfactory,
        persons_missing_scout, conflicts_count, backlog_a_events_without_scout,
        backlog_d_scout_in_events_not_in_ledger, backlog_c_legacy_no_events_no_ledger,
        lead_persons, pct_scout_satisfactory_leads
    from ops.v_scout_attribution_metrics_snapshot"""
FACTS = {
    "numbers": NUMBERS,
    "persons": """
        select person_key::text, ledger_scout_id, category, reason_code, conflict_kind
        from scout.v_person_attribution order by 1""",
    "conflicts": "select person_key::text, scout_ids from ops.v_scout_attribution_conflicts"
    " order by 1",
    "decisions": "select decision_id, person_key::text, outcome, scout_id from"
    " scout.v_decisions_in_force order by 1",
    "holds": "select hold_id, person_key::text, source_pk, released_at from scout.holds order by 1",
    "acknowledged": "select alert_id, rule, subject from scout.alerts where status = 'ACKNOWLEDGED'"
    " order by 1",
    "seals": "select seal_no, run_id, seal_hash from scout.seals order by 1",
    "collection": "select driver_id, milestone_value, scout_id from"
    " ops.v_yango_collection_with_scout order by 1, 2",
}


@dataclass(frozen=True)
class Way:
    """One way of the guide: its title, and its commands up to and after `createdb`."""

    name: str
    dump: tuple[str, ...]
    restore: tuple[str, ...]


def ways() -> dict[str, Way]:
    """The ways of the guide to back up and restore, by title."""
    found = {}
    for title, lines in _parts().items():
        made = [n for n, line in enumerate(lines) if line.startswith("createdb ")]
        if made:
            dump, restore = lines[: made[0]], lines[made[0] + 1 :]
            found[title] = Way(title, tuple(dump), tuple(restore))
    return found


def after_restore() -> list[list[str]]:
    """The verbs that the guide says to run after a restore, in order."""
    program = ".venv/bin/python -m scout_core "
    return [shlex.split(line.removeprefix(program)) for line in _parts()["After a restore"]]


def perform(commands: tuple[str, ...], url: str, folder: Path) -> list[str]:
    """Run commands of PostgreSQL on this database in this folder; what they complained of."""
    programs = embedded.find_binaries(server.FOLDER)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    complaints: list[str] = []
    for command in commands:
        words = shlex.split(command)
        environment = dict(os.environ)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
        program, *rest = words
        is_last_word = rest[-1] == "scouts"
        rest = [plain if is_last_word and word == "scouts" else word for word in rest]
        rest = [re.sub(r"^--dbname=\w+$", f"--dbname={plain}", word) for word in rest]
        if program == "pg_dumpall":
            rest.append(f"--dbname={plain}")
        done = subprocess.run(
            [str(programs / program), *rest],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        errors = re.findall(r"(?:error: could not execute query: )?ERROR: +(.*)", done.stderr)
        assert done.returncode == 0 or errors, (command, done.stderr)
        complaints += errors
    return complaints


@contextmanager
def lived_in(server_url: str) -> Iterator[Database]:
    """An installation with data, decisions, an undo with its holds, seals, acknowledged alerts;
    changes that wait to be settled and sealed; and a run that was at work."""
    with refreshed_demo(server_url) as db:
        (first, second, third, *_) = _in_conflict(db)
        _decide(db, first.person, first.scout)
        _decide(db, second.person, None)
        undo.run_undo(
            db, actor=OPERATOR, run_id=_last_refresh(db.url), reason="the file was loaded twice"
        )
        for alert_id in _open_alerts(db.url, 2):
            acts.ack(db, actor=ANALYST, alert_id=alert_id, reason=WHY, now=datetime.now(UTC))
        worker = refreshing(db.url, kill_at="mid work")
        worker.pipe.send("go")
        assert worker.ends() == -9
        do(
            db.url,
            "insert into observational.lead_ledger (person_key, attributed_scout_id,"
            " attribution_score, confidence_level, decision_status)"
            f" values ('{third.person}', {third.scout}, 1, 'high', 'assigned')"
            " on conflict (person_key)"
            " do update set attributed_scout_id = excluded.attributed_scout_id",
        )
        yield db


def facts(url: str, role: str | None = None) -> dict[str, list[Any]]:
    """What the pages show and people decided, as the login or under a role."""
    with connection(url, role) as conn:
        return {
            name: [tuple(row) for row in conn.execute(text(query))] for name, query in FACTS.items()
        }


def contents(url: str) -> dict[str, str]:
    """Every row of every table, without who wrote it and where it lies."""
    with writing(url) as conn:
        names = conn.scalars(text(NAMES), {"kind": "r"}).all()
        parts = [
            f"select '{n}', count(*) || ' ' || md5(coalesce(string_agg(t::text, chr(10)"
            f" order by t::text), '')) from {n} as t"
            for n in names
        ]
        whole = conn.execution_options(no_parameters=True)
        return dict(tuple(row) for row in whole.exec_driver_sql(" union all ".join(parts)))


def _parts() -> dict[str, list[str]]:
    """The commands of the guide's section on backups, by title."""
    section = GUIDE.read_text(encoding="utf-8").split("\n## Back up and restore\n")[1]
    section = section.split("\n## ")[0]
    return {
        title: "".join(re.findall(r"^```sh\n(.*?)^```$", body, re.M | re.S)).splitlines()
        for title, body in re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", section, re.M | re.S)
    }


@dataclass(frozen=True)
class _Conflict:
    person: UUID
    scout: int


def _in_conflict(db: Database) -> list[_Conflict]:
    query = (
        "select person_key, scout_ids[1] from ops.v_scout_attribution_conflicts"
        " where conflict_kind = 'SEVERAL_SCOUTS' order by person_key"
    )
    return [_Conflict(*row) for row in rows(db.url, query)]


def _decide(db: Database, person: UUID, scout: int | None) -> None:
    with db.transaction(LOOK) as conn:
        seen = fingerprint.seen_of(conn, [str(person)])[str(person)]
    decisions.decide(
        db,
        actor=ANALYST,
        person_key=str(person),
        scout_id=scout,
        outcome="NO_SCOUT" if scout is None else "ASSIGN",
        reason_code="OTHER",
        note=WHY,
        seen=seen,
    )


def _last_refresh(url: str) -> int:
    query = "select max(run_id) from scout.v_runs where kind = 'refresh' and status = 'COMPLETED'"
    return int(rows(url, query)[0][0])


def _open_alerts(url: str, count: int) -> list[int]:
    """Of causes that no run and no person takes away meanwhile."""
    query = (
        "select alert_id from scout.alerts where status = 'OPEN' and rule in"
        " ('UNREADABLE_SCOUT', 'UNKNOWN_SCOUT') order by 1 limit :count"
    )
    return [row[0] for row in rows(url, query, count=count)]
