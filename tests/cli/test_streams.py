"""Streams that are full, closed or left: what is said there decides nothing."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scout_core import schedule, streams
from tests.support.browser import free_port
from tests.support.job import broken, run_states, settings, story, value
from tests.support.server import ROOT

PROGRAM = f"'{sys.executable}' -m scout_core"
FULL = Path("/dev/full").exists()
pytestmark = pytest.mark.skipif(not FULL, reason="there is no /dev/full here")


def shell(url: str, line: str, folder) -> subprocess.CompletedProcess[str]:
    """A line of bash in a folder without settings; SCOUT stands for the program."""
    return subprocess.run(
        ["bash", "-c", line.replace("SCOUT", PROGRAM)],
        cwd=folder,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "PYTHONPATH": str(ROOT),
            "SCOUT_GUARD_MAX_PCT": "100",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


LINES = {
    "SCOUT refresh 2>/dev/full": 0,
    "SCOUT refresh 2>&-": 0,
    "SCOUT refresh <&- 2>&- >&-": 0,
    "SCOUT refresh >&-": 0,
    "SCOUT refresh >/dev/full": streams.UNWRITTEN,
    "SCOUT refresh --json >/dev/full": streams.UNWRITTEN,
    "SCOUT refresh >/dev/full 2>&1": streams.UNWRITTEN,
    # the reader has left before anything is said
    "(sleep 1; SCOUT refresh 2>&1) | true; exit ${PIPESTATUS[0]}": 141,
    "SCOUT refresh 2> >(true)": 0,
}


@pytest.mark.parametrize("line", LINES)
def test_run_is_completed_whatever_becomes_of_what_it_says(db, db_url, tmp_path, line):
    story(db_url)
    ended = shell(db_url, line, tmp_path)
    assert ended.returncode == LINES[line], ended.stderr
    assert "Traceback" not in ended.stderr
    assert run_states(db_url) == [("COMPLETED", None)]
    # what follows a run was done as well
    assert value(db_url, "select count(*) from scout.alerts where status = 'OPEN'") > 0
    assert broken(db) == {}


def test_exit_code_of_a_verb_is_kept_where_it_says_more(db, db_url, tmp_path):
    story(db_url)
    for line, code in (
        ("SCOUT undo 99 --reason 'ten letters' >/dev/full 2>/dev/full", 1),
        ("SCOUT nonsense >/dev/full 2>&1", 2),
        ("SCOUT explain nobody >/dev/full 2>&-", 1),
        ("SCOUT health >/dev/full", 2),
        ("SCOUT conflicts >/dev/full", streams.UNWRITTEN),
        ("SCOUT export conflicts >/dev/full", streams.UNWRITTEN),
        ("SCOUT export conflicts 2>/dev/full >all.csv", 0),
    ):
        ended = shell(db_url, line, tmp_path)
        assert ended.returncode == code, (line, ended.stderr)
        assert "Traceback" not in ended.stderr
        if code == streams.UNWRITTEN:
            assert "could not be written (No space left on device)" in ended.stderr
    assert (tmp_path / "all.csv").stat().st_size > 0


def test_scheduled_run_on_a_full_disk_is_as_good_as_any(db, db_url, tmp_path, monkeypatch):
    story(db_url)
    log = schedule.log_path(settings(), tmp_path)
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    monkeypatch.setenv("DATABASE_URL", db_url)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ended = schedule.run(settings(), tmp_path)
    assert ended.exit_code == 0
    assert run_states(db_url) == [("COMPLETED", None)]


@contextmanager
def serving(url: str, redirection: str, end_by: int = signal.SIGTERM) -> Iterator[str]:
    """A server whose output goes somewhere odd, ended by a signal: localhost:PORT, once it
    answers."""
    port = free_port()
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            f"exec '{sys.executable}' -m streamlit run '{ROOT / 'app.py'}' {redirection}",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "SCOUT_GUARD_MAX_PCT": "100",
            "STREAMLIT_SERVER_PORT": str(port),
        },
    )
    address = f"localhost:{port}"
    try:
        give_up = time.monotonic() + 90
        while True:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < give_up, "the server does not answer"
            try:
                if ask(address, "/livez")[0] == 200:
                    break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(end_by)
        process.wait(30)


def ask(address: str, path: str, method: str = "GET") -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


@pytest.mark.parametrize("redirection", [">/dev/full 2>&1", ">&- 2>&-", "<&- >&- 2>/dev/full"])
def test_server_answers_as_ever_on_a_full_disk_and_without_a_console(db, db_url, redirection):
    story(db_url)
    with serving(db_url, redirection) as address:
        base = "/api/v1/scouts/attribution"
        assert ask(address, f"{base}/runs/999")[0] == 404
        assert ask(address, f"{base}/nothing")[0] == 404
        assert ask(address, f"{base}/conflicts?page_size=0")[0] == 422
        assert ask(address, f"{base}/metrics")[0] == 200
        assert ask(address, "/scouts/attribution-health")[0] == 200
        status, body, _ = ask(address, f"{base}/run-now", "POST")
        assert status == 202, body
        run_id = json.loads(body)["run_id"]
        give_up = time.monotonic() + 60
        while run_states(db_url)[0][0] == "RUNNING":
            assert time.monotonic() < give_up
            time.sleep(0.1)
        assert run_states(db_url) == [("COMPLETED", None)]
        assert ask(address, f"{base}/runs/{run_id}")[0] == 200
    assert broken(db) == {}
