"""Pages of a list by key: as fast on page 1,000 as on page 1, and nothing moves under writes.

    NEWEST = Sort(Key("newest_key", "date"), Key("row_key", "uuid"))
    page = read_page(
        conn, sql.query("conflicts", "list_open"), Conflict, {"scout": 14},
        sorts={"newest": NEWEST, ...}, sort="newest", after=None, before=None, page_size=50,
    )

The statement gives every row of the filter, without order and limit, and has a column for each
field of the row's class and each key. A key is never null (the statement puts a lowest value in
its place), the keys of a sort together are unique, and all of them run the same way. Where they are
not, the sort says is_unique=False: the rows of the same keys are then all alike to it, the cursor
counts them, and `read_copies` tells which of them a row is. A count and an export read the same
statement, so that they have the same rows as the pages.
"""

import base64
import binascii
import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    DateTime,
    Numeric,
    Select,
    Subquery,
    Text,
    TextClause,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    null,
    select,
    text,
    tuple_,
    union_all,
)

from scout_core.errors import BadInput

Row = TypeVar("Row")
KeyType = Literal["date", "timestamp", "numeric", "integer", "uuid", "text"]

# views that are a union, and the views that each is made of
_UNIONS = {
    "scout.v_persons_now": ("scout.v_settled_now", "scout.v_touched_now"),
    "scout.v_claims": ("scout.v_claims_of_persons", "scout.v_claims_of_drivers"),
}

