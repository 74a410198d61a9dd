"""Whose process is at the other end of a connection from this machine (Linux).

A proxy may say nothing of itself: nginx since 1.29.7 speaks HTTP/1.1 and adds no header. It runs
under an account of the system, a visitor's browser does not.
"""

import ipaddress
import os
import struct
import sys
import time
from collections import OrderedDict
from functools import cache
from pathlib import Path

from ui.doors.asked import End

TABLES = {4: Path("/proc/net/tcp"), 6: Path("/proc/net/tcp6")}
FIRST_PERSON = 1000  # systemd and Debian: accounts below are programs'
# accounts that systemd makes for a service, and the one of nobody
MADE_FOR_SERVICES = range(61184, 65535)
# within a user namespace (PrivateUsers of systemd, some containers) everybody else is this one
UNMAPPED = 65534
ALL_ACCOUNTS = 2**32 - 1
SECONDS, KEPT = 5.0, 256
READ_SECONDS = 0.5

_read: dict[int, tuple[float, dict[tuple[str, str], int]]] = {}
_seen: OrderedDict[tuple[End, End], tuple[float, int | None]] = OrderedDict()


def is_of_a_service(client: End, server: End) -> bool:
    """Whether a program of the system, which is not this one, has the client's end. False where
    that is not known."""
    uid = _kept(client, server)
    if uid is None or uid in {0, os.geteuid()} or (uid == UNMAPPED and not _sees_accounts()):
        return False
    return uid < FIRST_PERSON or uid in MADE_FOR_SERVICES


@cache
def _sees_accounts() -> bool:
    """Whether this process sees the accounts of the machine as they are."""
    try:
        first, _, count = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return False
    return int(first) == 0 and int(count) == ALL_ACCOUNTS


def _kept(client: End, server: End) -> int | None:
    now, key = time.monotonic(), (client, server)
    if key not in _seen or now - _seen[key][0] > SECONDS:
        _seen[key] = (now, _uid_of(client, server))
        _seen.move_to_end(key)
        while len(_seen) > KEPT:
            _seen.popitem(last=False)
    return _seen[key][1]


def _uid_of(client: End, server: End) -> int | None:
    try:
        wanted = (_written(client), _written(server))
        version = ipaddress.ip_address(client[0]).version
        at, owners = _read.get(version, (0.0, {}))
        # many that come at once are looked up in one reading; a port soon belongs to somebody else
        if wanted not in owners or time.monotonic() - at > READ_SECONDS:
            owners = _owners(TABLES[version])
            _read[version] = (time.monotonic(), owners)
        return owners.get(wanted)
    except (ValueError, OSError):
        # a unix socket, or another system
        return None


def _owners(table: Path) -> dict[tuple[str, str], int]:
    """The account of each end of a connection that the kernel lists."""
    lines = (line.split() for line in table.read_text().splitlines()[1:])
    return {(parts[1], parts[2]): int(parts[7]) for parts in lines}


def _written(end: End) -> str:
    """Address and port as the kernel writes them: words in the machine's order, hexadecimal."""
    packed = ipaddress.ip_address(end[0]).packed
    order = "<" if sys.byteorder == "little" else ">"
    words = struct.unpack(f"{order}{len(packed) // 4}I", packed)
    return f"{''.join(f'{word:08X}' for word in words)}:{end[1]:04X}"
