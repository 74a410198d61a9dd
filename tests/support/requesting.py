"""Requests as a stranger may send them: any header, a body in pieces, the bytes themselves."""

import http.client
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
SOCKET = "/scouts/_stcore/stream"


@dataclass(frozen=True)
class Answer:
    """Status, headers by lower-case name (cookies apart), body."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: str


def ask(
    address: str,
    path: str,
    method: str = "GET",
    body: bytes | Iterable[bytes] | None = None,
    **headers: str,
) -> Answer:
    """The answer of http://HOST:PORT; an underscore in a header's name stands for a hyphen."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        found = connection.getresponse()
        pairs = [(name.lower(), value) for name, value in found.getheaders()]
        cookies = tuple(value for name, value in pairs if name == "set-cookie")
        return Answer(found.status, dict(pairs), cookies, found.read().decode("utf-8", "replace"))
    finally:
        connection.close()


def upgrade(address: str, **headers: str) -> int:
    """The status of the answer to a websocket; 101 = it is open."""
    return ask(
        address, SOCKET, **{k.replace("-", "_"): v for k, v in UPGRADE.items()}, **headers
    ).status


def connected(address: str) -> socket.socket:
    """A connection for bytes of one's own."""
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def first_line(end: socket.socket) -> str:
    """How the answer on a connection begins."""
    found: Any = end.recv(1 << 16)
    return str(found.split(b"\r\n", 1)[0].decode())
