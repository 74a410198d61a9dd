"""What may not be in the tree: secrets, this machine, unpinned packages, odd SQL files."""

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")

# Written so that none of them matches its own line here.
SECRETS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "cloud key": r"\bAKIA[0-9A-Z]{16}\b",
    "access token": r"\b(?:gh[pousr]_\w{36}|glpat-[\w-]{20}|xox[abp]-[\w-]{10,}|sk-\w{32,})",
    "signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
}
MACHINE = {
    "a path of this machine": r"(?<![\w.])/(?:work|root)/|/home/(?!runner)\w+/",
    "a package registry": r"pypi[.]org|pythonhosted[.]org|npmjs[.]org",
    "an address of packages": r"--(?:extra-)?index-url|--find[-]links",
}
ADDRESS = r"postgres\w*(?:\+\w+)?://[\w.-]+:([^@\s/'\"`]+)@"
EXAMPLE_PASSWORDS = {"password", "***", "secret"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("not a git work tree")
    return [f for name in listed.stdout.split("\0") if name and (f := ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    return [
        (str(file.relative_to(ROOT)), data.decode("utf-8", "replace"))
        for file in tracked()
        if b"\0" not in (data := file.read_bytes())
    ]


@pytest.mark.parametrize(("what", "pattern"), [*SECRETS.items(), *MACHINE.items()])
def test_no_file_holds(what, pattern):
    assert [name for name, content in texts() if re.search(pattern, content)] == []


def test_no_database_address_holds_a_real_password():
    found = [
        (name, password)
        for name, content in texts()
        if not name.startswith("tests/")
        for password in re.findall(ADDRESS, content)
        if password not in EXAMPLE_PASSWORDS and not re.search(r"[{}$]", password)
    ]
    assert found == []


def test_the_secret_scan_finds_a_planted_one():
    assert re.search(SECRETS["cloud key"], "key = AKIA" + "A" * 16)
    assert re.search(MACHINE["a path of this machine"], "open('/ro" + "ot/x')")
    assert re.search(ADDRESS, "postgresql://a:hun" + "ter2@db/x")


def test_no_environment_file_is_tracked():
    assert [f.name for f in tracked() if f.name == ".env" or f.suffix in {".pem", ".key"}] == []


def requirements(text: str) -> list[str]:
    """Each with its hashes on one line, without comments."""
    joined = text.replace("\\\n", " ").splitlines()
    return [
        " ".join(words) for line in joined if (words := re.sub(r"(?:^|\s)#.*", "", line).split())
    ]


HASHED = re.compile(r"([\w.-]+)==([\w.+!-]+)(?: ; .+?)?(?: --hash=sha256:[0-9a-f]{64})+")


def pins(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for requirement in requirements((ROOT / name).read_text(encoding="utf-8")):
        match = HASHED.fullmatch(requirement)
        assert match, f"{name}: {requirement!r} is not pinned with its hashes: make lock"
        found.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return found


def test_requirements_are_pinned_to_what_the_project_asks_for():
    runtime, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    for asked, locked in (
        (PROJECT["project"]["dependencies"], runtime),
        (PROJECT["dependency-groups"]["dev"], dev),
        (PROJECT["dependency-groups"]["install"], pins("requirements-uv.txt")),
    ):
        for requirement in map(Requirement, asked):
            assert [f"=={v}" for v in locked[canonicalize_name(requirement.name)]] == [
                str(requirement.specifier)
            ]
    assert {name: dev[name] for name in dev.keys() & runtime.keys()} == {
        name: runtime[name] for name in dev.keys() & runtime.keys()
    }


@pytest.mark.parametrize(
    "line",
    [
        "rich==15.0.0",
        "rich>=15.0.0 --hash=sha256:" + "0" * 64,
        "rich==15.0.0 --hash=md5:" + "0" * 32,
        "rich==15.0.0 ; python_version < '3.12'  # via x --hash=sha256:" + "0" * 64,
    ],
)
def test_a_requirement_without_its_hash_is_found(line):
    assert not HASHED.fullmatch(requirements(line)[0])


def test_nothing_is_installed_without_its_hash():
    installs = [
        (name, line.strip())
        for name, content in texts()
        if name in {"Makefile", "deploy/compose/Dockerfile", ".ci/run"}
        for line in content.splitlines()
        if "pip install" in line
    ]
    assert len(installs) >= 6
    assert [where for where in installs if "--require-hashes" not in where[1]] == []


@pytest.mark.parametrize("files", [LOCKS[:1], LOCKS[1:2], LOCKS])
def test_lock_is_complete(files):
    """Whatever a pinned package needs here is pinned too, so nothing floats in."""
    locked = {name for file in files for name in pins(file)}
    missing = set()
    for name in locked:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform or Python
        for requirement in map(Requirement, needs):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                missing.add(canonicalize_name(requirement.name))
    assert missing - locked == set()


SQL = sorted((ROOT / "sql").rglob("*.sql"))


@pytest.mark.parametrize("file", SQL, ids=lambda f: str(f.relative_to(ROOT / "sql")))
def test_sql_file_says_first_what_it_is_and_is_indented_by_fours(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("-- ")
    assert not re.search(r"={3,}|-{5,}", lines[0])
    odd = [
        number
        for number, line in enumerate(lines, 1)
        if "\t" in line or line != line.rstrip() or (len(line) - len(line.lstrip(" "))) % 4
    ]
    assert odd == []


@pytest.mark.parametrize("file", SQL, ids=lambda f: str(f.relative_to(ROOT / "sql")))
def test_sql_file_has_a_name_that_will_last(file):
    """No numbers outside schema and demo, no v2, new, final, fixed, enriched."""
    stem = file.stem
    assert not re.search(r"(?:^|_)(?:v\d+|new|final|fixed|enriched|old|tmp)(?:_|$)", stem)
    assert not stem[0].isdigit() or file.parent.name in {"schema", "demo"}
