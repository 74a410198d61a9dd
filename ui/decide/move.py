"""Moving the link of a scouting row to another person, on a page."""

from collections.abc import Sequence

import streamlit as st

from scout_core.access.note import NOTE_MAX, NOTE_MIN
from scout_core.access.permissions import Actor, may
from scout_core.decide import review
from scout_core.errors import ChangedMeanwhile, ScoutError
from ui.decide import form
from ui.decide.form import Told
from ui.parts import notes, read, who
from ui.parts.text import number, t

OTHER = "other"


def move(actor: Actor, source_pks: Sequence[str], candidates: Sequence[str]) -> None:
    """Choose one of these linked rows and whom it belongs to, say why, move its link."""
    with st.expander(t("review.move"), icon=":material/move_up:"):
        if not may(actor, "review"):
            st.caption(t("review.not_allowed"))
            return
        place = f"move_{source_pks[0]}_{len(source_pks)}"
        row = source_pks[0]
        if len(source_pks) > 1:
            row = st.selectbox(t("review.column_row"), source_pks, key=f"{place}_row")
        person = OTHER
        if candidates:
            person = st.radio(
                t("review.question"),
                [*candidates, OTHER],
                format_func=lambda key: (
                    t("review.move_other") if key == OTHER else t("review.act_link", person=key[:8])
                ),
                key=f"{place}_who",
            )
        if person == OTHER:
            person = st.text_input(t("review.move_key"), key=f"{place}_key").strip()
        reason = notes.area(
            t("review.note", least=number(NOTE_MIN), most=number(NOTE_MAX)), f"{place}_note"
        )
        st.button(
            t("review.do_move"),
            type="primary",
            icon=":material/move_up:",
            disabled=not person,
            on_click=_do,
            args=(row, person, reason, f"{place}_note"),
            key=f"{place}_do",
        )


@who.acting("review")
def _do(actor: Actor, source_pk: str, person_key: str, reason: str, key: str) -> None:
    try:
        done = review.move(
            read.database(),
            actor=actor,
            source_pk=source_pk,
            person_key=person_key,
            reason=st.session_state.get(key, reason),
            requested_at=read.now(),
        )
    except ChangedMeanwhile:
        st.session_state[form.TOLD] = Told("changed", "")
    except ScoutError as exc:
        st.session_state[form.TOLD] = Told("refused", notes.why(exc, "decide.bad_note"))
    else:
        words = t("review.done_MOVED", row=source_pk)
        st.session_state[form.TOLD] = Told("done", words, done.run_id)
    read.forget()
