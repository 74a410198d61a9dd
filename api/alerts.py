"""Routes of alerts: what stands, the life of one, acknowledge, mute, unmute."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy import Connection

from api import models, services
from api.access import Reading, may
from api.decisions import REFUSED, writes
from api.lists import filters_of, read_list
from api.reading import Read
from api.services import Served
from api.writing import Key
from scout_core.access.permissions import Actor
from scout_core.alerts import acts, register

router = APIRouter(prefix="/scouts/attribution/alerts", tags=["alerts"])

AlertId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[41])]
Muting = Annotated[Actor, Depends(may("mute"))]


@router.get("", summary="What asks for attention")
def list_alerts(
    _: Reading, read: Read, asked: Annotated[models.AlertQuestion, Query()]
) -> models.Alerts:
    """The alerts that stand, whatever their age; by status those that are muted or gone."""
    now = services.now()
    key = None if asked.person_key is None else str(asked.person_key)
    given = filters_of(register.AlertFilters, asked.model_copy(update={"person_key": key}))
    listing = partial(register.list_alerts, listed=given, now=now, sort=asked.sort)

    def both(conn: Connection) -> models.Alerts:
        rows, where = read_list(conn, asked, listing)
        return models.Alerts(
            standing=[
                models.AlertCount.model_validate(row) for row in register.count_standing(conn, now)
            ],
            items=[models.Alert.model_validate(row) for row in rows],
            pagination=where,
        )

    return read.run(both)


@router.get("/{alert_id}", summary="One alert and its life")
def tell_alert(_: Reading, read: Read, alert_id: AlertId) -> models.AlertTold:
    """The alert and what happened to it, newest first."""
    now = services.now()

    def told(conn: Connection) -> models.AlertTold:
        return models.AlertTold(
            alert=models.Alert.model_validate(register.by_id(conn, alert_id, now)),
            events=[
                models.AlertEvent.model_validate(event)
                for event in register.list_events(conn, alert_id)
            ],
        )

    return read.run(told)


@router.post("/{alert_id}/ack", summary="Acknowledge an alert", responses=REFUSED)
def acknowledge(
    served: Served,
    actor: Muting,
    alert_id: AlertId,
    given: models.ReasonGiven,
    key: Key,
) -> models.AlertActed:
    """Somebody is at it: it still stands, and is open again when it gets worse."""
    done = key.once(
        writes,
        models.AlertActed,
        lambda request_id: acts.ack(
            served.write_database(),
            actor=actor,
            alert_id=alert_id,
            reason=given.reason,
            now=services.now(),
            request_id=request_id,
        ),
    )
    served.written()
    return done


@router.post("/{alert_id}/mute", summary="Mute an alert for a while", responses=REFUSED)
def mute(
    served: Served,
    actor: Muting,
    alert_id: AlertId,
    given: models.MuteGiven,
    key: Key,
) -> models.AlertActed:
    """Nobody is told of it until then; it still stands, and is open after it."""
    done = key.once(
        writes,
        models.AlertActed,
        lambda request_id: acts.mute(
            served.write_database(),
            actor=actor,
            alert_id=alert_id,
            until=given.until,
            reason=given.reason,
            now=services.now(),
            request_id=request_id,
        ),
    )
    served.written()
    return done


@router.post("/{alert_id}/unmute", summary="End a mute", responses=REFUSED)
def unmute(
    served: Served,
    actor: Muting,
    alert_id: AlertId,
    given: models.ReasonGiven,
    key: Key,
) -> models.AlertActed:
    """The alert is open at once, where its condition holds."""
    done = key.once(
        writes,
        models.AlertActed,
        lambda request_id: acts.unmute(
            served.write_database(),
            actor=actor,
            alert_id=alert_id,
            reason=given.reason,
            now=services.now(),
            request_id=request_id,
        ),
    )
    served.written()
    return done
