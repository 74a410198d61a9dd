"""Whatever is sent, no answer is of the 5xx range and none gives back what was sent (C18)."""

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.asking import Asking, asking
from tests.support.looking import refreshed_demo

MARK = "zq7w"  # part of each planted value, so that an echo is seen
ODD = (
    "\0", f"{MARK}\0", "\ud800", f"{MARK}\udfff", "", " ", "null", "true", "[]", "{}", "-1", "0",
    "1" * 400, "9223372036854775808", "2147483648", "1e400", "NaN", "-Infinity", "0x10", "١٢",
    "%", "_", f"%{MARK}%", f"{MARK}' or '1'='1", f"{MARK}'; drop table scout.runs; --", "\\", "''",
    f"$${MARK}$$", f"<script>{MARK}</script>", f"=HYPERLINK({MARK})", f"../../{MARK}", "\u202e",
    "ñ" * 5000, "A" * 3000, "9999-12-31", "0000-00-00", "infinity", "2026-02-30", "-0001-01-01",
    "f8049a80-25d9-2679-76cf-fa5e786dc4a2", "f8049a80", "WyJuZXdlc3QiLCIyMDI2LTExLTIyIl0", "AAAA",
    "WyJuZXdlc3QiLCJpbmZpbml0eSIsImY4MDQ5YTgwLTI1ZDktMjY3OS03NmNmLWZhNWU3ODZkYzRhMiJd", "//", "💥",
)  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(server_url: str) -> Iterator[Asking]:
    """An API on a database of its own, for nobody else's sake."""
    with refreshed_demo(server_url) as database, asking(database) as ask:
        # a run that really begins would cost seconds; that it is refused is an answer too
        ask.be("viewer")
        yield ask


@pytest.fixture(scope="module")
def described(fuzzed: Asking) -> dict[str, Any]:
    """The OpenAPI document."""
    return fuzzed.client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def schema(fuzzed: Asking) -> Any:
    """The same as schemathesis reads it."""
    return schemathesis.openapi.from_asgi("/openapi.json", fuzzed.app)


def check(answer: Any, sent: str = "") -> None:
    """No fault of ours, in the form of every error, without what was sent."""
    assert answer.status_code < 500, (sent, answer.text[:500])
    if answer.status_code >= 400:
        assert "application/problem+json" in answer.headers["content-type"]
        assert MARK not in answer.text, (sent, answer.text)


def routes(described: dict[str, Any]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    return [
        (path, method, route.get("parameters", []))
        for path, methods in described["paths"].items()
        for method, route in methods.items()
    ]


def ask_oddly(fuzzed: Asking, route: Any, chosen: random.Random) -> None:
    """One request with odd values for some of what can be sent."""
    path, method, parameters = route
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    for parameter in parameters:
        value = chosen.choice(ODD).encode("utf-8", "surrogatepass")
        text = value.decode("utf-8", "replace")
        if parameter["in"] == "path":
            part = text.replace("/", "%2F").replace("?", "%3F").replace("#", "%23")
            path = path.replace("{" + parameter["name"] + "}", part or "%20")
        elif chosen.random() < 0.3:
            if parameter["in"] == "query":
                query[parameter["name"]] = text
            elif text.isascii() and text.isprintable():
                headers[parameter["name"]] = text
    if chosen.random() < 0.1:
        query[f"{MARK}"] = "1"
    body: Any = None
    if method == "post":
        odd = chosen.choice(ODD)
        reasons = ({"reason": odd}, {"reason": f"{odd[:100]} and ten characters"})
        body = chosen.choice([None, {}, *reasons, [], "x", {MARK: 1}])
    address = quote(path, safe="/%") + (f"?{urlencode(query)}" if query else "")
    if len(address) > 60_000:
        return  # the client sends none that is longer
    answer = fuzzed.client.request(
        method,
        address,
        headers=headers | ({} if body is None else {"content-type": "application/json"}),
        content=None if body is None else json.dumps(body),
        follow_redirects=False,
    )
    check(answer, f"{method} {address} {body!r:.200}")


def fuzz_oddly(fuzzed: Asking, described: dict[str, Any], count: int, seed: int) -> None:
    chosen = random.Random(seed)
    known = routes(described)
    for number in range(count):
        if number % 500 == 0:
            fuzzed.be(chosen.choice(["viewer", "analyst"]))
        ask_oddly(fuzzed, chosen.choice(known), chosen)


def fuzz_by_schema(fuzzed: Asking, schema: Any, count: int) -> None:
    """Requests that hypothesis makes of the document, and ones that are just not of it."""
    from schemathesis import GenerationMode

    strategies = [
        operation.ok().as_strategy(generation_mode=mode)
        for operation in schema.get_all_operations()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or _can_be_wrong(operation.ok())
    ]

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies))
    def ask(case: Any) -> None:
        # who asks is another test; a made-up token would end every request at the door
        for name in [name for name in case.headers or () if name.lower() == "authorization"]:
            del case.headers[name]
        check(case.call(), case.as_curl_command())

    ask()


def _can_be_wrong(operation: Any) -> bool:
    return bool(list(operation.iter_parameters())) or operation.method == "post"


def test_odd_values_are_never_a_fault_of_the_server(fuzzed, described):
    fuzz_oddly(fuzzed, described, 400, seed=1)


def test_requests_made_of_the_document_are_never_a_fault_of_the_server(fuzzed, schema):
    fuzz_by_schema(fuzzed, schema, 250)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_twenty_thousand_requests_are_never_a_fault_of_the_server(fuzzed, described, schema):
    fuzz_oddly(fuzzed, described, 12_000, seed=2)
    fuzz_by_schema(fuzzed, schema, 8_000)
