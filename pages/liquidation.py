"""The base of the liquidation: whom each scout could be paid for, how much, and what blocks it."""

import streamlit as st

from scout_core.lists.paging import Group, Page
from scout_core.money import liquidation
from scout_core.money.liquidation import LiquidationFilters, Payable
from ui.parts import frame, link, lists, read, tables
from ui.parts.lists import Names
from ui.parts.tables import Column
from ui.parts.text import NOTHING, counted, full_day, number, span, t

NAMES = ("q", "status", "block", "scout", "days")


def show() -> None:
    """Head, states, filters, table."""
    page = frame.open_page("liquidation")
    names = lists.scout_names()
    summary = st.container()
    given, words = _filters(names)
    sort = lists.order(liquidation.SORTS, lambda order: t(f"liquidation.sort_{order}"))
    seen = read.many(
        read.call(
            liquidation.list_base,
            given,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ),
        read.call(liquidation.count_statuses, given),
        read.call(liquidation.count_statuses),
    )
    listed, groups, everything = seen.value
    count, amount = lists.total_of(groups)
    page.stamp(
        seen,
        counted("liquidation.persons", count),
        *([t("liquidation.payable", amount=lists.soles(amount))] if count else []),
    )
    lists.export_menu(page, "liquidation", given, sort, count)
    if everything:
        with summary.container(border=True, gap="xsmall"):
            _statuses(everything)
    if listed.rows:
        _table(listed, names)
        tables.pager(listed)
    elif any(words.values()):
        lists.no_rows(words)
    else:
        frame.empty(t("liquidation.none"), t("liquidation.none_hint"))


def _statuses(groups: list[Group]) -> None:
    frame.card_title(t("liquidation.by_status"))
    st.caption(t("liquidation.explain"))
    order = liquidation.PAYMENT_STATUSES
    groups = sorted(groups, key=lambda group: (order.index(group.values[0]), -group.row_count))
    click = st.session_state.get("liquidation_see")
    if click is not None and click["row"] < len(groups):
        status, block = groups[click["row"]].values
        link.clear(*NAMES)
        link.put(status=status, block=block)
        st.rerun()
    count, amount = lists.total_of(groups)
    rows = [
        {
            "status": _state(*group.values),
            "persons": number(group.row_count),
            "amount": lists.soles(group.amount_pen),
            "unknown": number(group.unknown_count),
            "why": _why(*group.values),
            "see": lists.see_cell(),
        }
        for group in groups
    ]
    rows.append(
        {
            "status": t("liquidation.total"),
            "persons": number(count),
            "amount": lists.soles(amount),
            "unknown": number(sum(group.unknown_count for group in groups)),
        }
    )
    tables.show(
        [
            Column("status", t("liquidation.status")),
            Column("amount", t("liquidation.col_amount"), right=True, width=100),
            Column("persons", t("liquidation.col_persons"), right=True, width=85),
            Column("unknown", t("liquidation.col_unknown"), right=True, width=90),
            Column("why", t("liquidation.col_why")),
            Column(
                "see",
                t("liquidation.col_rows"),
                kind="button",
                click_key="liquidation_see",
                width="small",
            ),
        ],
        rows,
        key="liquidation_statuses",
        alt=t("liquidation.statuses_alt"),
        tall=len(rows),
    )


def _filters(names: Names) -> tuple[LiquidationFilters, dict[str, str | None]]:
    grid = st.grid(6, min_column_width=140)
    with grid:
        text = link.search(
            "q", t("lists.person"), placeholder=t("lists.key_part"), icon=":material/search:"
        )
        status = link.choice(
            "status", t("liquidation.status"), liquidation.PAYMENT_STATUSES, shown=_status
        )
        block = link.choice(
            "block", t("liquidation.block"), liquidation.BLOCK_REASONS, shown=_block
        )
        scout = lists.scout_choice(names)
        with grid.cell(column_span=2):
            days = link.days("days", t("liquidation.between"))
    given = LiquidationFilters(
        payment_status=status,
        block_reason=block,
        scout_id=scout,
        since=days[0] if days else None,
        until=days[1] if days else None,
        text=text,
    )
    return given, {
        "status": t("liquidation.filter_status", status=_status(status)) if status else None,
        "block": t("liquidation.filter_block", block=_block(block)) if block else None,
        "scout": t("lists.filter_scout", scout=scout) if scout else None,
        "days": t("lists.filter_days", span=span(*days)) if days else None,
        "q": t("lists.filter_key", text=text) if text else None,
    }


def _table(listed: Page[Payable], names: Names) -> None:
    lists.open_person(listed, "liquidation_open")
    tables.show(
        [
            Column("person", t("lists.person"), pinned=True, width=90),
            Column("amount", t("liquidation.col_amount"), right=True, width=85),
            Column("status", t("liquidation.status")),
            Column("scout", t("lists.scout")),
            Column("milestone", t("liquidation.milestone"), right=True, width=90),
            Column("attributed", t("liquidation.attributed"), right=True, width=105),
            Column("reached", t("liquidation.reached"), right=True, width=115),
            Column("within", t("liquidation.within"), width=85),
            lists.see_column("liquidation_open"),
        ],
        [
            {
                "person": row.person_key[: lists.SHORT_KEY],
                "amount": lists.soles(row.amount_payable),
                "status": _state_of(row, names),
                "scout": lists.scout_label(row.scout_id, names),
                "milestone": NOTHING
                if row.milestone_reached is None
                else counted("cobranza.trips", row.milestone_reached),
                "attributed": full_day(row.attribution_date),
                "reached": full_day(row.milestone_date),
                "within": _yes_no(row.eligible_7d),
                "see": lists.see_cell(),
            }
            for row in listed.rows
        ],
        key="liquidation_table",
        alt=t("liquidation.table_alt"),
    )


def _yes_no(value: bool | None) -> str:
    if value is None:
        return NOTHING
    return t("liquidation.yes") if value else t("liquidation.no")


def _state_of(row: Payable, names: Names) -> str:
    state = _state(row.payment_status, row.block_reason)
    if row.paid_to_other_scout_id is None:
        return state
    other = lists.scout_label(row.paid_to_other_scout_id, names)
    return f"{state} · {t('liquidation.paid_to_other', scout=other)}"


def _state(status: str, block: str | None) -> str:
    return f"{_status(status)} · {_block(block)}" if block else _status(status)


def _why(status: str, block: str | None) -> str:
    return t(f"liquidation.why_{block if status == 'BLOCKED' else status}")


def _status(status: str) -> str:
    return t(f"liquidation.status_{status}")


def _block(block: str) -> str:
    return t(f"liquidation.block_{block}")


show()
