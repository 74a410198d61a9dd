"""`make bench` measures what there is: a statement that was renamed is missed there only."""

import re
import subprocess
import sys

import pytest

from tests.support.server import ROOT


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_step_of_the_job_is_measured_beside_its_bare_statement():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--persons", "2000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for work in ("identity step: plan, links, persons, audit", "ledger step: lock, write, audit"):
        (line,) = [line for line in done.stdout.splitlines() if work in line]
        assert float(re.split(r"\s+", line)[-1]) > 0, line
