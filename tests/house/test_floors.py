"""A room imports from the floors below its own: every file, also a new one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ROOT

# from the top; rooms of one floor do not import each other
CORE = (
    "__main__",
    "cli",
    "job",
    "alerts",
    "decide notify export",
    "health",
    "runs",
    "install",
    "money",
    "attribution",
    "access lists",
    "db schedule",
    "embedded",
    "settings",
    "logs",
    "address days errors personal sources streams text_files",
)
# parts and doors still know each other: who looks is asked of the sign-in, which stands on both
UI = ("__main__", "shell", "person", "alerts", "decide health runs", "parts+doors", "words")
MOST_FILES, WIDE = 15, {"cli", "words"}


def floors(listed: tuple[str, ...]) -> dict[str, int]:
    return {
        room: number for number, rooms in enumerate(listed) for room in re.split(r"[ +]", rooms)
    }


def room_of(file: Path, package: str) -> str:
    return file.relative_to(ROOT / package).parts[0].removesuffix(".py")


def imported(file: Path, package: str) -> Iterator[str]:
    """The rooms of the package that a file imports from, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            names = (alias.name.split(".") for alias in node.names)
            yield from (parts[1] for parts in names if parts[0] == package and len(parts) > 1)


@pytest.mark.parametrize(("package", "listed"), [("scout_core", CORE), ("ui", UI)])
def test_arrows_run_down_only(package: str, listed: tuple[str, ...]) -> None:
    floor = floors(listed)
    joined = {frozenset(r.split("+")) for rooms in listed for r in rooms.split() if "+" in r}
    wrong = set()
    for file in (ROOT / package).rglob("*.py"):
        room = room_of(file, package)
        if room == "__init__":
            continue
        wrong |= {
            f"{file.relative_to(ROOT)} imports {other}"
            for other in imported(file, package)
            if other != room
            and other in floor
            and floor[other] <= floor[room]
            and frozenset((room, other)) not in joined
        }
    assert sorted(wrong) == []


@pytest.mark.parametrize(("package", "listed"), [("scout_core", CORE), ("ui", UI)])
def test_every_room_has_its_floor(package: str, listed: tuple[str, ...]) -> None:
    there = {
        room_of(file, package)
        for file in (ROOT / package).rglob("*.py")
        if file.name != "__init__.py" or file.parent != ROOT / package
    }
    assert there == set(floors(listed))


@pytest.mark.parametrize("package", ["scout_core", "ui"])
def test_no_room_has_more_files_than_one_can_look_over(package: str) -> None:
    rooms = {file.parent for file in (ROOT / package).rglob("*.py")}
    counts = {
        str(room.relative_to(ROOT)): len([f for f in room.glob("*.py") if f.stem != "__init__"])
        for room in rooms
        if room.name not in WIDE
    }
    assert {room: count for room, count in counts.items() if count > MOST_FILES} == {}
