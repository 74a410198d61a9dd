"""A receiver of messages on this machine, as the json:// channel of Apprise speaks to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Mood = Literal["up", "slow", "hanging", "trickling", "error", "elsewhere"]
SECRET = "token-of-the-channel"


class Receiver:
    """Takes what is posted to it, in the mood it is in. `got`: what it has taken, oldest first;
    `asked`: path of each request, also of those that it did not take."""

    def __init__(self) -> None:
        self.mood: Mood = "up"
        self.status = 500
        self.got: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.answer(self)

            def do_GET(self) -> None:
                receiver.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """The channel of Apprise; its path is a secret."""
        return f"json://127.0.0.1:{self.port}/{SECRET}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.got]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        if self.mood == "hanging":
            self.released.wait(30)
            return
        if self.mood == "trickling":
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.released.wait(0.1):
                request.wfile.write(b"x-more: yes\r\n")
                request.wfile.flush()
            return
        if self.mood == "slow":
            self.released.wait(0.4)
        if self.mood == "elsewhere":
            request.send_response(307)
            request.send_header("location", f"http://localhost:{self.port}/stolen")
            request.end_headers()
            return
        if self.mood == "error":
            request.send_response(self.status)
            request.end_headers()
            return
        if body:
            self.got.append(json.loads(body))
        request.send_response(200)
        request.end_headers()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that is up, until the end of the block."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
