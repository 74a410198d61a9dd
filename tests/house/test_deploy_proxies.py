"""The recipes for proxies, as they stand: pages, websockets, API and files pass through TLS, and a
visitor comes back to the process that holds the page."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from scout_core.access import tokens
from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from tests.support import fronts
from tests.support.fronts import NAME, Front, Process
from tests.support.looking import refreshed_demo
from tests.support.server import ROOT
from ui.parts import site

API = "/api/v1/scouts/attribution"
PAGE = f"/{site.BASE}/{site.FIRST.address}"
Put = Callable[[Path, list[int]], AbstractContextManager[Front]]
PROXIES = [fronts.nginx, fronts.caddy]


def test_recipe_of_nginx_is_taken_by_nginx(tmp_path: Path):
    program = fronts.find("nginx")
    fronts.nginx_recipe(tmp_path, fronts.certificate(tmp_path), [3000])
    check = [program, "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    told = subprocess.run(check, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")
    recipe = tmp_path / "scouts.conf"
    recipe.write_text(recipe.read_text().replace("proxy_pass", "proxy_pas", 1))
    assert subprocess.run(check, capture_output=True).returncode == 1


def test_recipe_of_caddy_is_taken_by_caddy_as_it_stands(tmp_path: Path):
    recipe = ROOT / "deploy/caddy/Caddyfile"
    own = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    validate = [fronts.find("caddy"), "validate", "--adapter", "caddyfile", "--config"]
    told = subprocess.run([*validate, recipe], env=own, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    bad = tmp_path / "Caddyfile"
    bad.write_text(
        recipe.read_text(encoding="utf-8").replace("lb_policy cookie", "lb_policy biscuit")
    )
    assert subprocess.run([*validate, bad], env=own, capture_output=True).returncode


@pytest.fixture(scope="module")
def demo(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        yield db


@pytest.fixture(scope="module")
def token(demo: Database) -> str:
    made = tokens.create(
        demo,
        actor=Actor("olga", "admin"),
        name="proxies",
        role="viewer",
        actions=(),
        days=1,
        now=datetime.now(UTC),
    )
    return f"Bearer {made.token}"


@pytest.fixture(scope="module")
def two(demo: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Process]]:
    with fronts.processes(demo.url, tmp_path_factory.mktemp("web"), 2) as started:
        yield started


@pytest.fixture(params=PROXIES, ids=lambda put: put.__name__)
def front(request: pytest.FixtureRequest, two: list[Process], tmp_path: Path) -> Iterator[Front]:
    put: Put = request.param
    with put(tmp_path, [process.port for process in two]) as listening:
        yield listening


def cookie_of(front: Front) -> tuple[str, str]:
    """A new visitor's cookie, and the process that answered."""
    answer = front.get(PAGE)
    assert answer.status_code == 200
    told = answer.headers["set-cookie"]
    assert told.startswith("scout_node=")
    return told.partition(";")[0], answer.headers["x-node"]


async def rendered(front: Front, cookie: str, origin: str) -> list[str]:
    """What the first page shows over its websocket."""
    shown: list[str] = []
    async with connect(
        f"wss://{NAME}:{front.port}/{site.BASE}/_stcore/stream",
        host="127.0.0.1",
        port=front.port,
        ssl=front.trusted,
        server_hostname=NAME,
        origin=origin,
        additional_headers={"Cookie": cookie},
        subprotocols=["streamlit"],
        max_size=None,
    ) as socket:
        message = BackMsg()
        message.rerun_script.page_name = site.FIRST.address
        await socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(bytes(await socket.recv(decode=False)))
            shown.append(str(answer.delta.new_element))
            if answer.WhichOneof("type") == "script_finished":
                return shown


@pytest.mark.long
def test_page_is_rendered_over_the_websocket_of_the_proxy(front: Front):
    cookie, _ = cookie_of(front)
    shown = asyncio.run(rendered(front, cookie, f"https://{NAME}:{front.port}"))
    # people have to sign in: the page says so
    assert any("button" in element for element in shown)


@pytest.mark.long
def test_websocket_of_a_foreign_page_is_refused(front: Front):
    cookie, _ = cookie_of(front)
    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(rendered(front, cookie, "https://elsewhere.example.com"))
    assert refused.value.response.status_code == 403


@pytest.mark.long
def test_api_and_files_pass_and_are_safe(front: Front, token: str):
    numbers = front.get(f"{API}/metrics", authorization=token)
    assert numbers.status_code == 200
    assert numbers.json()["total_persons"] > 0
    assert numbers.headers["strict-transport-security"] == "max-age=31536000"
    assert "frame-ancestors 'none'" in numbers.headers["content-security-policy"]
    listed = front.get(f"{API}/backlog.csv", authorization=token)
    assert listed.text.count("\n") > 100
    assert front.get(f"{API}/metrics").status_code == 401
    assert front.get("/metrics").status_code == 401
    assert front.get("/scouts/_stcore/metrics").status_code == 403
    assert front.get("/livez").json() == {"status": "OK"}
    foreign = front.ask("POST", f"{API}/run-now", authorization=token, origin="https://a.example")
    assert foreign.status_code == 403


@pytest.mark.long
def test_visitor_comes_back_to_the_same_process_and_both_have_visitors(front: Front):
    nodes = set()
    for _ in range(12):
        cookie, node = cookie_of(front)
        again = [front.get(PAGE, cookie=cookie) for _ in range(3)]
        assert {answer.headers["x-node"] for answer in again} == {node}
        assert not any("scout_node" in a.headers.get("set-cookie", "") for a in again)
        nodes.add(node)
    assert len(nodes) == 2


@pytest.mark.long
def test_nginx_sends_everybody_to_tls(two: list[Process], tmp_path: Path):
    import httpx

    with fronts.nginx(tmp_path, [two[0].port]) as front:
        told = httpx.get(
            f"http://127.0.0.1:{front.plain_port}{PAGE}?scout=7", headers={"host": NAME}
        )
    assert (told.status_code, told.headers["location"]) == (301, f"https://{NAME}{PAGE}?scout=7")


@pytest.mark.long
@pytest.mark.parametrize("put", PROXIES, ids=lambda put: put.__name__)
def test_visitors_of_a_process_that_ends_go_on_in_the_other(
    put: Put, demo: Database, tmp_path: Path, token: str
):
    with (
        fronts.processes(demo.url, tmp_path, 2) as started,
        put(tmp_path, [process.port for process in started]) as front,
    ):
        visitors = [cookie_of(front) for _ in range(8)]
        ending = started[0]
        ending.ends()
        for cookie, _ in visitors:
            answer = front.get(PAGE, cookie=cookie)
            assert answer.status_code == 200
            assert (
                front.get(f"{API}/metrics", cookie=cookie, authorization=token).status_code == 200
            )
            shown = asyncio.run(rendered(front, cookie, f"https://{NAME}:{front.port}"))
            assert shown
        assert any(node.endswith(f":{ending.port}") for _, node in visitors)
