"""What `doctor` looks at among the files of this machine: secrets that others may read."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values

from scout_core.embedded.layout import Layout
from scout_core.install.doctor_layers import Finding
from scout_core.settings import SECRETS, Settings, env_name

DOTENV = Path(".env")
SIGN_IN = Path(".streamlit/secrets.toml")
COMPOSE = Path("deploy/compose/.env")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine(
    settings: Settings, *, environ: Mapping[str, str] | None = None, folder: Path = Path()
) -> Iterator[Finding]:
    """Each file that holds a secret: only its user may read it. Nothing on Windows, where rights
    are of another kind."""
    if os.name == "nt":
        return
    secrets = _secret_files(settings, os.environ if environ is None else environ, folder)
    found = {path: mode for path in sorted(secrets) if (mode := _mode(path)) is not None}
    open_to_others = [path for path, mode in found.items() if mode & OTHERS]
    for path in open_to_others:
        yield Finding(
            "files",
            str(path),
            "WARN",
            f"{path} holds a secret, and other users of this machine may read or change it.",
            f"Run: chmod 600 {path}",
        )
    if not open_to_others:
        what = f"Only this user may read the {len(found)} files with secrets."
        yield Finding("files", "secrets", "OK", what)


def _secret_files(settings: Settings, environ: Mapping[str, str], folder: Path) -> set[Path]:
    layers: list[Mapping[str, str | None]] = [environ]
    if (folder / DOTENV).is_file():
        layers.append(dotenv_values(folder / DOTENV))
    named = {
        Path(path)
        for layer in layers
        for field in SECRETS
        if (path := layer.get(f"{env_name(field)}_FILE"))
    }
    password = Layout.at(settings.data_dir).password_file
    return {folder / DOTENV, folder / SIGN_IN, folder / COMPOSE, password, *named}


def _mode(path: Path) -> int | None:
    """The rights of a file; null when there is none, or its folder is closed to us as well."""
    try:
        found = path.stat()
    except OSError:
        return None
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None
