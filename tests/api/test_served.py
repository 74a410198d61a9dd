"""The API as the server serves it: beside the pages, behind the same shield."""

import http.client
import json


def ask(address: str, path: str, method: str = "GET", **headers: str):
    """Status, headers and body of a request, whatever Host it names."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_api_is_there_beside_the_pages_and_below_them(address):
    for base in ("/api", "/scouts/api"):
        status, headers, body = ask(address, f"{base}/v1/scouts/attribution/metrics")
        assert status == 200, body
        assert json.loads(body)["total_persons"] > 0
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert ask(address, f"{base}/docs")[0] == 200
        key = {"Idempotency-Key": "served"}
        started = ask(address, f"{base}/v1/scouts/attribution/run-now", "POST", **key)
        assert started[0] == 202
        assert started[1]["location"].startswith(f"{base}/v1/scouts/attribution/runs/")
        assert ask(address, started[1]["location"])[0] == 200


def test_every_route_refuses_foreign_names_and_every_write_foreign_pages(address):
    described = json.loads(ask(address, "/api/openapi.json")[2])
    assert described["servers"] == [{"url": "/api"}]
    routes = [
        (path.replace("{", "").replace("}", ""), method.upper())
        for path, methods in described["paths"].items()
        for method in methods
    ]
    assert len(routes) > 10
    for path, method in [*routes, ("/docs", "GET"), ("/openapi.json", "GET")]:
        assert ask(address, f"/api{path}", method, Host="evil.example")[0] == 400
        if method != "GET":
            foreign = ask(address, f"/api{path}", method, Origin="https://evil.example")
            assert foreign[0] == 403
