"""What leaves the server: the headers on every answer, and the page or problem of a refusal."""

import html
import json
from collections.abc import Iterable
from functools import lru_cache

from ui.doors import document, routes
from ui.doors.asked import Asked, Message
from ui.doors.origins import Origin
from ui.doors.refusals import Refusal
from ui.parts import site
from ui.parts.text import catalogue

Header = tuple[bytes, bytes]
HSTS = (b"strict-transport-security", b"max-age=31536000")
NO_STORE = (b"cache-control", b"no-store")
MEDIA_TYPE = b"application/problem+json"

# the colours of [theme] in .streamlit/config.toml
_PAGE = """<!doctype html>
<html lang="es">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --text: #12161C; --page: #FFFFFF; --quiet: #565F6E;
  --link: #2755C4; --line: #DDE1E7; }}
@media (prefers-color-scheme: dark) {{ :root {{ --text: #E6E9EE; --page: #101318;
  --quiet: #A3ADBB; --link: #8FB0FF; --line: #2A313C; }} }}
body {{ margin: 0; color: var(--text); background: var(--page);
  font: 15px/1.5 "Source Sans", "Source Sans Pro", system-ui, sans-serif; }}
main {{ max-width: 36rem; margin: 0 auto; padding: 12vh 1.25rem 3rem; overflow-wrap: anywhere; }}
h1, h2 {{ font-size: 1.4rem; line-height: 1.3; margin: 0 0 0.5rem; }}
h2 {{ font-size: 1.1rem; }}
section + section {{ margin-top: 2rem; padding-top: 2rem; border-top: 1px solid var(--line);
  color: var(--quiet); }}
a {{ color: var(--link); }}
</style>
</head>
<body>
<main>
<section>
<h1>{title}</h1>
<p>{body}</p>
{back}</section>
<section lang="en">
<h2>{title_en}</h2>
<p>{body_en}</p>
{back_en}</section>
</main>
</body>
</html>
"""
_BACK = '<p><a href="/{base}/{address}">{words}</a></p>\n'


def headers(
    given: Iterable[Header], asked: Asked, status: int, ours: Origin | None, *, is_https: bool
) -> list[Header]:
    """The headers of an answer, ours instead of what it had of the same name. ours: the origin
    that the pages may connect to; is_https: people reach the server by https only."""
    added = [*_headers_of("" if ours is None else ours.netloc)]
    if is_https:
        added.append(HSTS)
    if not (status in {200, 206, 304} and routes.may_be_kept(asked.path)):
        added.append(NO_STORE)
    names = {name for name, _ in added}
    kept = [header for header in given if header[0].lower() not in names]
    return [*(_secured(header) if is_https else header for header in kept), *added]


def refused(refusal: Refusal, asked: Asked) -> tuple[Message, Message]:
    """The answer to what may not pass: a problem under /api, a page elsewhere."""
    if routes.is_api(asked.path):
        media_type, body = MEDIA_TYPE, _problem(refusal)
    else:
        media_type, body = b"text/html; charset=utf-8", _page(refusal)
    head = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    return (
        {"type": "http.response.start", "status": refusal.status, "headers": head},
        {"type": "http.response.body", "body": b"" if asked.method == "HEAD" else body},
    )


def sentence(refusal: Refusal) -> str:
    """Why it may not pass, in English."""
    return _words(refusal, "body")[1]


def _secured(header: Header) -> Header:
    """A cookie goes by https only, whoever sets it."""
    name, value = header
    if name.lower() != b"set-cookie":
        return header
    attributes = {part.strip().lower() for part in value.split(b";")[1:]}
    return header if b"secure" in attributes else (name, value + b"; Secure")


@lru_cache(maxsize=64)
def _headers_of(netloc: str) -> tuple[Header, ...]:
    # Safari before 15.4 does not take 'self' for the websocket
    sockets = f" ws://{netloc} wss://{netloc}" if netloc else ""
    policy = (
        "default-src 'self'",
        f"script-src 'self' 'wasm-unsafe-eval' {' '.join(document.script_hashes())}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        f"connect-src 'self'{sockets}",
        "worker-src 'self' blob:",
        "media-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    named = {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    return tuple((name.encode(), value.encode()) for name, value in named.items())


def _page(refusal: Refusal) -> bytes:
    (title, title_en), (body, body_en) = _words(refusal, "title"), _words(refusal, "body")
    parts = {"title": title, "title_en": title_en, "body": body, "body_en": body_en}
    parts = {name: html.escape(words) for name, words in parts.items()}
    back = ["", ""]
    if refusal.status == 404:
        back = [
            _BACK.format(base=site.BASE, address=f"{site.FIRST.address}{query}", words=words)
            for words, query in zip(catalogue()["doors.back"], ("", "?lang=en"), strict=True)
        ]
    return _PAGE.format(**parts, back=back[0], back_en=back[1]).encode()


def _problem(refusal: Refusal) -> bytes:
    return json.dumps(
        {
            "type": f"urn:scout:problem:{refusal.reason.replace('_', '-')}",
            "title": _words(refusal, "title")[1],
            "status": refusal.status,
            "detail": sentence(refusal),
        }
    ).encode()


def _words(refusal: Refusal, which: str) -> tuple[str, str]:
    spanish, english = catalogue()[f"doors.{refusal.reason}_{which}"]
    return spanish.format(**refusal.values), english.format(**refusal.values)
