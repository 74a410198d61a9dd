"""What each scout brought, what of it is disputed or waiting, and whom two of them claim."""

from datetime import date, timedelta
from typing import Any, get_args

import streamlit as st

from scout_core.attribution import scouts, stakes
from scout_core.attribution.scouts import Collisions, Kind, Scorecard, ScoutFilters
from scout_core.lists.filters import MAX_SCOUT_ID
from ui.parts import charts, frame, link, lists, read, site, tables
from ui.parts.charts import Inks
from ui.parts.tables import Column
from ui.parts.text import LIMA, NOTHING, number, percent, plain, short_day, signed, t
from ui.parts.text import money as soles

PAIRS = 15
MATRIX_SCOUTS = 12

Names = dict[int, str | None]


def show() -> None:
    """The page: list, the chosen scout, the pairs, the chosen pair."""
    page = frame.open_page("scouts")
    today = read.now().astimezone(LIMA).date()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        kind = link.choice(
            "kind",
            t("scouts.kind"),
            get_args(Kind),
            shown=lambda k: t(f"scouts.kind_{k}"),
            width=240,
        )
        sort = link.tabs(
            "sort", t("scouts.sort"), tuple(scouts.SORTS), shown=lambda s: t(f"scouts.sort_{s}")
        )
    seen = read.many(
        read.call(
            scouts.list_scorecards,
            ScoutFilters(kind=kind),
            today=today,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ),
        read.call(scouts.list_collisions, limit=PAIRS),
    )
    listed, collisions = seen.value
    page.stamp(seen, t("scouts.total", count=number(listed.total)))
    chosen = _chosen_scout()
    if not listed.rows:
        frame.empty(
            t("scouts.none_filtered" if kind else "scouts.none"), filters=("kind",) if kind else ()
        )
    else:
        _list(listed, chosen)
    if chosen is not None:
        _card(chosen, today)
    _collisions(collisions)


def _chosen_scout() -> int | None:
    raw = link.value("scout") or ""
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 10):
        return None
    return int(raw) if 1 <= int(raw) <= MAX_SCOUT_ID else None


def _list(listed: Any, chosen: int | None) -> None:
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("scouts.list"))
        st.caption(t("scouts.list_hint"))
        numbers = [card.scout_id for card in listed.rows]
        selected = tables.show(
            [
                Column("scout", t("scouts.column_scout"), pinned=True, width=130),
                Column("persons", t("scouts.column_persons"), right=True),
                Column("satisfactory", t("scouts.column_satisfactory"), right=True),
                Column("share", t("scouts.column_share"), kind="share"),
                Column("conflicts", t("scouts.column_conflicts"), right=True),
                Column("backlog", t("scouts.column_backlog"), right=True),
                Column("unpaid", t("scouts.column_unpaid"), right=True),
                Column("recent", t("scouts.column_recent"), right=True),
                Column("change", t("scouts.column_change"), right=True),
                Column("situation", t("scouts.column_situation")),
            ],
            [_row(card) for card in listed.rows],
            key=f"scouts_list_{chosen}",
            alt=t("scouts.list_alt"),
            select=True,
            selected=numbers.index(chosen) if chosen in numbers else None,
        )
        tables.pager(listed, key="scouts_pager")
    if selected is not None and numbers[selected] != chosen:
        link.put(scout=str(numbers[selected]))
        st.rerun()


def _row(card: Scorecard) -> dict[str, Any]:
    return {
        "scout": _numbered(card.scout_id, card.scout_name),
        "persons": number(card.person_count),
        "satisfactory": number(card.satisfactory_count),
        "share": card.satisfactory_count / card.person_count if card.person_count else 0.0,
        "conflicts": number(card.conflict_count),
        "backlog": number(card.backlog_count),
        "unpaid": soles(card.unpaid_pen),
        "recent": number(card.recent_count),
        "change": signed(card.recent_count - card.earlier_count),
        "situation": t(f"scouts.situation_{_situation(card)}"),
    }


def _situation(card: Scorecard) -> str:
    if not card.is_listed:
        return "unlisted"
    return "active" if card.is_active else "inactive"


def _numbered(scout: int, name: str | None) -> str:
    return lists.scout_label(scout, {scout: name}, 40)


