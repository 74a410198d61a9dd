"""A proxy that speaks TLS before a server of ours: nginx with a certificate of the test."""

import contextlib
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

REQUIRED = "REQUIRE_NGINX"
FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")  # sbin is not in everybody's PATH
# the lines of the runbook, around what a test needs: files in its own folder, no right of root
CONFIG = """
daemon off;
pid {folder}/pid;
error_log {folder}/log;
{user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
{location}
    }}
}}
"""


def find() -> str:
    """The program. Without one the test is skipped, or fails where that is forbidden."""
    found = shutil.which("nginx") or shutil.which("nginx", path=os.pathsep.join(FOLDERS))
    if found is None:
        lack = "NO NGINX, NOTHING IS TRIED BEHIND A TLS PROXY: install the package nginx."
        if os.environ.get(REQUIRED):
            pytest.fail(lack)
        pytest.skip(lack)
    return found


@contextlib.contextmanager
def proxied(port: int, location: str, folder: Path) -> Iterator[str]:
    """The https address of a proxy on this port; `location` is what the runbook says to write."""
    program = find()
    _make_certificate(folder)
    # as root it would give up its rights, and may not read the folder any more
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, location=location, user=user))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(config)])
    address = f"https://localhost:{port}"
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def context() -> ssl.SSLContext:
    """Takes the certificate of the test, which nobody else vouches for."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"{address}/scouts/_stcore/health", context=context()):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(log.read_text() if log.exists() else "no log") from None
            time.sleep(0.05)


def _make_certificate(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
