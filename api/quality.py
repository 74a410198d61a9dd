"""Routes of the checks of the sources: what each found, how it ran, its rows."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from api import models
from api.access import Reading
from api.lists import filters_of, read_list
from api.reading import Read
from scout_core.health import source_checks

router = APIRouter(prefix="/scouts/attribution", tags=["quality"])


@router.get("/quality", summary="Checks of the sources")
def list_quality(_: Reading, read: Read) -> models.QualityChecks:
    """What each check found when it last ran, against the run before."""
    found = read.run(source_checks.list_results)
    return models.QualityChecks(checks=[models.QualityCheck.of(row) for row in found])


@router.get("/quality/rows", summary="Rows that the checks found")
def list_quality_rows(
    _: Reading, read: Read, asked: Annotated[models.QualityQuestion, Query()]
) -> models.QualityRows:
    """The source rows that a check found when it last ran, or all of them."""
    given = filters_of(source_checks.QualityFilters, asked)
    listing = partial(source_checks.list_rows, given=given, sort=asked.sort)
    rows, where = read.run(lambda conn: read_list(conn, asked, listing))
    return models.QualityRows(
        items=[models.QualityRow.model_validate(row) for row in rows], pagination=where
    )


@router.get("/quality/{check}", summary="One check of the sources")
def explain_quality(_: Reading, read: Read, check: models.CheckName) -> models.QualityReport:
    """A check with how it ran lately, newest first; its rows are under /quality/rows?check=."""
    results, history = read.run(
        lambda conn: (source_checks.list_results(conn), source_checks.list_history(conn, check))
    )
    found = next(row for row in results if row.check.name == check)
    return models.QualityReport(
        **models.QualityCheck.of(found).model_dump(),
        history=[models.QualityRun.model_validate(row) for row in history],
    )
