"""Who asks, and whether they may: by token, else by the session of the browser.

A refusal by role is kept (scout.denials); an unknown token leaves a line in the log.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api import services as services_module
from api.problems import Unauthorized
from api.services import Served, Services
from scout_core import logs
from scout_core.access import denials, permissions, tokens
from scout_core.access.permissions import Action, Actor
from scout_core.db.database import API
from scout_core.errors import PermissionDenied, ScoutError

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of `python -m scout_core token create`. Not needed where nobody has to "
    "sign in: then only this machine is served. A browser that has signed in sends its session.",
)
_log = logs.get_logger("access")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def find_actor(request: Request, services: Services) -> Actor | None:
    """Who asks; null = has to sign in. Unauthorized for a token that is not known."""
    given = request.headers.get("authorization")
    if given is None:
        return services.visitor(request)
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized()
    now = services_module.now()
    with services.read_database().transaction(API) as conn:
        known = tokens.find(conn, token.strip(), now)
    if known is None:
        raise Unauthorized()
    if known.is_use_due:
        try:
            tokens.record_use(services.write_database(), known.token_id, now)
        except ScoutError as exc:
            _log.warning("use of a token not kept", reason=type(exc).__name__)
    return known.actor


def actor_of(request: Request, services: Served, _: Credentials) -> Actor:
    """Who asks. Unauthorized when a token is unknown, or there is neither token nor session."""
    actor = find_actor(request, services)
    if actor is None:
        raise Unauthorized()
    return actor


def may(action: Action) -> Callable[..., Actor]:
    """A dependency: who asks, when they may do this; PermissionDenied else."""

    def check(services: Served, actor: Annotated[Actor, Depends(actor_of)]) -> Actor:
        try:
            permissions.require(actor, action)
        except PermissionDenied as exc:
            denials.record(services.write_database(), actor, exc, "api")
            raise
        return actor

    return check


Reading = Annotated[Actor, Depends(may("read"))]
