"""The application of the API: routes under /v1, its documentation, errors as problem+json.

One module for each topic, each with a `router`; ROUTERS is the list of them.
"""

from typing import Any

from fastapi import APIRouter, FastAPI

from api import (
    alerts,
    attribution,
    decisions,
    docs,
    exports,
    heads,
    models,
    money,
    problems,
    quality,
    runs,
)
from api.services import Services
from scout_core import __version__

ROUTERS: tuple[APIRouter, ...] = (
    attribution.router,
    runs.router,
    decisions.router,
    alerts.router,
    money.router,
    # its files before /quality/{check}
    exports.router,
    quality.router,
)
DESCRIPTION = """
Which scout brought which driver. Lists come in pages: `pagination.after` is the cursor of the
next one, however far; `page` counts from 1 near the beginning. Days are Lima's, times UTC, amounts
soles.

Errors are `application/problem+json`; the log has more under the number in `instance`.
"""
ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": models.Problem, "description": "Nobody is known by this token or session"},
    403: {"model": models.Problem, "description": "The role or token does not allow it"},
    404: {"model": models.Problem, "description": "Nothing under this address"},
    422: {"model": models.Problem, "description": "A parameter cannot be used; errors says which"},
    503: {"model": models.Problem, "description": "The database does not answer: Retry-After"},
}


def build(services: Services) -> FastAPI:
    """The application, to be mounted under /api."""
    app = FastAPI(
        title="Scout attribution",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    problems.answer_errors(app)
    app.add_middleware(heads.Heads)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1", responses=ERRORS)
    app.include_router(docs.router)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        return _with_problems(described())

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the media type that errors are sent as: FastAPI gives them the route's."""
    for operation in (op for item in document["paths"].values() for op in item.values()):
        for code, answer in operation["responses"].items():
            if code[0] in "45" and "application/json" in answer["content"]:
                answer["content"][problems.MEDIA_TYPE] = answer["content"].pop("application/json")
    return document
