"""/livez, /readyz, /health and /metrics, at the root of the server: for monitors.

Whether the process and the database are there is told to everybody. The reasons and the numbers
are for who may read: where people sign in, a token (or the session, below /scouts).
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api import MONITOR_PATHS, access, metrics, models, problems
from api.services import Services, now
from scout_core.access import permissions
from scout_core.access.permissions import Actor
from scout_core.db.database import API
from scout_core.errors import ScoutError
from scout_core.health import verdict as health
from scout_core.health.verdict import Verdict

_FRESH = {"cache-control": "no-store"}


def routes(services: Services) -> list[Route]:
    """The routes, to stand at the root."""

    def guarded(answer: Callable[[Request, Services], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            try:
                found = answer(request, services)
            except ScoutError as exc:
                found = problems.problem_of(exc)
            found.headers.update(_FRESH)
            return found

        return endpoint

    answers = (_live, _ready, _health, _metrics)
    return [
        Route(path, guarded(answer)) for path, answer in zip(MONITOR_PATHS, answers, strict=True)
    ]


def _live(_request: Request, _services: Services) -> Response:
    return JSONResponse({"status": "OK"})


def _ready(_request: Request, services: Services) -> Response:
    with services.read_database().transaction(API) as conn:
        conn.exec_driver_sql("select 1")
    return JSONResponse({"status": "OK"})


def _health(request: Request, services: Services) -> Response:
    try:
        with services.read_database().transaction(API) as conn:
            verdict = health.assess(conn, services.settings(), now())
    except ScoutError as exc:
        away = problems.problem_of(exc)
        reason = {"indicator": "database", "status": "UNKNOWN", "text": "it does not answer"}
        return JSONResponse(
            {"status": "UNKNOWN", "reasons": [reason]},
            503,
            {"retry-after": away.headers.get("retry-after", "5")},
        )
    is_strict = request.query_params.get("strict", "0") not in {"0", "false", ""}
    status = 503 if is_strict and verdict.status == "FAIL" else 200
    return JSONResponse(_told(verdict, _reader(request, services)), status)


def _told(verdict: Verdict, reader: Actor | None) -> dict[str, object]:
    if reader is None:
        return {"status": verdict.status}
    return models.Health.model_validate(verdict).model_dump(mode="json")


def _metrics(request: Request, services: Services) -> Response:
    if _reader(request, services) is None:
        raise problems.Unauthorized()
    content, content_type = metrics.scrape(services, request.headers.get("accept"))
    return Response(content, headers={"content-type": content_type, "vary": "accept"})


def _reader(request: Request, services: Services) -> Actor | None:
    actor = access.find_actor(request, services)
    return actor if actor is not None and permissions.may(actor, "read") else None