MAX_PAGE_SIZE = 1000
MAX_CURSOR = 2000
MAX_COPIES = 2**31
# What stands for null in a date, time or number, before and after all others.
INFINITIES = ("-infinity", "infinity", "-Infinity", "Infinity")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list. total counts the whole list under its filter.

    after and before are the cursors of the next and the previous page; null = there is none.
    """

    rows: tuple[Row, ...]
    total: int
    after: str | None
    before: str | None


@dataclass(frozen=True)
class Key:
    """A column that a list is ordered by; never null."""

    name: str
    type: KeyType


@dataclass(frozen=True, init=False)
class Sort:
    """The keys of an order, together unique unless rows may come twice; all descending, else all
    ascending."""

    keys: tuple[Key, ...]
    is_descending: bool
    is_unique: bool

    def __init__(self, *keys: Key, is_descending: bool = True, is_unique: bool = True) -> None:
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "is_descending", is_descending)
        object.__setattr__(self, "is_unique", is_unique)

    @property
    def cursor_keys(self) -> tuple[Key, ...]:
        """What a cursor holds: the keys of a row, and which of the rows of these keys it is."""
        return self.keys if self.is_unique else (*self.keys, _COPY)


_COPY = Key("copy_no", "integer")


def read_page(
    conn: Connection,
    statement: TextClause,
    row_class: type[Row],
    parameters: Mapping[str, object],
    *,
    sorts: Mapping[str, Sort],
    sort: str,
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> Page[Row]:
    """The page after or before a cursor, else the first; always in the order of the sort.

    total: how many rows there are, when the caller knows; else they are counted.
    BadInput for an unknown sort, a cursor of another list or sort, both cursors, a wrong size.
    """
    page, _ = read_copies(
        conn,
        statement,
        row_class,
        parameters,
        sorts=sorts,
        sort=sort,
        after=after,
        before=before,
        page_size=page_size,
        total=total,
    )
    return page


def read_copies(
    conn: Connection,
    statement: TextClause,
    row_class: type[Row],
    parameters: Mapping[str, object],
    *,
    sorts: Mapping[str, Sort],
    sort: str,
    after: str | None = None,
    before: str | None = None,
    page_size: int = 50,
    total: int | None = None,
) -> tuple[Page[Row], list[int]]:
    """As read_page; and for each row which of the rows of its keys it is, from 1."""
    order = _order(sorts, sort)
    _check_page(page_size, after, before)
    cursor = after if after is not None else before
    values = None if cursor is None else decode_cursor(cursor, sort, order)
    is_forward = before is None
    names = [field.name for field in dataclasses.fields(row_class)]  # type: ignore[arg-type]
    bound = dict(parameters) | {f"cursor_{n}": value for n, value in enumerate(values or [])}
    arms = [
        _beyond(part, row_class, order, is_first=values is None, is_forward=is_forward).limit(
            page_size + 1
        )
        for part in _arms(statement)
    ]
    at = None if values is None else values[: len(order.keys)]
    copy_no = 0 if values is None or order.is_unique else int(values[-1])
    if at is not None and not order.is_unique:
        alike = _alike(statement, row_class, order)
        most = page_size + 1 if is_forward else min(copy_no - 1, page_size + 1)
        arms.append(alike.offset(copy_no if is_forward else 0).limit(most))
    merged = arms[0].subquery("listed")
    if len(arms) > 1:
        merged = union_all(*(select(arm.subquery()) for arm in arms)).subquery("listed")
    keys = [cast(merged.c[key.name], Text).label(f"cursor_{n}") for n, key in enumerate(order.keys)]
    query = _ordered(
        select(*(merged.c[name] for name in names), *keys), merged, order, is_forward=is_forward
    )
    found = conn.execute(query.limit(page_size + 1), bound).mappings().all()
    has_more = len(found) > page_size
    found = found[:page_size]
    if not is_forward:
        found = found[::-1]
    shown = [[row[f"cursor_{n}"] for n in range(len(order.keys))] for row in found]

    def count_alike() -> int:
        alike = select(func.count()).select_from(_alike(statement, row_class, order).subquery())
        first_keys = {f"cursor_{n}": value for n, value in enumerate(shown[0])}
        return int(conn.execute(alike, bound | first_keys).scalar_one())

    first = 1
    if shown and not order.is_unique:
        of_first = shown.count(shown[0])
        if shown[0] == at:
            first = copy_no + 1 if is_forward else copy_no - of_first
        elif not is_forward:
            # the page may begin in the midst of the rows of these keys
            first = count_alike() - of_first + 1
    copies = [n for _, alike in groupby(shown) for n in range(1, len(list(alike)) + 1)]
    if first > 1:
        # those at the beginning of the page go on counting
        copies = [
            n + first - 1 if key == shown[0] else n for key, n in zip(shown, copies, strict=True)
        ]

    def cursor_of(index: int) -> str | None:
        if not found:
            return cursor  # the rows of this page are gone; what was beside them is not
        keys = shown[index]
        return encode_cursor(sort, keys if order.is_unique else [*keys, str(copies[index])])

    page = Page(
        rows=tuple(row_class(**{name: row[name] for name in names}) for row in found),
        total=count_rows(conn, statement, parameters) if total is None else total,
        after=cursor_of(-1) if has_more or before is not None else None,
        before=cursor_of(0) if after is not None or (has_more and not is_forward) else None,
    )
    return page, copies


def read_rows(
    conn: Connection,
    statement: TextClause,
    row_class: type[Row],
    parameters: Mapping[str, object],
) -> list[Row]:
    """The rows of a statement whose parameters say which few; in no order."""
    names = [field.name for field in dataclasses.fields(row_class)]  # type: ignore[arg-type]
    queries = []
    for part in _arms(statement):
        listed = text(_bare(part)).columns(*(column(name) for name in names)).subquery()
        queries.append(select(*(listed.c[name] for name in names)))
    found = conn.execute(union_all(*queries), dict(parameters))
    return [row_class(*row) for row in found]


def count_rows(conn: Connection, statement: TextClause, parameters: Mapping[str, object]) -> int:
    """How many rows a list has under its filter."""
    rows = text(_bare(statement)).columns(column("any")).subquery("listed")
    query = select(func.count()).select_from(rows)
    return int(conn.execute(query, dict(parameters)).scalar_one())


@dataclass(frozen=True)
class Group:
    """Rows of a list that have the same values. amount_pen sums what is known, null when nothing
    is; unknown_count says how many rows have no amount."""

    values: tuple[Any, ...]
    row_count: int
    amount_pen: Decimal | None
    unknown_count: int


def count_groups(
    conn: Connection,
    statement: TextClause,
    parameters: Mapping[str, object],
    *,
    by: Sequence[str],
    amount: str | None = None,
) -> list[Group]:
    """The rows of a list under its filter by the values of some columns; together the whole list.

    In the order of those values. amount names the column of soles to sum.
    """
    money = amount or "amount"
    listed = text(_bare(statement)).columns(*(column(name) for name in (*by, money)))
    rows = listed.subquery("listed")
    mine = [rows.c[name] for name in by]
    known = rows.c[money] if amount else null()
    query = select(*mine, func.count(), func.sum(cast(known, Numeric)), func.count(known))
    if mine:
        query = query.group_by(*mine).order_by(*mine)
    found = conn.execute(query, dict(parameters)).all()
    return [
        Group(tuple(values), count, total, count - known_count)
        for *values, count, total, known_count in found
    ]


def stream_rows(
    conn: Connection,
    statement: TextClause,
    row_class: type,
    parameters: Mapping[str, object],
    *,
    sorts: Mapping[str, Sort],
    sort: str,
    chunk: int = 2000,
) -> Iterator[tuple[Any, ...]]:
    """Every row of the list in its order, as the values of the fields of row_class.

    Through a cursor of the server, so that memory stays flat; plain tuples, because making an
    object of each costs more than the rest.
    """
    order = _order(sorts, sort)
    rows = _rows(statement, row_class, order)
    names = [field.name for field in dataclasses.fields(row_class)]
    query = _ordered(select(*(rows.c[name] for name in names)), rows, order, is_forward=True)
    result = conn.execution_options(yield_per=chunk).execute(query, dict(parameters))
    yield from result


def encode_cursor(sort: str, values: list[str]) -> str:
    """An opaque text for a place in a list: the sort's name and the keys of a row."""
    packed = json.dumps([sort, *values], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, order: Sort) -> list[str]:
    """The keys of a cursor of this sort, each in the form of its type. BadInput otherwise."""
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError(cursor)
        padded = cursor + "=" * (-len(cursor) % 4)
        packed = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        name, *values = packed
        if name != sort or len(values) != len(order.cursor_keys):
            raise ValueError(name)
        if not order.is_unique and not 1 <= _whole_number(values[-1]) <= MAX_COPIES:
            raise ValueError(name)
        pairs = zip(values, order.cursor_keys, strict=True)
        return [_checked(value, key.type) for value, key in pairs]
    except (
        ValueError,
        TypeError,
        RecursionError,
        InvalidOperation,
        binascii.Error,
        UnicodeError,
    ) as exc:
        raise BadInput(
            f"This cursor is not one of a list sorted by {sort}: start at the first page.",
            parameter="cursor",
        ) from exc


