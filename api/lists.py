"""Pages of lists for programs: by cursor as far as there are rows, by number near the beginning."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection

from api.models import Pagination, Question
from scout_core.errors import BadInput
from scout_core.lists.paging import MAX_PAGE_SIZE, Page

# rows that a page number may skip: each thousand of them is a page read on the way
MAX_SKIPPED = 10_000

F = TypeVar("F")


def filters_of(filter_class: type[F], question: object, **renamed: str) -> F:
    """The filters of the library from the parameters. renamed: field -> parameter."""
    given = {}
    for field in fields(filter_class):  # type: ignore[arg-type]
        name = renamed.get(field.name, field.name)
        if hasattr(question, name):
            given[field.name] = getattr(question, name)
    return filter_class(**given)


def read_list(
    conn: Connection,
    question: Question,
    read: Callable[..., Page[Any]],
    *,
    counts_itself: bool = False,
) -> tuple[tuple[Any, ...], Pagination]:
    """The rows asked for and where they are.

    read: the list, as a function of after, before, page_size, and total unless it counts itself.
    BadInput for a page number with a cursor or too far into the list.
    """
    by_cursor = question.after is not None or question.before is not None
    if by_cursor and question.page is not None:
        raise BadInput(
            "Give page or a cursor, not both.",
            parameter="page",
            allowed="left out where a cursor is given",
        )
    after = question.after
    number = None if by_cursor else question.page or 1
    if number is not None and number > 1:
        uncounted = {} if counts_itself else {"total": 0}
        after = _walk(conn, (number - 1) * question.page_size, question.page_size, read, uncounted)
    past_the_end = number is not None and number > 1 and after is None
    page = read(
        conn,
        after=after,
        before=question.before,
        page_size=1 if past_the_end else question.page_size,
    )
    pages = -(-page.total // question.page_size)
    if past_the_end:
        page = Page((), page.total, None, None)
    where = Pagination(
        page=number,
        page_size=question.page_size,
        total=page.total,
        total_pages=pages,
        after=page.after,
        before=page.before,
    )
    return page.rows, where


def _walk(
    conn: Connection,
    skipped: int,
    page_size: int,
    read: Callable[..., Page[Any]],
    uncounted: dict[str, int],
) -> str | None:
    """The cursor behind so many rows; null when the list ends there or before."""
    if skipped > MAX_SKIPPED:
        raise BadInput(
            "This page is far into the list: go on by cursor.",
            parameter="page",
            allowed=f"at most {MAX_SKIPPED // page_size + 1} at this page_size; further pages are "
            "reached by cursor (pagination.after)",
        )
    cursor: str | None = None
    while skipped:
        size = min(skipped, MAX_PAGE_SIZE)
        cursor = read(conn, after=cursor, before=None, page_size=size, **uncounted).after
        if cursor is None:
            return None
        skipped -= size
    return cursor
