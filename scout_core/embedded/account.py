"""Who the server runs as. PostgreSQL refuses root, so root needs somebody else."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scout_core.embedded.binaries import program
from scout_core.embedded.layout import Layout
from scout_core.errors import ServerError

# Inside a user namespace root is nobody, and its files stay root's.
NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
UNPRIVILEGED_USERS = ("postgres", "nobody")
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Account:
    """How the server's programs are called: behind a prefix, or as another user, or plainly."""

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def run(self, command: Sequence[str | Path]) -> tuple[int, str]:
        """Runs a program in a session of its own, so that neither Ctrl-C nor the death of this
        process reaches what it starts. Returns its exit code and what it printed."""
        detached: dict[str, Any] = {"start_new_session": True, "cwd": "/"}
        if os.name == "nt":
            flags = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
            detached = {"creationflags": sum(getattr(subprocess, name) for name in flags)}
        if self.user is not None:
            detached |= {"user": self.user, "group": self.group, "extra_groups": []}
        # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(  # noqa: S603  programs of our own choice, no shell
                [*self.prefix, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                check=False,
                **detached,
            )
            output.seek(0)
            return done.returncode, output.read().strip()

    def give(self, path: Path) -> None:
        """Makes a file of ours readable to the server."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group, follow_symlinks=False)


def choose_account(layout: Layout, binaries: Path) -> Account:
    """The account for this data folder: ourselves, unless we are root.

    A folder that exists keeps its owner. Root is mapped to nobody in a user namespace; where the
    system refuses that, an unprivileged user gets the folder of the server (and the data folder,
    when it is empty), never a folder above.
    """
    if os.name == "nt" or os.geteuid() != 0:
        return Account()
    owner = layout.home.stat() if layout.home.exists() else None
    if owner is not None and owner.st_uid != 0:
        account = Account((), owner.st_uid, owner.st_gid)
        if _can_work(account, layout, binaries):
            return account
        raise ServerError(
            f"{layout.home} belongs to the user {owner.st_uid}, who cannot reach it or run "
            f"{program(binaries, 'postgres')}: move the data folder (SCOUT_DATA_DIR) or the "
            "programs (PG_BIN_DIR) to where that user can."
        )
    namespace = Account(NAMESPACE)
    if shutil.which(NAMESPACE[0]) and _can_work(namespace, layout, binaries):
        return namespace
    if owner is not None:
        raise ServerError(
            f"{layout.home} belongs to root, PostgreSQL refuses to run as root, and this system "
            f"refuses user namespaces: give it away with `chown -R nobody {layout.home}`."
        )
    for account in _unprivileged(layout.data_dir):
        with _lent(layout, account) as keep:
            if _can_work(account, layout, binaries):
                keep.append(True)
                return account
    raise ServerError(
        "PostgreSQL refuses to run as root, and no unprivileged user can both reach "
        f"{layout.data_dir.resolve()} and run {program(binaries, 'postgres')}: run this as an "
        "ordinary user, or set SCOUT_DATA_DIR (and PG_BIN_DIR) to folders that others can reach."
    )


def _can_work(account: Account, layout: Layout, binaries: Path) -> bool:
    folder = layout.home if layout.home.exists() else layout.data_dir
    check = 'cd "$1" && exec "$2" --version'
    try:
        code, _ = account.run(
            ["/bin/sh", "-c", check, "sh", folder.resolve(), program(binaries, "postgres")]
        )
        return code == 0
    except OSError:
        return False


def _unprivileged(data_dir: Path) -> Iterator[Account]:
    import pwd

    owner = data_dir.stat()
    if owner.st_uid != 0:
        yield Account((), owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED_USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            yield Account((), entry.pw_uid, entry.pw_gid)


@contextlib.contextmanager
def _lent(layout: Layout, account: Account) -> Iterator[list[bool]]:
    """Gives a data folder that holds nothing yet to an account; back when it was not kept."""
    before = layout.data_dir.stat()
    mine = before.st_uid == 0 and {path.name for path in layout.data_dir.iterdir()} <= {
        layout.lock.name
    }
    keep: list[bool] = []
    if mine:
        account.give(layout.data_dir)
    yield keep
    if mine and not keep:
        os.chown(layout.data_dir, before.st_uid, before.st_gid)


def _environment() -> dict[str, str]:
    """Ours without PGDATA, PGPORT, PGOPTIONS and the like, which the server would obey."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}
