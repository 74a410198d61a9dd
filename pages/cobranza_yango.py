"""Claims on Yango with their scout: what is still to collect, and for whom no scout is known."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from scout_core.access import masks, permissions
from scout_core.access.permissions import Actor
from scout_core.lists.paging import Group, Page
from scout_core.money import collection
from scout_core.money.collection import Claim, CollectionFilters
from ui.parts import frame, link, lists, read, tables
from ui.parts.lists import Names
from ui.parts.tables import Column
from ui.parts.text import NOTHING, counted, number, t

NAMES = ("q", "scout", "bucket", "overdue", "status", "unpaid", "missing", "conflicts")
PAID = "PAID"


def show() -> None:
    """Head, amounts, origins of the scout, filters, table."""
    page = frame.open_page("cobranza")
    names = lists.scout_names()
    summary = st.container(gap="small")
    given, sort, words = _filters(names)
    seen = read.many(
        read.call(
            collection.list_claims,
            given,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ),
        read.call(collection.count_buckets, given),
        read.call(collection.count_buckets),
    )
    listed, groups, everything = seen.value
    count, expected = lists.total_of(groups)
    page.stamp(
        seen,
        counted("cobranza.claims", count),
        *([t("cobranza.expected", amount=lists.soles(expected))] if count else []),
    )
    lists.export_menu(page, "collection", given, sort, count)
    if everything:
        with summary:
            _cards(everything)
            with st.container(border=True, gap="xsmall"):
                _buckets(everything)
    if listed.rows:
        _table(page.actor, listed, names)
        tables.pager(listed)
    elif any(words.values()):
        lists.no_rows(words)
    else:
        frame.empty(t("cobranza.none"), t("cobranza.none_hint"))


def _cards(groups: list[Group]) -> None:
    cards: tuple[tuple[str, Callable[[tuple[Any, ...]], bool], dict[str, str]], ...] = (
        ("unpaid", lambda v: True, {}),
        ("missing", lambda v: v[0] == "MISSING", {"missing": "1"}),
        ("conflict", lambda v: v[3], {"conflicts": "1"}),
        ("overdue", lambda v: v[1] == "4_30_plus", {"overdue": "4_30_plus"}),
    )
    with st.grid(4, min_column_width=145):
        for name, belongs, target in cards:
            mine = [group for group in groups if belongs(group.values)]
            _, expected = lists.total_of(mine)
            unpaid = [group for group in mine if group.values[2] != PAID]
            count, amount = lists.total_of(unpaid)
            with st.container(border=True, gap="xsmall", height="stretch"):
                st.metric(
                    t(f"cobranza.card_{name}"), lists.soles(amount) if count else lists.soles(None)
                )
                claims = counted("cobranza.claims", count)
                st.caption(t("cobranza.card_note", claims=claims, amount=lists.soles(expected)))
                st.button(
                    t("cobranza.see"),
                    icon=":material/arrow_forward:",
                    type="tertiary",
                    on_click=_only,
                    kwargs={"unpaid": "1", **target},
                    key=f"cobranza_{name}",
                )


def _only(**target: str) -> None:
    link.clear(*NAMES)
    link.put(**target)


def _buckets(groups: list[Group]) -> None:
    frame.card_title(t("cobranza.by_bucket"))
    found = [b for b in collection.BUCKETS if any(group.values[0] == b for group in groups)]
    click = st.session_state.get("cobranza_see")
    if click is not None and click["row"] < len(found):
        _only(bucket=found[click["row"]])
        st.rerun()
    total, _ = lists.total_of(groups)
    rows = []
    for bucket in [*found, None]:
        mine = [group for group in groups if bucket in (None, group.values[0])]
        count, expected = lists.total_of(mine)
        _, unpaid = lists.total_of([group for group in mine if group.values[2] != PAID])
        rows.append(
            {
                "bucket": _bucket(bucket) if bucket else t("cobranza.total"),
                "claims": number(count),
                "share": count / total if bucket else None,
                "expected": lists.soles(expected),
                "unpaid": lists.soles(unpaid),
                "see": lists.see_cell() if bucket else None,
            }
        )
    tables.show(
        [
            Column("bucket", t("cobranza.bucket")),
            Column("claims", t("cobranza.col_claims"), right=True, width=85),
            Column("expected", t("cobranza.col_expected"), right=True),
            Column("unpaid", t("cobranza.col_unpaid"), right=True),
            Column("share", t("cobranza.col_share"), kind="share", width=110),
            Column(
                "see",
                t("cobranza.col_rows"),
                kind="button",
                click_key="cobranza_see",
                width="small",
            ),
        ],
        rows,
        key="cobranza_buckets",
        alt=t("cobranza.buckets_alt"),
    )


def _filters(names: Names) -> tuple[CollectionFilters, str, dict[str, str | None]]:
    with st.grid(5, min_column_width=140):
        driver = link.search(
            "q",
            t("cobranza.driver"),
            placeholder=t("cobranza.driver_part"),
            icon=":material/search:",
        )
        scout = lists.scout_choice(names)
        bucket = link.choice("bucket", t("cobranza.bucket"), collection.BUCKETS, shown=_bucket)
        overdue = link.choice(
            "overdue", t("cobranza.overdue"), collection.OVERDUE_BUCKETS, shown=_overdue
        )
        status = link.choice(
            "status", t("cobranza.status"), collection.PAYMENT_STATUSES, shown=_status
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        sort = lists.order(collection.SORTS, lambda order: t(f"cobranza.sort_{order}"))
        unpaid = link.flag("unpaid", t("cobranza.unpaid_only"))
        missing = link.flag("missing", t("cobranza.missing_only"))
        conflicts = link.flag("conflicts", t("cobranza.conflicts_only"))
    given = CollectionFilters(
        missing_only=missing,
        conflicts_only=conflicts,
        scout_id=scout,
        bucket=bucket,
        overdue_bucket=overdue,
        payment_status=status,
        unpaid_only=unpaid,
        driver=driver,
    )
    words = {
        "unpaid": t("cobranza.filter_unpaid") if unpaid else None,
        "missing": t("cobranza.filter_missing") if missing else None,
        "conflicts": t("cobranza.filter_conflicts") if conflicts else None,
        "scout": t("lists.filter_scout", scout=scout) if scout else None,
        "bucket": t("cobranza.filter_bucket", bucket=_bucket(bucket)) if bucket else None,
        "overdue": t("cobranza.filter_overdue", bucket=_overdue(overdue)) if overdue else None,
        "status": t("cobranza.filter_status", status=_status(status)) if status else None,
        "q": t("cobranza.filter_driver", text=driver) if driver else None,
    }
    return given, sort, words


def _table(actor: Actor, listed: Page[Claim], names: Names) -> None:
    rows = listed.rows
    if not permissions.sees_names(actor):
        rows = tuple(masks.without_names(row) for row in rows)
    lists.open_person(listed, "cobranza_open")
    tables.show(
        [
            Column("driver", t("cobranza.driver"), pinned=True),
            Column("amount", t("cobranza.amount"), right=True, width=85),
            Column("days", t("cobranza.days"), right=True, width=85),
            Column("milestone", t("cobranza.milestone"), right=True, width=90),
            Column("scout", t("cobranza.scout")),
            Column("bucket", t("cobranza.bucket")),
            Column("status", t("cobranza.status")),
            lists.see_column("cobranza_open"),
        ],
        [
            {
                "driver": row.driver_name or row.driver_id,
                "amount": lists.soles(row.expected_amount),
                "days": _days(row),
                "milestone": NOTHING
                if row.milestone_value is None
                else counted("cobranza.trips", row.milestone_value),
                "scout": _scout(row, names),
                "bucket": _bucket(row.scout_quality_bucket),
                "status": _status(row.yango_payment_status),
                "see": lists.see_cell() if row.person_key else None,
            }
            for row in rows
        ],
        key="cobranza_table",
        alt=t("cobranza.table_alt"),
    )


def _scout(row: Claim, names: Names) -> str:
    if row.scout_id is None:
        return t("cobranza.no_scout")
    label = lists.scout_label(row.scout_id, names)
    return t("cobranza.in_conflict", scout=label) if row.is_conflict else label


def _days(row: Claim) -> str:
    if row.yango_payment_status == PAID or row.days_overdue_yango is None:
        return NOTHING
    return t("conflicts.days", count=number(row.days_overdue_yango))


def _bucket(bucket: str) -> str:
    return t(f"cobranza.bucket_{bucket}")


def _overdue(bucket: str) -> str:
    return t(f"cobranza.overdue_{bucket}")


def _status(status: str | None) -> str:
    if status not in collection.PAYMENT_STATUSES:
        return status or NOTHING
    return t(f"cobranza.status_{status}")


show()
