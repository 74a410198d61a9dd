"""Undo on the page of runs: what would go back, what stays and who changed it, then the button."""

from uuid import uuid4

import streamlit as st

from scout_core.access.note import NOTE_MAX, NOTE_MIN
from scout_core.access.permissions import Actor, may
from scout_core.decide import undo
from scout_core.decide.undo import UndoItem, UndoPlan
from scout_core.errors import NotFound, ScoutError
from ui.parts import frame, lists, notes, read, tables, who
from ui.parts.tables import Column
from ui.parts.text import NOTHING, clean, counted, moment, number, t

TOLD = "undo_told"


def notice() -> None:
    """What became of the undo that was just asked for; once."""
    told: tuple[bool, str] | None = st.session_state.pop(TOLD, None)
    if told is None:
        return
    is_done, words = told
    if is_done:
        st.success(words, icon=":material/undo:")
    else:
        st.error(words, title=t("undo.refused"), icon=":material/block:")


def section(actor: Actor, run_id: int) -> None:
    """The preview of an undo and, for who may, the undo."""
    try:
        plan: UndoPlan = read.one(undo.preview, run_id).value
    except NotFound:
        return
    if plan.kind in ("undo", "erase"):
        st.caption(t(f"undo.is_{plan.kind}"))
        return
    if plan.is_empty or plan.status == "RUNNING":
        st.caption(t("undo.nothing"))
        return
    frame.card_title(t("undo.title"))
    left = plan.total("UNDO")
    st.markdown(
        t(
            "undo.sentence",
            undo=number(left),
            later=number(plan.total("CHANGED_LATER")),
            before=number(plan.total("ALREADY_UNDONE")),
        )
    )
    _warnings(plan)
    tables.show(
        [
            Column("what", t("undo.column_what"), pinned=True),
            Column("outcome", t("undo.column_outcome")),
            Column("rows", t("undo.column_rows"), right=True),
        ],
        [
            {
                "what": t(f"undo.subject_{subject}"),
                "outcome": t(f"undo.outcome_{outcome}"),
                "rows": number(count),
            }
            for subject, outcomes in plan.counts.items()
            for outcome, count in outcomes.items()
        ],
        key=f"undo_counts_{run_id}",
        alt=t("undo.counts_alt"),
    )
    _items(plan, run_id)
    if not left:
        return
    if not may(actor, "undo"):
        st.caption(t("undo.not_allowed"))
        return
    label = t("undo.reason", least=number(NOTE_MIN), most=number(NOTE_MAX))
    reason = notes.area(label, f"undo_reason_{run_id}")
    request = st.session_state.setdefault(f"undo_request_{run_id}", str(uuid4()))
    st.button(
        counted("undo.do", left),
        type="primary",
        icon=":material/undo:",
        on_click=_undo,
        args=(run_id, reason, request),
        key=f"undo_do_{run_id}",
    )


def _warnings(plan: UndoPlan) -> None:
    if plan.founded_count:
        is_all = plan.removable_count == plan.founded_count
        st.markdown(
            t(
                "undo.founded_all" if is_all else "undo.founded",
                count=number(plan.founded_count),
                removable=number(plan.removable_count),
            )
        )
    if plan.paid_persons:
        st.warning(
            t(
                "undo.paid",
                count=number(plan.paid_persons),
                amount=lists.soles(plan.paid_pen),
            ),
            icon=":material/payments:",
        )


def _items(plan: UndoPlan, run_id: int) -> None:
    with st.expander(t("undo.items", count=number(undo.ITEM_LIMIT))):
        tables.show(
            [
                Column("what", t("undo.column_what"), pinned=True),
                Column("change", t("undo.column_change")),
                Column("outcome", t("undo.column_outcome")),
                Column("who", t("undo.column_who")),
            ],
            [
                {
                    "what": _subject(item),
                    "change": _change(item),
                    "outcome": t(f"undo.outcome_{item.outcome}"),
                    "who": _by(item),
                }
                for item in plan.items
            ],
            key=f"undo_items_{run_id}",
            alt=t("undo.items_alt"),
        )


def _subject(item: UndoItem) -> str:
    if item.source_pk is not None:
        return f"{item.source_table} {item.source_pk}"
    return (item.person_key or "")[:8]


def _change(item: UndoItem) -> str:
    if item.source_pk is not None:
        return t(f"undo.subject_{item.subject}")
    old, new = (NOTHING if s is None else str(s) for s in (item.old_scout_id, item.new_scout_id))
    return f"{new} → {old}"


def _by(item: UndoItem) -> str:
    if item.outcome == "UNDO":
        return NOTHING
    if item.later_actor is None:
        return t("undo.by_unknown")
    words = clean(item.later_actor)
    if item.later_run_id is not None:
        words = t("undo.by_run", actor=words, run=item.later_run_id)
    return f"{words}, {moment(item.later_at)}"


@who.acting("undo")
def _undo(actor: Actor, run_id: int, reason: str, request: str) -> None:
    reason = st.session_state.get(f"undo_reason_{run_id}", reason)
    try:
        done = undo.run_undo(
            read.database(),
            actor=actor,
            run_id=run_id,
            reason=reason,
            request_id=request,
            requested_at=read.now(),
        )
    except ScoutError as exc:
        st.session_state.pop(f"undo_request_{run_id}", None)
        st.session_state[TOLD] = (False, notes.why(exc, "undo.bad_reason"))
    else:
        st.session_state[TOLD] = (
            True,
            t(
                "undo.done",
                run=run_id,
                by=done.run_id,
                undone=number(done.undone),
                later=number(done.changed_later),
                held=number(done.held_persons + done.held_rows),
            ),
        )
    read.forget()
