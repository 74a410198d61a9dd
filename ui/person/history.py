"""What happened to a person, newest first, each entry in words."""

from typing import Any

import streamlit as st

from scout_core.attribution.person_history import Entry, Story
from ui.parts import frame, link
from ui.parts.text import NOTHING, clean, moment, number, plain, short_day, t
from ui.person.phrases import NAMED_SCOUTS, Names, scout_words, source_words

FIRST_ENTRIES, MORE_ENTRIES = 25, 100
ICONS = {
    "REGISTERED": "person_add",
    "CONFLICT_OPENED": "call_split",
    "LEDGER_CHANGED": "edit_note",
    "LINK": "link",
    "DECISION": "gavel",
    "HELD": "front_hand",
    "RELEASED": "lock_open",
    "ISSUE_OPENED": "report",
    "ISSUE_CLOSED": "check",
    "lead_events": "event",
    "module_ct_migrations": "move_up",
    "module_ct_scouting_daily": "badge",
    "module_ct_cabinet_payments": "payments",
}
RULES = (
    "UNREADABLE_SCOUT",
    "UNKNOWN_SCOUT",
    "PAYLOAD_SHAPE",
    "PAYLOAD_TOO_LARGE",
    "SIMILAR_KEY",
    "DATE_OUT_OF_RANGE",
    "ROW_WITHOUT_ID",
    "REPEATED_ID",
)


def show(story: Story, names: Names) -> None:
    """All of it, the evidence or the changes; more on request."""
    title = frame.card_title(t("persona.history"))
    with title:
        view = link.tabs(
            "show",
            t("persona.show"),
            ("all", "evidence", "changes"),
            shown=lambda name: t(f"persona.show_{name}"),
        )
    entries = [
        entry
        for entry in story.entries
        if view == "all" or entry.is_evidence == (view == "evidence")
    ]
    if not entries:
        st.caption(t("persona.history_none"))
        return
    shown_key = f"persona_shown_{story.told.state['person_key']}"
    shown = int(st.session_state.get(shown_key, FIRST_ENTRIES))
    for number_, entry in enumerate(entries[:shown]):
        words, detail = _told(entry, names)
        when = f":gray[{_when(entry)}]"
        with st.expander(
            f"{when} {words}",
            expanded=bool(detail) and entry.explains_state,
            type="step",
            icon=f":material/{_icon(entry)}:",
            key=f"persona_entry_{view}_{number_}",
        ):
            if detail:
                st.caption(detail)
    if len(entries) > shown:
        st.button(
            t("persona.history_more", shown=number(shown), total=number(len(entries))),
            icon=":material/expand_more:",
            key="persona_more",
            on_click=lambda: st.session_state.update({shown_key: shown + MORE_ENTRIES}),
        )


def _when(entry: Entry) -> str:
    if entry.at is not None:
        return moment(entry.at)
    return short_day(entry.on) if entry.on is not None else t("persona.no_date")


def _icon(entry: Entry) -> str:
    if entry.kind == "EVIDENCE":
        return ICONS.get(entry.values["source_table"].rpartition(".")[2], "event")
    return ICONS[entry.kind]


def _told(entry: Entry, names: Names) -> tuple[str, str]:
    """An entry in words: its line and, where there is more to say, a detail. For markdown."""
    told = entry.values
    match entry.kind:
        case "EVIDENCE":
            table = told["source_table"].rpartition(".")[2]
            return t(f"persona.entry_{table}", scout=scout_words(told["scout_id"], names)), _row(
                told
            )
        case "CONFLICT_OPENED":
            numbers = ", ".join(map(str, told["scout_ids"][:NAMED_SCOUTS]))
            more = len(told["scout_ids"]) - NAMED_SCOUTS
            words = f"{numbers} +{number(more)}" if more > 0 else numbers
            return (
                t("persona.entry_CONFLICT_OPENED", scouts=words),
                t(f"persona.opened_{told['conflict_kind']}"),
            )
        case "LEDGER_CHANGED":
            return _ledger_entry(told, names), _run(told)
        case "LINK":
            return _link_entry(told), _run(told)
        case "DECISION":
            words = t(
                f"persona.entry_{told['outcome']}",
                actor=plain(told["actor"]),
                scout=scout_words(told["scout_id"], names),
            )
            return words, plain(clean(told["note"], 1000))
        case "HELD" | "RELEASED":
            words = t(f"persona.entry_{entry.kind}", actor=plain(told["actor"] or NOTHING))
            return words, plain(clean(told["reason"] or "", 1000))
        case "ISSUE_OPENED" | "ISSUE_CLOSED":
            rule = told["rule"] if told["rule"] in RULES else "OTHER"
            words = t(f"persona.entry_{entry.kind}", rule=t(f"persona.rule_{rule}"))
            detail = t(
                "persona.entry_excerpt",
                excerpt=plain(told["excerpt"] or ""),
                source=plain(source_words(told["source_table"])),
                row=plain(told["source_pk"]),
            )
            return words, detail
    return t("persona.entry_REGISTERED"), ""


def _ledger_entry(told: Any, names: Names) -> str:
    known = {
        "BACKFILL_SINGLE_SCOUT_FROM_EVENTS",
        "MANUAL_DECISION",
        "EXTERNAL_CHANGE",
        "REVERT",
        "ERASURE",
    }
    method = told["method"] if told["method"] in known else "OTHER"
    return t(
        f"persona.entry_{method}",
        run=told["run_id"],
        actor=plain(told["actor"] or NOTHING),
        old=scout_words(told["old_scout_id"], names),
        new=scout_words(told["new_scout_id"], names),
    )


def _link_entry(told: Any) -> str:
    row = plain(told["source_pk"])
    if told["method"] == "EXTERNAL_CHANGE":
        actor = plain(told["actor"] or NOTHING)
        return t(f"persona.entry_LINK_EXTERNAL_{told['action']}", row=row, actor=actor)
    if told["action"] == "REVERTED":
        return t("persona.entry_LINK_REVERTED", row=row)
    known = {
        "BACKFILL_LICENSE_MATCH",
        "BACKFILL_PHONE_MATCH",
        "BACKFILL_NEW_PERSON",
        "REVIEW_LINK",
        "REVIEW_NEW_PERSON",
        "REVIEW_MOVE",
    }
    method = told["method"] if told["method"] in known else "OTHER"
    return t(f"persona.entry_LINK_{method}", row=row)


def _row(told: Any) -> str:
    return t(
        "persona.entry_row",
        source=plain(source_words(told["source_table"])),
        row=plain(told["source_pk"]),
    )


def _run(told: Any) -> str:
    return t("persona.entry_run", run=told["run_id"]) if told["run_id"] is not None else ""
