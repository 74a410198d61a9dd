"""The one place where an error becomes an answer: problem+json (RFC 9457), a number in the log.

No answer holds SQL, a path of this machine, or the value that was sent: where an error of the
library quotes one, a sentence of its own stands here.
"""

import re
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api import bodies, metrics
from scout_core import logs
from scout_core.errors import (
    BadInput,
    ChangedMeanwhile,
    DatabaseAway,
    DatabaseError,
    DatabaseReadOnly,
    KeyReused,
    NotFound,
    NotInstalled,
    PermissionDenied,
    Refused,
    RowsHidden,
    RunBusy,
    RunFailed,
    ScoutError,
    SourcesChanged,
    Unavailable,
    WrongDatabase,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
# a name of the caller's own is repeated only where it looks like one of ours
_KNOWN_STYLE = re.compile(r"[a-z]+(?:_[a-z]+){0,4}")
_log = logs.get_logger("api")


class Unauthorized(ScoutError):
    """Nobody is known by this token or session: send `Authorization: Bearer TOKEN`, or sign in."""


class TooManyRequests(Refused):
    """Too many requests of this kind in a short time: wait, then try again."""

    retry_after: int = 60


# error -> status, kind, title; the first that fits. A null detail stands for the error's sentence.
_KINDS: tuple[tuple[type[ScoutError], int, str, str, str | None], ...] = (
    (Unauthorized, 401, "unauthorized", "Who are you?", None),
    (TooManyRequests, 429, "too-many-requests", "Too many requests", None),
    (BadInput, 422, "bad-parameter", "A value cannot be used", None),
    (
        PermissionDenied,
        403,
        "forbidden",
        "Not allowed",
        "Your role or token does not allow this: ask somebody whose does.",
    ),
    (RunBusy, 409, "run-busy", "Another run is in progress", "Wait for its end, then try again."),
    (ChangedMeanwhile, 409, "changed-meanwhile", "It changed meanwhile", None),
    (
        RowsHidden,
        503,
        "rows-hidden",
        "The database hides rows",
        "Row level security hides rows of a source from us: its operator runs `doctor`.",
    ),
    (
        SourcesChanged,
        503,
        "sources-changed",
        "The sources have changed",
        "A source is another table than at the installation: its operator runs `init`.",
    ),
    (KeyReused, 409, "key-reused", "The key is of another request", None),
    (Refused, 409, "refused", "Refused, nothing was changed", None),
    (NotFound, 404, "not-found", "Not found", "There is nothing under this address."),
    (
        DatabaseReadOnly,
        503,
        "read-only",
        "The database is read-only",
        "It can be read only, as a standby is: nothing was changed.",
    ),
    (
        DatabaseAway,
        503,
        "database-away",
        "The database does not answer",
        "Try again in a moment.",
    ),
    (
        WrongDatabase,
        503,
        "database-refused",
        "The database cannot be used",
        "It does not let this server in: its operator looks at the log or runs `doctor`.",
    ),
    (
        NotInstalled,
        503,
        "not-installed",
        "Not installed",
        "The product is not installed on this database: its operator runs `init`.",
    ),
    (Unavailable, 503, "unavailable", "Not available now", "Try again in a moment."),
    (
        RunFailed,
        500,
        "run-failed",
        "The run failed",
        "What it had not committed was rolled back; its reason stands with the run.",
    ),
)
_OTHER = (500, "error", "Something went wrong", "The log says more under the number of this error.")
# statements that were stopped for their time or a lock: the same request may succeed later
_PASSING = frozenset({"57014", "55P03", "40001", "40P01"})


def answer_errors(app: FastAPI) -> None:
    """Let every error of the application's routes end here."""
    app.add_exception_handler(ScoutError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_bad_request)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(bodies.Limit, refuse=_problem_of_http)
    app.add_middleware(_Net)


def problem_of(exc: ScoutError) -> JSONResponse:
    """The answer to an error of the library."""
    status, kind, title, detail = _OTHER
    told = next((told for told in _KINDS if isinstance(exc, told[0])), None)
    if told is not None:
        _, status, kind, title, said = told
        detail = said or exc.message
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(exc, DatabaseError) and exc.facts.get("sqlstate") in _PASSING:
        status, kind, title = 503, "too-slow", "It took too long"
        detail = "The database was stopped at the limit of this API: ask for less, or try again."
    if isinstance(exc, BadInput):
        name = exc.parameter or "a value"
        detail = f"{name} must be {exc.allowed}." if exc.allowed else exc.message
        more["errors"] = [{"parameter": name, "allowed": exc.allowed or exc.message}]
    if isinstance(exc, RunBusy):
        more["run_id"] = exc.run_id
    if isinstance(exc, ChangedMeanwhile):
        # what it is by now, so that the caller can look and decide again
        more |= jsonable_encoder(exc.facts)
    if isinstance(exc, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    if status in (429, 503):
        headers["retry-after"] = str(exc.facts.get("retry_after", RETRY_SECONDS))
    return _problem(status, kind, title, detail, type(exc).__name__, headers, **more)


async def _on_ours(_request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, ScoutError)  # noqa: S101 - registered for it
    return problem_of(exc)


async def _on_http(_request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for it
    return _problem_of_http(exc)


def _problem_of_http(exc: HTTPException) -> JSONResponse:
    titles = {
        400: ("bad-request", "The request cannot be read"),
        404: ("not-found", "Not found"),
        405: ("method-not-allowed", "Not this way"),
        408: ("too-late", "The request did not arrive"),
        413: ("too-large", "The request is too large"),
    }
    kind, title = titles.get(exc.status_code, ("error", "Something went wrong"))
    details = {
        404: "There is nothing under this address: /api/docs lists what there is.",
        405: "This address takes another method: /api/docs says which.",
        408: f"Its body was not complete after {bodies.SECONDS:g} seconds: send it again.",
        413: f"A body may have {bodies.MAX_BYTES:,} bytes: send less.",
    }
    detail = details.get(exc.status_code, "Look at /api/docs for what can be sent.")
    headers = dict(exc.headers or {})
    return _problem(exc.status_code, kind, title, detail, "HTTPException", headers)


async def _on_bad_request(_request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - registered for it
    errors = list(_wrong(exc.errors()))
    first = errors[0]
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    detail = f"{first['parameter']} must be {first['allowed']}.{more}"
    return _problem(
        422, "bad-parameter", "A value cannot be used", detail, "BadInput", errors=errors
    )


def _wrong(errors: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, str]]:
    """What is wrong with each value: where it stands, its name, what it may be. Never the value."""
    for error in errors:
        place, *names = [str(part) for part in error["loc"]] or ["body"]
        # union members and positions say nothing to the caller; a name of theirs may be anything
        known = [name for name in names if _NAME.fullmatch(name)]
        name = known[-1] if known else place
        if error["type"] == "extra_forbidden" and not _KNOWN_STYLE.fullmatch(name):
            name = "a parameter"
        yield {"parameter": name, "in": place, "allowed": _allowed(error)}


def _allowed(error: Mapping[str, Any]) -> str:  # noqa: C901 - one line a kind
    context = error.get("ctx", {})
    match error["type"]:
        case "literal_error" | "enum":
            return "one of " + str(context["expected"]).replace("'", "").replace(" or ", ", ")
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return "a whole number in range"
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "bool_parsing" | "bool_type":
            return "true or false"
        case "uuid_parsing" | "uuid_type":
            return "a person key (uuid)"
        case "string_too_long":
            return f"at most {context['max_length']} characters long"
        case "string_too_short":
            return f"at least {context['min_length']} characters long"
        case "string_pattern_mismatch":
            return "of the documented characters"
        case "missing":
            return "given"
        case "extra_forbidden":
            return "left out: there is no parameter of this name"
        case "value_error":
            return str(context["error"])
        case kind if kind.startswith(("date_", "datetime_")):
            return "a day (YYYY-MM-DD)"
        case kind if kind.startswith("json"):
            return "JSON that can be read"
    return "as /api/docs says"


def _problem(
    status: int,
    kind: str,
    title: str,
    detail: str,
    error: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    number = str(uuid.uuid4())
    level = _log.error if status >= 500 else _log.info
    level("problem", number=number, status=status, kind=kind, error=error)
    body = {
        "type": f"urn:scout:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{number}",
        **more,
    }
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class _Net:
    """Counts the answers, and catches what nobody expected: the log keeps where, not the message,
    which may quote data."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        begun = False
        clock = metrics.Clock(scope)

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                clock.note(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as exc:  # noqa: BLE001 - the edge of the API
            places = [
                f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(exc.__traceback__)
            ]
            _log.error("request failed", error=type(exc).__name__, places=places[-8:])
            if begun:
                # the answer cannot be taken back: cut it, so that it is not taken for whole
                raise ConnectionAbortedError from None
            await problem_of(ScoutError())(scope, receive, noted)
