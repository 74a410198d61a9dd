"""The document that every page begins with."""

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from streamlit import config, file_util

from ui.parts.text import catalogue

INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
SCRIPT = Path(__file__).with_name("document.js")


@cache
def index_html() -> str:
    """The document of every page: Streamlit's, in Spanish, told where the server is, with
    document.js.

    Not told, the browser first asks below the page's own address, where nothing answers.
    """
    original = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    base = config.get_option("server.baseUrlPath").strip("/")
    told = f"<script>window.__streamlit={{BACKEND_BASE_URL:location.origin+'/{base}'}}</script>"
    words = [list(catalogue()[f"doors.blocked_{part}"]) for part in ("title", "body")]
    # no < may stand within the script
    written = json.dumps(words).replace("<", "\\u003c")
    script = SCRIPT.read_text(encoding="utf-8").replace("__BLOCKED__", written)
    return original.replace('<html lang="en">', '<html lang="es">').replace(
        "<head>", f"<head>\n    {told}\n    <script>{script}</script>", 1
    )


@cache
def script_hashes() -> tuple[str, ...]:
    """The inline scripts of the document, as the policy names them."""
    return tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
        for code in INLINE_SCRIPT.findall(index_html())
    )
