"""Deciding on a page: who brought a person, with reason and note, on the evidence that is shown.

What became of it is kept until the next page run, for the conflict is gone by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import uuid4

import streamlit as st

from scout_core.access.note import NOTE_MAX, NOTE_MIN
from scout_core.access.permissions import Actor, may
from scout_core.attribution import fingerprint
from scout_core.attribution.conflicts import ListedConflict
from scout_core.decide import decisions, holds
from scout_core.decide.decisions import Candidate
from scout_core.decide.reasons import REASON_CODES, STRONG_CODES, Outcome
from scout_core.errors import ChangedMeanwhile, ScoutError
from ui.parts import lists, notes, read, site, tables, who
from ui.parts.lists import Names
from ui.parts.tables import Column
from ui.parts.text import counted, number, plain, t

NONE, OTHER, REOPEN = "none", "other", "reopen"
SHOWN_ROWS = 10
TOLD = "decide_told"


@dataclass(frozen=True)
class Told:
    """What became of the last decision: done (run_id), changed (its new evidence is on the page by
    now) or refused (why, in words)."""

    kind: Literal["done", "changed", "refused"]
    words: str
    run_id: int | None = None


def notice() -> None:
    """What became of the decision that was just taken; once."""
    told: Told | None = st.session_state.pop(TOLD, None)
    if told is None:
        return
    if told.kind == "done":
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":green[:material/check_circle:] **{told.words}**", width="stretch")
            if told.run_id is not None:
                site.link_to("runs", t("decide.see_run", run=told.run_id), run=str(told.run_id))
    elif told.kind == "changed":
        st.warning(
            t("decide.changed_body"), title=t("decide.changed_title"), icon=":material/update:"
        )
    else:
        st.error(told.words, title=t("decide.refused"), icon=":material/block:")


def form(
    actor: Actor,
    person_key: str,
    seen: str,
    scouts: Sequence[int],
    names: Names,
    *,
    paid_pen: Decimal | None,
    may_reopen: bool = False,
    conflict: bool = True,
) -> None:
    """Choose, give a reason, decide: for one person on the evidence of `seen`."""
    if not may(actor, "decide"):
        st.caption(t("decide.not_allowed"))
        return
    place = f"decide_{person_key}_{seen[:8]}"
    choices = [*map(str, scouts), NONE, OTHER, *([REOPEN] if may_reopen else [])]
    if paid_pen:
        st.warning(
            t("decide.paid", amount=lists.soles(paid_pen)),
            icon=":material/payments:",
        )
    chosen = st.radio(
        t("decide.question"),
        choices,
        index=None,
        format_func=lambda choice: plain(_choice(choice, names)),
        horizontal=True,
        key=f"{place}_choice",
    )
    if chosen is None:
        st.caption(t("decide.choose") if conflict else t("decide.choose_anyway"))
        return
    scout: int | None = int(chosen) if chosen.isdecimal() else None
    left, right = st.columns((1, 2))
    if chosen == OTHER:
        scout = left.selectbox(
            t("decide.other_scout"),
            [known for known in names if known not in scouts],
            index=None,
            format_func=lambda known: lists.scout_label(known, names, 40),
            key=f"{place}_other",
        )
    outcome = _outcome(chosen)
    codes = STRONG_CODES if chosen == OTHER else REASON_CODES[outcome]
    code = left.selectbox(
        t("decide.code"),
        codes,
        format_func=lambda c: t(f"decide.code_{c}"),
        key=f"{place}_code_{outcome}_{chosen == OTHER}",
    )
    label = t("decide.note", least=number(NOTE_MIN), most=number(NOTE_MAX))
    note = notes.area(label, f"{place}_note", right)
    request = st.session_state.setdefault(f"{place}_request", str(uuid4()))
    st.button(
        _effect(outcome, scout),
        type="primary",
        icon=":material/gavel:",
        disabled=outcome == "ASSIGN" and scout is None,
        on_click=_decide,
        args=(person_key, seen, outcome, scout, code, note, request, place),
        key=f"{place}_do",
    )
    st.caption(t("decide.what_happens"))


@who.acting("decide")
def _decide(
    actor: Actor,
    person_key: str,
    seen: str,
    outcome: Outcome,
    scout: int | None,
    code: str,
    note: str,
    request: str,
    place: str,
) -> None:
    # the note of the click: what was typed last may be newer than what the button was drawn with
    note = st.session_state.get(f"{place}_note", note)
    try:
        done = decisions.decide(
            read.database(),
            actor=actor,
            person_key=person_key,
            outcome=outcome,
            scout_id=scout,
            reason_code=code,
            note=note,
            seen=seen,
            request_id=request,
            requested_at=read.now(),
        )
    except ChangedMeanwhile:
        st.session_state[TOLD] = Told("changed", "")
    except ScoutError as exc:
        # the same words again are another request
        st.session_state.pop(f"{place}_request", None)
        st.session_state[TOLD] = Told("refused", _why(exc))
    else:
        words = t(f"decide.done_{outcome}", person=person_key[:8], scout=scout)
        st.session_state[TOLD] = Told("done", words, done.run_id)
    read.forget()


def bulk(actor: Actor, rows: Sequence[ListedConflict], names: Names) -> None:
    """The same for all conflicts of a page that qualify: shown before, one run, one undo."""
    if not may(actor, "decide") or len(rows) < 2:
        return
    keys = tuple(row.person_key for row in rows)
    with st.expander(t("decide.bulk", count=number(len(rows))), icon=":material/rule:"):
        named = sorted({scout for row in rows for scout in row.scout_ids})
        chosen = st.selectbox(
            t("decide.bulk_question"),
            [NONE, *map(str, named)],
            index=None,
            format_func=lambda choice: _choice(choice, names),
            key="decide_bulk_choice",
        )
        if chosen is None:
            st.caption(t("decide.bulk_hint"))
            return
        scout = int(chosen) if chosen.isdecimal() else None
        outcome = _outcome(chosen)
        found = read.one(decisions.preview_many, keys, outcome=outcome, scout_id=scout).value
        ready = [c for c in found if c.why_not is None and c.seen is not None]
        _preview(found, ready)
        if not ready:
            return
        left, right = st.columns((1, 2))
        code = left.selectbox(
            t("decide.code"),
            REASON_CODES[outcome],
            format_func=lambda c: t(f"decide.code_{c}"),
            key=f"decide_bulk_code_{outcome}",
        )
        label = t("decide.note", least=number(NOTE_MIN), most=number(NOTE_MAX))
        note = notes.area(label, "decide_bulk_note", right)
        persons = {c.person_key: c.seen or "" for c in ready}
        st.button(
            counted("decide.bulk_do", len(ready)),
            type="primary",
            icon=":material/gavel:",
            on_click=_decide_many,
            args=(persons, outcome, scout, code, note),
            key="decide_bulk_do",
        )


def _preview(found: Sequence[Candidate], ready: Sequence[Candidate]) -> None:
    paid = [c for c in ready if c.paid_pen]
    st.markdown(t("decide.bulk_ready", ready=number(len(ready)), total=number(len(found))))
    if paid:
        amount = sum((c.paid_pen or Decimal(0) for c in paid), Decimal(0))
        st.warning(
            t("decide.bulk_paid", count=number(len(paid)), amount=lists.soles(amount)),
            icon=":material/payments:",
        )
    tables.show(
        [
            Column("person", t("lists.person"), pinned=True, width=90),
            Column("scouts", t("decide.bulk_scouts"), kind="chips"),
            Column("outcome", t("decide.bulk_outcome")),
        ],
        [
            {
                "person": c.person_key[:8],
                "scouts": [str(scout) for scout in c.scout_ids],
                "outcome": t(f"decide.why_not_{c.why_not}") if c.why_not else t("decide.qualifies"),
            }
            for c in sorted(found, key=lambda c: c.why_not is None)
        ],
        key="decide_bulk_preview",
        alt=t("decide.bulk_alt"),
        tall=SHOWN_ROWS,
    )


@who.acting("decide")
def _decide_many(
    actor: Actor,
    persons: dict[str, str],
    outcome: Outcome,
    scout: int | None,
    code: str,
    note: str,
) -> None:
    note = st.session_state.get("decide_bulk_note", note)
    try:
        done = decisions.decide_many(
            read.database(),
            actor=actor,
            persons=persons,
            outcome=outcome,
            scout_id=scout,
            reason_code=code,
            note=note,
            requested_at=read.now(),
        )
    except ScoutError as exc:
        st.session_state[TOLD] = Told("refused", _why(exc))
    else:
        words = t(
            "decide.bulk_done", count=number(len(done.decided)), skipped=number(len(done.skipped))
        )
        st.session_state[TOLD] = Told("done", words, done.run_id)
        st.session_state.pop("decide_bulk_choice", None)
    read.forget()


def hold_list(actor: Actor, open_holds: Sequence[dict[str, Any]]) -> None:
    """The holds on a person, each with its release."""
    for hold in open_holds:
        with st.container(border=True, gap="xsmall"):
            st.markdown(
                t(
                    "decide.held",
                    run=hold["run_id"] if hold["run_id"] is not None else "-",
                    reason=plain(hold["reason"]),
                )
            )
            if may(actor, "release"):
                release(hold["hold_id"])


def release(hold_id: int) -> None:
    """Reason and button that release a hold."""
    key = f"release_{hold_id}"
    row = st.container(horizontal=True, vertical_alignment="bottom")
    reason = row.text_input(
        t("decide.release_reason", least=number(NOTE_MIN)), max_chars=NOTE_MAX, key=f"{key}_reason"
    )
    row.button(
        t("decide.release"),
        icon=":material/lock_open:",
        on_click=_release,
        args=(hold_id, reason, f"{key}_reason"),
        key=key,
    )
    notes.tell(reason)


@who.acting("release")
def _release(actor: Actor, hold_id: int, reason: str, key: str) -> None:
    try:
        done = holds.release(
            read.database(),
            actor=actor,
            hold_id=hold_id,
            reason=st.session_state.get(key, reason),
            requested_at=read.now(),
        )
    except ScoutError as exc:
        st.session_state[TOLD] = Told("refused", _why(exc))
    else:
        st.session_state[TOLD] = Told("done", t("decide.released"), done.run_id)
    read.forget()


def seen_of(person_key: str) -> str:
    """The fingerprint of the evidence as it is now."""
    return read.one(fingerprint.seen_of, (person_key,)).value[person_key]


def _why(exc: ScoutError) -> str:
    return notes.why(exc, "decide.bad_note")


def _outcome(choice: str) -> Outcome:
    if choice == REOPEN:
        return "REOPEN"
    return "NO_SCOUT" if choice == NONE else "ASSIGN"


def _choice(choice: str, names: Names) -> str:
    if choice.isdecimal():
        return t("decide.choice_scout", scout=lists.scout_label(int(choice), names, 40))
    return t(f"decide.choice_{choice}")


def _effect(outcome: Outcome, scout: int | None) -> str:
    if outcome == "ASSIGN" and scout is None:
        return t("decide.do_ASSIGN_nobody")
    return t(f"decide.do_{outcome}", scout=scout)
