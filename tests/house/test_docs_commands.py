"""The commands, statements and addresses of the documents work, and both runbooks say the same."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as statement
from sqlalchemy.engine import make_url

from scout_core import cli, embedded
from scout_core.access import sessions
from scout_core.access.permissions import Actor
from scout_core.db.database import ADMIN, LOOK, Database
from tests.support import databases, dictionary, server
from tests.support.asking import asking
from tests.support.commands import understood
from tests.support.looking import refreshed_demo, rows, value
from tests.support.server import ROOT

RUNBOOK = ROOT / "docs/runbook.en.md"
IN_SPANISH = ROOT / "docs/runbook.es.md"
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})
# What stands for a value of the reader's own; any of the right form will do to be understood.
OWN = {
    "PERSON_KEY": "8f14e45f-ceea-467f-a9b5-1c1e3b2f0a11",
    "SOURCE_PK": "17",
    "RUN_ID": "41",
    "HOLD_ID": "3",
    "ALERT_ID": "5",
    "SEAL": "0" * 64,
    "SCOUT": "14",
    "TEXT": "a reason that is long enough",
}
# They change this machine or serve for ever: tests of their own run them.
NOT_HERE = {"schedule install", "schedule remove", "schedule status", "schedule run"}
# there is no channel to test here
ENDS_WITH = {"health": {0, 1, 2}, "undo": {0, 4}, "notify test": {1}}


def text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(document), re.M | re.S)


def verbs(content: str) -> list[list[str]]:
    """The words after `python -m scout_core`, of each command in a text."""
    found = re.findall(r"python -m scout_core ([^`\n|#&]+)", content)
    return [shlex.split(words) for words in found if not words.startswith("VERB")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_each_command_of_a_document_is_understood(document: Path):
    for words in verbs(text(document)):
        understood([OWN.get(word, word) for word in words])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_each_file_that_a_document_names_is_there(document: Path):
    told = text(document).replace("\\", "/")
    named = re.findall(r"(?<![\w/])(?:deploy|docs|sql|\.streamlit)/[\w./@-]*\w", told)
    missing = {name for name in named if not (ROOT / name).exists()}
    assert missing - {".streamlit/secrets.toml", "deploy/compose/.env"} == set()


def test_runbooks_give_the_same_commands_and_statements():
    def told(document: Path) -> list[Any]:
        commands = "\n".join(blocks(document, "sh")).splitlines()
        return [
            [re.sub(r'--reason "[^"]*"', "--reason TEXT", line) for line in commands],
            blocks(document, "sql"),
            re.findall(r"^#+ ([\d.]+) ", text(document), re.M),
            re.findall(r"^\| ([A-Z_, ]{6,}) \|", text(document), re.M),
            sorted(
                re.findall(r"`((?:\.?deploy|docker|journalctl|systemctl)\b[^`]*)`", text(document))
            ),
        ]

    assert told(RUNBOOK) == told(IN_SPANISH)
    assert len(told(RUNBOOK)[0]) > 30


@pytest.fixture(scope="module")
def demo_db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        yield db


def test_data_dictionary_is_what_the_database_says_of_itself(db: Database):
    with db.transaction(ADMIN) as conn:
        assert dictionary.PAGE.read_text(encoding="utf-8") == dictionary.page(conn), (
            "run make dictionary"
        )


@pytest.mark.parametrize("document", [RUNBOOK, ROOT / "README.md"], ids=lambda d: d.name)
def test_each_address_that_a_document_asks_answers(document: Path, demo_db: Database):
    asked = re.findall(r"curl (http://localhost:3000)(/\S+)", text(document))
    assert asked
    with asking(demo_db) as api:
        for _, path in asked:
            client = api.client if path.startswith("/api/") else api.root
            assert client.get(path.removeprefix("/api")).status_code == 200, path


def test_each_statement_of_the_runbook_may_be_read_by_readers(demo_db: Database):
    for query in "".join(blocks(RUNBOOK, "sql")).split(";\n"):
        if query.strip():
            with demo_db.transaction(LOOK) as conn:
                assert conn.execute(statement(query)).all(), query


def of_reader(db: Database) -> dict[str, Callable[[], Any]]:
    """How a reader finds what to write in the place of a word."""
    conflict = "from ops.v_scout_attribution_conflicts order by person_key limit 1"
    chosen = rows(db, f"select person_key, scout_ids[1] {conflict}")[0]
    run = value(db, "select max(run_id) from scout.v_runs where status = 'COMPLETED'")
    return {
        "PERSON_KEY": lambda: chosen[0],
        "SCOUT": lambda: chosen[1],
        "RUN_ID": lambda: run,
        "HOLD_ID": lambda: value(
            db, "select min(hold_id) from scout.holds where released_at is null"
        ),
        # each command about another one: a mute after an acknowledgement is one too
        "ALERT_ID": lambda: value(
            db, "select min(alert_id) from scout.alerts where status = 'OPEN'"
        ),
        "SEAL": lambda: value(db, "select seal_hash from scout.seals order by seal_no limit 1"),
        "LINKED_PK": lambda: value(
            db,
            "select min(source_pk) from canon.identity_links"
            " where source_table = 'module_ct_scouting_daily' and person_key <> :key",
            key=chosen[0],
        ),
        "SOURCE_PK": lambda: value(
            db,
            "select min(source_pk) from canon.identity_unmatched where status = 'OPEN'"
            " and source_table = 'module_ct_scouting_daily'",
        ),
    }


def test_each_command_of_the_runbook_does_its_work(
    server_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
):
    """In the order of the document, each once, on one database, up to taking everything away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_GUARD_MAX_PCT", "100")
    ran: set[str] = set()
    done: list[list[str]] = []
    with refreshed_demo(server_url) as db:
        monkeypatch.setenv("DATABASE_URL", db.url)
        own = of_reader(db)
        sessions.begin(db, "https://id.example.com#ana", Actor("ana@example.com", "operator"))
        for words in verbs("\n".join(blocks(RUNBOOK, "sh"))):
            path = understood([OWN.get(word, word) for word in words])
            if path in NOT_HERE or words in done:
                continue
            done.append(words)
            code = cli.run([str(own[word]()) if word in own else word for word in words])
            printed = capsys.readouterr()
            # no scheduler has ever started a run here, and the light says so
            ends = {3} if "scheduler" in words else ENDS_WITH.get(path, {0})
            assert code in ends, (words, printed.err, printed.out[-2000:])
            ran.add(path)
    assert ran >= {"init", "undo", "hold release", "review create", "export conflicts", "uninstall"}
    assert (tmp_path / "conflicts.csv").stat().st_size > 100


