"""Sign-in and sign-out: the routes between the pages and the identity provider.

They stand before those of Streamlit under the same addresses, because Streamlit's keep a session
for 30 days, believe an address that nobody verified, forget which page was asked for, and sign out
whoever follows a link. What an OpenID Connect client does is left to Authlib; the cookie is
Streamlit's, so that a page knows who opened it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit import auth_util
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette import starlette_auth_routes as streamlit_routes
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import (
    TOKENS_COOKIE_NAME,
    USER_COOKIE_NAME,
)

from scout_core import logs
from scout_core.access import sessions as core
from scout_core.access.permissions import Actor
from scout_core.errors import ScoutError
from ui.doors import provider_claims, sessions
from ui.doors.provider_claims import NotValid
from ui.parts import read, site, who

FIRST_PAGE = f"/{site.BASE}/{site.FIRST.address}"
LOGIN, LOGOUT = f"/{site.BASE}/auth/login", f"/{site.BASE}/auth/logout"
CALLBACK, BACKCHANNEL = f"/{site.BASE}/oauth2callback", f"/{site.BASE}/oauth2backchannel"
DEFAULT = "default"
# the address of a page says so after a sign-in that came to nothing
TROUBLE, REFUSED, AWAY = "signin", "refused", "away"
MAX_TARGET = 1000  # it is kept in a cookie until the sign-in is done
MAX_HINT = 1200  # as long as most are
MAX_BODY = 64 * 1024
# what a provider may answer instead of a code (OAuth 2.0, OpenID Connect Core)
_ERRORS = frozenset(
    (
        *("access_denied", "invalid_request", "invalid_scope", "server_error"),
        *("temporarily_unavailable", "unauthorized_client", "unsupported_response_type"),
        *("interaction_required", "login_required", "account_selection_required"),
        *("consent_required", "invalid_grant", "invalid_client"),
    )
)

_log = logs.get_logger("access")


@dataclass(frozen=True)
class _SignedIn:
    session: sessions.Session
    provider: str
    id_token: str


def routes() -> list[Route]:
    """The routes of sign-in and sign-out."""
    return [
        Route(LOGIN, _login, methods=["GET"]),
        Route(CALLBACK, _callback, methods=["GET"]),
        Route(LOGOUT, _logout, methods=["GET", "POST"]),
        Route(BACKCHANNEL, _backchannel, methods=["POST"]),
    ]


def providers() -> list[str]:
    """The providers that [auth] names: that of [auth] itself, and each [auth.<name>]."""
    auth = auth_util.get_secrets_auth_section()
    named = [name for name, section in auth.items() if "client_id" in _mapping(section)]
    return [*([DEFAULT] if "client_id" in auth else []), *named]


def login_address(provider: str, target: str) -> str:
    """Where a browser begins to sign in, to come back to a page of ours."""
    return f"{LOGIN}?{urlencode({'provider': provider, 'to': target})}"


def target_of(asked: str | None) -> str:
    """Where a sign-in leads to: the page that was asked for with its filters, where it is one of
    ours, else the first one."""
    try:
        parts = urlsplit(asked or "")
        given = parse_qsl(parts.query, max_num_fields=50)
    except ValueError:
        return FIRST_PAGE
    known = {f"/{site.BASE}/{place.address}" for place in site.PLACES}
    if parts.scheme or parts.netloc or parts.path not in known:
        return FIRST_PAGE
    query = urlencode([(name, value) for name, value in given if name != TROUBLE])
    target = f"{parts.path}?{query}" if query else parts.path
    return target if len(target) <= MAX_TARGET else parts.path


async def _login(request: Request) -> Response:
    """Send the browser to the provider; state, nonce and where to go stay in its signed cookie."""
    target = target_of(request.query_params.get("to"))
    known = providers()
    asked = request.query_params.get("provider", DEFAULT)
    if not known:
        return RedirectResponse(FIRST_PAGE, 302)
    try:
        client, redirect_uri = _client(asked if asked in known else known[0])
        made = await client.create_authorization_url(redirect_uri)
        address = made.pop("url")
        await client.save_authorize_data(request, redirect_uri=redirect_uri, to=target, **made)
    except Exception as exc:  # noqa: BLE001 - whatever the provider's answer makes of its client
        return _refuse("provider_unreachable", target, exc)
    return RedirectResponse(address, 302, headers={"cache-control": "no-store"})


async def _callback(request: Request) -> Response:
    """The browser is back from the provider: check what it brings, and begin a session."""
    asked = request.query_params
    if not asked.get("state") and not asked.get("error"):
        # from the provider's own sign-out
        return RedirectResponse(FIRST_PAGE, 302)
    provider = streamlit_routes._get_provider_by_state(request, asked.get("state"))
    if provider is None or provider not in providers():
        # Back, a reload or a link of somebody else: who is signed in stays who they are
        _log.warning("sign-in refused", reason="state")
        return _to_trouble(FIRST_PAGE, REFUSED)
    client, _ = _client(provider)
    kept = await client.framework.get_state_data(request.session, asked["state"]) or {}
    target = target_of(kept.get("to"))
    try:
        signed_in = await _signed_in(request, client, provider)
    except NotValid as exc:
        return _refuse(exc.reason, target)
    except ScoutError as exc:
        return _refuse("database", target, exc, AWAY)
    except Exception as exc:  # noqa: BLE001 - whatever the provider's answer makes of its client
        return _refuse(_reason(exc), target, exc)
    actor = signed_in.session.actor
    _log.info("signed in", actor=actor.name, role=actor.role)
    response = RedirectResponse(target, 302, headers={"cache-control": "no-store"})
    _keep(response, request, signed_in)
    return response


async def _signed_in(request: Request, client: Any, provider: str) -> _SignedIn:
    metadata = await client.load_server_metadata()
    issuer = metadata.get("issuer")
    if not isinstance(issuer, str):
        raise NotValid("issuer")
    if request.query_params.get("iss", issuer) != issuer:
        raise NotValid("issuer")
    token = await client.authorize_access_token(
        request,
        claims_options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client.client_id},
        },
    )
    claims = await provider_claims.complete(client, token, who.roles().get("claim"))
    actor = Actor(
        who.name_of(claims, issuer, is_only=len(providers()) == 1),
        who.role_of(claims, who.roles()),
    )
    subject = provider_claims.subject_key(issuer, claims["sub"])
    began = await run_in_threadpool(core.begin, read.database(), subject, actor)
    read.forget()
    sid = claims.get("sid")
    session = sessions.Session(
        subject,
        actor,
        began,
        provider_claims.session_key(issuer, sid) if sid else None,
    )
    return _SignedIn(session, provider, token["id_token"])


async def _logout(request: Request) -> Response:
    """End the session (POST, by a page of ours), then forget its cookies and sign out at the
    provider. A link or an image, which is a GET, does nothing to a session that is in force."""
    session = sessions.of_cookies(request.cookies)
    try:
        is_over = session is None or await run_in_threadpool(sessions.is_over, session)
    except ScoutError:
        is_over = False
    if request.method == "POST":
        if not _is_ours(request):
            return PlainTextResponse("Only pages of this server may sign somebody out.", 403)
        # a copy of a cookie that is over ends nothing that began since
        if session is not None and not is_over:
            await run_in_threadpool(sign_out, session)
        return RedirectResponse(LOGOUT, 303)
    if not is_over:
        return RedirectResponse(FIRST_PAGE, 303)
    address = await streamlit_routes._get_provider_logout_url(request)
    response = RedirectResponse(address or FIRST_PAGE, 302, headers={"cache-control": "no-store"})
    streamlit_routes._clear_auth_cookie(response, request)
    return response


def sign_out(session: sessions.Session) -> None:
    """End the sessions of who signs out, in every browser."""
    sessions.end(session, "SIGNED_OUT")
    _log.info("signed out", actor=session.actor.name, role=session.actor.role)


async def _backchannel(request: Request) -> Response:
    """The provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return _answer(413)
    token = parse_qs(body.decode("latin-1")).get("logout_token", [""])[0]
    if not provider_claims.is_like_a_token(token):
        return _answer(400)
    for provider in providers():
        client, _ = _client(provider)
        try:
            keys = await provider_claims.of_logout_token(client, token)
        except Exception as exc:  # noqa: BLE001 - whatever a stranger or a provider sends
            reason = exc.reason if isinstance(exc, NotValid) else type(exc).__name__
            _log.warning("sign-out by the provider refused", reason=reason)
            continue
        for key in keys:
            await run_in_threadpool(sessions.end_key, key, "PROVIDER", "the identity provider")
        _log.info("sessions ended", actor="the identity provider", reason="PROVIDER")
        return _answer(200)
    return _answer(400)


