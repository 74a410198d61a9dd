"""The rules of the house for pages and words."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from ui.parts import site
from ui.parts.text import catalogue

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "pages").glob("*.py"))
SOURCES = [*PAGES, *(f for f in sorted((ROOT / "ui").rglob("*.py")) if f.parent.name != "words")]
TEXT = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES)
# t("a.b"), counted("a.b"), and prefixes in f-strings: t(f"a.b_{x}")
LITERAL = set(re.findall(r"""["']([a-z_]+\.[A-Za-z_0-9]+)["']""", TEXT))
PREFIXES = tuple(set(re.findall(r"""f["']([a-z_]+\.[A-Za-z_0-9]*)\{""", TEXT)))


def placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page_opens_with_its_guard_before_anything_else(page):
    tree = ast.parse(page.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    opens = next(
        place for place, node in enumerate(tree.body) if "frame.open_page(" in ast.unparse(node)
    )
    calls = [
        ast.unparse(call)
        for node in tree.body[:opens]
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    ]
    assert calls == []


def test_the_main_script_has_no_pages_folder_beside_it():
    """Streamlit would serve such files by itself, past the guard of the main script."""
    assert not (ROOT / "ui" / "shell" / "pages").exists()
    assert (ROOT / "ui" / "shell" / "main.py").exists()
    assert 'ROOT / "ui" / "shell" / "main.py"' in (ROOT / "app.py").read_text(encoding="utf-8")


def test_each_page_has_a_place_and_the_other_way_round():
    assert {place.file for place in site.PLACES} == {page.name for page in PAGES}


@pytest.mark.parametrize(
    "forbidden",
    [
        r"st\.connection",
        r"plotly\.express",
        r"\baltair\b",
        "unsafe_allow_html",
        r"st\.html\(",
        r"st\.cache_",
        r"page_icon=\"?:material",
    ],
)
def test_no_page_uses(forbidden):
    assert [f.name for f in SOURCES if re.search(forbidden, f.read_text(encoding="utf-8"))] == []


def test_pages_hold_no_sql():
    found = [
        file.name
        for file in SOURCES
        if re.search(r"\b(select|insert into|update|delete from)\s+\w+.*\bfrom\b", file.read_text())
        and "sqlalchemy" in file.read_text()
        and "text(" in file.read_text()
    ]
    assert found == []


def test_words_are_in_both_languages_with_the_same_values():
    for key, (spanish, english) in catalogue().items():
        assert spanish.strip(), key
        assert english.strip(), key
        assert placeholders(spanish) == placeholders(english), key
        for words in (spanish, english):
            assert "!" not in words, key
            assert "usted" not in words.lower(), key


def test_every_word_is_used_and_every_used_word_exists():
    words = set(catalogue())
    files = {key.split(".")[0] for key in words}
    used = {key for key in LITERAL if key.split(".")[0] in files and not key.endswith(".py")}
    used |= {f"{key}_one" for key in used if f"{key}_one" in words}
    dynamic = {key for key in words if key.startswith(PREFIXES)}
    assert sorted(used - words) == []
    assert sorted(words - used - dynamic) == []
