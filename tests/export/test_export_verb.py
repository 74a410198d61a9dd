"""`export` on the command line: the file, what is said of it, and what is refused."""

import csv
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from scout_core import cli
from scout_core.db.database import LOOK, Database
from tests.support import xlsx
from tests.support.looking import refreshed_demo


@pytest.fixture(scope="module")
def demo_db(server_url: str) -> Iterator[Database]:
    with refreshed_demo(server_url) as db:
        yield db


@pytest.fixture
def run(
    demo_db: Database,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
) -> Any:
    """Run `export ...` in a folder of its own: exit code, bytes of stdout, text of stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", demo_db.url)

    def export(*args: str) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = cli.run(["export", *args])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return export


def rows_of(data: bytes, delimiter: str = ";") -> list[dict[str, str]]:
    file = io.StringIO(data.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(file, delimiter=delimiter))


VIEWS = {
    "conflicts": "v_scout_attribution_conflicts",
    "backlog": "v_persons_without_scout_categorized",
    "collection": "v_yango_collection_with_scout",
    "liquidation": "v_scout_payment_base",
}


@pytest.mark.parametrize("name", VIEWS)
def test_export_writes_every_row_of_the_view(demo_db: Database, run: Any, name: str) -> None:
    code, out, err = run(name)
    with demo_db.transaction(LOOK) as conn:
        count = conn.execute(text(f"select count(*) from ops.{VIEWS[name]}")).scalar_one()
    assert code == 0
    assert len(rows_of(out)) == count > 0
    assert f"{count:,} rows, sha256 {hashlib.sha256(out).hexdigest()}" in err


def test_filters_sort_and_raw_form(run: Any) -> None:
    _, out, _ = run("backlog", "--category", "A", "--lead-only", "--sort", "oldest", "--raw")
    rows = rows_of(out, ",")
    assert rows
    assert {row["category"] for row in rows} == {"A"}
    days = [row["first_event_date"] for row in rows if row["first_event_date"]]
    assert days == sorted(days)
    assert all(isinstance(json.loads(row["source_tables"]), list) for row in rows)
    _, out, _ = run("backlog", "--since", "2199-01-01", "--delimiter", ",")
    assert rows_of(out, ",") == []


def test_file_appears_whole_and_is_told_as_json(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "cobranza.xlsx"
    code, out, _ = run("collection", "--format", "xlsx", "--out", str(file), "--json")
    told = json.loads(out)["export"]
    assert code == 0
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert told["row_count"] == len(xlsx.sheets(file.read_bytes())[0]) - 1 > 0
    assert [p.name for p in tmp_path.iterdir()] == ["cobranza.xlsx"]


def test_identifiers_are_masked_unless_asked_for_with_a_reason(demo_db: Database, run: Any) -> None:
    with demo_db.transaction(LOOK) as conn:
        phones = conn.execute(
            text(
                "select e.driver_phone from ops.v_scout_attribution_raw as e"
                " inner join ops.v_scout_attribution_conflicts as c on c.person_key = e.person_key"
                " where e.driver_phone is not null"
            )
        ).scalars()
        phones = [phone for phone in phones if len(phone) > 6]
    assert phones
    _, out, _ = run("conflicts")
    assert [phone for phone in phones if phone in out.decode()] == []
    _, out, err = run("conflicts", "--clear", "--reason", "llamar a los conductores")
    assert [phone for phone in phones if phone in out.decode()] != []
    assert [phone for phone in phones if phone in err] == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["conflicts", "--clear"], 2, "reason of 10 to 1,000"),
        (["conflicts", "--scout", "0"], 2, "1 to 2,147,483,647"),
        (["conflicts", "--text", "x" * 201], 2, "at most 200"),
        (["backlog", "--category", "Z"], 2, "'A', 'C', 'D'"),
        (["backlog", "--since", "2026-02-02", "--until", "2026-02-01"], 2, "before since"),
        (["collection", "--json"], 2, "--out"),
        (["liquidation", "--format", "xlsx", "--raw"], 2, "CSV only"),
        (["persons"], 2, "--help"),
        (["liquidation", "--out", "no/such/folder/x.csv"], 1, "cannot be written"),
    ],
)  # fmt: skip
def test_wrong_use_writes_no_file(
    run: Any, tmp_path: Path, args: list[str], code: int, said: str
) -> None:
    found, out, err = run(*args)
    assert found == code
    assert said in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    assert not out or args[-1] == "--json"


def test_failed_export_leaves_the_earlier_file(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("from yesterday")
    assert run("conflicts", "--scout", "-1", "--out", str(file))[0] == 2
    assert file.read_text() == "from yesterday"
    assert run("conflicts", "--out", str(file))[0] == 0
    assert file.read_text() != "from yesterday"


@pytest.mark.skipif(os.name == "nt", reason="rights are of another kind there")
def test_file_is_its_users_alone_even_over_one_that_was_open(run: Any, tmp_path: Path) -> None:
    """Phones may stand in it."""
    os.umask(0o022)
    earlier = tmp_path / "earlier.csv"
    earlier.write_text("x")
    earlier.chmod(0o644)
    for name, form in (("new.csv", "csv"), ("earlier.csv", "csv"), ("new.xlsx", "xlsx")):
        assert run("conflicts", "--format", form, "--out", str(tmp_path / name))[0] == 0
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
