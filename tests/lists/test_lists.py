"""The four lists of cases and money: pages, filters and totals agree with the views they read."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, text

from scout_core.attribution import backlog, conflicts
from scout_core.db.database import ADMIN, LOOK, Database
from scout_core.errors import BadInput
from scout_core.lists.paging import Group, Page
from scout_core.money import collection, liquidation
from tests.support import factories
from tests.support.looking import Look, installed, look, refresh, refreshed_demo, value, write

Row = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """A list with its reader, counters, view and filters."""

    module: Any
    view: str
    filters: Any
    read: Callable[..., Page[Any]]
    stream: Callable[..., Iterator[Any]]
    count: Callable[..., int]
    groups: Callable[..., list[Group]]
    exported: type
    key: tuple[str, ...] = ("person_key",)


LISTS = {
    "conflicts": Listing(
        conflicts, "v_scout_attribution_conflicts", conflicts.ConflictFilters,
        conflicts.list_open, conflicts.stream_open, conflicts.count_open, conflicts.count_kinds,
        conflicts.ExportedConflict,
    ),
    "backlog": Listing(
        backlog, "v_persons_without_scout_categorized", backlog.BacklogFilters,
        backlog.list_missing, backlog.stream_missing, backlog.count_missing, backlog.count_reasons,
        backlog.ExportedPerson,
    ),
    "collection": Listing(
        collection, "v_yango_collection_with_scout", collection.CollectionFilters,
        collection.list_claims, collection.stream_claims, collection.count_claims,
        collection.count_buckets, collection.Claim, key=("driver_id", "milestone_value"),
    ),
    "liquidation": Listing(
        liquidation, "v_scout_payment_base", liquidation.LiquidationFilters,
        liquidation.list_base, liquidation.stream_base, liquidation.count_base,
        liquidation.count_statuses, liquidation.Payable,
    ),
}  # fmt: skip
NONE = Decimal("-Infinity")
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)
# The value that a sort goes by, and whether it falls.
ORDERS: dict[tuple[str, str], tuple[Callable[[Any], Any], bool]] = {
    ("conflicts", "newest"): (lambda r: r.last_event_date or FIRST, True),
    ("conflicts", "stake"): (lambda r: NONE if r.at_stake_pen is None else r.at_stake_pen, True),
    ("backlog", "newest"): (lambda r: r.last_event_date or FIRST, True),
    ("backlog", "oldest"): (lambda r: r.first_event_date or LAST, False),
    ("collection", "overdue"): (lambda r: r.days_overdue_yango, True),
    ("collection", "amount"): (lambda r: NONE if r.expected_amount is None else r.expected_amount,
                               True),
    ("liquidation", "newest"): (lambda r: r.attribution_date or FIRST, True),
    ("liquidation", "scout"): (lambda r: r.scout_id, False),
    ("liquidation", "amount"): (lambda r: NONE if r.amount_payable is None else r.amount_payable,
                                True),
}  # fmt: skip


@pytest.fixture(scope="module")
def demo_db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        write(
            db,
            # a few more conflicts than so small a demo has: a second scout for some persons
            "insert into observational.lead_events"
            " (source_table, source_pk, event_date, person_key, scout_id)"
            " select 'module_ct_migrations', 'more-' || e.id, e.event_date, e.person_key,"
            " e.scout_id + 1 from observational.lead_events as e where e.scout_id is not null"
            " order by e.id limit 25",
            "update public.peer_claims set expected_amount = null where milestone_value = 25"
            " and driver_id < '8'",
            "update public.peer_claims set expected_amount = null where driver_id in (select"
            " c.driver_id from public.peer_claims as c where c.driver_id < '8'"
            " group by c.driver_id having count(*) = 1 and not bool_or(c.paid))",
        )
        yield db


@pytest.fixture(scope="module")
def conn(demo_db: Database) -> Iterator[Connection]:
    # open for all the tests of this file, which together take longer than a page may
    with demo_db.transaction(replace(LOOK, wall_seconds=None)) as opened:
        yield opened


@pytest.fixture(scope="module")
def seen(demo_db: Database) -> Look:
    return look(demo_db)


def key_of(listing: Listing, row: Any) -> tuple[str, ...]:
    read = row.__getitem__ if isinstance(row, dict) else lambda name: getattr(row, name)
    return tuple(str(read(name)) for name in listing.key)


def whole(conn: Connection, listing: Listing, given: Any = None, **more: Any) -> list[Any]:
    """All rows, page after page."""
    page = listing.read(conn, given, page_size=60, **more)
    rows, totals = list(page.rows), {page.total}
    while page.after:
        page = listing.read(conn, given, page_size=60, after=page.after, **more)
        rows += page.rows
        totals.add(page.total)
    assert totals == {len(rows)}
    return rows


@pytest.mark.parametrize(("name", "sort"), ORDERS)
def test_pages_together_are_the_view_in_the_order_of_the_sort(
    conn: Connection, seen: Look, name: str, sort: str
) -> None:
    listing = LISTS[name]
    rows = whole(conn, listing, sort=sort)
    keys = [key_of(listing, row) for row in rows]
    expected = [key_of(listing, row) for row in seen.views[listing.view]]
    assert len(rows) > (17 if name == "conflicts" else 60)
    assert sorted(keys) == sorted(expected)
    assert len(set(keys)) == len(keys)
    order, falls = ORDERS[name, sort]
    values = [order(row) for row in rows]
    assert values == sorted(values, reverse=falls)
    assert len(set(values)) > 1


@pytest.mark.parametrize(("name", "sort"), ORDERS)
def test_way_back_gives_the_same_rows(conn: Connection, name: str, sort: str) -> None:
    listing = LISTS[name]
    pages = [listing.read(conn, sort=sort, page_size=7)]
    for _ in range(3):
        pages.append(listing.read(conn, sort=sort, page_size=7, after=pages[-1].after))
    back = pages[-1]
    for page in reversed(pages[:-1]):
        back = listing.read(conn, sort=sort, page_size=7, before=back.before)
        assert back.rows == page.rows
    assert back.before is None


@pytest.mark.parametrize("name", LISTS)
def test_rows_say_what_the_view_says(conn: Connection, seen: Look, name: str) -> None:
    listing = LISTS[name]
    by_key = {key_of(listing, row): row for row in seen.views[listing.view]}
    for row in whole(conn, listing):
        given = by_key[key_of(listing, row)]
        for field in fields(row):
            if field.name in given and field.name != "person_key":
                expected = given[field.name]
                if field.name == "yango_due_date":
                    expected = expected and expected.date()
                assert getattr(row, field.name) == expected, field.name


@pytest.mark.parametrize(("name", "sort"), ORDERS)
def test_stream_for_the_export_has_the_rows_of_the_pages(
    conn: Connection, name: str, sort: str
) -> None:
    listing = LISTS[name]
    rows = whole(conn, listing, sort=sort)
    streamed = list(listing.stream(conn, sort=sort))
    # what goes back with a decision is for who decides, not for a file
    shown = {field.name for field in fields(rows[0])} - {"seen"}
    names = [field.name for field in fields(listing.exported)]
    streamed = [dict(zip(names, row, strict=True)) for row in streamed]
    assert [[r[n] for n in sorted(shown)] for r in streamed] == [
        [getattr(r, n) for n in sorted(shown)] for r in rows
    ]


def within(row: Row, column: str, since: date | None, until: date | None) -> bool:
    day = row[column]
    return day is not None and (since is None or day >= since) and (until is None or day <= until)


MIDDLE = date(2026, 6, 1)
FILTERS: list[tuple[str, dict[str, Any], Callable[[Row], bool]]] = [
    ("conflicts", {"conflict_kind": "SEVERAL_SCOUTS"},
     lambda r: r["conflict_kind"] == "SEVERAL_SCOUTS"),
    ("conflicts", {"conflict_kind": "CONTRADICTS_LEDGER"},
     lambda r: r["conflict_kind"] == "CONTRADICTS_LEDGER"),
    ("conflicts", {"source": "observational.lead_events"},
     lambda r: "observational.lead_events" in r["sources"]),
    ("conflicts", {"source": "public.module_ct_scouting_daily"},
     lambda r: "public.module_ct_scouting_daily" in r["sources"]),
    ("backlog", {"category": "A"}, lambda r: r["category"] == "A"),
    ("backlog", {"category": "D"}, lambda r: r["category"] == "D"),
    ("backlog", {"reason_code": "NO_EVENTS"}, lambda r: r["reason_code"] == "NO_EVENTS"),
    ("backlog", {"lead_only": True}, lambda r: r["is_lead"]),
    ("backlog", {"source": "module_ct_cabinet_leads", "category": "A"},
     lambda r: "module_ct_cabinet_leads" in r["source_tables"] and r["category"] == "A"),
    ("collection", {"missing_only": True}, lambda r: not r["is_scout_resolved"]),
    ("collection", {"conflicts_only": True}, lambda r: r["is_conflict"]),
    ("collection", {"bucket": "MIGRATIONS_ONLY"},
     lambda r: r["scout_quality_bucket"] == "MIGRATIONS_ONLY"),
    ("collection", {"overdue_bucket": "4_30_plus", "payment_status": "UNPAID"},
     lambda r: r["overdue_bucket_yango"] == "4_30_plus" and r["yango_payment_status"] == "UNPAID"),
    ("collection", {"unpaid_only": True}, lambda r: r["yango_payment_status"] != "PAID"),
    ("liquidation", {"payment_status": "ELIGIBLE"}, lambda r: r["payment_status"] == "ELIGIBLE"),
    ("liquidation", {"block_reason": "CONFLICT"}, lambda r: r["block_reason"] == "CONFLICT"),
    ("liquidation", {"block_reason": "NO_IDENTITY"}, lambda r: r["block_reason"] == "NO_IDENTITY"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "holds"),
    FILTERS,
    ids=lambda v: "" if callable(v) else str(v)[:60],
)
def test_filter_gives_exactly_its_rows(
    conn: Connection, seen: Look, name: str, given: dict[str, Any], holds: Callable[[Row], bool]
) -> None:
    listing = LISTS[name]
    filters = listing.filters(**given)
    all_rows = seen.views[listing.view]
    expected = sorted(key_of(listing, row) for row in all_rows if holds(row))
    assert 0 < len(expected) < len(all_rows) or given["source"] == "observational.lead_events"
    found = whole(conn, listing, filters)
    assert sorted(key_of(listing, row) for row in found) == expected
    assert listing.count(conn, filters) == len(expected)
    assert sum(group.row_count for group in listing.groups(conn, filters)) == len(expected)


DAYS = {
    "conflicts": "last_event_date",
    "backlog": "last_event_date",
    "liquidation": "attribution_date",
}


@pytest.mark.parametrize("name", DAYS)
def test_days_hold_both_ends_and_leave_out_unknown_ones(
    conn: Connection, seen: Look, name: str
) -> None:
    listing, column = LISTS[name], DAYS[name]
    days = sorted(row[column] for row in seen.views[listing.view] if row[column])
    low, high = days[len(days) // 3], days[2 * len(days) // 3]
    for since, until in ((low, high), (low, None), (None, high), (low, low)):
        expected = [r for r in seen.views[listing.view] if within(r, column, since, until)]
        found = whole(conn, listing, listing.filters(since=since, until=until))
        assert sorted(key_of(listing, r) for r in found) == sorted(
            key_of(listing, r) for r in expected
        )
        assert found


@pytest.mark.parametrize("name", ["conflicts", "collection", "liquidation", "backlog"])
def test_scout_filter_gives_that_scouts_rows(conn: Connection, seen: Look, name: str) -> None:
    listing = LISTS[name]
    scouts = {
        "conflicts": lambda r: r["scout_ids"],
        "collection": lambda r: [r["scout_id"]],
        "liquidation": lambda r: [r["scout_id"]],
        "backlog": lambda r: [r["scout_id"]],
    }[name]
    rows = seen.views[listing.view]
    scout = next(s for row in rows for s in scouts(row) if s is not None)
    expected = sorted(key_of(listing, row) for row in rows if scout in scouts(row))
    found = whole(conn, listing, listing.filters(scout_id=scout))
    assert sorted(key_of(listing, row) for row in found) == expected
    assert whole(conn, listing, listing.filters(scout_id=2**31 - 1)) == []


@pytest.mark.parametrize("name", LISTS)
def test_text_is_the_beginning_of_a_key_and_nothing_else(conn: Connection, name: str) -> None:
    listing = LISTS[name]
    rows = [row for row in whole(conn, listing) if row.person_key]
    key = rows[len(rows) // 2].person_key
    for part in (key.upper(), f"  {key[:2]} ", key[:11]):
        start = part.strip().lower().replace("-", "")
        expected = [row for row in rows if row.person_key.replace("-", "").startswith(start)]
        assert whole(conn, listing, listing.filters(text=part)) == expected
        assert rows[len(rows) // 2] in expected
    for literal in ("%", "_", key[:4] + "%", "________", "'", "\\", "zz", "-", "Ñ", key + "0"):
        assert listing.count(conn, listing.filters(text=literal)) == 0
    for nothing in ("", "  ", None):
        assert listing.count(conn, listing.filters(text=nothing)) == listing.count(conn)


def test_driver_is_searched_by_its_beginning_literally(conn: Connection) -> None:
    rows = whole(conn, LISTS["collection"])
    driver = rows[3].driver_id
    given = collection.CollectionFilters(driver=driver[:6])
    assert whole(conn, LISTS["collection"], given) == [
        row for row in rows if row.driver_id.startswith(driver[:6])
    ]
    for literal in ("%", "_" * len(driver), driver[:3] + "%"):
        assert collection.count_claims(conn, replace(given, driver=literal)) == 0


@pytest.mark.parametrize("name", LISTS)
def test_bad_filter_is_said_with_what_is_allowed(conn: Connection, name: str) -> None:
    listing = LISTS[name]
    bad: list[tuple[dict[str, Any], str]] = [
        ({"scout_id": 0}, "1 to 2,147,483,647"), ({"scout_id": 2**31}, "1 to"),
        ({"text": "a\0b"}, "no NUL"), ({"text": "\ud800"}, "type it anew"),
        ({"text": "x" * 201}, "at most 200"),
        {
            "conflicts": ({"conflict_kind": "Z"}, "SEVERAL_SCOUTS, CONTRADICTS_LEDGER"),
            "backlog": ({"category": "Z"}, "A, C, D"),
            "collection": ({"bucket": "Z\ud800"}, "SATISFACTORY_LEDGER, EVENTS_ONLY"),
            "liquidation": ({"payment_status": "eligible"}, "ELIGIBLE, PENDING"),
        }[name],
    ]  # fmt: skip
    if name in DAYS:
        bad += [
            ({"since": date(2026, 2, 2), "until": date(2026, 2, 1)}, "before since"),
            ({"since": date(1, 1, 1)}, "1900 to 2199"),
        ]
    for given, said in bad:
        with pytest.raises(BadInput, match=said):
            listing.read(conn, listing.filters(**given))
    with pytest.raises(BadInput, match=" or ".join(listing.module.SORTS)):
        listing.read(conn, sort="person_key; drop")


def sums(groups: list[Group]) -> tuple[int, Decimal, int]:
    known = [group.amount_pen for group in groups if group.amount_pen is not None]
    return (
        sum(group.row_count for group in groups),
        sum(known, Decimal(0)),
        sum(group.unknown_count for group in groups),
    )


AMOUNTS = {
    "conflicts": "at_stake_pen", "backlog": "at_stake_pen", "collection": "expected_amount",
    "liquidation": "amount_payable",
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_totals_are_the_sums_of_the_rows(conn: Connection, name: str) -> None:
    listing = LISTS[name]
    amounts = [getattr(row, AMOUNTS[name]) for row in whole(conn, listing)]
    known = [amount for amount in amounts if amount is not None]
    groups = listing.groups(conn)
    assert sums(groups) == (len(amounts), sum(known), len(amounts) - len(known))
    assert len({group.values for group in groups}) == len(groups) > 1
    assert 0 < len(known) < len(amounts) or name == "conflicts"


def test_totals_of_lists_are_the_numbers_of_the_snapshot(conn: Connection, seen: Look) -> None:
    (snapshot,) = seen.views["v_scout_attribution_metrics_snapshot"]
    assert conflicts.count_open(conn) == snapshot["conflicts_count"]
    assert backlog.count_missing(conn) == snapshot["persons_missing_scout"]
    by_category = {
        category: backlog.count_missing(conn, backlog.BacklogFilters(category=category))
        for category in backlog.CATEGORIES
    }
    assert by_category == {
        "A": snapshot["backlog_a_events_without_scout"],
        "C": snapshot["backlog_c_legacy_no_events_no_ledger"],
        "D": snapshot["backlog_d_scout_in_events_not_in_ledger"],
    }


def test_amount_is_unknown_and_not_zero_without_one(conn: Connection) -> None:
    rows = whole(conn, LISTS["collection"])
    assert any(row.expected_amount is None for row in rows)
    assert {row.expected_amount for row in rows} & {Decimal(0)} == set()
    seen = set()
    for person in whole(conn, LISTS["backlog"]):
        claims = [r for r in rows if r.person_key == person.person_key]
        open_ones = [r for r in claims if r.yango_payment_status != "PAID"]
        known = [r.expected_amount for r in open_ones if r.expected_amount is not None]
        expected = Decimal(0) if claims and not open_ones else sum(known) if known else None
        assert person.at_stake_pen == expected
        seen.add((bool(claims), expected and "some"))
    assert seen == {(True, "some"), (True, Decimal(0)), (False, None), (True, None)}


@pytest.mark.parametrize("name", LISTS)
def test_empty_database_has_empty_lists(server_url: str, name: str) -> None:
    listing = LISTS[name]
    with installed(server_url) as db, db.transaction(LOOK) as conn:
        page = listing.read(conn)
        assert astuple(page) == ((), 0, None, None)
        assert listing.groups(conn) == []
        assert list(listing.stream(conn)) == []


def test_pages_stay_in_step_while_others_write(server_url: str) -> None:
    """Rows that come and go above the cursor move nothing below it."""
    with installed(server_url) as db:
        write_conflicts(db, [date(2026, 3, day) for day in range(1, 21)])
        with db.transaction(LOOK) as conn:
            before = whole(conn, LISTS["conflicts"])
            first = conflicts.list_open(conn, page_size=8)
        write_conflicts(db, [date(2026, 3, 25), date(2026, 3, 1)])
        write(
            db,
            "delete from observational.lead_events where person_key = cast(:key as uuid)",
            key=first.rows[-1].person_key,
        )
        with db.transaction(LOOK) as conn:
            second = conflicts.list_open(conn, page_size=8, after=first.after)
            assert second.rows == tuple(before[8:16])
            assert second.total == 21
            back = conflicts.list_open(conn, page_size=8, before=second.before)
            assert back.rows[-1] == before[6]
            assert back.rows == (*back.rows[:1], *before[:7])


def write_conflicts(db: Database, days: list[date]) -> None:
    with db.transaction(ADMIN) as conn:
        for day in days:
            person = factories.person(conn)
            for scout in (1, 2):
                factories.lead_event(conn, person=person, scout=scout, on=day)


def test_claim_without_a_person_has_the_scout_of_its_driver_or_none(server_url: str) -> None:
    with installed(server_url) as db:
        with db.transaction(ADMIN) as conn:
            ana, eva = factories.person(conn), factories.person(conn)
            factories.lead_event(conn, person=ana, scout=7)
            factories.lead_event(conn, person=eva, scout=8)
            factories.link(conn, person=ana, table="drivers", pk="of-ana")
            factories.claim(conn, driver="of-ana")
            factories.claim(conn, driver="of-eva", person=eva)
            factories.claim(conn, driver="of-nobody")
            conn.execute(text("update public.peer_claims set driver_id = null"
                              " where driver_id = 'of-nobody'"))  # fmt: skip
        with db.transaction(LOOK) as conn:
            given = conn.execute(text("select * from ops.v_yango_collection_with_scout")).mappings()
            expected = {row["driver_id"]: row for row in given}
            listed = whole(conn, LISTS["collection"])
            missing = whole(
                conn, LISTS["collection"], collection.CollectionFilters(bucket="MISSING")
            )
    shown = {row.driver_id: (row.scout_id, row.scout_quality_bucket) for row in listed}
    assert shown == {
        "of-ana": (7, "EVENTS_ONLY"), "of-eva": (8, "EVENTS_ONLY"), None: (None, "MISSING"),
    }  # fmt: skip
    assert shown == {
        driver: (row["scout_id"], row["scout_quality_bucket"]) for driver, row in expected.items()
    }
    assert [row.driver_id for row in missing] == [None]


def test_refresh_does_not_close_what_the_list_shows(server_url: str) -> None:
    with installed(server_url) as db:
        write_conflicts(db, [date(2026, 3, 1)])
        refresh(db)
        with db.transaction(LOOK) as conn:
            (row,) = conflicts.list_open(conn).rows
        assert row.conflict_kind == "SEVERAL_SCOUTS"
        assert value(db, "select count(*) from observational.lead_ledger") == 0


@pytest.mark.parametrize("sort", collection.SORTS)
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_claims_without_a_key_of_their_own_are_each_there_once(
    server_url: str, sort: str, size: int
) -> None:
    """No driver, no milestone, the same pair twice, all of a row twice: as in view and file, there
    and back again."""
    given: list[tuple[Any, ...]] = [
        ("d1", 1, 25, "one"), ("d1", 1, 30, "one again"), ("d1", 5, None, "two"),
        ("d2", None, 35, "three"), ("d2", None, 35, "four"), ("", 1, 25, "empty"),
        *[(None, 1, 25, name) for name in ("five", "six", "seven", "seven", "seven", "seven")],
        *[(None, None, None, "eight")] * 3, (None, 1, 40, "nine"), ("d9", 25, 100, "last"),
    ]  # fmt: skip
    with installed(server_url) as db:
        write(db, "drop index public.peer_claims_driver_id_milestone_value_idx")
        for driver, milestone, amount, name in given:
            write(
                db,
                "insert into public.peer_claims (driver_id, milestone_value, expected_amount,"
                " driver_name, lead_date, paid) values (:driver, :milestone, :amount, :name,"
                " '2026-01-01', false)",
                driver=driver, milestone=milestone, amount=amount, name=name,
            )  # fmt: skip
        with db.transaction(LOOK) as conn:
            pages = [collection.list_claims(conn, sort=sort, page_size=size)]
            while pages[-1].after:
                pages.append(
                    collection.list_claims(conn, sort=sort, page_size=size, after=pages[-1].after)
                )
            back = [pages[-1]]
            while back[-1].before:
                back.append(
                    collection.list_claims(conn, sort=sort, page_size=size, before=back[-1].before)
                )
            again = [
                collection.list_claims(conn, sort=sort, page_size=size, after=page.after)
                for page in back
                if page.after
            ]
            streamed = list(collection.stream_claims(conn, sort=sort))
            counted = sums(collection.count_buckets(conn))
            view = conn.execute(
                text("select driver_id, milestone_value, expected_amount, driver_name"
                     " from ops.v_yango_collection_with_scout")
            ).all()  # fmt: skip
    rows = [row for page in pages for row in page.rows]
    shown = Counter(
        (r.driver_id, r.milestone_value, r.expected_amount, r.driver_name) for r in rows
    )
    assert shown == Counter(given) == Counter(tuple(row) for row in view)
    assert {page.total for page in pages} == {len(given)}
    assert [astuple(row) for row in rows] == streamed
    assert [r for page in reversed(back) for r in page.rows] == rows
    assert [page.rows for page in again] == [page.rows for page in reversed(pages[1:])]
    assert counted == (len(given), Decimal(440), 4)
