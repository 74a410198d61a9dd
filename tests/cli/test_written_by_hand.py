"""Files that people write by hand, as their editors leave them: .env and files of secrets."""

import codecs
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scout_core import cli
from scout_core.errors import SettingsError
from scout_core.settings import load
from tests.support.browser import free_port
from tests.support.server import ROOT

ADDRESS = "postgresql+psycopg2://ana:s3cret@db/fleet"
WRITTEN = "postgres://ana:s3cret@db/fleet"
DOTENV = "# contraseña de producción\nSCOUT_RUN_MAX_ROWS=7\n"
TOML = '# año\n[auth]\nredirect_uri = "http://localhost:3000/scouts/oauth2callback"\n'
UNREADABLE = {
    "cp1252": "letter in another encoding",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
GOOD = ("utf-8", "utf-8-sig")


@pytest.mark.parametrize("encoding", UNREADABLE)
def test_dotenv_in_another_encoding_is_one_sentence(tmp_path, encoding, monkeypatch, capsys):
    (tmp_path / ".env").write_bytes(DOTENV.encode(encoding))
    monkeypatch.chdir(tmp_path)
    assert cli.run(["config"]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert ".env" in err
    assert UNREADABLE[encoding] in err
    assert "save it as UTF-8" in err


@pytest.mark.parametrize("encoding", GOOD)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_dotenv_with_a_mark_is_read_as_without(tmp_path, encoding, end):
    dotenv = tmp_path / ".env"
    text = "SCOUT_RUN_MAX_ROWS=7\nSCOUT_DATA_DIR=datos/año\n"
    dotenv.write_bytes(text.replace("\n", end).encode(encoding))
    settings = load({}, dotenv)
    assert settings.run_max_rows == 7
    assert settings.data_dir == Path("datos/año")


@pytest.mark.parametrize("encoding", GOOD)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \r\n\r\n"])
def test_secret_file_is_read_whatever_its_end_and_beginning(tmp_path, encoding, end):
    secret = tmp_path / "url"
    secret.write_bytes((WRITTEN + end).encode(encoding))
    assert load({"DATABASE_URL_FILE": str(secret)}, None).database_url == ADDRESS


@pytest.mark.parametrize("encoding", UNREADABLE)
def test_secret_file_in_another_encoding_is_one_sentence(tmp_path, encoding):
    secret = tmp_path / "url"
    secret.write_bytes("postgres://ana:s3cretñ@db/fleet".encode(encoding))
    with pytest.raises(SettingsError) as refused:
        load({"DATABASE_URL_FILE": str(secret)}, None)
    assert str(secret) in refused.value.message
    assert UNREADABLE[encoding] in refused.value.message
    assert "s3cret" not in refused.value.message


def test_secret_file_that_is_a_folder_is_one_sentence(tmp_path):
    with pytest.raises(SettingsError, match="Is a directory"):
        load({"DATABASE_URL_FILE": str(tmp_path)}, None)


@pytest.mark.parametrize("what", ["DATABASE_URL_FILE", ".env"])
def test_file_without_the_right_to_read_it_is_one_sentence(tmp_path, what):
    """As somebody who is not root, who may read everything."""
    path = tmp_path / (".env" if what == ".env" else "url")
    path.write_text("x")
    path.chmod(0)
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.owner() == os.environ.get("USER", "root") and str(folder).startswith("/tmp/p"):  # noqa: S108
            folder.chmod(0o755)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from scout_core.settings import load\n"
        "from scout_core.errors import SettingsError\n"
        "import scout_core.text_files\n"
        "os.getuid() or os.setuid(65534)\n"
        "path = sys.argv[1]\n"
        "try:\n"
        "    load({} if path.endswith('.env') else {'DATABASE_URL_FILE': path}, Path(path))\n"
        "except SettingsError as exc:\n"
        "    print(exc.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be read (Permission denied)" in done.stdout, done.stderr


BAD_TOML = {
    "mark": (codecs.BOM_UTF8 + TOML.encode(), "byte order mark"),
    "cp1252": (TOML.encode("cp1252"), "line 1 has a letter in another encoding"),
    "utf-16": (TOML.encode("utf-16"), "UTF-16"),
    "no TOML": (TOML.encode() + b'cookie_secret = "s3cret\n', "it is no TOML (at line 4"),
}


@pytest.mark.parametrize(
    ("server", "case"), [*(("streamlit", case) for case in BAD_TOML), ("uvicorn", "cp1252")]
)
def test_server_does_not_start_on_secrets_that_it_cannot_read(tmp_path, case, server):
    """Streamlit would take them for none, and let everybody in."""
    content, said = BAD_TOML[case]
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_bytes(content)
    port = str(free_port())
    command = {
        "streamlit": ["streamlit", "run", "app.py", "--server.port", port],
        "uvicorn": ["uvicorn", "app:app", "--port", port],
    }[server]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        # Streamlit looks there too
        env={**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if str(secrets) in line]
    assert said in line
    assert "s3cret" not in done.stderr