@pytest.mark.long
def test_backup_of_the_runbook_is_restored_by_the_runbook(server_url: str, tmp_path: Path):
    """The commands of the section as they stand; `scouts` is the reader's database."""
    section = text(RUNBOOK).split("## 8. ")[1].split("\n## ")[0]
    lines = "".join(re.findall(r"```sh\n(.*?)```", section, re.S)).splitlines()
    folder = embedded.find_binaries(server.FOLDER)

    def run(command: str, url: str) -> None:
        program, *words = shlex.split(command)
        is_ours = program == ".venv/bin/python"
        words = [
            w.replace("scouts", url) if w in {"scouts", "--dbname=scouts"} else w for w in words
        ]
        if program == "pg_dumpall":
            words.append(f"--dbname={url}")
        done = subprocess.run(
            [str(ROOT / program if is_ours else folder / program), *words],
            cwd=ROOT if is_ours else tmp_path,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (command, done.stderr, done.stdout[-2000:])

    seals = "select run_id, seal_hash from scout.seals order by run_id"
    with refreshed_demo(server_url) as db, databases.clone(server_url, "template0") as empty:
        made = lines.index("createdb scouts")
        for command in lines[:made]:
            run(command, plain(db.url))
        for command in lines[made + 1 :]:
            run(command, plain(empty))
        restored = Database(empty)
        assert rows(restored, seals) == rows(db, seals)
        restored.dispose()


def plain(url: str) -> str:
    """An address as PostgreSQL's own programs take it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
