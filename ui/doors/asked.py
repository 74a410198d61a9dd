"""What is asked for: the parts of an ASGI scope that the doors look at."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
End = tuple[str, int | None]

# Methods that change nothing.
SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True)
class Asked:
    """A request, or the opening of a websocket. headers: lower-case name -> values, in order."""

    is_websocket: bool
    method: str
    path: str
    headers: Mapping[str, tuple[str, ...]]
    version: str
    scheme: str
    client: End
    server: End

    @classmethod
    def of(cls, scope: Scope) -> "Asked":
        """What a scope asks for."""
        headers: dict[str, tuple[str, ...]] = {}
        for raw_name, value in scope["headers"]:
            name = raw_name.decode("latin-1").lower()
            headers[name] = (*headers.get(name, ()), value.decode("latin-1"))
        is_websocket = scope["type"] == "websocket"
        path, root = scope["path"], scope.get("root_path") or ""
        return cls(
            is_websocket,
            "GET" if is_websocket else scope["method"],
            path.removeprefix(root) if path.startswith(f"{root}/") else path,
            headers,
            scope.get("http_version", "1.1"),
            scope.get("scheme") or ("ws" if is_websocket else "http"),
            tuple(scope.get("client") or ("", 0)),
            tuple(scope.get("server") or ("127.0.0.1", 0)),
        )

    @property
    def host(self) -> str:
        """The Host header; empty where there is none."""
        return self.headers.get("host", ("",))[0]

    @property
    def changes_something(self) -> bool:
        """Whether it may change something here: a write, or a websocket, which takes clicks."""
        return self.is_websocket or self.method not in SAFE