def _checked(value: str, kind: KeyType) -> str:
    if not isinstance(value, str):
        raise TypeError(kind)
    if kind == "text":
        value.encode()
        if "\0" in value:
            raise ValueError(kind)
        return value
    if value in INFINITIES and kind in ("date", "timestamp", "numeric"):
        return value
    parse: dict[KeyType, Callable[[str], object]] = {
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "numeric": _number,
        "integer": _whole_number,
        "uuid": UUID,
    }
    parse[kind](value)
    return value


def _number(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite() or not -1000 < number.adjusted() < 1000 or "_" in value:
        raise ValueError(value)
    return number


def _whole_number(value: str) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63 or not value.removeprefix("-").isascii() or "_" in value:
        raise ValueError(value)
    return number


def _check_page(page_size: int, after: str | None, before: str | None) -> None:
    if not 1 <= page_size <= MAX_PAGE_SIZE:
        raise BadInput(
            f"page_size is {page_size}: give 1 to {MAX_PAGE_SIZE:,}.",
            parameter="page_size",
            allowed=f"1 to {MAX_PAGE_SIZE}",
        )
    if after is not None and before is not None:
        raise BadInput("Give after or before, not both.", parameter="after")


def _order(sorts: Mapping[str, Sort], sort: str) -> Sort:
    if sort not in sorts:
        raise BadInput(
            f"There is no sort {sort!r:.40}: give {' or '.join(sorts)}.",
            parameter="sort",
            allowed=f"one of {', '.join(sorts)}",
        )
    return sorts[sort]


def _arms(statement: TextClause) -> list[TextClause]:
    """The statement over each part of the union that its rows come from, its outermost `from`: each
    arm takes its page from an index, while a limit over the parts together would sort everything.
    """
    for union, parts in _UNIONS.items():
        # one that a subquery reads is meant whole
        named = re.compile(rf"(?<=^from ){re.escape(union)}\b", re.MULTILINE)
        if named.search(statement.text):
            return [text(named.sub(part, statement.text)) for part in parts]
    return [statement]


def _bare(statement: TextClause) -> str:
    return statement.text.rstrip().removesuffix(";")


def _rows(statement: TextClause, row_class: type, order: Sort) -> Subquery:
    names = [field.name for field in dataclasses.fields(row_class)]
    names += [key.name for key in order.keys if key.name not in names]
    return text(_bare(statement)).columns(*(column(name) for name in names)).subquery("listed")


def _ordered(query: Select[Any], rows: Subquery, order: Sort, *, is_forward: bool) -> Select[Any]:
    is_falling = order.is_descending == is_forward
    columns = (rows.c[key.name] for key in order.keys)
    return query.order_by(*(c.desc() if is_falling else c.asc() for c in columns))


def _places(order: Sort) -> list[Any]:
    """The keys of a cursor, as the statement is given them."""
    return [
        cast(bindparam(f"cursor_{n}", type_=Text()), _sql_type(key.type))
        for n, key in enumerate(order.keys)
    ]


def _beyond(
    statement: TextClause, row_class: type, order: Sort, *, is_first: bool, is_forward: bool
) -> Select[Any]:
    """The rows after the cursor, else before it; all of them when there is none."""
    rows = _rows(statement, row_class, order)
    listed = _ordered(select(*rows.c), rows, order, is_forward=is_forward)
    if is_first:
        return listed
    mine, places = tuple_(*(rows.c[key.name] for key in order.keys)), tuple_(*_places(order))
    return listed.where(mine < places if order.is_descending == is_forward else mine > places)


def _alike(statement: TextClause, row_class: type, order: Sort) -> Select[Any]:
    """The rows that have exactly the keys of the cursor."""
    rows = _rows(statement, row_class, order)
    same = zip(order.keys, _places(order), strict=True)
    return select(*rows.c).where(*(rows.c[key.name] == place for key, place in same))


def _sql_type(kind: KeyType) -> Any:
    types: dict[KeyType, Any] = {
        "date": Date(),
        "timestamp": DateTime(timezone=True),
        "numeric": Numeric(),
        "integer": BigInteger(),
        "uuid": Uuid(),
        "text": Text(),
    }
    return types[kind]
