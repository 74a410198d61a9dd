"""Identity review on a page: the scouting rows that no rule could link, and what to do with one."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from scout_core.access.note import NOTE_MAX, NOTE_MIN
from scout_core.access.permissions import Actor, may
from scout_core.decide import review
from scout_core.decide.review import ExplainedRow, RowCandidate
from scout_core.errors import ChangedMeanwhile, NotFound, Refused, ScoutError
from ui.decide import form, move
from ui.decide.form import Told
from ui.parts import frame, link, notes, read, site, tables, who
from ui.parts.tables import Column
from ui.parts.text import NOTHING, catalogue, clean, full_day, number, plain, t

ROW = "row"


def work_list() -> None:
    """The rows that wait, by reason; a chosen one opens."""
    reasons = read.one(review.count_reasons).value
    with st.container(border=True, gap="small"):
        frame.card_title(t("review.title"))
        st.caption(t("review.hint"))
        if not reasons:
            frame.empty(t("review.none"), t("review.none_hint"))
            return
        reason = link.choice("reason", t("review.reason"), list(reasons), shown=_reason)
        listed = read.one(
            review.list_open,
            reason_code=reason,
            after=link.value(link.AFTER),
            before=link.value(link.BEFORE),
        ).value
        pks = [row.source_pk for row in listed.rows]
        wanted = link.value(ROW)
        chosen = tables.show(
            [
                Column("row", t("review.column_row"), pinned=True),
                Column("scout", t("review.column_scout"), right=True),
                Column("day", t("review.column_day")),
                Column("reason", t("review.reason")),
                Column("candidates", t("review.column_candidates"), right=True),
                Column("held", t("review.column_held")),
            ],
            [
                {
                    "row": row.source_pk,
                    "scout": NOTHING if row.scout_id is None else str(row.scout_id),
                    "day": full_day(row.registered_on),
                    "reason": _reason(row.reason_code),
                    "candidates": number(len(row.candidate_person_keys)),
                    "held": t("review.held") if row.is_held else NOTHING,
                }
                for row in listed.rows
            ],
            key=f"review_rows_{hash((*pks, wanted))}",
            alt=t("review.list_alt"),
            select=True,
            selected=pks.index(wanted) if wanted in pks else None,
        )
        tables.pager(listed, key="review_pager")
    if chosen is not None and pks[chosen] != wanted:
        link.put(row=pks[chosen])
        st.rerun()


def row_card(actor: Actor, source_pk: str) -> None:
    """One row: whom it may be, side by side, and link, register or set aside."""
    try:
        row: ExplainedRow = read.one(review.by_row, source_pk).value
    except NotFound:
        frame.empty(t("review.gone"), t("review.gone_hint"), filters=(ROW,))
        return
    except Refused:
        frame.empty(t("review.repeated"), t("review.repeated_hint"), filters=(ROW,))
        return
    with st.container(border=True, gap="small"):
        with frame.card_title(t("review.row", row=plain(row.source_pk))):
            st.button(
                t("review.close"),
                icon=":material/close:",
                type="tertiary",
                on_click=link.put,
                kwargs={ROW: None},
                key="review_close",
            )
        st.markdown(
            t(
                "review.says",
                scout=NOTHING if row.scout_id is None else row.scout_id,
                day=full_day(row.registered_on),
                name=plain(row.name or NOTHING),
                license=plain(row.license or NOTHING),
                phone=plain(row.phone or NOTHING),
            )
        )
        if row.person_key is not None:
            st.markdown(t("review.linked", person=row.person_key[:8]))
            site.link_to("persona", t("review.see_person"), key=row.person_key)
            others = [c.person_key for c in row.candidates if c.person_key != row.person_key]
            move.move(actor, [row.source_pk], others)
            return
        st.markdown(f"**{_why(row).rstrip('.')}.** {_what_would(row)}")
        if row.outdated_person_key is not None:
            st.markdown(t("review.outdated", person=row.outdated_person_key[:8]))
        if row.hold_id is not None:
            st.markdown(t("review.row_held"))
            if may(actor, "release"):
                form.release(row.hold_id)
        if row.candidates:
            with st.grid("auto", min_column_width=260):
                for candidate in row.candidates:
                    with st.container(border=True, gap="xsmall", height="stretch"):
                        _candidate(candidate)
        _acts(actor, row)


def _candidate(person: RowCandidate) -> None:
    frame.card_title(f"`{person.person_key[:8]}` {plain(person.name or '')}")
    same = f":green-badge[:material/check: {t('review.same')}]"
    lines = {
        t("review.license"): same if person.shares_license else plain(person.license or NOTHING),
        t("review.phone"): same if person.shares_phone else plain(person.phone or NOTHING),
        t("review.scouts"): ", ".join(map(str, person.scout_ids)) or NOTHING,
    }
    if person.has_other_license:
        st.caption(t("review.other_license"))
    st.table(lines, border="horizontal", hide_header=True, alt=t("review.candidate_alt"))
    site.link_to("persona", t("review.see_person"), key=person.person_key)


def _acts(actor: Actor, row: ExplainedRow) -> None:
    if not may(actor, "review"):
        st.caption(t("review.not_allowed"))
        return
    place = f"review_{row.source_pk}"
    keys = [c.person_key for c in row.candidates]
    acts = [*keys, "create", *([] if row.status == "IGNORED" else ["dismiss"])]
    chosen = st.radio(
        t("review.question"),
        acts,
        index=None,
        format_func=lambda act: (
            t(f"review.act_{act}")
            if act in ("create", "dismiss")
            else t("review.act_link", person=act[:8])
        ),
        key=f"{place}_act",
    )
    if chosen is None:
        return
    label = t("review.note", least=number(NOTE_MIN), most=number(NOTE_MAX))
    reason = notes.area(label, f"{place}_note")
    words = chosen if chosen in ("create", "dismiss") else "link"
    st.button(
        t(f"review.do_{words}"),
        type="primary",
        icon=":material/how_to_reg:",
        on_click=_do,
        args=(row.source_pk, chosen, reason, f"{place}_note"),
        key=f"{place}_do",
    )


@who.acting("review")
def _do(actor: Actor, source_pk: str, chosen: str, reason: str, key: str) -> None:
    given: dict[str, Any] = {
        "actor": actor,
        "source_pk": source_pk,
        "reason": st.session_state.get(key, reason),
        "requested_at": read.now(),
    }
    act: Callable[..., review.ReviewResult] = review.link
    if chosen in ("create", "dismiss"):
        act = review.create if chosen == "create" else review.dismiss
    else:
        given["person_key"] = chosen
    try:
        done = act(read.database(), **given)
    except ChangedMeanwhile:
        st.session_state[form.TOLD] = Told("changed", "")
    except ScoutError as exc:
        words = notes.why(exc, "decide.bad_note")
        st.session_state[form.TOLD] = Told("refused", words)
    else:
        words = t(f"review.done_{done.act}", row=source_pk)
        st.session_state[form.TOLD] = Told("done", words, done.run_id)
    read.forget()


def _reason(code: str) -> str:
    key = f"review.reason_{code}"
    return t(key) if key in catalogue() else clean(code)


def _why(row: ExplainedRow) -> str:
    if row.status == "IGNORED":
        return t("review.set_aside")
    return plain(_reason(row.reason_code)) if row.reason_code else t("review.not_judged")


def _what_would(row: ExplainedRow) -> str:
    key = f"review.would_{row.reason_code}"
    return t(key) if row.status == "OPEN" and key in catalogue() else ""
