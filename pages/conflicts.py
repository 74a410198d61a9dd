"""Persons whose evidence names scouts that cannot all be right, and what speaks for each scout."""

from datetime import date

import pandas as pd
import streamlit as st

from scout_core.attribution import conflicts
from scout_core.attribution.conflicts import (
    ConflictFilters,
    ListedConflict,
    Piece,
    ScoutEvidence,
    Sides,
)
from scout_core.errors import NotFound
from scout_core.lists import filters
from scout_core.lists.paging import Page as Listed
from ui.decide import form
from ui.parts import frame, link, lists, read, site, tables
from ui.parts.lists import Names
from ui.parts.tables import Column
from ui.parts.text import LIMA, NBSP, NOTHING, counted, full_day, number, plain, span, t

SCOUTS_IN_ROW, SCOUTS_IN_CARD = 4, 12
NAMES = ("q", "scout", "source", "kind", "days")


def show() -> None:
    """Head, filters, table, evidence of the chosen row."""
    page = frame.open_page("conflicts")
    names = lists.scout_names()
    given, words = _filters(names)
    sort = lists.order(conflicts.SORTS, lambda order: t(f"conflicts.sort_{order}"))
    seen = read.many(
        read.call(
            conflicts.list_open,
            given,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ),
        read.call(conflicts.count_kinds, given),
    )
    listed, kinds = seen.value
    count, stake = lists.total_of(kinds)
    page.stamp(
        seen,
        counted("conflicts.total", count),
        *([t("conflicts.at_stake", amount=lists.soles(stake))] if count else []),
    )
    lists.export_menu(page, "conflicts", given, sort, count)
    today = seen.at.astimezone(LIMA).date()
    form.notice()
    chosen = link.value("persona")
    if listed.rows:
        chosen = _table(listed, names, today, chosen)
        tables.pager(listed)
        form.bulk(page.actor, listed.rows, names)
    elif any(words.values()):
        lists.no_rows(words)
    else:
        frame.empty(t("conflicts.none"), t("conflicts.none_hint"))
    if chosen:
        _show_sides(page, chosen, today, names)
    elif listed.rows:
        st.caption(t("conflicts.choose"))


def _filters(names: Names) -> tuple[ConflictFilters, dict[str, str | None]]:
    grid = st.grid(6, min_column_width=140)
    with grid:
        text = link.search(
            "q", t("lists.person"), placeholder=t("lists.key_part"), icon=":material/search:"
        )
        scout = lists.scout_choice(names)
        source = link.choice(
            "source", t("lists.source"), [_bare(s) for s in filters.EVIDENCE_SOURCES], shown=_source
        )
        kind = link.choice("kind", t("conflicts.kind"), conflicts.KINDS, shown=_kind)
        with grid.cell(column_span=2):
            days = link.days("days", t("conflicts.between"))
    full = {_bare(name): name for name in filters.EVIDENCE_SOURCES}
    given = ConflictFilters(
        scout_id=scout,
        source=full[source] if source else None,
        conflict_kind=kind,
        since=days[0] if days else None,
        until=days[1] if days else None,
        text=text,
    )
    return given, {
        "scout": t("lists.filter_scout", scout=scout) if scout else None,
        "source": t("lists.filter_source", source=_source(source)) if source else None,
        "kind": t("conflicts.filter_kind", kind=_kind(kind)) if kind else None,
        "days": t("lists.filter_days", span=span(*days)) if days else None,
        "q": t("lists.filter_key", text=text) if text else None,
    }


def _table(
    listed: Listed[ListedConflict], names: Names, today: date, wanted: str | None
) -> str | None:
    keys = [row.person_key for row in listed.rows]
    chosen = tables.show(
        [
            Column("person", t("lists.person"), pinned=True, width=90),
            Column("stake", t("conflicts.stake"), right=True, width=90),
            Column("age", t("conflicts.age"), right=True, width=70),
            Column("scouts", t("conflicts.scouts"), kind="chips"),
            Column("kind", t("conflicts.kind")),
            Column("sources", t("conflicts.sources")),
        ],
        [
            {
                "person": row.person_key[: lists.SHORT_KEY],
                "stake": lists.soles(row.at_stake_pen),
                "age": _age(row.age_days(today)),
                "scouts": _chips(row, names),
                "kind": _kind(row.conflict_kind),
                "sources": ", ".join(_source(_bare(source)) for source in row.sources),
            }
            for row in listed.rows
        ],
        # a selection belongs to these rows: other rows are another table
        key=f"conflicts_table_{hash((*keys, wanted if wanted in keys else None))}",
        alt=t("conflicts.table_alt"),
        select=True,
        selected=keys.index(wanted) if wanted in keys else None,
    )
    if chosen is not None and keys[chosen] != wanted:
        link.put(persona=keys[chosen])
        return keys[chosen]
    if chosen is None and wanted in keys:
        link.put(persona=None)
        return None
    return wanted


