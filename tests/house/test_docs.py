"""What the documents say exists, and what exists is in the documents."""

import re
from pathlib import Path

import pytest

from scout_core import cli
from scout_core.settings import describe, known_names, load

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
# reasons and rules of the backlog and the alerts that look like settings
REASONS = {"SCOUT_ONLY_IN_OTHER_SOURCE", "SCOUT_IN_EVENTS"}
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))


def text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def test_readme_starts_with_exactly_two_commands():
    start = README.split("## Start")[1].split("\n## ")[0]
    assert re.findall(r"^    (\w[\w -]*?)(?: +#.*)?$", start, re.M) == ["make run", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_each_make_command_of_a_document_is_a_target(document):
    commands = re.findall(r"^\s+make ([a-z-]+)|`make ([a-z-]+)", text(document), re.M)
    assert {a or b for a, b in commands} <= TARGETS


def test_each_target_explains_itself():
    explained = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)[1].split())
    assert explained == phony == TARGETS


def test_ci_runs_the_test_command_of_the_readme():
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").rstrip().endswith("exec make test")
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_each_verb_of_a_document_exists(document):
    verbs = re.findall(r"(?:python|PROGRAM\)) -m scout_core ([a-z]+)", text(document))
    assert set(verbs) <= set(cli.VERBS)


def test_readme_lists_the_verbs_in_the_order_of_the_help():
    table = README.split("| verb |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.M) == list(cli.VERBS)


def test_each_setting_is_documented_with_its_default_and_meaning():
    rows = [
        f"| `{row.name}` | {f'`{row.value}`' if row.value else '-'} | {row.meaning} |"
        for row in describe(load({}, None))
    ]
    assert re.findall(r"^\| `.*$", SETTINGS, re.M) == rows


def test_each_setting_is_in_the_example_with_its_default_and_the_other_way_round():
    given = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.M))
    assert set(given) == set(known_names())
    for row in describe(load({}, None)):
        assert given[row.name] == row.value or row.name == "DATABASE_URL"
        assert f"# {row.meaning}\n#{row.name}=" in EXAMPLE


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_each_setting_that_a_document_names_exists(document):
    named = set(re.findall(r"\bSCOUT_[A-Z_]*[A-Z]\b", text(document)))
    assert named <= set(known_names()) | REASONS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_each_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text(document))
    assert [link for link in links if not (document.parent / link).exists()] == []
