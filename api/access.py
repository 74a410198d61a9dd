"""Who asks, and whether they may: by token, else by the session of the browser."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import Unauthorized
from api.services import Served, Services
from scout_core import permissions
from scout_core.permissions import Action, Actor

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of `python -m scout_core token create`. Not needed where nobody has to "
    "sign in: then only this machine is served. A browser that has signed in sends its session.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def find_actor(request: Request, services: Services) -> Actor | None:
    """Who asks; null = has to sign in. Unauthorized for a token that is not known."""
    if "authorization" not in request.headers:
        return services.visitor(request)
    raise Unauthorized()


def actor_of(request: Request, services: Served, _: Credentials) -> Actor:
    """Who asks. Unauthorized when a token is unknown, or there is neither token nor session."""
    actor = find_actor(request, services)
    if actor is None:
        raise Unauthorized()
    return actor


def may(action: Action) -> Callable[..., Actor]:
    """A dependency: who asks, when they may do this; PermissionDenied else."""

    def check(actor: Annotated[Actor, Depends(actor_of)]) -> Actor:
        permissions.require(actor, action)
        return actor

    return check


Reading = Annotated[Actor, Depends(may("read"))]
