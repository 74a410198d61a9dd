"""The script of every page: language, navigation, sidebar, then the page itself."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from scout_core.errors import ScoutError
from ui.parts import frame, languages, site, who
from ui.parts.text import t
from ui.shell import sidebar

TAB_ICON = Path(__file__).with_name("logo.svg")


def _home() -> None:
    # the default page is served at the base path only, so it is nobody's page: it leads on
    site.go(site.FIRST.name)


def _pages() -> dict[str, list[st.Page]]:
    home = st.Page(_home, url_path="home", default=True, visibility="hidden")
    found: dict[str, list[st.Page]] = {"": [home]}
    for place in site.PLACES:
        page = st.Page(
            place.path,
            # within the title: as icon= the browser would fetch it from Google for its tab
            title=f":material/{place.icon}: {t(f'common.page_{place.name}')}",
            help=t(f"common.help_{place.name}"),
            icon="",
            url_path=place.address,
        )
        found.setdefault(t(f"common.section_{place.section}"), []).append(page)
    return found


def _title(page: st.Page) -> str:
    return f"{page.title.rpartition(': ')[2]} · {t('common.product')}"


languages.choose()
actor, is_known = None, False
# when it cannot be known who it is, the page says why
with suppress(ScoutError):
    actor, is_known = who.visitor(), True
pages = site.pages(_pages)
is_stranger = is_known and actor is None
page = st.navigation(pages, expanded=True, position="hidden" if is_stranger else "sidebar")
st.set_page_config(page_title=_title(page), layout="wide", page_icon=TAB_ICON)
if actor is not None:
    sidebar.show(actor)
frame.run_guarded(page.run)
