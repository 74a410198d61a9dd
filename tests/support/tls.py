"""A PostgreSQL of its own that takes connections by TCP with TLS, and the certificates for it."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scout_core import embedded
from scout_core.embedded.account import choose_account
from scout_core.embedded.layout import Layout
from tests.support import system_postgres
from tests.support.browser import free_port
from tests.support.server import OPTIONS

DAYS = "3650"


@dataclass(frozen=True)
class Tls:
    """The server, where it listens, and the certificate of the authority that signed its own, made
    for `localhost`; `stranger` is the certificate of another authority."""

    server: embedded.Server
    port: int
    authority: Path
    stranger: Path

    def url(self, *, host: str = "127.0.0.1", login: str = "", database: str = "postgres") -> str:
        """An address of it by TCP."""
        who = login or f"postgres:{self.server.password}"
        return f"postgresql://{who}@{host}:{self.port}/{database}"


@contextlib.contextmanager
def serving() -> Iterator[Tls]:
    """The server while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="scout-tls-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        certificates = folder / "tls"
        certificates.mkdir()
        authority = _authority(certificates, "authority")
        stranger = _authority(certificates, "stranger")
        certificate, key = _certificate(certificates, "authority")
        data_dir = folder / "data"
        data_dir.mkdir()
        account = choose_account(Layout(data_dir), system_postgres.find())
        for path in (certificate, key):
            account.give(path)
        port = free_port()
        options = {
            **OPTIONS,
            "listen_addresses": "127.0.0.1, ::1",
            "port": str(port),
            "ssl": "on",
            "ssl_cert_file": str(certificate),
            "ssl_key_file": str(key),
        }
        with system_postgres.chosen():
            server = embedded.start(data_dir, options=options)
        try:
            yield Tls(server, port, authority, stranger)
        finally:
            embedded.stop(data_dir)


def _authority(folder: Path, name: str) -> Path:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *(
            "-subj",
            f"/CN=Test {name}",
            "-days",
            DAYS,
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ),
    )
    return certificate


def _certificate(folder: Path, authority: str) -> tuple[Path, Path]:
    certificate, key = folder / "server.crt", folder / "server.key"
    request, names = folder / "server.csr", folder / "names"
    names.write_text("subjectAltName=DNS:localhost\n")
    _openssl(
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", "/CN=localhost", "-keyout", str(key), "-out", str(request)),
    )
    _openssl(
        *("x509", "-req", "-in", str(request), "-days", DAYS, "-out", str(certificate)),
        *("-CA", str(folder / f"{authority}.crt"), "-CAkey", str(folder / f"{authority}.key")),
        *("-CAcreateserial", "-extfile", str(names)),
    )
    key.chmod(0o600)
    return certificate, key


def _openssl(*arguments: str) -> None:
    program = shutil.which("openssl")
    assert program, "openssl makes the certificates of the tests"
    subprocess.run([program, *arguments], check=True, capture_output=True)
