"""HEAD is answered as GET, without a body, wherever there is a GET."""

import pytest

from api import MONITOR_PATHS
from api.app import ROUTERS
from tests.api.test_served import ask as ask_server
from tests.support.looking import value

PATHS = sorted(
    {
        route.path
        for router in ROUTERS
        for route in router.routes
        if "GET" in route.methods  # type: ignore[attr-defined]
    }
)
AUDITED = "select count(*) from scout.export_audit"
# differ from one answer to the next
PASSING = {"date", "content-length", "transfer-encoding"}


@pytest.fixture(scope="module")
def known():
    """Values of path parameters, looked up once."""
    return {}


def filled(demo, known, path):
    if not known:
        key = demo.get("scouts/attribution/conflicts").json()["items"][0]["person_key"]
        known |= {
            "person_key": key,
            "run_id": value(demo.database, "select max(run_id) from scout.runs"),
            "source_pk": demo.get("scouts/attribution/review").json()["items"][0]["source_pk"],
            "alert_id": value(demo.database, "select max(alert_id) from scout.alerts"),
            "check": "shared_phones",
        }
    return path.format(**known)


def compare(get, head):
    """The same status and headers, and no body."""
    assert head.status_code == get.status_code
    assert head.content == b""
    kept = [{k: v for k, v in a.headers.items() if k not in PASSING} for a in (get, head)]
    assert kept[0] == kept[1]


def test_there_are_routes():
    assert len(PATHS) > 25
    assert sum(path.endswith((".csv", ".xlsx")) for path in PATHS) == 14


@pytest.mark.parametrize("path", PATHS)
def test_head_of_a_route_is_its_get_without_a_body(demo, known, path):
    place = f"/v1{filled(demo, known, path)}"
    get = demo.client.get(place)
    assert get.status_code == 200, get.text
    audited = value(demo.database, AUDITED)
    head = demo.client.head(place)
    assert value(demo.database, AUDITED) == audited
    is_file = path.endswith((".csv", ".xlsx"))
    if is_file:
        # their names have the time
        names = {answer.headers.pop("content-disposition") for answer in (get, head)}
        assert len({name[:20] for name in names}) == 1
    compare(get, head)
    assert is_file or int(head.headers["content-length"]) > 0
    demo.be(None)
    compare(demo.client.get(place), demo.client.head(place))
    assert demo.client.head(place).status_code == 401


def test_head_of_what_cannot_be_is_refused_as_its_get(demo):
    for place in (
        "scouts/attribution/backlog?category=Z",
        "scouts/attribution/backlog.csv?category=Z",
        "scouts/attribution/runs/77777",
        "scouts/attribution/nothing",
        "scouts/attribution/run-now",
    ):
        get, head = demo.client.get(f"/v1/{place}"), demo.client.head(f"/v1/{place}")
        assert get.status_code in {404, 405, 422}
        compare(get, head)


@pytest.mark.parametrize("path", MONITOR_PATHS)
def test_head_of_a_monitor_is_its_get_without_a_body(demo, path):
    compare(demo.root.get(path), demo.root.head(path))


def test_server_answers_head_everywhere(address):
    """As it comes through the real server, which must not be told of a body that does not come."""
    paths = [f"/api/v1{path}" for path in PATHS if "{" not in path]
    for path in [*paths, *MONITOR_PATHS, "/scouts/api/v1/scouts/attribution/metrics", "/api/docs"]:
        status, _, body = ask_server(address, path, "HEAD")
        assert (status, body) == (200, ""), path
