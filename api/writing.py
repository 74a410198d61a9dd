"""What writes share: the key of a request, and how many of them one actor may send."""

import hashlib
import json
import re
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from api import services as services_module
from api.access import actor_of
from api.problems import TooManyRequests
from api.services import Served, Services
from scout_core.access import request_keys
from scout_core.access.permissions import Actor
from scout_core.errors import BadInput

KEPT = 1000
_KEY = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
A = TypeVar("A", bound=BaseModel)


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


class Keyed:
    """A write under its key: done once, and answered the same however often it is sent."""

    def __init__(
        self, services: Services, actor: Actor, given: str | None, request_hash: bytes
    ) -> None:
        self._services, self._actor = services, actor
        self._given, self._hash = given, request_hash

    def once(
        self,
        limits: Limits,
        answer: type[A],
        work: Callable[[str], object],
        *,
        is_final: Callable[[A], bool] = lambda _: True,
    ) -> A:
        """What this request is answered: by `work`, which is given a request id, or as before.

        KeyReused when the key is of another actor, route or body; TooManyRequests. An answer that
        is not final is not kept.
        """
        if self._given is None:
            request_id = f"api-{uuid.uuid4()}"
            limits.take(self._actor, request_id)
            return answer.model_validate(work(request_id), from_attributes=True)
        limits.take(self._actor, self._given)
        claimed = self._claim(self._given)
        if claimed.answer is not None:
            return answer.model_validate_json(claimed.answer)
        made = answer.model_validate(work(claimed.request_id), from_attributes=True)
        if not is_final(made):
            return made
        kept = request_keys.keep_answer(
            self._services.write_database(), claimed, made.model_dump_json()
        )
        return answer.model_validate_json(kept)

    def bind(self) -> None:
        """Let the key, where one is given, be that of this request. KeyReused when it is another's.
        For what is answered anew each time."""
        if self._given is not None:
            self._claim(self._given)

    def _claim(self, key: str) -> request_keys.Claimed:
        return request_keys.claim(
            self._services.write_database(),
            key=key,
            actor=self._actor,
            request_hash=self._hash,
            now=services_module.now(),
        )


async def key_of(
    request: Request,
    served: Served,
    actor: Annotated[Actor, Depends(actor_of)],
    given: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Key of this request, for a week: sent again by the same caller to the "
            "same address with the same body, it is done once and answered as before. Anything "
            "else under the key is refused (409). A refused request may be sent again; a changed "
            "one needs a new key. A file is written anew each time.",
            examples=["deploy-2026-11-22"],
        ),
    ] = None,
) -> Keyed:
    """The write as its key names it. BadInput for an odd key."""
    if given is not None and not _KEY.fullmatch(given):
        raise BadInput(
            "Idempotency-Key has other characters than it may.",
            parameter="Idempotency-Key",
            allowed="1 to 128 letters, digits or . _ : + / = -",
        )
    return Keyed(served, actor, given, hash_of(request, await request.body()))


def hash_of(request: Request, body: bytes) -> bytes:
    """What makes two requests the same: method, address below the mount, parameters, body. The
    order of parameters and members of the body, and blanks in it, do not matter."""
    try:
        content = json.dumps(json.loads(body), sort_keys=True) if body else ""
    except (ValueError, RecursionError):
        content = body.hex()
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    parts = [request.method, path, sorted(request.query_params.multi_items()), content]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


Key = Annotated[Keyed, Depends(key_of)]
