"""Visitors of a running server without a browser: pages over its websocket, the API over HTTP; and
a look at the connections that the server has meanwhile."""

import asyncio
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import NullPool, create_engine, text
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from ui.parts.text import catalogue

# what a page says that got no connection, no answer, the wrong answer, or failed
TROUBLE = ("away_title", "trouble_body", "failure_body")
CONNECTIONS = text(
    "select pid, application_name, state = 'idle in transaction' and now() - state_change >"
    " interval '2 seconds' from pg_stat_activity where datname = current_database()"
    " and application_name like 'scout%'"
)


@cache
def _trouble() -> tuple[str, ...]:
    return tuple(catalogue()[f"common.{word}"][0].partition("{")[0] for word in TROUBLE)


@dataclass
class Visitor:
    """An open page. faults: what it showed instead of its content."""

    socket: ClientConnection
    faults: list[str] = field(default_factory=list)

    async def load(self, page: str, query: str = "") -> float:
        """Run a page whole; seconds until it is complete."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        message.rerun_script.context_info.timezone = "America/Lima"
        message.rerun_script.context_info.locale = "es-PE"
        message.rerun_script.context_info.url = f"http://localhost/scouts/{page}?{query}"
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(bytes(await self.socket.recv(decode=False)))
            self._note(page, answer)
            if answer.WhichOneof("type") == "script_finished" and answer.script_finished in (0, 3):
                return time.perf_counter() - start

    def _note(self, page: str, answer: ForwardMsg) -> None:
        element = answer.delta.new_element
        if element.WhichOneof("type") == "exception":
            self.faults.append(f"{page}: {element.exception.message}")
        if element.WhichOneof("type") == "alert":
            said = f"{element.alert.title} {element.alert.body}"
            if any(words in said for words in _trouble()):
                self.faults.append(f"{page}: {said}")


async def visit(address: str) -> Visitor:
    """A new visitor, who has seen nothing yet."""
    socket = await connect(
        f"{address.replace('http', 'ws')}/scouts/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=address,  # type: ignore[arg-type]
        max_size=None,
    )
    return Visitor(socket)


async def ask(address: str, path: str) -> int:
    """The status of the API's answer."""

    def get() -> int:
        with urllib.request.urlopen(f"{address}/api/v1/{path}", timeout=30) as answer:
            answer.read()
            return int(answer.status)

    return await asyncio.to_thread(get)


@dataclass
class Watched:
    """Connections of a server, by its name for them: the most at once, and whether one lay idle in
    a transaction for seconds."""

    url: str
    most: dict[str, int] = field(default_factory=dict)
    idle: int = 0

    def look(self) -> dict[str, int]:
        """How many there are now."""
        with create_engine(self.url, poolclass=NullPool).connect() as conn:
            found = conn.execute(CONNECTIONS).all()
        now: dict[str, int] = {}
        for _, name, is_idle in found:
            now[name] = now.get(name, 0) + 1
            self.idle += bool(is_idle)
        self.most = {n: max(now.get(n, 0), self.most.get(n, 0)) for n in now | self.most}
        return now


@contextmanager
def watched(url: str) -> Iterator[Watched]:
    """Looks at the connections of a server every tenth of a second while the block lasts."""
    seen, is_over = Watched(url), threading.Event()

    def work() -> None:
        while not is_over.wait(0.1):
            seen.look()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()
