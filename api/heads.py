"""HEAD: answered as GET, without its body."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
_ASKED = "scout.head"


def is_head(request: Request) -> bool:
    """Whether only the head of the answer is wanted, so that its body need not be made."""
    return bool(request.scope.get(_ASKED))


class Heads:
    """ASGI middleware: passes HEAD on as GET and drops the body of the answer."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """The answer, or its head."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        is_over = False

        async def send_head(message: MutableMapping[str, Any]) -> None:
            nonlocal is_over
            if message["type"] == "http.response.start":
                await send(message)
            elif not is_over:
                is_over = True
                await send({"type": "http.response.body", "body": b""})

        # a copy: the server looks at its own for what it was asked
        await self.app({**scope, "method": "GET", _ASKED: True}, receive, send_head)
