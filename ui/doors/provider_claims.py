"""What an identity provider says of somebody, checked: in a sign-in, and when it ends one."""

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_SUBJECT = 255  # OpenID Connect Core, 2
LEEWAY = 120  # seconds
_KEPT = 1000
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

# logout tokens that were taken; one that is sent again ends nothing
_taken: OrderedDict[str, None] = OrderedDict()


class NotValid(Exception):
    """What a provider sent is not taken; reason: one word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def subject_key(issuer: str, subject: str) -> str:
    """A person, for all times and whatever other providers say. An issuer has no # and no ?."""
    return f"{issuer}#{subject}"


def session_key(issuer: str, sid: str) -> str:
    """One session of a provider."""
    return f"{issuer}?sid={sid}"


async def complete(client: Any, token: Mapping[str, Any], role_claim: object) -> dict[str, Any]:
    """The claims of the id token; what it lacks of role and address, from the userinfo endpoint."""
    found = token.get("userinfo")
    if not found or "id_token" not in token:
        raise NotValid("id_token")
    claims = dict(found)
    if not _is_name(claims.get("sid")):
        claims.pop("sid", None)
    subject = claims.get("sub")
    if not _is_name(subject):
        raise NotValid("subject")
    role = [str(role_claim)] if role_claim else []
    metadata = await client.load_server_metadata()
    lacking = [name for name in ("email", "email_verified", *role) if name not in claims]
    if not lacking or "userinfo_endpoint" not in metadata:
        return claims
    said = dict(await client.userinfo(token=token))
    if said.get("sub") != subject:
        raise NotValid("userinfo")
    # an address and whether it was verified are one statement
    if claims.get("email", said.get("email")) == said.get("email"):
        role += ["email", "email_verified"]
    return {**{name: said[name] for name in role if name in said}, **claims}


def is_like_a_token(text: str) -> bool:
    """Whether it has the form of a signed token; anything else asks no provider for its keys."""
    return _TOKEN.fullmatch(text) is not None


async def of_logout_token(client: Any, token: str) -> list[str]:
    """Whose sessions a logout token ends, as keys of session_ends. NotValid or an error of the
    library when it is not the provider's, not for us, too old, or was taken before."""
    from joserfc import jwt  # not loaded where nobody signs in
    from joserfc.errors import InvalidKeyIdError
    from joserfc.jwk import KeySet
    from joserfc.jws import JWSRegistry

    metadata = await client.load_server_metadata()
    algorithms = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    registry = JWSRegistry(
        algorithms=[name for name in algorithms if name != "none"], strict_check_header=False
    )
    try:
        keys = KeySet.import_key_set(await client.fetch_jwk_set())
        claims = jwt.decode(token, key=keys, registry=registry).claims
    except InvalidKeyIdError:
        keys = KeySet.import_key_set(await client.fetch_jwk_set(force=True))
        claims = jwt.decode(token, key=keys, registry=registry).claims
    jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": metadata["issuer"]},
        aud={"essential": True, "value": client.client_id},
        iat={"essential": True},
        jti={"essential": True},
    ).validate(claims)
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
        raise NotValid("event")
    if time.time() - claims["iat"] > LEEWAY:
        raise NotValid("age")
    subject, sid = claims.get("sub"), claims.get("sid")
    named = []
    if _is_name(subject):
        named.append(subject_key(metadata["issuer"], str(subject)))
    if _is_name(sid):
        named.append(session_key(metadata["issuer"], str(sid)))
    if not named:
        raise NotValid("subject")
    _take(f"{metadata['issuer']} {claims['jti']}")
    return named


def _is_name(value: object) -> bool:
    """Whether a value can be a sub or sid."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_SUBJECT
        and value.isascii()
        and value.isprintable()
    )


def _take(token_id: str) -> None:
    if token_id in _taken:
        raise NotValid("replay")
    _taken[token_id] = None
    while len(_taken) > _KEPT:
        _taken.popitem(last=False)
