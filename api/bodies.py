"""What a request may bring: so many bytes, within so many seconds."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

MAX_BYTES = 64 * 1024
SECONDS = 30.0

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Any], Awaitable[None]]


class Limit:
    """ASGI middleware: a body that is too large, or does not come, is an HTTPException (413, 408)
    for the route that reads it; one that says so beforehand is refused before a byte is read."""

    def __init__(self, app: App, refuse: Callable[[HTTPException], Any]) -> None:
        self.app, self.refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        """Pass the request on with a body that has an end, or refuse it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        size, is_whole = 0, False
        give_up: float | None = None

        async def limited() -> Message:
            nonlocal size, is_whole, give_up
            if is_whole:
                # what is waited for now is that the caller leaves
                return await receive()
            now = asyncio.get_running_loop().time()
            # for all of it, from the first look on
            give_up = now + SECONDS if give_up is None else give_up
            try:
                async with asyncio.timeout_at(give_up):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > MAX_BYTES:
                raise HTTPException(413)
            return message

        if _announced(scope) > MAX_BYTES:
            await self.refuse(HTTPException(413))(scope, receive, send)
        else:
            await self.app(scope, limited, send)


def _announced(scope: Scope) -> int:
    """The bytes that a request says it has; 0 where it does not say."""
    given = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(given) if given.isdigit() else 0
