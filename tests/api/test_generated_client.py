"""A client that openapi-python-client makes of our document reads lists and files."""

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.test_served import ask
from tests.support import xlsx

VERSION = "0.26.2"
NAMED, REQUIRED = "OPENAPI_PYTHON_CLIENT", "REQUIRE_OPENAPI_PYTHON_CLIENT"
# the generator knows JSON, text and bytes; what else is bytes has to be said
CONFIG = {
    "content_type_overrides": {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
            "application/octet-stream"
        )
    },
    "post_hooks": [],
}
READING = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from scout_attribution_client import Client
from scout_attribution_client.api.attribution import metrics
from scout_attribution_client.api.files import conflicts_csv, conflicts_xlsx, backlog_csv_clear
from scout_attribution_client.api.runs import explain_run
from scout_attribution_client.models import ClearForm

client = Client(base_url=sys.argv[2])
text = conflicts_csv.sync(client=client, raw=True)
book = conflicts_xlsx.sync(client=client)
clear = backlog_csv_clear.sync(client=client, body=ClearForm(reason="calls of the week"), raw=True)
bad = explain_run.sync(client=client, run_id=77777)
assert isinstance(text, str) and isinstance(clear, str)
book = book if isinstance(book, bytes) else book.payload.read()
Path(sys.argv[3]).write_bytes(book)
told = metrics.sync(client=client)
print(json.dumps([text, clear, told.total_persons, bad.status]))
"""


@pytest.fixture(scope="module")
def generator() -> Path:
    """The generator's program. Without it the test is skipped, or fails where that is forbidden."""
    found = os.environ.get(NAMED) or shutil.which("openapi-python-client")
    if found is None:
        lack = (
            f"NO CLIENT GENERATOR, ITS TEST DOES NOT RUN: install openapi-python-client=={VERSION}"
            f" into an environment of its own and name the program in {NAMED}."
        )
        if os.environ.get(REQUIRED):
            pytest.fail(lack)
        pytest.skip(lack)
    return Path(found)


@pytest.fixture(scope="module")
def client(generator: Path, address: str, tmp_path_factory) -> Path:
    """The folder of a client made of the document of a running server."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "openapi.json").write_text(ask(address, "/api/openapi.json")[2])
    made = subprocess.run(
        [
            *(generator, "generate", "--path", folder / "openapi.json"),
            *("--config", folder / "config.json", "--output-path", folder / "made"),
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "made"


def test_generated_client_reads_lists_files_and_errors(client, generator, address, tmp_path):
    book = tmp_path / "conflicts.xlsx"
    ran = subprocess.run(
        [generator.parent / "python", "-c", READING, client, f"http://{address}/api", book],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    text, clear, persons, refused = json.loads(ran.stdout)
    (sheet,) = xlsx.sheets(book.read_bytes())
    listed = json.loads(ask(address, "/api/v1/scouts/attribution/conflicts?page_size=1000")[2])
    keys = [row["person_key"] for row in listed["items"]]
    assert keys
    assert [row["person_key"] for row in csv.DictReader(io.StringIO(text, newline=""))] == keys
    assert [row[0] for row in sheet[1:]] == keys
    backlog = json.loads(ask(address, "/api/v1/scouts/attribution/backlog?page_size=1")[2])
    lines = list(csv.DictReader(io.StringIO(clear, newline="")))
    assert len(lines) == backlog["pagination"]["total"] > 0
    assert (persons > len(lines), refused) == (True, 404)
