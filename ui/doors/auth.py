"""Whether people have to sign in, and whether that is set up soundly.

[auth] of .streamlit/secrets.toml is read as Streamlit reads it, which takes changes while the
server runs: so this is asked at the start and again for each request.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamlit import auth_util, config
from streamlit.errors import StreamlitAuthError
from streamlit.runtime.secrets import AttrDict, secrets_singleton

from ui.doors.origins import is_loopback

FILE = ".streamlit/secrets.toml"
CALLBACK = "oauth2callback"
MIN_SECRET_BYTES = 32
MIN_DIFFERENT = 8  # of 32 random hexadecimal digits fewer are next to impossible
# as people write them where a secret should stand
PLACEHOLDERS = ("change", "secret", "example", "password", "placeholder", "replace")
HOW = 'python -c "import secrets; print(secrets.token_hex())" makes one'
CLIENT_KEYS = ("client_id", "client_secret", "server_metadata_url")
DEFAULT = "default"  # the provider of [auth] itself, as Streamlit names it

_UNREADABLE = object()
_started_with_sign_in = False


def is_configured() -> bool:
    """Whether people have to sign in. A server that began so goes on so, whatever happens to its
    secrets."""
    return _started_with_sign_in or _section() is not None


def remember() -> None:
    """The server starts: from now on taking [auth] away opens nothing."""
    global _started_with_sign_in  # noqa: PLW0603 - it is of the process
    _started_with_sign_in = _section() is not None


def fault() -> str | None:
    """What is wrong with the sign-in, as one sentence; null = it is sound, or there is none."""
    section = _section()
    if section is None:
        return (
            f"[auth] is gone from {FILE} since the server started: put it back, or start it again."
            if _started_with_sign_in
            else None
        )
    if section is _UNREADABLE:
        return (
            f"{FILE}, or the file that secrets.files names, is not there or no TOML: mend it, as "
            "without its [auth] nobody would have to sign in."
        )
    if not isinstance(section, Mapping):
        return f"auth in {FILE} is no section: write [auth], as in secrets.toml.example."
    return _fault_of(json.dumps(section, sort_keys=True, default=_plain))


def outside() -> str | None:
    """Scheme, host and port under which people reach the server, as redirect_uri has them."""
    return auth_util.get_origin_from_redirect_uri() if is_configured() and not fault() else None


def _section() -> Any:
    is_named = config.is_manually_set("secrets.files")
    files = config.get_option("secrets.files") if is_named else _usual_files(str(Path.cwd()))
    is_there = any(Path(file).exists() for file in files)
    # asked for each request: Streamlit looks for a file that is not there at length
    if (is_there or secrets_singleton._secrets is not None) and (
        secrets_singleton.load_if_toml_exists()
    ):
        return secrets_singleton.get("auth")
    return _UNREADABLE if is_there or is_named else None


@lru_cache(maxsize=4)
def _usual_files(_folder: str) -> tuple[str, ...]:
    return tuple(config.get_option("secrets.files"))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


@lru_cache(maxsize=8)
def _fault_of(written: str) -> str | None:
    section: dict[str, Any] = json.loads(written)
    return next(_faults(section), None)


def _faults(section: dict[str, Any]) -> Iterator[str]:
    named = [n for n, v in section.items() if isinstance(v, dict) and n != "client_kwargs"]
    has_default = not named or any(key in section for key in CLIENT_KEYS)
    providers = [*([DEFAULT] if has_default else []), *named]
    lacking = [key for key in ("cookie_secret", "redirect_uri") if not _is_text(section.get(key))]
    for name in providers:
        at = section if name == DEFAULT else section[name]
        prefix = "" if name == DEFAULT else f"{name}."
        lacking += [f"{prefix}{key}" for key in CLIENT_KEYS if not _is_text(at.get(key))]
    if lacking:
        yield (
            f"Sign-in is half set up: [auth] in {FILE} lacks {', '.join(lacking)}. Fill it in "
            f"(secrets.toml.example says how; for cookie_secret {HOW}), or take [auth] out."
        )
    yield from _secret_faults(section["cookie_secret"])
    yield from _redirect_faults(auth_util.get_redirect_uri(AttrDict(section)) or "")
    for name in providers:
        at = section if name == DEFAULT else section[name]
        if not _is_safe(at["server_metadata_url"]):
            where = "[auth]" if name == DEFAULT else f"[auth.{name}]"
            yield (
                f"server_metadata_url in {where} of {FILE} must begin with https://, as what comes "
                "from there decides who somebody is."
            )
        yield from _streamlit_faults(name)


def _secret_faults(secret: str) -> Iterator[str]:
    size = len(secret.encode())
    if size < MIN_SECRET_BYTES:
        weak = f"has {size} bytes of {MIN_SECRET_BYTES}"
    elif len(set(secret)) < MIN_DIFFERENT or _repeats(secret) or _counts(secret):
        weak = "follows a pattern"
    elif any(word in secret.lower() for word in PLACEHOLDERS):
        weak = "looks like words of a template"
    else:
        return
    yield (
        f"cookie_secret in [auth] of {FILE} {weak}, and whoever guesses it signs in as anybody: "
        f"put {MIN_SECRET_BYTES} random bytes there; {HOW}."
    )


def _repeats(secret: str) -> bool:
    """Whether it is one piece again and again, the last one cut off anywhere."""
    return any(
        secret[size:] == secret[: len(secret) - size] for size in range(1, len(secret) // 2 + 1)
    )


def _counts(secret: str) -> bool:
    """Whether most characters are followed by their neighbour or themselves: 0123, cba, aaa."""
    steps = [abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(secret)]
    return sum(steps) > len(steps) / 2


def _redirect_faults(redirect_uri: str) -> Iterator[str]:
    base = config.get_option("server.baseUrlPath").strip("/")
    path = f"/{base}/{CALLBACK}" if base else f"/{CALLBACK}"
    if not _is_safe(redirect_uri):
        yield (
            f"redirect_uri in [auth] of {FILE} must be an address of https://, as the session "
            f"goes there (http only for localhost): https://NAME{path}."
        )
    parts = urlsplit(redirect_uri)
    if not parts.path.endswith(path) or parts.query or parts.fragment:
        yield (
            f"redirect_uri in [auth] of {FILE} must end in {path}, where the answer of the "
            "provider is taken."
        )


def _streamlit_faults(provider: str) -> Iterator[str]:
    try:
        auth_util.validate_auth_credentials(provider)
    except StreamlitAuthError as exc:
        yield f"Sign-in cannot work: {' '.join(str(exc).split())}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_safe(address: str) -> bool:
    """Whether nobody on the way reads or changes what goes to this address."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
