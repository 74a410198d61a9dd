"""A network that can be made bad: a TCP proxy in front of the tests' server."""

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Literal

from sqlalchemy.engine import URL, make_url

Mode = Literal["good", "refused", "reset", "black hole", "slow"]
LATENCY = 0.5


class Proxy:
    """Passes connections on to a server. `be` changes how, for those that are open too."""

    def __init__(self, target: URL) -> None:
        self.target = target
        self.mode: Mode = "good"
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.is_over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url: str) -> str:
        """The address of a database by way of this proxy."""
        parsed = make_url(url).set(host="127.0.0.1", port=self.port)
        return parsed.difference_update_query(["host", "port"]).render_as_string(
            hide_password=False
        )

    def be(self, mode: Mode) -> None:
        """From now on the network is like this."""
        self.mode = mode
        if mode == "refused":
            _stop(self.listener)
        if mode in {"refused", "reset"}:
            for pair in self.pairs:
                for end in pair:
                    _reset(end)

    def close(self) -> None:
        """End it all."""
        self.is_over.set()
        _stop(self.listener)
        for pair in self.pairs:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.mode == "reset":
                _reset(near)
                continue
            far = _connect(self.target)
            self.pairs.append((near, far))
            threading.Thread(target=self._pump, args=(near, far), daemon=True).start()

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        try:
            while not self.is_over.is_set():
                if self.mode == "black hole":
                    time.sleep(0.05)
                    continue
                ready, _, _ = select.select([near, far], [], [], 0.05)
                for end in ready:
                    if self.mode == "black hole":
                        break
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    if self.mode == "slow":
                        time.sleep(LATENCY)
                    other[end].sendall(data)
        except (OSError, ValueError):
            return
        finally:
            near.close()
            far.close()


@contextlib.contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before the server of this address."""
    proxy = Proxy(make_url(url))
    try:
        yield proxy
    finally:
        proxy.close()


def _connect(target: URL) -> socket.socket:
    host = target.host or str(target.query.get("host", ""))
    port = target.port or int(str(target.query.get("port", 5432)))
    if host.startswith("/"):
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{host}/.s.PGSQL.{port}")
        return far
    return socket.create_connection((host or "127.0.0.1", port))


def _stop(listener: socket.socket) -> None:
    # closed only, it would go on listening as long as a thread waits in accept
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
        end.close()
