"""Lists as files: every list under `<its address>.csv` (and .xlsx), streamed as it is read.

A GET is masked. In clear is a POST to the same address with a reason in its body, so that no reason
ever stands in an address; the role must allow it. Each file that leaves is kept in
scout.export_audit.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, BinaryIO, Literal, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from api import heads, models, services
from api.access import may
from api.lists import filters_of
from api.services import Served, Services
from api.writing import Key, Keyed
from scout_core.access import denials
from scout_core.access.permissions import Actor
from scout_core.days import LIMA
from scout_core.export import writer
from scout_core.export.delivery import export_to
from scout_core.export.lists import LISTS
from scout_core.lists import kept_texts

router = APIRouter(tags=["files"])

WAITING_CHUNKS = 4
# a reader that takes nothing for so long holds a snapshot of the database for nobody
IDLE_SECONDS = 60.0

SCHEMAS: dict[writer.Format, dict[str, str]] = {
    "csv": {"type": "string"},
    "xlsx": {"type": "string", "format": "binary"},
}
REUSED: dict[str, Any] = {
    "model": models.Problem,
    "description": "The key is of another request",
}

Exporting = Annotated[Actor, Depends(may("export"))]


class FileForm(BaseModel):
    """How a file is written."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    delimiter: Literal[";", ","] | None = None
    """Between the values of CSV: `;`, and `,` with raw."""
    raw: bool = False
    """CSV for machines: no BOM, no apostrophes, lists as JSON."""
    lang: Literal["es", "en"] | None = None
    """Language of the headings; none = the names of the columns."""


class ClearForm(BaseModel):
    """Why phones and licences are wanted in clear; kept with the export."""

    model_config = ConfigDict(extra="forbid")

    reason: models.Reason = Field(examples=["Calls to drivers of the week"])


class ConflictFile(FileForm, models.ConflictFilter):
    """Which open conflicts, and how the file is written."""


class BacklogFile(FileForm, models.BacklogFilter):
    """Which persons without a scout, and how the file is written."""


class CollectionFile(FileForm, models.CollectionFilter):
    """Which claims, and how the file is written."""


class LiquidationFile(FileForm, models.LiquidationFilter):
    """Which persons with a scout, and how the file is written."""


class RunFile(FileForm, models.RunFilter):
    """Which runs, and how the file is written."""


class AuditFile(FileForm, models.AuditFilter):
    """Which rows of an audit table, and how the file is written."""


class QualityFile(FileForm, models.QualityFilter):
    """Which rows of the checks of the sources, and how the file is written."""


_FILES: dict[str, type[FileForm]] = {
    "conflicts": ConflictFile,
    "backlog": BacklogFile,
    "runs": RunFile,
    "audit": AuditFile,
    "quality": QualityFile,
    "liquidation": LiquidationFile,
    "collection": CollectionFile,
}


def _typed(filters: Any) -> Any:
    """The filters with the texts that an address of a page names."""
    texts = {n: v for n, v in vars(filters).items() if isinstance(v, str)}
    return replace(filters, **{n: kept_texts.from_address(v) for n, v in texts.items()})


def _add(name: str, form: writer.Format) -> None:
    question, listed = _FILES[name], LISTS[name]
    answers: dict[int | str, dict[str, Any]] = {
        200: {
            "content": {writer.MEDIA_TYPES[form].partition(";")[0]: {"schema": SCHEMAS[form]}},
            "description": "The file, as it is read",
        }
    }

    def masked(
        request: Request,
        served: Served,
        actor: Exporting,
        asked: Annotated[Any, Query()],
    ) -> StreamingResponse:
        return _answer(request, served, actor, asked)

    def clear(
        request: Request,
        served: Served,
        actor: Annotated[Actor, Depends(may("export_clear"))],
        asked: Annotated[Any, Query()],
        body: ClearForm,
        key: Key,
    ) -> StreamingResponse:
        return _answer(request, served, actor, asked, reason=body.reason, key=key)

    def _answer(
        request: Request,
        served: Services,
        actor: Actor,
        asked: Any,
        *,
        reason: str | None = None,
        key: Keyed | None = None,
    ) -> StreamingResponse:
        checked = writer.checked_form(
            actor,
            format=form,
            delimiter=asked.delimiter if form == "csv" else None,
            is_raw=asked.raw,
            is_clear=reason is not None,
            reason=reason,
        )
        if key is not None:
            key.bind()
        given: Any = _typed(filters_of(listed.filters, asked, **listed.parameters))
        headings = served.headings(name, asked.lang) if asked.lang else None
        via: denials.Via = "page" if request.scope["root_path"].startswith("/scouts") else "api"
        now = services.now()
        reads, writes = served.export_database(), served.write_database()

        def write(out: BinaryIO) -> None:
            export_to(
                reads,
                writes,
                name,
                given,
                out,
                checked,
                actor=actor,
                via=via,
                now=now,
                sort=asked.sort,
                reason=reason,
                headings=headings,
            )

        file = f"{name}-{now.astimezone(LIMA):%Y-%m-%d-%H%M}.{form}"
        return StreamingResponse(
            # nothing leaves with a HEAD, so there is nothing to keep
            iter(()) if heads.is_head(request) else streamed(write),
            media_type=writer.MEDIA_TYPES[form],
            headers={"content-disposition": f'attachment; filename="{file}"'},
        )

    for endpoint in (masked, clear):
        endpoint.__annotations__["asked"] = Annotated[question, Query()]
    router.get(
        f"{listed.address}.{form}",
        name=f"{name}_{form}",
        summary=f"The list of {name} as {form.upper()}, masked",
        response_class=StreamingResponse,
        responses=answers,
    )(masked)
    router.post(
        f"{listed.address}.{form}",
        name=f"{name}_{form}_clear",
        summary=f"The list of {name} as {form.upper()}, in clear for a reason",
        response_class=StreamingResponse,
        responses=answers | {409: REUSED},
    )(clear)


class _Gone(Exception):
    """The reader has left."""


class _Pipe:
    """What is written on one side and read on the other: never more than a few chunks wait."""

    def __init__(self) -> None:
        self.chunks: queue.Queue[bytes | BaseException | None] = queue.Queue(WAITING_CHUNKS)
        self.is_closed = threading.Event()

    def write(self, data: bytes) -> None:
        self.put(data)

    def put(self, item: bytes | BaseException | None) -> None:
        waited = 0.0
        while not self.is_closed.is_set():
            try:
                self.chunks.put(item, timeout=0.5)
            except queue.Full:
                waited += 0.5
                if waited >= IDLE_SECONDS:
                    break
            else:
                return
        raise _Gone


def streamed(write: Callable[[BinaryIO], None]) -> Iterator[bytes]:
    """What `write` writes, chunk by chunk while it writes. An error before the first chunk is
    raised here; a later one cuts the answer, so that it is not taken for whole."""
    pipe = _Pipe()

    def work() -> None:
        try:
            write(cast(BinaryIO, pipe))
            pipe.put(None)
        except _Gone:
            return
        except BaseException as exc:  # noqa: BLE001 - raised again where it is read
            try:
                pipe.put(exc)
            except _Gone:
                return

    threading.Thread(target=work, name="export", daemon=True).start()
    first = pipe.chunks.get()
    if isinstance(first, BaseException):
        raise first
    return _chunks(pipe, first)


def _chunks(pipe: _Pipe, first: bytes | None) -> Iterator[bytes]:
    item: bytes | BaseException | None = first
    try:
        while item is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            item = pipe.chunks.get()
    finally:
        pipe.is_closed.set()


for _name in _FILES:
    for _form in writer.FORMATS:
        _add(_name, _form)
