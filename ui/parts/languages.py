"""The language of a visitor: from the address, kept there, chosen by a control."""

import streamlit as st

from ui.parts import link, site
from ui.parts.text import LANGUAGES, Language, language, speak, t


def choose() -> None:
    """Take the language from ?lang= where that is new, and keep it there: a reload, a link sent to
    a colleague and the next page speak the same. First call of the script: an address that is
    completed before the page is told is one step of the history with it."""
    asked = next((code for code in LANGUAGES if code == link.value("lang")), None)
    if asked is not None and asked != st.session_state.get("language_seen"):
        st.session_state["language"] = st.session_state["language_choice"] = asked
    chosen = st.session_state.setdefault("language", LANGUAGES[0])
    st.session_state.setdefault("language_choice", chosen)
    if chosen != (asked or LANGUAGES[0]):
        link.put(lang=site.lang_of(chosen))
    st.session_state["language_seen"] = link.value("lang")
    speak()


def control() -> None:
    """The choice between them."""
    st.segmented_control(
        t("common.language"),
        LANGUAGES,
        format_func=str.upper,
        key="language_choice",
        required=True,
        label_visibility="collapsed",
        on_change=_set,
    )


def other() -> None:
    """A button that changes to the other one, where a control would be too much."""
    code = next(code for code in LANGUAGES if code != language())
    st.button(
        t("common.other_language"),
        icon=":material/translate:",
        type="tertiary",
        on_click=_change_to,
        args=(code,),
        key="other_language",
    )


def _set() -> None:
    _change_to(st.session_state["language_choice"])


def _change_to(chosen: Language) -> None:
    st.session_state["language"] = st.session_state["language_choice"] = chosen
    st.session_state["language_seen"] = site.lang_of(chosen)
    link.put(lang=site.lang_of(chosen))
    speak()
