"""nginx before a server of the tests, as a guide of the web would set it up, or as ours does."""

import contextlib
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support import fronts
from tests.support.browser import free_port

# around what a test needs: files in its own folder, no right of root
CONFIG = """
daemon off;
pid {folder}/pid;
error_log {folder}/log;
{account}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        {server}
    }}
}}
"""


def find() -> str:
    """The program. Without one the test is skipped, or fails where that is forbidden."""
    return fronts.find("nginx")


@contextlib.contextmanager
def proxied(
    target: str, folder: Path, more: str = "", account: str = "", port: int | None = None
) -> Iterator[str]:
    """The address of an nginx that passes everything on to this server. more: further lines beside
    proxy_pass; account: that of its workers, which only root can choose."""
    port = port or free_port()
    server = f"listen 127.0.0.1:{port};\nlocation / {{\nproxy_pass {target};\n{more}\n}}"
    with _running(folder, server, account):
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, folder / "log")
        yield address


@contextlib.contextmanager
def secured(port: int, location: str, folder: Path) -> Iterator[str]:
    """The https address of an nginx on this port, with a certificate of the test; `location` is
    what the runbook says to write."""
    made = fronts.certificate(folder, "localhost")
    server = (
        f"listen 127.0.0.1:{port} ssl;\nserver_name localhost;\n"
        f"ssl_certificate {made.chain};\nssl_certificate_key {made.key};\n{location}"
    )
    with _running(folder, server):
        address = f"https://localhost:{port}"
        _wait_for(address, folder / "log")
        yield address


def context() -> ssl.SSLContext:
    """Takes the certificate of the test, which nobody else vouches for."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


@contextlib.contextmanager
def _running(folder: Path, server: str, account: str = "") -> Iterator[None]:
    # as root its workers would give up their rights, and may not read the folder any more
    if not account and os.geteuid() == 0:
        account = "root"
    config = folder / "nginx.conf"
    user = f"user {account};" if account else ""
    config.write_text(CONFIG.format(folder=folder, server=server, account=user))
    process = subprocess.Popen([find(), "-p", str(folder), "-c", str(config)])
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, log: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5, context=context()):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > until:
                raise AssertionError(log.read_text() if log.exists() else "no log") from None
            time.sleep(0.05)
