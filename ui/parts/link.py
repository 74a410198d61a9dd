"""State of a page that lives in its address: filters, sort, page, selection.

scout = link.choice("scout", t("x.scout"), options, shown=names.get)   # ?scout=14
text = link.search("q", t("x.person"))                                # ?q=...
Reload, back button and a link sent to a colleague show the same rows. A value in the address that
is no option counts as not given. Changing a filter goes back to the first page.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

import streamlit as st

from scout_core.lists import kept_texts
from ui.parts.text import t

T = TypeVar("T")

AFTER = "after"
BEFORE = "before"
CURSORS = (AFTER, BEFORE)


def value(name: str) -> str | None:
    """What the address says under this name; null = nothing."""
    return st.query_params.get(name) or None


def put(**values: str | None) -> None:
    """Write values into the address; null takes the name out. For use in callbacks."""
    for name, new in values.items():
        if new:
            st.query_params[name] = new
        elif name in st.query_params:
            del st.query_params[name]


def clear(*names: str) -> None:
    """Take names out of the address, and the page of the list with them."""
    put(**dict.fromkeys((*names, *CURSORS)))


def choice(
    name: str,
    label: str,
    options: Sequence[str],
    *,
    shown: Callable[[str], str] = str,
    none: str | None = None,
    **layout: Any,
) -> str | None:
    """A select box in the address. null = nothing chosen, shown as `none` ("Todos")."""
    labels = {"": none or t("common.all"), **{option: shown(option) for option in options}}
    key = _sync(name, lambda raw: raw if raw in options else "")
    st.selectbox(
        label,
        ["", *options],
        key=key,
        format_func=labels.__getitem__,
        on_change=_write,
        args=(name, key, str),
        **layout,
    )
    return st.session_state[key] or None


def tabs(
    name: str, label: str, options: Sequence[str], *, shown: Callable[[str], str] = str
) -> str:
    """A horizontal radio in the address; the first option is the default and not written."""
    labels = {option: shown(option) for option in options}
    key = _sync(name, lambda raw: raw if raw in options else options[0])
    st.radio(
        label,
        options,
        key=key,
        format_func=labels.__getitem__,
        horizontal=True,
        label_visibility="collapsed",
        on_change=_write,
        args=(name, key, lambda new: "" if new == options[0] else new),
    )
    return str(st.session_state[key])


def flag(name: str, label: str, **layout: Any) -> bool:
    """A toggle in the address, written as 1."""
    key = _sync(name, lambda raw: raw == "1")
    st.toggle(
        label, key=key, on_change=_write, args=(name, key, lambda on: "1" if on else ""), **layout
    )
    return bool(st.session_state[key])


def search(name: str, label: str, *, placeholder: str | None = None, **layout: Any) -> str | None:
    """A text field, cut at 100 characters. Keys and numbers are written into the address; for
    other texts, which may be a phone or a name, it says a name that this server knows."""
    key = _sync(name, lambda raw: kept_texts.from_address(raw)[:100])
    st.text_input(
        label,
        key=key,
        placeholder=placeholder,
        max_chars=100,
        on_change=_write,
        args=(name, key, lambda new: kept_texts.in_address(new.strip())),
        **layout,
    )
    return str(st.session_state[key]).strip() or None


def days(name: str, label: str, **layout: Any) -> tuple[date, date] | None:
    """A range of days in the address, written 2026-10-01_2026-11-22; null = any day."""
    key = _sync(name, _parse_days)
    st.date_input(
        label,
        key=key,
        value=[],  # makes it a range; the state of the key is what counts
        format="DD/MM/YYYY",
        on_change=_write,
        args=(name, key, lambda new: f"{new[0]}_{new[1]}" if len(new) == 2 else ""),
        **layout,
    )
    chosen = st.session_state[key]
    return (chosen[0], chosen[1]) if isinstance(chosen, tuple) and len(chosen) == 2 else None


def _parse_days(raw: str) -> tuple[date, ...]:
    try:
        start, end = (date.fromisoformat(part) for part in raw.split("_"))
    except ValueError:
        return ()
    return (start, end) if start <= end else (end, start)


def _sync(name: str, parse: Callable[[str], Any]) -> str:
    """The widget key of a name; its state is set from the address when that was changed outside."""
    key, seen = f"link_{name}", f"link_seen_{name}"
    raw = st.query_params.get(name) or ""
    if key not in st.session_state or st.session_state.get(seen) != raw:
        st.session_state[key] = parse(raw)
        st.session_state[seen] = raw
    return key


def _write(name: str, key: str, encode: Callable[[Any], str]) -> None:
    raw = encode(st.session_state[key])
    st.session_state[f"link_seen_{name}"] = raw
    put(**{name: raw}, **dict.fromkeys(CURSORS))
