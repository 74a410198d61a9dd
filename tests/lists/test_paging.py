"""Pages by key: page after page is the whole list, in every direction, also while others write."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from scout_core.db.database import ADMIN, Database
from scout_core.errors import BadInput
from scout_core.lists.paging import (
    Key,
    Page,
    Sort,
    count_rows,
    decode_cursor,
    encode_cursor,
    read_page,
    stream_rows,
)

TABLE = (
    "create table public.things (id integer, name text, day date, amount numeric, seen timestamptz)"
)
FILL = """
insert into public.things
select
    n,
    case when n % 7 = 0 then 'ñ|' || n else 'thing ' || n % 10 end,
    case when n % 5 > 0 then date '2026-01-01' + n % 4 end,
    case when n % 3 > 0 then (n % 8) * 1.50 end,
    case when n % 6 > 0 then timestamptz '2026-01-01 03:00Z' + n % 9 * interval '1.5 second' end
from generate_series(1, 53) as n
"""
LIST = text("""
select
    t.id,
    t.name,
    t.day,
    t.amount,
    coalesce(t.day, '-infinity') as day_key,
    coalesce(t.amount, '-infinity') as amount_key,
    coalesce(t.seen, '-infinity') as seen_key
from public.things as t
where (cast(:name as text) is null or t.name = :name);
""")
SORTS = {
    "newest": Sort(Key("day_key", "date"), Key("id", "integer")),
    "most": Sort(Key("amount_key", "numeric"), Key("day_key", "date"), Key("id", "integer")),
    "seen": Sort(Key("seen_key", "timestamp"), Key("id", "integer")),
    "named": Sort(Key("name", "text"), Key("id", "integer"), is_descending=False),
}


@dataclass(frozen=True)
class Thing:
    id: int
    name: str
    day: date | None
    amount: Decimal | None


@pytest.fixture(scope="module")
def things_db(server_url: str) -> Iterator[Database]:
    from tests.support import databases

    with databases.clone(server_url, "template0") as url:
        database = Database(url)
        with database.transaction(ADMIN) as conn:
            conn.execute(text(TABLE))
            conn.execute(text(FILL))
        yield database
        database.dispose()


@pytest.fixture
def conn(things_db: Database) -> Iterator[Connection]:
    """A transaction that is rolled back: what a test writes is gone with it."""
    transaction = things_db.begin(ADMIN)
    yield transaction.conn
    transaction.rollback()


def page(conn: Connection, sort: str = "newest", name: str | None = None, **more: Any) -> Any:
    return read_page(conn, LIST, Thing, {"name": name}, sorts=SORTS, sort=sort, **more)


def expected(conn: Connection, sort: str) -> list[int]:
    order = {
        "newest": "day desc nulls last, id desc",
        "most": "amount desc nulls last, day desc nulls last, id desc",
        "seen": "seen desc nulls last, id desc",
        "named": "name, id",
    }[sort]
    return list(conn.execute(text(f"select id from public.things order by {order}")).scalars())


def forward(conn: Connection, sort: str, size: int) -> list[Page[Thing]]:
    pages = [page(conn, sort, page_size=size)]
    while pages[-1].after:
        pages.append(page(conn, sort, after=pages[-1].after, page_size=size))
    return pages


@pytest.mark.parametrize("size", [1, 10, 52, 53, 54])
@pytest.mark.parametrize("sort", SORTS)
def test_page_after_page_is_the_whole_list(conn: Connection, sort: str, size: int) -> None:
    pages = forward(conn, sort, size)
    assert [row.id for p in pages for row in p.rows] == expected(conn, sort)
    assert {p.total for p in pages} == {53}
    assert [len(p.rows) for p in pages[:-1]] == [size] * (len(pages) - 1)
    assert pages[0].before is None
    assert pages[-1].after is None


@pytest.mark.parametrize("sort", SORTS)
def test_the_way_back_shows_the_same_pages(conn: Connection, sort: str) -> None:
    pages = forward(conn, sort, 10)
    back = [pages[-1]]
    while back[-1].before:
        back.append(page(conn, sort, before=back[-1].before, page_size=10))
    assert [p.rows for p in back] == [p.rows for p in reversed(pages)]
    assert back[-1].after == pages[0].after
    assert [p.after for p in back[1:-1]] == [p.after for p in pages[-2:0:-1]]


def test_rows_written_meanwhile_neither_repeat_nor_hide_others(conn: Connection) -> None:
    order = expected(conn, "newest")
    first = page(conn, page_size=20)
    gone = first.rows[-1].id  # the row that the cursor names
    conn.execute(text("delete from public.things where id = :id or id = :other"), {
        "id": gone, "other": order[3],
    })  # fmt: skip
    conn.execute(
        text("insert into public.things values (900, 'n', '2026-02-01'), (901, 'n', null)")
    )
    second = page(conn, after=first.after, page_size=20)
    assert [row.id for row in second.rows] == order[20:40]
    third = page(conn, after=second.after, page_size=20)
    assert [row.id for row in third.rows] == [*order[40:43], 901, *order[43:]]
    back = page(conn, before=second.before, page_size=20)
    kept = [i for i in order[:20] if i not in (gone, order[3])]
    assert [row.id for row in back.rows] == [900, *kept]
    assert back.before is None


def test_page_whose_rows_are_gone_still_leads_back(conn: Connection) -> None:
    first = page(conn, page_size=50)
    conn.execute(text("delete from public.things where day is null"))
    rest = page(conn, after=first.after, page_size=50)
    assert rest.rows == ()
    assert rest.after is None
    back = page(conn, before=rest.before, page_size=50)
    assert [row.id for row in back.rows] == expected(conn, "newest")


def test_filter_holds_for_rows_total_and_stream(conn: Connection) -> None:
    found = page(conn, name="thing 3", page_size=2)
    ids = [i for i in expected(conn, "newest") if i % 10 == 3 and i % 7]
    assert [row.id for row in found.rows] == ids[:2]
    assert found.total == len(ids) == count_rows(conn, LIST, {"name": "thing 3"})
    streamed = stream_rows(
        conn, LIST, Thing, {"name": "thing 3"}, sorts=SORTS, sort="newest", chunk=2
    )
    assert [row[0] for row in streamed] == ids
    assert page(conn, name="no such").rows == ()
    assert page(conn, total=7).total == 7


@pytest.mark.parametrize("sort", SORTS)
def test_stream_is_the_list(conn: Connection, sort: str) -> None:
    rows = stream_rows(conn, LIST, Thing, {"name": None}, sorts=SORTS, sort=sort, chunk=7)
    assert [row[0] for row in rows] == expected(conn, sort)


def test_unknown_values_stay_null_in_the_rows(conn: Connection) -> None:
    rows = page(conn, "most", page_size=53).rows
    assert {row.id for row in rows if row.amount is None} == {i for i in range(1, 54) if i % 3 == 0}
    assert rows[-1].day is None


def broken(*packed: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(packed).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "é", "\0", "====", "A" * 5000, "\ud800", broken(), broken("newest"),
        broken("newest", "2026-01-01"), broken("newest", "2026-01-01", "1", "2"),
        broken("most", "2026-01-01", "1"), broken("newest", "2026-13-01", "1"),
        broken("newest", "2026-01-01", "x"), broken("newest", "2026-01-01", "9" * 30),
        broken("newest", "2026-01-01", None), broken("newest", 20260101, 1),
        broken("newest", "2026-01-01", "1; drop table things"), broken("newest", "-infinity", ""),
        broken("newest", "2026-01-01", "-infinity"), broken("newest", "2026-01-01", "٣"),
        broken("newest", {"a": 1}, []), base64.urlsafe_b64encode(b"[" * 900).decode(),
    ],
)  # fmt: skip
def test_bad_cursor_is_said_and_never_reaches_the_database(conn: Connection, cursor: str) -> None:
    for where in ("after", "before"):
        with pytest.raises(BadInput, match="not one of a list sorted by newest") as caught:
            page(conn, **{where: cursor})
        assert caught.value.parameter == "cursor"
    assert page(conn).total == 53


@given(st.text(max_size=40), st.integers(-(2**63), 2**63 - 1))
def test_cursor_gives_back_what_it_was_made_of(name: str, number: int) -> None:
    values = [name.replace("\0", ""), str(number)]
    try:
        cursor = encode_cursor("named", values)
    except UnicodeEncodeError:
        return
    assert decode_cursor(cursor, "named", SORTS["named"]) == values
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("number", ["1e400000", "NaN", "sNaN", "1_0", ""])
def test_number_that_the_database_cannot_hold_is_no_cursor(number: str) -> None:
    with pytest.raises(BadInput):
        decode_cursor(broken("most", number, "2026-01-01", "1"), "most", SORTS["most"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"page_size": 0}, "1 to 1,000"), ({"page_size": -1}, "1 to 1,000"),
        ({"page_size": 1001}, "1 to 1,000"), ({"sort": "moon"}, "newest or most or seen or named"),
        ({"after": "x", "before": "y"}, "not both"),
    ],
)  # fmt: skip
def test_wrong_request_names_what_is_allowed(
    conn: Connection, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        page(conn, **more)