def _answer(status: int) -> Response:
    return Response(status_code=status, headers={"cache-control": "no-store"})


def _client(provider: str) -> tuple[Any, str]:
    return streamlit_routes._create_oauth_client(provider)


def _mapping(section: Any) -> Mapping[str, Any]:
    return section if isinstance(section, Mapping) else {}


def _is_ours(request: Request) -> bool:
    """Whether a page of ours sends this: browsers say where a POST comes from."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return origin == auth_util.get_origin_from_redirect_uri()


def _keep(response: Response, request: Request, signed_in: _SignedIn) -> None:
    """Give the browser its session; and the id token, which providers want to see at the end. What
    it had of an earlier one goes. All of it has to fit into what a proxy takes as headers, 4 kB."""
    redirect_uri = auth_util.get_redirect_uri(auth_util.get_secrets_auth_section()) or ""
    claims = {
        "origin": auth_util.get_origin_from_redirect_uri(),
        "is_logged_in": True,
        "provider": signed_in.provider,
        **signed_in.session.as_claims(),
    }
    hint = {"id_token": signed_in.id_token} if len(signed_in.id_token) <= MAX_HINT else {}

    for name in request.cookies:
        if name.startswith((f"{USER_COOKIE_NAME}_", f"{TOKENS_COOKIE_NAME}_")):
            response.delete_cookie(name, path=f"/{site.BASE}")

    def put(name: str, value: str) -> None:
        response.set_cookie(
            name,
            create_signed_value(get_cookie_secret(), name, value).decode(),
            httponly=True,
            secure=redirect_uri.startswith("https://"),
            samesite="lax",
            path=f"/{site.BASE}",
            max_age=int(sessions.lifetime().total_seconds()),
        )

    for name, value in ((USER_COOKIE_NAME, claims), (TOKENS_COOKIE_NAME, hint)):
        auth_util.set_cookie_with_chunks(
            put,
            lambda name, value: create_signed_value(get_cookie_secret(), name, value),
            name,
            cast("dict[str, Any]", value),
            cookie_attr_size=120,
        )


def _refuse(
    reason: str, target: str, exc: Exception | None = None, trouble: str = REFUSED
) -> Response:
    kind = {} if exc is None else {"error": type(exc).__name__}
    _log.warning("sign-in refused", reason=reason, **kind)
    return _to_trouble(target, trouble)


def _to_trouble(target: str, trouble: str) -> Response:
    joint = "&" if "?" in target else "?"
    return RedirectResponse(
        f"{target}{joint}{urlencode({TROUBLE: trouble})}",
        302,
        headers={"cache-control": "no-store"},
    )


def _reason(exc: Exception) -> str:
    """Why a sign-in came to nothing, as one word of ours: what a provider writes is not logged."""
    claim = getattr(exc, "claim", None) or getattr(exc, "claim_name", None)
    if isinstance(claim, str):
        return {"iss": "issuer", "aud": "audience", "azp": "audience"}.get(claim, claim)
    code = getattr(exc, "error", None)
    if code in _ERRORS:
        return str(code)
    return "provider"
