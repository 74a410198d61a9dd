"""What writes share: the identifier of a request, and how many of them one actor may send."""

import re
import threading
import time
import uuid
from collections import OrderedDict, deque
from typing import Annotated

from fastapi import Header

from api.problems import TooManyRequests
from scout_core.errors import BadInput
from scout_core.permissions import Actor

KEPT = 1000
_KEY = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")

RequestId = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Identifier of this request: sent again, it is the same run.",
        examples=["deploy-2026-11-22"],
    ),
]


def checked_request_id(given: str | None) -> str:
    """The request id of a write; one of our own where none was given. BadInput for an odd one."""
    if given is None:
        return f"api-{uuid.uuid4()}"
    if not _KEY.fullmatch(given):
        raise BadInput(
            "Idempotency-Key has other characters than it may.",
            parameter="Idempotency-Key",
            allowed="1 to 128 letters, digits or . _ : + / = -",
        )
    return given


class Limits:
    """So many requests by one actor in so many seconds; the same request again is none."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        self.lock = threading.Lock()
        self.taken: OrderedDict[str, deque[tuple[float, str]]] = OrderedDict()

    def take(self, actor: Actor, request_id: str) -> None:
        """TooManyRequests when this actor has had theirs."""
        now = time.monotonic()
        with self.lock:
            mine = self.taken.setdefault(actor.name, deque())
            self.taken.move_to_end(actor.name)
            while len(self.taken) > KEPT:
                self.taken.popitem(last=False)
            while mine and now - mine[0][0] > self.seconds:
                mine.popleft()
            if any(known == request_id for _, known in mine):
                return
            if len(mine) >= self.count:
                wait = int(self.seconds - (now - mine[0][0])) + 1
                raise TooManyRequests(retry_after=wait)
            mine.append((now, request_id))

    def clear(self) -> None:
        """Forget who took what."""
        with self.lock:
            self.taken.clear()
