"""The job by itself: its line in the crontab, its times, its log and its end when it hangs."""

import json
import stat
import subprocess
import time
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from scout_core.db.database import LOOK, Database
from scout_core.errors import ScheduleError
from scout_core.health import last_runs
from scout_core.schedule import TIMED_OUT, cron, job, keep, log_path, next_time, run
from scout_core.settings import Settings, load
from tests.support import cron as machine_cron
from tests.support.cron import Machine, machine, program_in

LIMA = ZoneInfo("America/Lima")
ODD = Path("/srv/it's 100% ours/scouts")
OTHERS = (
    "# nightly\nMAILTO=ops@example.com\n15 3 * * 1 /usr/bin/backup 'a b' # scout-attribution?\n"
)


def line(folder: Path = ODD) -> str:
    return cron.line(folder, folder / ".venv/bin/python")


def settings_in(folder: Path, **environ: str) -> Settings:
    return load({"SCOUT_DATA_DIR": str(folder), **environ}, None)


def python(code: str) -> tuple[str, str]:
    return ("-c", code)


def test_line_runs_every_four_hours_and_survives_blanks_quotes_and_percents():
    assert line(Path("/srv/scouts")) == (
        "0 */4 * * * cd /srv/scouts && .venv/bin/python -m scout_core schedule run "
        "# scout-attribution"
    )
    shell = line().split(" * * * ")[1].replace(r"\%", "%").replace("cd ", "printf %s ")
    told = subprocess.run(["sh", "-c", shell.split(" && ")[0]], capture_output=True, text=True)
    assert told.stdout == str(ODD)
    assert "%" not in line().replace(r"\%", "")
    with pytest.raises(ScheduleError, match="line break"):
        line(Path("/srv/a\nb"))


def test_crontab_gets_one_line_and_keeps_every_other():
    once = cron.with_line(OTHERS, line(), ODD)
    assert once == OTHERS + line() + "\n"
    assert cron.with_line(once, line(), ODD) == once
    assert cron.without(once, ODD) == OTHERS
    assert cron.find(once, ODD) == line()
    assert cron.find(OTHERS, ODD) is None


def test_crontab_line_is_mended_in_its_place_and_only_for_its_folder():
    other = line(Path("/srv/scouts"))
    edited = line().replace("*/4", "*/2")
    before = f"{edited}\n{other}\n{edited}\n# last"
    assert cron.with_line(before, line(), ODD) == f"{line()}\n{other}\n# last"
    assert cron.without(before, ODD) == f"{other}\n# last"
    assert cron.with_line("# last", line(), ODD) == f"# last\n{line()}\n"


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        (LIMA, "2026-03-01T00:00:00-05:00", "2026-03-01T04:00:00-05:00"),
        (LIMA, "2026-03-01T03:59:59.999999-05:00", "2026-03-01T04:00:00-05:00"),
        (LIMA, "2026-12-31T20:00:00-05:00", "2027-01-01T00:00:00-05:00"),
        # the clock goes from 2 to 3, and from 3 back to 2, in between
        (ZoneInfo("Europe/Madrid"), "2026-03-29T00:30:00+01:00", "2026-03-29T04:00:00+02:00"),
        (ZoneInfo("Europe/Madrid"), "2026-10-25T00:30:00+02:00", "2026-10-25T04:00:00+01:00"),
    ],
)
def test_job_is_due_at_the_next_hour_that_four_divides(zone, now, due):
    moment = datetime.fromisoformat(now).astimezone(zone)
    assert next_time(moment).timestamp() == datetime.fromisoformat(due).timestamp()


def test_schedule_that_is_shown_is_the_one_of_cron():
    assert timedelta(hours=4) == last_runs.EVERY
    assert f"*/{last_runs.EVERY // timedelta(hours=1)} " in line()


def test_run_gives_the_exit_code_and_writes_into_a_private_log(tmp_path: Path):
    settings = settings_in(tmp_path)
    ended = run(settings, tmp_path, command=python("print('said'); raise SystemExit(75)"))
    assert ended.exit_code == 75
    said, last = log_path(settings, tmp_path).read_text().splitlines()
    assert said == "said"
    assert json.loads(last)["exit_code"] == 75
    assert json.loads(last)["event"] == "scheduled run ended"
    assert stat.S_IMODE(ended.log.stat().st_mode) == 0o600


def test_run_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Both would sleep for a minute and do not hear when they are asked to end."""
    monkeypatch.setattr(job, "GRACE_SECONDS", 0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); import time, os"
    code = f"""{deaf}, subprocess, sys
