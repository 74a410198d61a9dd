"""nginx before a server of the tests, as a guide of the web would set it up, or as ours does."""

import contextlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import free_port

REQUIRED = "REQUIRE_NGINX"
FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")  # sbin is not in everybody's PATH
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
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {target};
            {more}
        }}
    }}
}}
"""


def find() -> str:
    """The program. Without one the test is skipped, or fails where that is forbidden."""
    found = shutil.which("nginx") or shutil.which("nginx", path=os.pathsep.join(FOLDERS))
    if found is None:
        lack = "NO NGINX, NOTHING IS TRIED BEHIND A PROXY: install the package nginx."
        if os.environ.get(REQUIRED):
            pytest.fail(lack)
        pytest.skip(lack)
    return found


@contextlib.contextmanager
def proxied(
    target: str, folder: Path, more: str = "", account: str = "", port: int | None = None
) -> Iterator[str]:
    """The address of an nginx that passes everything on to this server. more: further lines beside
    proxy_pass; account: that of its workers, which only root can choose."""
    program, port = find(), port or free_port()
    if not account and os.geteuid() == 0:
        account = "root"
    config = folder / "nginx.conf"
    user = f"user {account};" if account else ""
    config.write_text(
        CONFIG.format(folder=folder, port=port, target=target, more=more, account=user)
    )
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(config)])
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(log.read_text() if log.exists() else "no log") from None
            time.sleep(0.05)
