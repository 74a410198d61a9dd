"""out/sbom.json: what is installed from requirements*.txt; and whether advisories name any of it.

python -m tests.support.audit    # `make audit`; 0 nothing known, 1 something is, 2 could not ask
"""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scout_core import __version__

ROOT = Path(__file__).parents[2]
LIST = "out/sbom.json"
SBOM = ROOT / LIST
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")
MINUTES = 10


def pinned(*locks: str) -> set[str]:
    """Names of the packages that these files pin, for whatever platform."""
    text = "".join((ROOT / lock).read_text(encoding="utf-8") for lock in locks)
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.M)}


def bom() -> Bom:
    """One component per installed package that is pinned; what only developers need is excluded."""
    runtime = pinned(LOCKS[0])
    components = {
        name: Component(
            name=name,
            version=found.version,
            type=ComponentType.LIBRARY,
            scope=ComponentScope.REQUIRED if name in runtime else ComponentScope.EXCLUDED,
            purl=(purl := PackageURL("pypi", None, name, found.version)),
            bom_ref=str(purl),
            licenses=[LicenseFactory().make_from_string(terms) for terms in _licence(found)],
        )
        for name in sorted(pinned(*LOCKS))
        for found in importlib.metadata.distributions(name=name)
    }
    product = Component(
        name="scout-attribution",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="scout-attribution",
    )
    whole = Bom(components=components.values())
    whole.metadata.component = product
    whole.register_dependency(product, [c for name, c in components.items() if name in runtime])
    for name, component in components.items():
        whole.register_dependency(
            component, [components[need] for need in _needs(name) if need in components]
        )
    return whole


def _licence(found: importlib.metadata.Distribution) -> list[str]:
    terms = found.metadata.get("License-Expression") or found.metadata.get("License") or ""
    return [terms] if terms and len(terms) < 100 and "\n" not in terms else []


def _needs(name: str) -> Iterator[str]:
    for need in map(Requirement, importlib.metadata.requires(name) or []):
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            yield canonicalize_name(need.name)


def write() -> None:
    """Write the list as CycloneDX."""
    SBOM.parent.mkdir(exist_ok=True)
    make_outputter(bom(), OutputFormat.JSON, SchemaVersion.V1_6).output_to_file(
        str(SBOM), allow_overwrite=True, indent=2
    )


def main() -> int:
    """Write the list, then ask."""
    write()
    audit = Path(sys.executable).parent / "pip-audit"
    # strict: without it a package that could not be looked up passes
    words = ["--strict", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    files = [word for lock in LOCKS for word in ("--requirement", str(ROOT / lock))]
    try:
        ran = subprocess.run(
            [str(audit), *words, "--format", "json", *files],
            capture_output=True,
            text=True,
            timeout=MINUTES * 60,
        )
        packages = json.loads(ran.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _could_not_ask(f"not within {MINUTES} minutes")
    except ValueError:
        said = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
        return _could_not_ask(said[-1].removeprefix("ERROR:pip_audit._cli:")[:200])
    known = [(p["name"], p["version"], v) for p in packages for v in p["vulns"]]
    for package, version, advisory in known:
        mended = ", ".join(advisory["fix_versions"]) or "no version yet"
        click.echo(f"{package} {version}: {advisory['id']}, mended in {mended}", err=True)
    if known:
        return 1
    click.echo(f"No advisory names any of {len(packages)} packages; they are listed in {LIST}.")
    return 0


def _could_not_ask(why: str) -> int:
    click.echo(
        f"The advisory service gave no answer ({why}), so nothing is known of the packages listed "
        f"in {LIST}: run it again where the service can be reached, or ask another one with "
        "PIP_AUDIT_VULNERABILITY_SERVICE=osv.",
        err=True,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
