"""Servers of the pages with a sign-in, behind the proxies of deploy/, as they stand but for names,
ports and certificates."""

import contextlib
import datetime
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.browser import free_port, wait_for
from tests.support.server import ROOT

NAME = "scouts.example.com"
SECRETS = f"""
[auth]
redirect_uri = "https://{NAME}/scouts/oauth2callback"
cookie_secret = "of the tests, the same in each process"
client_id = "scouts"
client_secret = "of the tests"
server_metadata_url = "http://127.0.0.1:1/.well-known/openid-configuration"
"""
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/scouts.conf;
}}
"""


def find(program: str) -> str:
    """The program of a proxy. Without one the test is skipped, or fails where that is forbidden."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        lack = f"NO {program.upper()}, ITS RECIPE IS NOT TRIED: install the package {program}."
        if os.environ.get(f"REQUIRE_{program.upper()}"):
            pytest.fail(lack)
        pytest.skip(lack)
    return found


@dataclass(frozen=True)
class Certificate:
    """A certificate for a name and 127.0.0.1 that vouches for itself."""

    chain: Path
    key: Path

    @property
    def trusted(self) -> ssl.SSLContext:
        """What trusts it and nothing else."""
        return ssl.create_default_context(cafile=str(self.chain))


def certificate(folder: Path, name: str = NAME) -> Certificate:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "fullchain.pem", folder / "privkey.pem")
    found.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    found.key.write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
    found.key.chmod(0o600)
    return found


@dataclass
class Process:
    """A server of the pages on a port."""

    port: int
    running: subprocess.Popen[bytes]

    def ends(self) -> None:
        """SIGTERM, as a restart of the service sends it."""
        self.running.terminate()
        self.running.wait(30)


@contextlib.contextmanager
def processes(database_url: str, folder: Path, count: int) -> Iterator[list[Process]]:
    """Servers on one database, in which people have to sign in."""
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS)
    unit = (ROOT / "deploy/systemd/scout-web@.service").read_text(encoding="utf-8")
    (hosts,) = re.findall(r'^Environment="STREAMLIT_SERVER_ALLOWED_HOSTS=(.*)"$', unit, re.M)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--secrets.files", str(secrets)]
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "STREAMLIT_SERVER_ALLOWED_HOSTS": hosts,
    }
    with contextlib.ExitStack() as stack:
        started = []
        for number in range(count):
            port, log = free_port(), folder / f"web{number}.log"
            out = stack.enter_context(log.open("wb"))
            running = subprocess.Popen(
                [*command, "--server.port", str(port)],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=out,
            )
            process = Process(port, running)
            stack.callback(process.ends)
            started.append((process, log))
        for process, log in started:
            wait_for(f"http://localhost:{process.port}/scouts/_stcore/health", process.running, log)
        yield [process for process, _ in started]


@dataclass(frozen=True)
class Front:
    """A proxy that listens."""

    port: int
    trusted: ssl.SSLContext
    plain_port: int | None = None

    def get(self, path: str, **headers: str) -> httpx.Response:
        """The answer to a visitor, who is somebody new unless he says `cookie`."""
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        """The answer to a request under the server's name."""
        told = {"host": f"{NAME}:{self.port}"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        with httpx.Client(verify=self.trusted, timeout=30) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                headers=told,
                extensions={"sni_hostname": NAME},
            )


def nginx_recipe(folder: Path, vouched: Certificate, ports: list[int]) -> tuple[int, int]:
    """Write the recipe of nginx for these processes; the ports of TLS and without."""
    secure, plain = free_port(), free_port()
    recipe = (ROOT / "deploy/nginx/scouts.conf").read_text(encoding="utf-8")
    commented = re.findall(r"^ *#?server 127\.0\.0\.1:\d+ (.*)$", recipe, re.M)
    assert len(commented) == 2
    servers = "\n".join(f"    server 127.0.0.1:{port} {commented[0]}" for port in ports)
    recipe = re.sub(r"^ *server 127.*\n *#server 127.*$", servers, recipe, flags=re.M)
    recipe = recipe.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    recipe = recipe.replace("listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;")
    recipe = recipe.replace("/etc/ssl/scouts", str(vouched.chain.parent))
    # which process answered, for the tests alone
    recipe = recipe.replace(
        "        add_header", "        add_header X-Node $upstream_addr;\n        add_header", 1
    )
    (folder / "scouts.conf").write_text(recipe)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return secure, plain


@contextlib.contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[Front]:
    """Our recipe for nginx before these processes."""
    vouched = certificate(folder)
    secure, plain = nginx_recipe(folder, vouched, ports)
    command = [find("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with _running(command, folder, secure):
        yield Front(secure, vouched.trusted, plain)


@contextlib.contextmanager
def caddy(folder: Path, ports: list[int]) -> Iterator[Front]:
    """Our recipe for Caddy before these processes, with a certificate of ours."""
    vouched = certificate(folder)
    port = free_port()
    recipe = (ROOT / "deploy/caddy/Caddyfile").read_text(encoding="utf-8")
    recipe = recipe.replace(
        f"{NAME} {{\n",
        "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {vouched.chain} {vouched.key}\n",
    )
    nodes = " ".join(f"127.0.0.1:{number}" for number in ports)
    recipe = recipe.replace(
        "reverse_proxy 127.0.0.1:3000 {",
        f"reverse_proxy {nodes} {{\n"
        "\t\theader_down X-Node {http.reverse_proxy.upstream.hostport}",
    )
    (folder / "Caddyfile").write_text(recipe)
    command = [find("caddy"), "run", "--config", str(folder / "Caddyfile")]
    with _running(command, folder, port):
        yield Front(port, vouched.trusted)


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    log = folder / "front.log"
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | own)
        try:
            until = time.monotonic() + 30
            while True:
                with contextlib.suppress(OSError), _connected(port):
                    break
                ended = process.poll() is not None or time.monotonic() > until
                assert not ended, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _connected(port: int) -> contextlib.AbstractContextManager[object]:
    return socket.create_connection(("127.0.0.1", port), timeout=2)
