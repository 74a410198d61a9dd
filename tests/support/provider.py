"""An OpenID Connect provider of a package (oidc-provider-mock), over HTTP in a thread of the test.

What it says can be changed: claims that it gives at its userinfo endpoint only, and id tokens that
say something else than they should, properly signed.
"""

import contextlib
import importlib.util
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

REQUIRED = "REQUIRE_OIDC"
CLIENT_ID, CLIENT_SECRET = "scouts", "of the tests"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

# the package calls its library in a way that will go
OLD_WAYS = "ignore:.*(deprecated|will be removed):DeprecationWarning"

Claims = dict[str, Any]


@dataclass
class Provider:
    """A provider that listens. `person` says who there is."""

    address: str
    _put: Callable[[str, Claims], None]
    _key: Any
    only_at_userinfo: set[str] = field(default_factory=set)
    # what an id token says instead
    lie: Callable[[Claims], Claims] | None = None
    # another key than the one that is published
    forges: bool = False
    userinfo_says: Claims | None = None

    @property
    def metadata_url(self) -> str:
        """Where it describes itself."""
        return f"{self.address}/.well-known/openid-configuration"

    def person(self, sub: str, **claims: Any) -> None:
        """Whoever signs in as this subject has these claims."""
        self._put(sub, claims)

    def sign(self, claims: Claims, key: Any = None) -> str:
        """A token with these claims, signed by the provider."""
        from joserfc import jwt

        used = key or self._key
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, used)

    def logout_token(self, **changed: Any) -> str:
        """A token that says that somebody signed out; a claim that is None is left out."""
        claims = {
            "iss": self.address,
            "aud": CLIENT_ID,
            "iat": int(time.time()),
            "jti": str(uuid.uuid4()),
            "events": {LOGOUT_EVENT: {}},
            **changed,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None})


def secrets_toml(provider: Provider, redirect_uri: str, cookie_secret: str, more: str = "") -> str:
    """The secrets file of a server whose people sign in with this provider."""
    return (
        f"[auth]\nredirect_uri = {json.dumps(redirect_uri)}\n"
        f"cookie_secret = {json.dumps(cookie_secret)}\n"
        f"client_id = {json.dumps(CLIENT_ID)}\nclient_secret = {json.dumps(CLIENT_SECRET)}\n"
        f"server_metadata_url = {json.dumps(provider.metadata_url)}\n{more}"
        '[roles]\nclaim = "scout_role"\n'
    )


def require() -> None:
    """Without the package the test is skipped, or fails where that is forbidden."""
    if importlib.util.find_spec("oidc_provider_mock") is None:
        lack = (
            "NO OPENID CONNECT PROVIDER, NOBODY SIGNS IN: install oidc-provider-mock "
            "(requirements-dev.txt)."
        )
        if os.environ.get(REQUIRED):
            pytest.fail(lack)
        pytest.skip(lack)


@contextlib.contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers while the block lasts."""
    require()
    import oidc_provider_mock
    from joserfc.jwk import RSAKey
    from werkzeug.serving import make_server

    app = oidc_provider_mock.app()
    key = RSAKey.generate_key(2048, {"kid": "of the tests"})
    told = app.test_client()

    def put(sub: str, claims: Claims) -> None:
        assert told.put(f"/users/{sub}", json=claims).status_code == 204

    server = make_server("localhost", 0, app, threaded=True)
    provider = Provider(f"http://localhost:{server.server_port}", put, key)
    app.after_request(lambda response: _changed(provider, response))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def _changed(provider: Provider, response: Any) -> Any:
    """The answer of the package, as this provider gives it."""
    import flask

    path = flask.request.path
    if not response.is_json or response.status_code != 200:
        return response
    body = response.get_json()
    if path == "/jwks":
        body["keys"].append(provider._key.as_dict(private=False))
    elif path == "/oauth2/token" and "id_token" in body:
        body["id_token"] = _resigned(provider, body["id_token"])
    elif path == "/userinfo" and provider.userinfo_says is not None:
        body = provider.userinfo_says
    else:
        return response
    response.set_data(json.dumps(body))
    return response


def _resigned(provider: Provider, id_token: str) -> str:
    import base64

    from joserfc.jwk import RSAKey

    payload = id_token.split(".")[1]
    claims: Claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims = {k: v for k, v in claims.items() if k not in provider.only_at_userinfo}
    if provider.lie is not None:
        claims = provider.lie(claims)
    return provider.sign(claims, RSAKey.generate_key(2048) if provider.forges else None)
