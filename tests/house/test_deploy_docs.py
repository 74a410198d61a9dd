"""What docs/deploy.md names is there: units, files, targets, links, and the words of an error."""

import re
import shlex
import stat
from pathlib import Path

import pytest

from scout_core.errors import InstallError
from tests.support import installing
from tests.support.commands import understood
from tests.support.server import ROOT

GUIDE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
UNITS = ROOT / "deploy/systemd"
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.M | re.S)
    for line in block.splitlines()
]
# of the system or of PostgreSQL; what ours are is checked word by word
OF_OTHERS = {"createdb", "nginx", "caddy", "docker", "pg_dump", "pg_dumpall", "pg_restore", "psql"}
SERVICES_OF_OTHERS = {"nginx", "caddy"}


def without_sudo(words: list[str]) -> list[str]:
    while words[0] == "sudo" or "=" in words[0]:
        words = words[1:]
    return words


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_is_one_that_is_there(command: list[str]):
    program, *words = without_sudo(command)
    if program == ".venv/bin/python":
        assert words[:2] == ["-m", "scout_core"]
        understood(words[2:])
    elif program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:.*## ", makefile, re.M) for target in words)
    elif program == "cp":
        source, target = words
        assert (ROOT / source).is_file()
        assert target.startswith(("/etc/", "deploy/", ".streamlit/"))
    elif program == "systemctl":
        for unit in words[1:] if words[0] != "daemon-reload" else []:
            assert unit.startswith("--") or unit in SERVICES_OF_OTHERS or has_unit(unit), unit
    elif program.startswith("deploy/"):
        assert (ROOT / program).stat().st_mode & stat.S_IXUSR
    else:
        assert program in OF_OTHERS
        for word in words:
            assert not word.startswith("deploy/") or (ROOT / word).parent.is_dir()


def has_unit(unit: str) -> bool:
    """Whether a unit of ours has this name; a number after @ is an instance."""
    name = re.sub(r"@\d+$", "@", unit)
    return any((UNITS / f"{name}{end}").is_file() for end in ("", ".service"))


def test_each_recipe_is_linked():
    linked = set(re.findall(r"\]\(\.\./(deploy/[\w./]+)\)", GUIDE))
    recipes = [ROOT / "deploy" / name for name in ("nginx", "caddy", "traefik", "pgbouncer")]
    there = {str(f.relative_to(ROOT)) for folder in recipes for f in folder.iterdir()}
    assert linked >= there


def test_settings_of_files_under_deploy_that_the_guide_names_are_in_them():
    unit = (UNITS / "scout-web@.service").read_text(encoding="utf-8")
    assert "STREAMLIT_SERVER_ALLOWED_HOSTS" in GUIDE
    assert "STREAMLIT_SERVER_ALLOWED_HOSTS=" in unit
    for recipe in ("nginx/scouts.conf", "caddy/Caddyfile", "traefik/scouts.yaml"):
        assert "scout_node" in (ROOT / "deploy" / recipe).read_text(encoding="utf-8")
    pooler = (ROOT / "deploy/pgbouncer/pgbouncer.ini").read_text(encoding="utf-8")
    assert re.search(r"port (\d+) of\nthe pooler", GUIDE)[1] in pooler


def test_older_program_says_what_the_guide_says(db_url: str, tmp_path: Path):
    (said,) = re.findall(r"^This database has schema file.*$", GUIDE, re.M)
    tree = installing.sql_tree(tmp_path)
    (tree / "schema/999_newer.sql").write_text("-- nothing\nselect 1;\n")
    installing.init(db_url, sql_root=tree)
    with pytest.raises(InstallError) as refused:
        installing.init(db_url)
    assert refused.value.message == said


def test_init_of_the_newer_program_says_what_it_did_and_then_nothing(db_url: str, tmp_path: Path):
    tree = installing.sql_tree(tmp_path)
    (tree / "schema/999_newer.sql").write_text("-- nothing\nselect 1;\n")
    assert installing.init(db_url, sql_root=tree).done == ("Applied schema file 999_newer.sql.",)
    assert installing.init(db_url, sql_root=tree).is_nothing
