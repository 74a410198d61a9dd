"""Routes of money: claims on Yango with their scout, and the base of the liquidation."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from api import models
from api.access import Reading
from api.lists import filters_of, read_list
from api.reading import Read
from scout_core.access import masks, permissions
from scout_core.money import collection, liquidation

router = APIRouter(tags=["money"])


@router.get("/yango/cabinet/collection-with-scout", summary="Claims on Yango with their scout")
def list_claims(
    actor: Reading, read: Read, asked: Annotated[models.CollectionQuestion, Query()]
) -> models.Claims:
    """Every claim on Yango, whose scout it is and where that is known from. Names of drivers are
    masked for viewers."""
    given = filters_of(collection.CollectionFilters, asked, missing_only="scout_missing_only")
    listing = partial(collection.list_claims, listed=given, sort=asked.sort)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing))
    if not permissions.sees_names(actor):
        rows = tuple(masks.without_names(row) for row in rows)
    return models.Claims(items=[models.Claim.model_validate(row) for row in rows], pagination=where)


@router.get("/scouts/liquidation/base", summary="The base of the liquidation")
def list_base(
    _: Reading, read: Read, asked: Annotated[models.LiquidationQuestion, Query()]
) -> models.Payables:
    """Persons with a scout and what would be payable for them. Pays nothing."""
    given = filters_of(liquidation.LiquidationFilters, asked)
    listing = partial(liquidation.list_base, listed=given, sort=asked.sort)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing))
    items = [models.Payable.model_validate(row) for row in rows]
    return models.Payables(items=items, pagination=where)
