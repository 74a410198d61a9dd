"""What asks for attention: alerts by severity and age, until what they tell of is gone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import streamlit as st

from scout_core.alerts import register
from scout_core.alerts.register import Alert, AlertFilters, Standing
from scout_core.lists.paging import Page as Listed
from ui.alerts import deliveries, source_checks
from ui.alerts import view as alert_view
from ui.alerts.phrases import (
    next_of,
    rule_of,
    severity_of,
    status_of,
    subject_of,
    told_rules,
)
from ui.parts import frame, link, lists, read, tables
from ui.parts.tables import Column
from ui.parts.text import NOTHING, ago, moment, number, t

VIEWS = ("standing", "OPEN", "ACKNOWLEDGED", "MUTED", "RESOLVED")
OLD_MINUTES = 15


def show() -> None:
    """Head, numbers by rule, filters, alerts, what can be done about those that are chosen."""
    page = frame.open_page("alerts")
    if source_checks.shown(page):
        return
    counted = st.container()
    view = link.tabs("status", t("alerts.status"), VIEWS, shown=lambda v: t(f"alerts.view_{v}"))
    given, sort, words = _filters(view)
    seen = read.many(
        read.call(register.count_standing, read.NOW),
        read.call(
            register.list_alerts,
            given,
            now=read.NOW,
            sort=sort,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
            total=0 if view in VIEWS[:3] else None,
        ),
        read.call(register.last_look),
    )
    standing, listed, looked = seen.value
    if view in VIEWS[:3]:
        listed = replace(listed, total=_total(standing, given))
    page.stamp(
        seen,
        t("alerts.total", count=number(sum(row.count for row in standing))),
        t("alerts.total_open", count=number(sum(row.open_count for row in standing))),
    )
    alert_view.notice()
    if looked.looked_at is not None and seen.at - looked.looked_at > timedelta(minutes=OLD_MINUTES):
        st.caption(f":material/history: {t('alerts.looked', ago=ago(looked.looked_at, seen.at))}")
    with counted:
        _overview(standing, given, is_looked=looked.looked_at is not None)
    if listed.rows:
        _chosen(page, listed, view)
    elif any(words.values()):
        lists.no_rows(words)
    elif view != "standing":
        st.caption(t(f"alerts.none_{view}"))
    if not listed.rows and link.value(alert_view.ALERT):
        alert_view.one(page.actor, _number(link.value(alert_view.ALERT)))
    deliveries.section(page.actor)


def _filters(view: str) -> tuple[AlertFilters, str | None, dict[str, str | None]]:
    standing = read.one(register.count_standing, read.NOW).value
    rules = sorted(
        {row.rule for row in standing} | {*register.ROW_RULES, *told_rules()}, key=rule_of
    )
    asked = link.value("rule")
    if asked and asked not in rules and len(asked) <= 60:
        rules = [asked, *rules]
    sorts = list(register.SORTS[register.LISTS.get(view, "list_standing")])
    with st.grid(3, min_column_width=200):
        rule = link.choice("rule", t("alerts.rule"), rules, shown=rule_of)
        severity = link.choice(
            "severity", t("alerts.severity"), register.SEVERITIES, shown=severity_of
        )
        sort = link.choice(
            "sort",
            t("alerts.sort"),
            sorts[1:],
            shown=lambda s: t(f"alerts.sort_{s}"),
            none=t(f"alerts.sort_{sorts[0]}"),
        )
    given = AlertFilters(rule=rule, severity=severity, status=None if view == "standing" else view)
    return (
        given,
        sort,
        {
            "status": t("alerts.filter_status", status=status_of(view))
            if view != "standing" and (rule or severity)
            else None,
            "rule": t("alerts.filter_rule", rule=rule_of(rule)) if rule else None,
            "severity": t("alerts.filter_severity", severity=severity_of(severity))
            if severity
            else None,
        },
    )


def _total(standing: tuple[Standing, ...], given: AlertFilters) -> int:
    """How many of those that stand are under the filter."""
    fitting = [
        row
        for row in standing
        if given.rule in (None, row.rule) and given.severity in (None, row.severity)
    ]
    part = {"OPEN": "open_count", "ACKNOWLEDGED": "acknowledged_count"}.get(given.status or "")
    return sum(row.count if part is None else getattr(row, part) for row in fitting)


def _overview(standing: tuple[Standing, ...], given: AlertFilters, *, is_looked: bool) -> None:
    if not standing:
        none = "none" if is_looked else "never"
        frame.empty(t(f"alerts.{none}"), t(f"alerts.{none}_hint"))
        return
    places = [(row.rule, row.severity) for row in standing]
    at = next(
        (
            n
            for n, (rule, severity) in enumerate(places)
            if rule == given.rule and given.severity in (None, severity)
        ),
        None,
    )
    with st.container(border=True, gap="xsmall"):
        frame.card_title(t("alerts.by_rule"))
        st.caption(t("alerts.intro"))
        chosen = tables.show(
            [
                Column("rule", t("alerts.rule"), pinned=True),
                Column("open", t("alerts.column_open"), right=True, width=80),
                Column("severity", t("alerts.severity"), width=90),
                Column("acknowledged", t("alerts.column_acknowledged"), right=True, width=95),
                Column("muted", t("alerts.column_muted"), right=True, width=95),
                Column("since", t("alerts.column_oldest"), width=110),
                Column("next", t("alerts.column_next")),
            ],
            [
                {
                    "rule": rule_of(row.rule),
                    "open": number(row.open_count),
                    "severity": severity_of(row.severity),
                    "acknowledged": number(row.acknowledged_count),
                    "muted": number(row.muted_count),
                    "since": moment(row.since),
                    "next": next_of(row.rule),
                }
                for row in standing
            ],
            key=f"alerts_overview_{given.rule}_{given.severity}",
            alt=t("alerts.overview_alt"),
            select=True,
            selected=at,
        )
    if chosen is not None and chosen != at:
        rule, severity = places[chosen]
        is_one = [place[0] for place in places].count(rule) == 1
        link.clear(alert_view.ALERT, "status", "sort")
        link.put(rule=rule, severity=None if is_one else severity)
        st.rerun()


def _chosen(page: frame.Page, listed: Listed[Alert], view: str) -> None:
    ids = [alert.alert_id for alert in listed.rows]
    wanted = _number(link.value(alert_view.ALERT))
    if wanted != st.session_state.get("alerts_shown"):
        # the address was changed by the back button or a link: what the table remembers is no more
        alert_view.forget_chosen()
    at = ids.index(wanted) if wanted in ids else None
    columns, as_row = (_MUTES, _mute) if view == "MUTED" else (_ALERTS, _alert)
    chosen = tables.choose(
        [Column(key, t(f"alerts.column_{key}"), **how) for key, how in columns],
        [as_row(alert) for alert in listed.rows],
        key=f"alerts_table_{view}_{ids[0]}_{ids[-1]}_{st.session_state.get(alert_view.CLOSED, 0)}",
        alt=t("alerts.table_alt"),
        selected=() if at is None else (at,),
    )
    tables.pager(listed, key="alerts_pager")
    if len(chosen) == 1:
        wanted = ids[chosen[0]]
        link.put(**{alert_view.ALERT: str(wanted)})
    elif chosen or at is not None:
        wanted = None
        link.put(**{alert_view.ALERT: None})
    st.session_state["alerts_shown"] = wanted
    if len(chosen) > 1:
        alert_view.several(page.actor, [listed.rows[row] for row in chosen])
    elif wanted is not None:
        alert_view.one(page.actor, wanted)
    else:
        st.caption(t("alerts.choose"))


def _number(raw: str | None) -> int | None:
    is_one = raw is not None and raw.isascii() and raw.isdecimal() and 0 < len(raw) <= 18
    return int(raw) or None if is_one and raw is not None else None


_ALERTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("rule", {"pinned": True}),
    ("subject", {}),
    ("since", {"width": 110}),
    ("severity", {"width": 90}),
    ("status", {"width": 120}),
    ("person", {"width": 90}),
    ("times", {"right": True, "width": 70}),
    ("actor", {}),
)
_MUTES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("rule", {"pinned": True}),
    ("subject", {}),
    ("muted_since", {"width": 110}),
    ("until", {"width": 110}),
    ("actor", {}),
    ("reason", {}),
    ("severity", {"width": 90}),
)


def _alert(alert: Alert) -> dict[str, Any]:
    gone = alert.status == "RESOLVED"
    return {
        "rule": rule_of(alert.rule),
        "subject": subject_of(alert),
        "since": moment(alert.resolved_at if gone else alert.opened_at),
        "severity": severity_of(alert.severity),
        "status": status_of(alert.status),
        "person": alert.person_key[:8] if alert.person_key else NOTHING,
        "times": number(alert.times_opened),
        "actor": alert.actor or NOTHING,
    }


def _mute(alert: Alert) -> dict[str, Any]:
    return {
        "rule": rule_of(alert.rule),
        "subject": subject_of(alert),
        "muted_since": moment(alert.muted_at),
        "until": moment(alert.muted_until),
        "actor": alert.actor or NOTHING,
        "reason": alert.reason or NOTHING,
        "severity": severity_of(alert.severity),
    }


show()