def _show_sides(page: frame.Page, person: str, today: date, names: Names) -> None:
    try:
        sides: Sides = read.one(conflicts.evidence_by_scout, person).value
    except NotFound:
        frame.empty(
            t("conflicts.gone", person=plain(person[: lists.SHORT_KEY])),
            t("conflicts.gone_hint"),
            filters=("persona",),
        )
        return
    with st.container(border=True, gap="small"):
        with frame.card_title(t("conflicts.card", person=sides.person_key[: lists.SHORT_KEY])):
            site.link_to(
                "persona",
                t("conflicts.story"),
                icon=":material/arrow_forward:",
                key=sides.person_key,
            )
        st.markdown(_badges(sides, today))
        # two stand side by side, more than two flow
        with st.grid(2 if len(sides.scouts) == 2 else "auto", min_column_width=300):
            for scout in sides.scouts:
                with st.container(border=True, gap="xsmall", height="stretch"):
                    _show_scout(scout)
        if len(sides.scouts) < sides.scout_count:
            st.caption(
                t(
                    "conflicts.scouts_more",
                    shown=number(len(sides.scouts)),
                    total=number(sides.scout_count),
                )
            )
        why = t(
            f"conflicts.job_{sides.conflict_kind}",
            count=number(sides.scout_count),
            scout=sides.ledger_scout_id,
        )
        untouched = t("conflicts.job")
        st.markdown(f":material/smart_toy: **{untouched}** {why}")
        form.form(
            page.actor,
            sides.person_key,
            sides.seen,
            [scout.scout_id for scout in sides.scouts],
            names,
            paid_pen=sides.money.paid_pen,
            may_reopen=sides.conflict_kind == "NEW_EVIDENCE",
        )


def _badges(sides: Sides, today: date) -> str:
    days = [scout.last_date for scout in sides.scouts if scout.last_date]
    age = (today - max(days)).days if days else None
    money = sides.money
    found = [
        f":orange-badge[:material/call_split: {_kind(sides.conflict_kind)}]",
        f":gray-badge[{_age(age)}]" if age is not None else "",
        f":gray-badge[{t('conflicts.at_stake', amount=lists.soles(money.at_stake_pen))}]"
        if money.at_stake_pen is not None
        else "",
        f":gray-badge[{_claims(sides)}]",
    ]
    if money.paid_pen:
        paid = t("conflicts.paid_already", amount=lists.soles(money.paid_pen))
        found.append(f":orange-badge[:material/payments: {paid}]")
    return " ".join(badge for badge in found if badge)


def _claims(sides: Sides) -> str:
    if not sides.money.claim_count:
        return t("conflicts.no_claims")
    return t(
        "conflicts.claims",
        unpaid=number(sides.money.unpaid_claim_count),
        total=number(sides.money.claim_count),
    )


def _show_scout(scout: ScoutEvidence) -> None:
    with frame.card_title(_scout_title(scout)):
        if scout.is_in_ledger:
            _note(t("conflicts.in_ledger"))
        if not scout.is_active:
            _note(t("conflicts.unlisted") if scout.is_active is None else t("conflicts.inactive"))
    parts = [
        counted("conflicts.pieces", scout.piece_count),
        t("conflicts.would_be_paid", amount=lists.soles(scout.would_be_paid_pen))
        if scout.would_be_paid_pen is not None
        else t("conflicts.would_be_unknown"),
    ]
    if scout.paid_pen:
        parts.append(t("conflicts.was_paid", amount=lists.soles(scout.paid_pen)))
    st.caption(" · ".join(parts))
    st.table(
        pd.DataFrame(
            {
                t("conflicts.col_on"): [full_day(p.on).replace(" ", NBSP) for p in scout.pieces],
                t("lists.source"): [_source(_bare(p.source_table)) for p in scout.pieces],
                t("conflicts.col_detail"): [_detail(piece) for piece in scout.pieces],
            }
        ),
        border="horizontal",
        hide_index=True,
    )
    if len(scout.pieces) < scout.piece_count:
        st.caption(
            t(
                "conflicts.pieces_more",
                shown=number(len(scout.pieces)),
                total=number(scout.piece_count),
            )
        )


def _note(words: str) -> None:
    st.markdown(f":gray-badge[{words}]", width="content")


def _scout_title(scout: ScoutEvidence) -> str:
    title = t("conflicts.scout_title", scout=scout.scout_id)
    name = lists.name_of(scout.scout_id, scout.scout_name, 40)
    return f"{title} · {plain(name)}" if name else title


def _chips(row: ListedConflict, names: Names) -> list[str]:
    chips = [lists.scout_label(scout, names) for scout in row.scout_ids[:SCOUTS_IN_ROW]]
    hidden = row.distinct_scout_count - len(chips)
    return [*chips, t("conflicts.more", count=number(hidden))] if hidden else chips


def _detail(piece: Piece) -> str:
    words = t(f"conflicts.detail_{_bare(piece.source_table)}", row=plain(piece.source_pk))
    return f"{words}, {lists.origin(piece.origin_tag)}" if piece.origin_tag else words


def _age(days: int | None) -> str:
    if days is None:
        return NOTHING
    return t("conflicts.days", count=number(days)) if days > 0 else t("conflicts.today")


def _kind(kind: str) -> str:
    return t(f"conflicts.kind_{kind}")


def _source(name: str) -> str:
    return t(f"lists.source_{name}")


def _bare(table: str) -> str:
    return table.partition(".")[2]


show()
