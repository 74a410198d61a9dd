"""Imports run one way: scout_core <- ui <- pages; scout_core <- api <- app.py."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "scout_core").rglob("*.py"))
TOPICS = {
    "alerts.source_row",
    "attribution.backlog",
    "attribution.conflicts",
    "attribution.coverage",
    "attribution.persons",
    "attribution.scouts",
    "decide.decisions",
    "decide.erasure",
    "decide.holds",
    "decide.review",
    "decide.undo",
    "health.source_checks",
    "money.collection",
    "money.liquidation",
    "notify.outbox",
    "runs.audit",
    "runs.history",
}
WEB = {"streamlit", "fastapi", "starlette", "uvicorn"}
ABOVE = {"ui", "pages", "api", "app", "tests", "benchmarks"}


def imports(file: Path) -> Iterator[str]:
    """Each module that a file imports, anywhere in it, also `from package import module`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if node.level:
                parents = file.relative_to(ROOT).parent.parts
                base = ".".join(parents[: len(parents) - node.level + 1])
                package = f"{base}.{package}".rstrip(".")
            yield package
            yield from (f"{package}.{alias.name}" for alias in node.names)


def offenders(files: list[Path], is_wrong) -> list[str]:
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imports(file)
        if is_wrong(name)
    ]


def test_library_imports_no_web_framework():
    assert offenders(CORE, lambda name: name.split(".")[0] in WEB) == []


def test_library_imports_nothing_that_stands_on_it():
    assert offenders(CORE, lambda name: name.split(".")[0] in ABOVE) == []


def test_only_the_command_line_imports_the_command_line():
    others = [f for f in CORE if "cli" not in f.parts and f.name != "__main__.py"]
    assert offenders(others, lambda name: name.startswith("scout_core.cli")) == []


def test_only_the_command_line_imports_what_prints():
    others = [f for f in CORE if "cli" not in f.parts]
    assert offenders(others, lambda name: name.split(".")[0] in {"click", "rich"}) == []


def test_topics_do_not_import_each_other():
    found = []
    for topic in TOPICS:
        files = [ROOT / "scout_core" / f"{topic.replace('.', '/')}.py"]
        forbidden = {f"scout_core.{other}" for other in TOPICS - {topic}}
        found += offenders(files, lambda name, wrong=forbidden: name in wrong)
    assert found == []


def test_pages_and_api_keep_to_their_side():
    pages = sorted((ROOT / "pages").rglob("*.py"))
    ui = sorted((ROOT / "ui").rglob("*.py"))
    api = sorted((ROOT / "api").rglob("*.py"))
    assert offenders(ui, lambda name: name.split(".")[0] in {"pages", "api", "app"}) == []
    assert offenders(pages, lambda name: name.split(".")[0] in {"api", "app", "sqlalchemy"}) == []
    assert offenders(api, lambda name: name.split(".")[0] in {"pages", "ui", "app"}) == []
