"""`make bench`: what the pages cost the server: CPU per rerun and per tick, many sessions, memory.

A server of its own on demo data, asked over its websocket as a browser does.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).parents[1]
PAGES = ("attribution-health", "conflicts")
WARM = 16.0  # seconds until the server has put what lives for ever out of the collector's sight


@dataclass
class Session:
    """An open page: its connection, and the fragments that it has to run again."""

    socket: ClientConnection
    page: str
    fragments: dict[str, float] = field(default_factory=dict)

    async def rerun(self, fragment: str = "") -> float:
        """Run the page, or one fragment; seconds until it is complete."""
        message = BackMsg()
        message.rerun_script.query_string = ""
        message.rerun_script.page_name = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        message.rerun_script.context_info.timezone = "America/Lima"
        message.rerun_script.context_info.locale = "es-PE"
        message.rerun_script.context_info.url = f"http://localhost/scouts/{self.page}"
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(bytes(await self.socket.recv(decode=False)))
            kind = answer.WhichOneof("type")
            if kind == "auto_rerun":
                self.fragments[answer.auto_rerun.fragment_id] = answer.auto_rerun.interval
            elif kind == "script_finished" and answer.script_finished in (0, 3):
                return time.perf_counter() - start


async def open_session(port: int, page: str) -> Session:
    """A session as the browser opens it."""
    socket = await connect(
        f"ws://localhost:{port}/scouts/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=f"http://localhost:{port}",  # type: ignore[arg-type]
        max_size=None,
    )
    session = Session(socket, page)
    await session.rerun()
    return session


@contextmanager
def served(environment: dict[str, str], port: int) -> Iterator[tuple[psutil.Process, float]]:
    """The server's process, and the seconds until it answered."""
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(
                    f"http://localhost:{port}/scouts/_stcore/health", timeout=1
                ):
                    break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.perf_counter() - start > 60:
                    raise SystemExit("The server did not start.") from None
                time.sleep(0.02)
        yield psutil.Process(process.pid), time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(10)


def cpu_ms(process: psutil.Process) -> float:
    """CPU that the server has used so far."""
    times = process.cpu_times()
    return 1000 * (times.user + times.system)


async def measure(process: psutil.Process, port: int, rounds: int) -> None:
    """CPU per rerun of each page and per tick of the health page."""
    for page in PAGES:
        session = await open_session(port, page)
        warm_until = time.perf_counter() + (WARM if page == PAGES[0] else 0)
        while True:
            await session.rerun()
            if time.perf_counter() > warm_until:
                break
            await asyncio.sleep(0.2)
        await _line(process, f"{page}: rerun", [""] * rounds, session)
        if page == PAGES[0]:
            # in the order of the page: the sidebar's card, what is drawn each minute, what looks
            # at each tick whether it has to be drawn before
            sidebar, body, watch = session.fragments
            await _line(process, f"{page}: tick", [watch] * rounds, session)
            await _line(process, f"{page}: drawn anew", [body] * rounds, session)
            await _line(process, "sidebar: tick", [sidebar] * rounds, session)
        await session.socket.close()


async def _line(
    process: psutil.Process, what: str, fragments: Sequence[str], session: Session
) -> None:
    before = cpu_ms(process)
    seconds = [await session.rerun(fragment) for fragment in fragments]
    spent = (cpu_ms(process) - before) / len(seconds)
    print(f"  {what:<28} {spent:6.1f} ms CPU   median {1000 * statistics.median(seconds):6.1f} ms")


async def crowd(process: psutil.Process, port: int, sessions: int, seconds: float) -> None:
    """Many open health pages, each of whose fragments runs again as often as it asks for."""
    before_bytes = process.memory_info().rss
    opened = [await open_session(port, PAGES[0]) for _ in range(sessions)]
    grown = (process.memory_info().rss - before_bytes) / sessions / 2**20
    waits: list[float] = []
    until = time.perf_counter() + seconds

    async def poll(session: Session, share: float) -> None:
        start = time.perf_counter()
        due = {fragment: start + share * every for fragment, every in session.fragments.items()}
        while True:
            fragment = min(due, key=lambda f: due[f])
            if due[fragment] > until:
                return
            await asyncio.sleep(max(0.0, due[fragment] - time.perf_counter()))
            waits.append(await session.rerun(fragment))
            due[fragment] += session.fragments[fragment]

    before = cpu_ms(process)
    await asyncio.gather(*(poll(s, i / sessions) for i, s in enumerate(opened)))
    share = (cpu_ms(process) - before) / seconds / 10
    waits.sort()
    print(
        f"  {sessions} sessions, a tick per 12 s"
        f"    p50 {1000 * waits[len(waits) // 2]:5.0f} ms"
        f"   p95 {1000 * waits[int(len(waits) * 0.95)]:5.0f} ms   {share:4.0f} % of a core"
        f"   {grown:.1f} MB a session"
    )
    for session in opened:
        await session.socket.close()


def main() -> None:
    """Measure the pages and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description=__doc__)
    parser.add_argument("--persons", type=int, default=2033, help="size of the demo data")
    parser.add_argument("--rounds", type=int, default=60, help="reruns that are averaged")
    parser.add_argument("--sessions", type=int, default=50, help="pages open at the same time")
    parser.add_argument("--seconds", type=float, default=36, help="how long they stay open")
    parser.add_argument("--port", type=int, default=3190, help="port of the server")
    parser.add_argument("--data-dir", help="data folder with demo data, instead of a new one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scout-web-", ignore_cleanup_errors=True) as folder:
        environment = {"SCOUT_DATA_DIR": given.data_dir or folder}
        if not given.data_dir:
            for verb in (["demo", "--persons", str(given.persons)], ["refresh"]):
                subprocess.run(  # noqa: S603 - our own program
                    [sys.executable, "-m", "scout_core", *verb],
                    cwd=ROOT,
                    env=os.environ | environment,
                    check=True,
                    capture_output=True,
                )
        try:
            with served(environment, given.port) as (process, started):
                print(f"  first answer after start     {1000 * started:6.0f} ms")
                start = time.perf_counter()
                asyncio.run(_first(given.port))
                seconds = time.perf_counter() - start
                print(f"  first health page            {1000 * seconds:6.0f} ms")
                asyncio.run(measure(process, given.port, given.rounds))
                asyncio.run(crowd(process, given.port, given.sessions, given.seconds))
                print(f"  memory of the server         {process.memory_info().rss / 2**20:6.0f} MB")
        finally:
            if not given.data_dir:
                subprocess.run(
                    [sys.executable, "-m", "scout_core", "db", "stop"],
                    cwd=ROOT,
                    env=os.environ | environment,
                    check=False,
                    capture_output=True,
                )


async def _first(port: int) -> None:
    await (await open_session(port, PAGES[0])).socket.close()


if __name__ == "__main__":
    main()
