"""make audit: the list of what is installed, and what is said when nobody can be asked."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from threading import Thread

import pytest

from tests.support import audit


def run_audit() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.audit"],
        cwd=audit.ROOT,
        capture_output=True,
        text=True,
    )


class Advisories(BaseHTTPRequestHandler):
    """Answers as OSV does; names `bad`, and nothing else."""

    bad = ""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        package = asked["package"]
        fixed = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.1"}]}]
        advisory = {"id": "OSV-1", "affected": [{"package": package, "ranges": fixed}]}
        body = json.dumps({"vulns": [advisory]} if package["name"] == self.bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def advisories(monkeypatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("advisories")
def test_package_with_an_advisory_is_named_with_the_version_that_mends_it(monkeypatch):
    monkeypatch.setattr(Advisories, "bad", "jinja2")
    ran = run_audit()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"jinja2 {version('jinja2')}: OSV-1, mended in 999.1\n"


@pytest.mark.usefixtures("advisories")
def test_audit_without_an_advisory_says_how_many_packages_it_looked_up():
    ran = run_audit()
    assert (ran.returncode, ran.stderr) == (0, "")
    looked_up = int(ran.stdout.split("any of ")[1].split()[0])
    assert looked_up == len(audit.bom().components)


@pytest.fixture
def nobody_to_ask(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A proxy that refuses, and no answers kept from before."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path))


@pytest.mark.usefixtures("nobody_to_ask")
@pytest.mark.parametrize("service", ["pypi", "osv"])
def test_audit_that_cannot_ask_says_so_in_one_sentence_and_passes_for_nothing(monkeypatch, service):
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", service)
    audit.SBOM.unlink(missing_ok=True)
    ran = run_audit()
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("The advisory service gave no answer (")
    assert "nothing is known of the packages" in ran.stderr
    assert audit.SBOM.is_file()


def test_list_names_what_is_installed_and_what_only_developers_need():
    whole = audit.bom()
    listed = {c.name: c for c in whole.components}
    assert listed["streamlit"].version == version("streamlit")
    assert str(listed["streamlit"].purl) == f"pkg:pypi/streamlit@{version('streamlit')}"
    assert (listed["streamlit"].scope.value, listed["pytest"].scope.value) == (
        "required",
        "excluded",
    )
    assert "uv" in listed
    assert "httpx2-jsfetch" not in listed  # pinned for another platform
    needs = {d.ref.value: {n.ref.value for n in d.dependencies} for d in whole.dependencies}
    assert f"pkg:pypi/altair@{version('altair')}" in needs[str(listed["streamlit"].purl)]


def test_list_is_written_as_cyclonedx():
    audit.write()
    written = json.loads(audit.SBOM.read_text(encoding="utf-8"))
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    assert len(written["components"]) > 100