def _card(scout: int, today: date) -> None:
    seen = read.many(
        read.call(scouts.list_scorecards, ScoutFilters(scout_id=scout), today=today),
        read.call(scouts.list_weeks, (scout,), today=today),
    ).value
    page, weeks = seen
    if not page.rows:
        frame.empty(
            t("scouts.card_unknown", scout=scout), t("scouts.card_unknown_hint"), filters=("scout",)
        )
        return
    card: Scorecard = page.rows[0]
    with st.container(border=True, gap="small"):
        title = frame.card_title(
            t("scouts.card", scout=plain(_numbered(card.scout_id, card.scout_name)))
        )
        with title:
            situation = t(f"scouts.situation_{_situation(card)}")
            st.markdown(f":gray-badge[{situation}]", width="content")
        _numbers(card)
        st.subheader(t("scouts.trend"), anchor=False)
        counts = weeks[scout]
        charts.show(
            "scouts_trend",
            _draw_weeks,
            (counts, today),
            alt=t("scouts.trend_alt", counts=", ".join(map(number, counts))),
            height=130,
        )


def _numbers(card: Scorecard) -> None:
    scout = str(card.scout_id)
    share = 100 * card.satisfactory_count / card.person_count if card.person_count else None
    # what names this scout alone: attributed, or waiting for it
    named = card.backlog_count + card.satisfactory_count
    waiting = 100 * card.backlog_count / named if named else None
    with st.grid(6, min_column_width=140):
        with st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(t("scouts.persons"), number(card.person_count))
            _follow("liquidation", "persons", card.person_count, scout=scout)
        with st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(
                t("scouts.recent"),
                number(card.recent_count),
                delta=signed(card.recent_count - card.earlier_count),
                delta_color="blue",
                delta_description=t("scouts.recent_of"),
            )
        with st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(t("scouts.satisfactory"), number(card.satisfactory_count))
            st.caption(t("scouts.satisfactory_of", share=percent(share)))
        with st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(t("scouts.backlog"), number(card.backlog_count))
            st.caption(t("scouts.backlog_of", share=percent(waiting)))
            _follow("backlog", "backlog", card.backlog_count, scout=scout)
        with st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(t("scouts.conflicts"), number(card.conflict_count))
            _follow("conflicts", "conflicts", card.conflict_count, scout=scout)
        with st.container(border=True, gap="xxsmall", height="stretch"):
            st.metric(t("scouts.unpaid"), soles(card.unpaid_pen))
            st.caption(
                t(
                    "scouts.unpaid_of",
                    count=number(card.unpaid_claim_count),
                    total=number(card.claim_count),
                )
            )
            _follow("cobranza", "unpaid", card.claim_count, scout=scout)


def _follow(place: str, name: str, count: int, **filters: str) -> None:
    if count and st.button(
        t(f"scouts.follow_{name}"),
        type="tertiary",
        icon=":material/arrow_forward:",
        key=f"scouts_follow_{name}",
    ):
        site.go(place, **filters)


