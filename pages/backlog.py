"""Persons without a scout: how many, why, what it is worth, and what to do about each reason."""

import streamlit as st

from scout_core.attribution import backlog
from scout_core.attribution.backlog import BacklogFilters, MissingPerson
from scout_core.lists.paging import Group, Page
from ui.parts import frame, link, lists, read, tables
from ui.parts.lists import Names
from ui.parts.tables import Column
from ui.parts.text import NOTHING, counted, full_day, number, span, t

SOURCES = ("module_ct_cabinet_leads", "module_ct_scouting_daily", "module_ct_migrations")
TABS = ("all", "D", "A", "C")


def show() -> None:
    """Head, categories, reasons, filters, table."""
    page = frame.open_page("backlog")
    names = lists.scout_names()
    with st.container(border=True, gap="xsmall"):
        head = frame.card_title(t("backlog.by_reason"))
        category = _category()
        reasons = st.container(gap="xsmall")
    given, sort, words = _filters(category, names)
    seen = read.many(
        read.call(
            backlog.list_missing,
            given,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ),
        read.call(backlog.count_reasons, given),
        read.call(backlog.count_reasons),
    )
    listed, groups, everything = seen.value
    count, stake = lists.total_of(groups)
    page.stamp(
        seen,
        counted("backlog.missing", count),
        *([t("backlog.at_stake", amount=lists.soles(stake))] if count else []),
    )
    lists.export_menu(page, "backlog", given, sort, count)
    with head:
        st.caption(_by_category(everything), width="content")
    with reasons:
        _reasons([g for g in everything if category in (None, g.values[0])])
    if listed.rows:
        _table(listed, names)
        tables.pager(listed)
    elif any(words.values()):
        lists.no_rows(words)
    else:
        frame.empty(t("backlog.none"), t("backlog.none_hint"))


def _category() -> str | None:
    chosen = link.tabs("cat", t("backlog.category"), TABS, shown=lambda c: t(f"backlog.cat_{c}"))
    st.caption(t("backlog.explain"))
    return None if chosen == "all" else chosen


def _by_category(groups: list[Group]) -> str:
    counts = dict.fromkeys(("D", "A", "C"), 0)
    for group in groups:
        counts[group.values[0]] += group.row_count
    parts = [f"{category} {number(count)}" for category, count in counts.items()]
    return " + ".join(parts) + f" = {number(sum(counts.values()))}"


def _reasons(groups: list[Group]) -> None:
    if not groups:
        return
    groups = sorted(groups, key=lambda group: -group.row_count)
    click = st.session_state.get("backlog_see")
    if click is not None and click["row"] < len(groups):
        category, reason = groups[click["row"]].values
        link.clear("source", "scout", "days", "q", "leads")
        link.put(cat=category, reason=reason)
        st.rerun()
    total = sum(group.row_count for group in groups)
    tables.show(
        [
            Column("reason", t("backlog.reason")),
            Column("persons", t("backlog.persons"), right=True, width=85),
            Column("stake", t("backlog.stake"), right=True, width=100),
            Column("share", t("backlog.share"), kind="share", width=90),
            Column("action", t("backlog.action")),
            Column("see", t("backlog.rows"), kind="button", click_key="backlog_see", width="small"),
        ],
        [
            {
                "reason": f"{group.values[0]} · {_reason(group.values[1])}",
                "persons": number(group.row_count),
                "share": group.row_count / total,
                "stake": lists.soles(group.amount_pen),
                "action": t(f"health.action_{group.values[1]}"),
                "see": lists.see_cell(),
            }
            for group in groups
        ],
        key="backlog_reasons",
        alt=t("backlog.reasons_alt"),
        tall=len(groups),
    )


def _filters(
    category: str | None, names: Names
) -> tuple[BacklogFilters, str, dict[str, str | None]]:
    grid = st.grid(6, min_column_width=140)
    with grid:
        text = link.search(
            "q", t("lists.person"), placeholder=t("lists.key_part"), icon=":material/search:"
        )
        fitting = [r for r, c in backlog.REASONS.items() if category is None or category in c]
        reason = link.choice("reason", t("backlog.reason"), fitting, shown=_reason)
        scout = lists.scout_choice(names)
        source = link.choice("source", t("lists.source"), SOURCES, shown=_source)
        with grid.cell(column_span=2):
            days = link.days("days", t("backlog.between"))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        sort = lists.order(backlog.SORTS, lambda order: t(f"backlog.sort_{order}"))
        lead_only = link.flag("leads", t("backlog.lead_only"))
    given = BacklogFilters(
        category=category,
        reason_code=reason,
        source=source,
        scout_id=scout,
        lead_only=lead_only,
        since=days[0] if days else None,
        until=days[1] if days else None,
        text=text,
    )
    words = {
        "cat": t("backlog.filter_cat", category=category) if category else None,
        "reason": t("backlog.filter_reason", reason=_reason(reason)) if reason else None,
        "scout": t("lists.filter_scout", scout=scout) if scout else None,
        "source": t("lists.filter_source", source=_source(source)) if source else None,
        "leads": t("backlog.filter_leads") if lead_only else None,
        "days": t("lists.filter_days", span=span(*days)) if days else None,
        "q": t("lists.filter_key", text=text) if text else None,
    }
    return given, sort, words


def _table(listed: Page[MissingPerson], names: Names) -> None:
    lists.open_person(listed, "backlog_open")
    tables.show(
        [
            Column("person", t("lists.person"), pinned=True, width=90),
            Column("stake", t("backlog.stake"), right=True, width=100),
            Column("last", t("backlog.last_event"), right=True, width=110),
            Column("reason", t("backlog.reason")),
            Column("scout", t("backlog.scout")),
            Column("events", t("backlog.events"), right=True, width=80),
            Column("sources", t("backlog.sources")),
            lists.see_column("backlog_open"),
        ],
        [
            {
                "person": row.person_key[: lists.SHORT_KEY],
                "stake": lists.soles(row.at_stake_pen),
                "last": full_day(row.last_event_date),
                "reason": f"{row.category} · {_reason(row.reason_code)}",
                "scout": lists.scout_label(row.scout_id, names) or NOTHING,
                "events": number(row.event_count),
                "sources": ", ".join(_source(source) for source in row.source_tables),
                "see": lists.see_cell(),
            }
            for row in listed.rows
        ],
        key="backlog_table",
        alt=t("backlog.table_alt"),
    )


def _reason(code: str) -> str:
    return t(f"health.reason_{code}")


def _source(name: str) -> str:
    return t(f"lists.source_{name}") if name in SOURCES else name


show()