child = subprocess.Popen([sys.executable, '-c', "{deaf}; print('up', flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE)
child.stdout.readline()
print(os.getpid(), child.pid, flush=True)
time.sleep(60)"""
    began = time.monotonic()
    ended = run(settings_in(tmp_path), tmp_path, limit=timedelta(seconds=2), command=python(code))
    assert ended.exit_code == TIMED_OUT
    assert time.monotonic() - began < 10
    pids = [int(pid) for pid in ended.log.read_text().splitlines()[0].split()]
    assert len(pids) == 2
    until = time.monotonic() + 10
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < until


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_log_rotates_before_a_run_and_keeps_four_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(job, "LOG_MAX_BYTES", 10)
    settings = settings_in(tmp_path)
    for number in range(7):
        ended = run(settings, tmp_path, command=python(f"print('run {number}')"))
    folder = ended.log.parent
    first_lines = {f.name: f.read_text().splitlines()[0] for f in folder.iterdir()}
    assert first_lines == {
        "refresh.log": "run 6",
        **{f"refresh.log.{n}": f"run {6 - n}" for n in (1, 2, 3, 4)},
    }


def test_log_that_cannot_be_written_is_said_and_nothing_runs(tmp_path: Path):
    (tmp_path / "log").write_text("a file in the way")
    with pytest.raises(ScheduleError, match=r"cannot be written .* nothing was run"):
        run(settings_in(tmp_path), tmp_path, command=python("open('ran', 'w')"))
    assert not (tmp_path / "ran").exists()


class Clock:
    """A clock that only waiting moves, and that somebody may set."""

    def __init__(self, at: str) -> None:
        self.now = datetime.fromisoformat(at)
        self.waits: list[float] = []
        self.jumps: dict[int, timedelta] = {}

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        jump = self.jumps.get(len(self.waits), timedelta())
        self.now += timedelta(seconds=seconds) + jump


@pytest.mark.parametrize(
    ("jumps", "runs_at"),
    [
        ({}, ["04:00:00", "08:00:00"]),
        ({3: timedelta(hours=5)}, ["08:55:30", "12:00:00"]),  # it slept: one run, not two
        ({3: timedelta(hours=-3)}, ["04:00:00", "08:00:00"]),  # set back: due again
    ],
)
def test_container_runs_the_job_at_its_times_whatever_the_clock_does(
    tmp_path: Path, jumps: dict[int, timedelta], runs_at: list[str]
):
    clock = Clock("2026-03-01T03:54:00-05:00")
    clock.jumps = jumps
    seen = []
    kept = keep(
        settings_in(tmp_path), tmp_path, now=clock, wait=clock.wait, command=python("exit(3)")
    )
    for ended in islice(kept, 2):
        assert (ended.exit_code, ended.log) == (3, None)
        seen.append(f"{clock.now:%H:%M:%S}")
    assert seen == runs_at
    assert max(clock.waits) <= 30


@pytest.fixture
def place(tmp_path: Path, db_url: str) -> Path:
    """The program installed in a folder that is hard to quote."""
    return program_in(tmp_path / "it's 100% ours" / "scouts", db_url)


def scheduled(db: Database) -> tuple[last_runs.JobRun | None, list[last_runs.JobRun]]:
    with db.transaction(LOOK) as conn:
        return last_runs.take(conn).last_scheduled, last_runs.list_last(conn, limit=10)


def test_scheduled_run_of_the_command_line_is_one_of_cron(place: Path, db: Database):
    told = subprocess.run(
        [place / ".venv/bin/python", "-m", "scout_core", "schedule", "run"],
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    last, (only,) = scheduled(db)
    assert last == only
    assert (only.trigger, only.status) == ("cron", "COMPLETED")
    lines = (place / ".data/log/refresh.log").read_text().splitlines()
    assert json.loads(lines[-1])["exit_code"] == 0
    assert any("run" in json.loads(text) for text in lines)


def setup(view: Machine, place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return view.run(str(place / "deploy/cron/setup_recurrent_job.sh"), *options)


def test_cron_is_set_up_by_one_command_and_removed_by_one(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with machine(tmp_path) as view:
        view.run("crontab", "-", input=OTHERS, check=True)
        monkeypatch.setenv("SCOUT_RUN_MAX_ROWS", "7")
        first = setup(view, place)
        assert (first.returncode, first.stdout[:11]) == (0, "Installed.\n"), first.stderr
        assert "Only this console has SCOUT_RUN_MAX_ROWS: the sch" in first.stdout
        assert str(place / ".env") in first.stdout
        second = setup(view, place)
        assert (second.returncode, second.stdout[:19]) == (0, "Already installed.\n")
        assert view.crontab() == OTHERS + line(place) + "\n"
        assert setup(view, place, "--remove").stdout == "Removed.\n"
        assert view.crontab() == OTHERS
        view.run("crontab", "-r", check=True)
        assert setup(view, place, "--status").returncode == 1
        assert setup(view, place, "--nonsense").returncode == 2


@pytest.mark.long
def test_cron_itself_runs_the_job(place: Path, db: Database, tmp_path: Path):
    """Debian's daemon, the line as it was installed, its time brought to the next minute."""
    with machine(tmp_path) as view, machine_cron.daemon(view):
        assert setup(view, place).returncode == 0
        time.sleep(1.1)  # cron tells changes apart by the second
        every_minute = view.crontab().replace("0 */4 ", "* * ", 1)
        view.run("crontab", "-", input=every_minute, check=True)
        until = time.monotonic() + 130
        while (last := scheduled(db)[0]) is None or last.completed_at is None:
            assert time.monotonic() < until, "cron did not run the job"
            time.sleep(0.5)
        assert last.status == "COMPLETED"
        assert setup(view, place, "--remove").stdout == "Removed.\n"
        assert view.run("crontab", "-l").returncode == 1
    assert (
        json.loads((place / ".data/log/refresh.log").read_text().splitlines()[-1])["exit_code"] == 0
    )
