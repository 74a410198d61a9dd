"""Routes of what people decide: conflicts, undo, holds, identity review."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from api import models, services
from api.access import Reading, may
from api.lists import read_list
from api.reading import Read
from api.services import Served
from api.writing import Key, Limits
from scout_core.access.permissions import Actor
from scout_core.decide import decisions, holds, review, undo
from scout_core.lists import filters

router = APIRouter(prefix="/scouts/attribution", tags=["decisions"])

WRITES, PER_SECONDS = 120, 60.0
writes = Limits(WRITES, PER_SECONDS)
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {
        "model": models.Problem,
        "description": "Refused: it changed meanwhile (with the new evidence), was done before, or "
        "the key is of another request",
    },
    429: {"model": models.Problem, "description": "Too many writes: Retry-After"},
}
RunPath = Annotated[int, Path(ge=1, le=filters.MAX_SCOUT_ID)]
SourcePk = Annotated[str, Path(max_length=filters.MAX_TEXT)]


@router.post("/conflicts/{person_key}/decision", summary="Decide about a person", responses=REFUSED)
def decide(
    served: Served,
    actor: Annotated[Actor, Depends(may("decide"))],
    person_key: UUID,
    given: models.DecisionGiven,
    key: Key,
) -> models.DecisionTaken:
    """Assign a scout, decide for none, or reopen, on the evidence of `seen`."""

    def work(request_id: str) -> models.DecisionTaken:
        done = decisions.decide(
            served.write_database(),
            actor=actor,
            person_key=str(person_key),
            request_id=request_id,
            trigger="api",
            requested_at=services.now(),
            **given.model_dump(),
        )
        (decided,) = done.decided
        return models.DecisionTaken(
            run_id=done.run_id,
            decision_id=decided.decision_id,
            person_key=decided.person_key,
            outcome=done.outcome,
            scout_id=done.scout_id,
            old_scout_id=decided.old_scout_id,
            is_ledger_changed=decided.is_ledger_changed,
            paid_pen=done.paid.get(decided.person_key),
        )

    taken = key.once(writes, models.DecisionTaken, work)
    served.written()
    return taken


@router.get("/runs/{run_id}/undo", summary="What undoing a run would do")
def preview_undo(_: Reading, read: Read, run_id: RunPath) -> models.UndoPlan:
    """By subject and outcome, with the first things one by one. Writes nothing."""
    return models.UndoPlan.model_validate(read.run(lambda conn: undo.preview(conn, run_id)))


@router.post("/runs/{run_id}/undo", summary="Undo a run", responses=REFUSED)
def undo_run(
    served: Served,
    actor: Annotated[Actor, Depends(may("undo"))],
    run_id: RunPath,
    given: models.ReasonGiven,
    key: Key,
) -> models.Undone:
    """Take back what the run wrote, where nobody has changed it since; hold what was undone."""
    done = key.once(
        writes,
        models.Undone,
        lambda request_id: undo.run_undo(
            served.write_database(),
            actor=actor,
            run_id=run_id,
            reason=given.reason,
            request_id=request_id,
            trigger="api",
            requested_at=services.now(),
        ),
    )
    served.written()
    return done


@router.get("/holds", summary="What is held")
def list_holds(
    _: Reading, read: Read, asked: Annotated[models.HoldQuestion, Query()]
) -> models.Holds:
    """Persons and source rows that no run writes or links until they are released."""
    listing = partial(holds.list_open, subject=asked.subject, run_id=asked.run_id, text=asked.text)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing, counts_itself=True))
    return models.Holds(
        items=[models.OpenHold.model_validate(row) for row in rows], pagination=where
    )


@router.post("/holds/{hold_id}/release", summary="Release a hold", responses=REFUSED)
def release_hold(
    served: Served,
    actor: Annotated[Actor, Depends(may("release"))],
    hold_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    given: models.ReasonGiven,
    key: Key,
) -> models.Released:
    """The next run may write or link again."""
    done = key.once(
        writes,
        models.Released,
        lambda request_id: holds.release(
            served.write_database(),
            actor=actor,
            hold_id=hold_id,
            reason=given.reason,
            request_id=request_id,
            trigger="api",
            requested_at=services.now(),
        ),
    )
    served.written()
    return done


@router.get("/review", summary="Scouting rows that no rule could link")
def list_review(
    _: Reading, read: Read, asked: Annotated[models.ReviewQuestion, Query()]
) -> models.ReviewRows:
    """Those that wait for a person, with whom they may be by key."""
    listing = partial(review.list_open, reason_code=asked.reason_code, scout_id=asked.scout_id)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing, counts_itself=True))
    items = [models.ReviewRow.model_validate(row) for row in rows]
    return models.ReviewRows(items=items, pagination=where)


@router.get("/review/{source_pk}", summary="One scouting row")
def explain_row(_: Reading, read: Read, source_pk: SourcePk) -> models.ExplainedRow:
    """Whom it may be, side by side; identifiers are masked."""
    return models.ExplainedRow.model_validate(read.run(lambda conn: review.by_row(conn, source_pk)))


@router.post("/review/{source_pk}", summary="Link, move, register or set aside", responses=REFUSED)
def review_row(
    served: Served,
    actor: Annotated[Actor, Depends(may("review"))],
    source_pk: SourcePk,
    given: models.ReviewGiven,
    key: Key,
) -> models.Reviewed:
    """Link the row to a person, move its link to another, register a new person for it, or set it
    aside as nobody."""
    acts: dict[str, Any] = {
        "link": partial(review.link, person_key=str(given.person_key)),
        "move": partial(review.move, person_key=str(given.person_key)),
        "create": review.create,
        "dismiss": review.dismiss,
    }
    done = key.once(
        writes,
        models.Reviewed,
        lambda request_id: acts[given.act](
            served.write_database(),
            actor=actor,
            source_pk=source_pk,
            reason=given.reason,
            request_id=request_id,
            trigger="api",
            requested_at=services.now(),
        ),
    )
    served.written()
    return done
