"""What stands in the place of a page for who has to sign in first."""

from urllib.parse import urlencode

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.doors import sign_in
from ui.parts import languages, link, site, who
from ui.parts.text import plain, t

WIDTH = 440


def ask_to_sign_in(name: str) -> None:
    """Why nothing of the page of this name is shown, and the way in, which leads back to it and
    its filters."""
    middle = st.container(horizontal_alignment="center")
    with middle.container(width=WIDTH, gap="medium"):
        st.title(t("common.product"), anchor=False)
        _say_why()
        known = sign_in.providers()
        for provider in known:
            st.button(
                t("common.sign_in")
                if len(known) == 1
                else t("common.sign_in_with", provider=plain(provider)),
                icon=":material/login:",
                on_click=_sign_in,
                args=(provider, name),
                type="primary",
                width="stretch",
                key=f"sign_in_{provider}",
            )
        languages.other()


def leave_to(address: str) -> None:
    """Let the browser leave the page for another address of this server."""
    context = get_script_run_ctx()
    if context is not None:
        message = ForwardMsg()
        message.auth_redirect.url = address
        context.enqueue(message)


def _say_why() -> None:
    trouble = link.value(sign_in.TROUBLE)
    if trouble in (sign_in.REFUSED, sign_in.AWAY):
        st.warning(
            t(f"common.sign_in_{trouble}_body"),
            title=t(f"common.sign_in_{trouble}_title"),
            icon=":material/block:",
        )
    elif who.session_of_page() is not None:
        st.info(
            t("common.session_over_body"),
            title=t("common.session_over_title"),
            icon=":material/lock_clock:",
        )
    else:
        st.markdown(t("common.sign_in_title"))


def _sign_in(provider: str, name: str) -> None:
    asked = urlencode(st.query_params.to_dict())
    page = f"/{site.BASE}/{site.place_of(name).address}"
    leave_to(sign_in.login_address(provider, sign_in.target_of(f"{page}?{asked}")))