def _draw_weeks(data: Any, inks: Inks) -> dict[str, Any]:
    counts, today = data
    starts = [today - timedelta(days=7 * (len(counts) - n) - 1) for n in range(len(counts))]
    axis = charts.axis(inks)
    return {
        "data": [
            {
                "type": "bar",
                "x": list(range(len(counts))),
                "y": list(counts),
                "width": 0.6,
                "marker": {"color": charts.ACCENT},
                "text": [number(count) for count in counts],
                "textposition": "outside",
                "textangle": 0,
                "constraintext": "none",
                "cliponaxis": False,
                "textfont": {"color": inks.text},
                "customdata": [
                    t("scouts.trend_hover", day=short_day(day), count=number(count))
                    for day, count in zip(starts, counts, strict=True)
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        ],
        "layout": {
            "margin": {"l": 0, "r": 0, "b": 0, "t": 20},
            "xaxis": axis
            | {
                "tickvals": list(range(0, len(counts), 3)),
                "ticktext": [short_day(day) for day in starts[::3]],
                "showgrid": False,
            },
            "yaxis": axis | {"visible": False, "rangemode": "tozero"},
        },
    }


def _collisions(found: Collisions) -> None:
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("scouts.collisions"))
        if not found.pairs:
            st.caption(t("scouts.collisions_none"))
        else:
            st.caption(t("scouts.collisions_hint"))
            _pairs(found)
        if found.crowded_persons:
            st.caption(
                t(
                    "scouts.collisions_crowded",
                    count=number(found.crowded_persons),
                    limit=scouts.PAIRED_SCOUTS,
                )
            )
    pair = _chosen_pair()
    if pair is not None:
        _shared(*pair)


def _pairs(found: Collisions) -> None:
    known = {s for pair in found.pairs for s in (pair.low_scout_id, pair.high_scout_id)}
    names = read.one(stakes.names_of_scouts, tuple(sorted(known))).value
    pairs = [(pair.low_scout_id, pair.high_scout_id) for pair in found.pairs]
    chosen = _chosen_pair()
    left, right = st.columns((1, 1))
    with left:
        triples = tuple((p.low_scout_id, p.high_scout_id, p.person_count) for p in found.pairs)
        words = ", ".join(
            t("scouts.pair", low=low, high=high, count=number(count))
            for low, high, count in triples
        )
        charts.show(
            "scouts_matrix",
            _draw_matrix,
            triples,
            alt=t("scouts.collisions_alt", pairs=words),
            height=min(380, 90 + 26 * len(_matrix_scouts(triples))),
        )
    with right:
        selected = tables.show(
            [
                Column("low", t("scouts.column_low"), pinned=True, width=130),
                Column("high", t("scouts.column_high")),
                Column("count", t("scouts.column_count"), right=True),
            ],
            [
                {
                    "low": _numbered(pair.low_scout_id, names.get(pair.low_scout_id)),
                    "high": _numbered(pair.high_scout_id, names.get(pair.high_scout_id)),
                    "count": number(pair.person_count),
                }
                for pair in found.pairs
            ],
            key=f"scouts_pairs_{chosen}",
            alt=t("scouts.pairs_alt"),
            select=True,
            selected=pairs.index(chosen) if chosen in pairs else None,
        )
    if selected is not None and pairs[selected] != chosen:
        low, high = pairs[selected]
        link.put(pair=f"{low}-{high}", **dict.fromkeys(link.CURSORS))
        st.rerun()


def _matrix_scouts(triples: tuple[tuple[int, int, int], ...]) -> list[int]:
    """The scouts of the pairs, most persons first, as many as can be read."""
    order: dict[int, int] = {}
    for low, high, count in triples:
        order[low] = order.get(low, 0) + count
        order[high] = order.get(high, 0) + count
    return sorted(sorted(order), key=lambda scout: -order[scout])[:MATRIX_SCOUTS]


def _draw_matrix(triples: Any, inks: Inks) -> dict[str, Any]:
    shown = _matrix_scouts(triples)
    labels = [str(scout) for scout in shown]
    counts = {(a, b): n for low, high, n in triples for a, b in ((low, high), (high, low))}
    values = [[counts.get((a, b)) for b in shown] for a in shown]
    axis = charts.axis(inks) | {"type": "category", "showgrid": False}
    return {
        "data": [
            {
                "type": "heatmap",
                "x": labels,
                "y": labels,
                "z": values,
                "text": [["" if n is None else number(n) for n in row] for row in values],
                "texttemplate": "%{text}",
                "textfont": {"color": inks.strong, "size": 12},
                "colorscale": [[0, "rgba(60,111,224,0.18)"], [1, "rgba(60,111,224,0.55)"]],
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hoverongaps": False,
                "customdata": [
                    [
                        ""
                        if n is None
                        else t("scouts.pair", low=shown[i], high=shown[j], count=number(n))
                        for j, n in enumerate(row)
                    ]
                    for i, row in enumerate(values)
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": axis | {"side": "top"},
            "yaxis": axis | {"autorange": "reversed"},
        },
    }


def _chosen_pair() -> tuple[int, int] | None:
    parts = (link.value("pair") or "").split("-")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) <= 10 for p in parts):
        return None
    low, high = sorted(map(int, parts))
    return (low, high) if 1 <= low < high <= MAX_SCOUT_ID else None


def _shared(low: int, high: int) -> None:
    found = read.one(scouts.list_shared_conflicts, low, high, page_size=200).value
    with st.container(border=True, gap="xsmall"):
        title = frame.card_title(t("scouts.shared", low=low, high=high))
        with title:
            st.button(
                t("scouts.close"),
                icon=":material/close:",
                type="tertiary",
                on_click=link.clear,
                args=("pair",),
                key="scouts_close_pair",
            )
        if not found.rows:
            st.caption(t("scouts.shared_none"))
            return
        st.caption(t("scouts.shared_hint"))
        chosen = tables.show(
            [
                Column("person", t("scouts.column_person"), pinned=True),
                Column("kind", t("scouts.column_kind")),
                Column("scouts", t("scouts.column_scouts"), kind="chips"),
                Column("last", t("scouts.column_last")),
            ],
            [
                {
                    "person": row.person_key[:8],
                    "kind": t(f"scouts.conflict_{row.conflict_kind}"),
                    "scouts": [str(s) for s in row.scout_ids],
                    "last": short_day(row.last_event_date) if row.last_event_date else NOTHING,
                }
                for row in found.rows
            ],
            key="scouts_shared",
            alt=t("scouts.shared_alt"),
            select=True,
        )
    if chosen is not None:
        site.go("persona", key=found.rows[chosen].person_key)


show()
