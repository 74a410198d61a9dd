"""What runs with the program is named with its licence, and none of it asks for our source."""

import sys

import pytest

from tests.support import licenses
from tests.support.audit import pinned
from tests.support.licenses import Part

PARTS = [*licenses.packages(), *licenses.native(), *licenses.assets()]


def test_document_is_what_is_installed():
    def without_wheels(text: str) -> str:
        head, _, rest = text.partition("## Libraries in their wheels")
        return head + rest.partition("\n## ")[2]

    written = licenses.PAGE.read_text(encoding="utf-8")
    is_of_here = sys.platform == "linux"
    as_far = (lambda text: text) if is_of_here else without_wheels
    assert as_far(written) == as_far(licenses.render()), "run `make licenses`"


def test_every_pinned_package_of_the_runtime_is_there_once_with_its_version():
    found = licenses.packages()
    assert [part.name for part in found] == sorted(pinned("requirements.txt"))
    assert [part.name for part in found if not part.version] == []


def test_no_licence_is_unknown():
    assert [part for part in PARTS if not part.licence] == []


def test_nothing_is_under_a_licence_that_asks_for_the_source_of_the_whole():
    assert {part.name for part in PARTS if licenses.denied(part)} == set(licenses.KNOWN_DENIED)


@pytest.mark.parametrize(
    ("licence", "is_denied"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("MIT AND GPL-2.0-only", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("FTL OR GPL-2.0-only", False),
        ("LGPL-3.0-or-later", False),
    ],
)
def test_what_is_denied(licence: str, is_denied: bool):
    assert licenses.denied(Part("a", "1", licence)) is is_denied
