"""docs/sources.md tells of each source what the program knows of it."""

from pathlib import Path

from scout_core.sources import SOURCES

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"


def test_sources_page_lists_each_source_as_it_is_and_no_other() -> None:
    """The table of the page is the list of the code, row for row."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows[1:]]
    assert told == [(s.name, "yes" if s.is_mandatory else "no", s.used_for) for s in SOURCES]
