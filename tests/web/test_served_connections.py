"""Many visitors of a running server: no error, and its connections stay within their pools and
come back to them (C19, C20)."""

import asyncio
import itertools
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from scout_core.db.database import Database
from tests.support import browser
from tests.support.looking import refreshed_demo
from tests.support.visiting import ask, visit, watched
from ui.parts import site

# by the name that the server gives them: kept, and at most (docs/settings.md)
POOLS = {"scout": (5, 15), "scout-api": (5, 5), "scout-export": (3, 3)}
AT_ONCE = 8  # visitors who load a page at the same time
API = ("scouts/attribution/metrics", "scouts/attribution/conflicts.csv")


@pytest.fixture(scope="module")
def demo(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as database:
        yield database


@pytest.fixture(scope="module")
def address(demo: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of its own."""
    log = tmp_path_factory.mktemp("served") / "log"
    with browser.served(demo.url, log) as served:
        yield served


async def at_once(work: Iterator[Coroutine[Any, Any, None]], count: int) -> None:
    """All of it, a few at the same time."""

    async def some() -> None:
        for one in work:
            await one

    await asyncio.gather(*(some() for _ in range(count)))


@pytest.mark.parametrize(
    "loads",
    [200, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
def test_page_loads_leave_no_connection_and_no_transaction_behind(
    demo: Database, address: str, loads: int
) -> None:
    """Each is a visitor of his own with a filter of his own, so that nothing is in a cache."""
    faults: list[str] = []
    pages = itertools.cycle(place.address for place in site.PLACES)

    async def load(number: int) -> None:
        visitor = await visit(address)
        await visitor.load(next(pages), f"scout={number}")
        await visitor.socket.close()
        faults.extend(visitor.faults)
        if number % 4 == 0:
            assert await ask(address, API[number // 4 % len(API)]) == 200

    with watched(demo.url) as seen:
        asyncio.run(at_once((load(number) for number in range(1, loads + 1)), AT_ONCE))
    assert faults == []
    assert "scout" in seen.most
    assert {n: most for n, most in seen.most.items() if most > POOLS[n][1]} == {}
    assert seen.idle == 0
    until = time.monotonic() + 5
    while any(count > POOLS[name][0] for name, count in seen.look().items()):
        assert time.monotonic() < until, seen.look()
        time.sleep(0.1)
    assert seen.idle == 0


@pytest.mark.parametrize(
    "seconds",
    [3, pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
def test_fifty_open_sessions_see_no_error_and_never_exhaust_the_pool(
    demo: Database, address: str, seconds: int
) -> None:
    """Each looks at one page after the other, as fast as the server answers. How fast that is, is
    for `make bench`."""
    faults: list[str] = []
    loads: list[str] = []

    async def look_around(number: int, until: float) -> None:
        visitor = await visit(address)
        for count, place in enumerate(itertools.cycle(site.PLACES), 1):
            await visitor.load(place.address, f"scout={number}")
            loads.append(place.address)
            if count >= 2 and time.monotonic() > until:
                break
            await asyncio.sleep(seconds / 10)
        await visitor.socket.close()
        faults.extend(visitor.faults)

    async def all_fifty() -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(look_around(number, until) for number in range(50)))

    with watched(demo.url) as seen:
        asyncio.run(all_fifty())
    assert faults == []
    assert len(loads) >= 100
    assert {n: most for n, most in seen.most.items() if most > POOLS[n][1]} == {}
    assert seen.idle == 0
