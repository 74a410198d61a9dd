"""The frame of a page: guard, head, time of the data, and what is shown when reading fails.

page = frame.open_page("conflicts")      # first call of every page: who may see it, title
page.stamp(answer, t("conflicts.total", ...))   # caption right of the title, with the data's time
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import streamlit as st

from scout_core.access.permissions import Actor
from scout_core.errors import (
    CannotBeKept,
    DatabaseAway,
    NotInstalled,
    RowsHidden,
    ScoutError,
    SettingsError,
    SourcesChanged,
)
from ui.parts import entry, link, read, who
from ui.parts.text import NBSP, clock, moment, plain, refusal, speak, t

STATES: dict[str, tuple[str, str]] = {
    # state -> colour, icon
    "OK": ("green", "check_circle"),
    "WARN": ("orange", "warning"),
    "FAIL": ("red", "error"),
    "STALE": ("violet", "history"),
    "UNKNOWN": ("gray", "help"),
    "RUNNING": ("blue", "sync"),
    "COMPLETED": ("green", "check_circle"),
    "FAILED": ("red", "error"),
    "LOST": ("red", "heart_broken"),
}
RETRY_SECONDS = 5


@dataclass
class Page:
    """An open page: who looks at it, and its head, where `stamp` and controls go."""

    name: str
    actor: Actor
    head: Any
    _stamp: Any
    _notice: Any

    def stamp(self, answer: read.Answer[Any], *parts: str, seconds: bool = False) -> None:
        """The caption of the head: parts, then the time of the data; a notice when it is old."""
        at = t("common.data_at", time=moment(answer.at, seconds=seconds))
        self._stamp.caption(" · ".join([*parts, at]))
        show_late(answer, self._notice)


def open_page(name: str) -> Page:
    """Guard and head of the page of this name; its title is the word common.page_<name>.

    Ends the script when the visitor has to sign in first. Controls go `with page.head:`.
    """
    actor = who.visitor()
    if actor is None:
        entry.ask_to_sign_in(name)
        st.stop()
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    )
    row.title(t(f"common.page_{name}"), anchor=False, width="content")
    right = row.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", width="content"
    )
    stamp = right.empty()
    if st.session_state.pop(who.NOT_DONE, False):
        st.error(
            t("common.not_done_body"), title=t("common.not_done_title"), icon=":material/block:"
        )
    return Page(name, actor, right, stamp, st.empty())


def show_late(answer: read.Answer[Any], where: Any = st) -> None:
    """Say since when the database does not answer, when the data is old."""
    if answer.away_since is not None:
        where.info(
            t("common.away_body", since=clock(answer.away_since)),
            title=t("common.away_title", time=clock(answer.at)),
            icon=":material/history:",
        )


def badge(state: str, word: str | None = None) -> str:
    """A state as markdown: icon, word, colour."""
    colour, icon = STATES[state]
    return f":{colour}-badge[:material/{icon}: {word or t(f'common.state_{state}')}]"


def verdict(state: str, title: str, body: str) -> None:
    """The verdict of a page as one alert: icon and state word in the title."""
    show = {"OK": st.success, "WARN": st.warning, "FAIL": st.error}.get(state, st.info)
    show(
        body, title=f"{t(f'common.state_{state}')}: {title}", icon=f":material/{STATES[state][1]}:"
    )


def empty(sentence: str, hint: str | None = None, *, filters: tuple[str, ...] = ()) -> None:
    """Nothing to show: why, and what next; with a button that clears these filters."""
    icon = "filter_alt_off" if filters else "check_circle"
    st.markdown(f":gray[:material/{icon}:] **{sentence}**")
    if hint:
        st.caption(hint)
    if filters:
        st.button(
            t("common.clear_filters"),
            icon=":material/close:",
            on_click=link.clear,
            args=filters,
            key="clear_filters",
        )


def card_title(words: str) -> Any:
    """The title row of a card; what is written into the returned container stands right of it."""
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    )
    row.subheader(words, anchor=False, width="content")
    return row


def run_guarded(show: Callable[[], None]) -> None:
    """Show a page; what the library raises becomes a plain notice."""
    try:
        show()
    except ScoutError as exc:
        show_error(exc)


def live(every: float | None, key: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A fragment that runs again by itself, with the guard of a page: when the session is over, the
    page is run whole and asks to sign in. null = only when asked."""

    def decorate(show: Callable[..., None]) -> Callable[..., None]:
        @wraps(show)
        def shown(*args: Any, **kwargs: Any) -> None:
            speak()

            def show_to_visitor() -> None:
                if who.visitor() is None:
                    st.rerun()
                show(*args, **kwargs)

            run_guarded(show_to_visitor)

        fragment: Callable[..., None] = st.fragment(shown, run_every=every, key=key)
        return fragment

    return decorate


def show_error(exc: ScoutError) -> None:
    """The one place where an error of the library becomes words on a page."""
    if isinstance(exc, DatabaseAway):
        st.info(
            t("common.nothing_read_body", seconds=RETRY_SECONDS),
            title=t("common.nothing_read_title"),
            icon=":material/help:",
        )
        st.fragment(_come_back, run_every=RETRY_SECONDS)()
    elif isinstance(exc, NotInstalled):
        st.info(
            t("common.not_installed_body"),
            title=t("common.trouble_title"),
            icon=":material/help:",
        )
    elif isinstance(exc, RowsHidden):
        st.error(
            t("common.rows_hidden_body", tables=plain(", ".join(exc.tables or ()))),
            title=t("common.rows_hidden_title"),
            icon=":material/error:",
        )
    elif isinstance(exc, SourcesChanged):
        st.error(
            t("common.sources_changed_body", tables=plain(", ".join(exc.tables or ()))),
            title=t("common.sources_changed_title"),
            icon=":material/error:",
        )
    elif isinstance(exc, SettingsError) or exc.exit_code == 2:
        st.warning(
            refusal(exc) if isinstance(exc, CannotBeKept) else t("common.bad_link_body"),
            title=t("common.bad_link_title"),
            icon=":material/link_off:",
        )
        st.button(t("common.clear_filters"), on_click=st.query_params.clear, key="clear_link")
    else:
        st.error(
            f"{t('common.trouble_body')}\n\n{refusal(exc)}",
            title=t("common.trouble_title"),
            icon=":material/error:",
        )


def show_failure(number: str) -> None:
    """An unexpected error: only its number in the log."""
    st.error(
        t("common.failure_body", number=number),
        title=t("common.failure_title"),
        icon=":material/error:",
    )


def _come_back() -> None:
    """Show the page as soon as the database answers again."""
    if st.session_state.setdefault("retries", 0) >= 0:
        st.session_state["retries"] += 1
    try:
        read.guarded(lambda conn: conn.exec_driver_sql("select 1"), wait=3)
    except ScoutError:
        return
    st.rerun()


__all__ = ["NBSP", "Page", "badge", "card_title", "empty", "live", "open_page", "verdict"]
