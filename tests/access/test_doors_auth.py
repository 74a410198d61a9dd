"""Sign-in that is set up unsoundly opens nothing: what is looked at, and what it says."""

import secrets

import pytest
from streamlit import config
from streamlit.config_option import ConfigOption
from streamlit.runtime.secrets import secrets_singleton

from scout_core.errors import SettingsError
from ui.doors import auth
from ui.parts import shield

GOOD = {
    "cookie_secret": secrets.token_hex(),
    "redirect_uri": "https://scouts.example.com/scouts/oauth2callback",
    "client_id": "scouts",
    "client_secret": "of the tests",
    "server_metadata_url": "https://id.example.com/.well-known/openid-configuration",
}
CLIENT = {key: GOOD[key] for key in auth.CLIENT_KEYS}
SHARED = {key: GOOD[key] for key in ("cookie_secret", "redirect_uri")}


@pytest.fixture(autouse=True)
def written(monkeypatch):
    """Makes [auth] what it is called with."""
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "scouts")
    monkeypatch.setattr(auth, "_started_with_sign_in", False)
    kept = secrets_singleton._secrets

    def write(auth_section):
        secrets_singleton._secrets = {"auth": auth_section}

    yield write
    secrets_singleton._secrets = kept
    config.set_option("server.baseUrlPath", before)


@pytest.mark.parametrize(
    "section",
    [
        GOOD,
        GOOD | {"client_kwargs": {"prompt": "login"}},
        GOOD | {"redirect_uri": "http://localhost:3000/scouts/oauth2callback"},
        GOOD | {"redirect_uri": "http://localhost:{port}/scouts/oauth2callback"},
        GOOD | {"redirect_uri": "https://x.example.com/sub/scouts/oauth2callback"},
        GOOD | {"server_metadata_url": "http://127.0.0.1:9/openid"},
        GOOD | {"cookie_secret": secrets.token_hex(16)},
        GOOD | {"cookie_secret": secrets.token_urlsafe(24)},
        SHARED | {"entra": CLIENT},
        SHARED | {"entra": CLIENT, "google": CLIENT},
        GOOD | {"google": CLIENT},
    ],
)
def test_sound_sign_in_is_taken(written, section):
    written(section)
    assert auth.fault() is None
    assert auth.is_configured()
    shield.refuse_open_door("https://scouts.example.com")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "lacks cookie_secret, redirect_uri, client_id, client_secret, server_metadata_url"),
        ("", "is no section"),
        ([], "is no section"),
        *((GOOD | {key: ""}, f"lacks {key}") for key in GOOD),
        *((GOOD | {key: " "}, f"lacks {key}") for key in GOOD),
        *((GOOD | {key: 1}, f"lacks {key}") for key in GOOD),
        *(({k: v for k, v in GOOD.items() if k != key}, f"lacks {key}") for key in GOOD),
        (SHARED, "lacks client_id, client_secret, server_metadata_url"),
        (SHARED | {"entra": {}}, "lacks entra.client_id, entra.client_secret, entra.server_meta"),
        (SHARED | {"entra": CLIENT, "google": CLIENT | {"client_id": ""}}, "google.client_id"),
        (SHARED | {"entra": CLIENT, "client_id": "x"}, "lacks client_secret, server_metadata_url"),
        (SHARED | {"my_entra": CLIENT}, "underscore"),
        (GOOD | {"cookie_secret": "changeme"}, "has 8 bytes of 32"),
        (GOOD | {"cookie_secret": "0c7e55d1b2f84a9e6d3c1f70a8b5e92"}, "has 31 bytes"),
        (GOOD | {"cookie_secret": "a" * 64}, "follows a pattern"),
        (GOOD | {"cookie_secret": "changeme" * 4}, "follows a pattern"),
        (GOOD | {"cookie_secret": "wX3-kT9;" * 4 + "wX3"}, "follows a pattern"),
        (GOOD | {"cookie_secret": "0123456789abcdefghijklmnopqrstuvwxyz"}, "follows a pattern"),
        (GOOD | {"cookie_secret": "0011001101010011110000110101001101"}, "follows a pattern"),
        (GOOD | {"cookie_secret": "please-Change-this-before-you-go-live"}, "words of a template"),
        (GOOD | {"cookie_secret": "my-very-own-cookie-SECRET-for-scouts-41"}, "of a template"),
        *(
            (GOOD | {"redirect_uri": uri}, "redirect_uri")
            for uri in (
                "http://scouts.example.com/scouts/oauth2callback",
                "https://scouts.example.com/oauth2callback",
                "https://scouts.example.com/scouts/oauth2callback/",
                "https://scouts.example.com/scouts/oauth2callback?x=1",
                "https://scouts.example.com/scouts/oauth2callback#x",
                "https://scouts.example.com/",
                "https://user@scouts.example.com/scouts/oauth2callback",
                "https:///scouts/oauth2callback",
                "https://x:99999999/scouts/oauth2callback",
                "ftp://localhost/scouts/oauth2callback",
                "/scouts/oauth2callback",
                "scouts",
            )
        ),
        (
            GOOD | {"server_metadata_url": "http://id.example.com/x"},
            "server_metadata_url in [auth]",
        ),
        (GOOD | {"server_metadata_url": "id.example.com"}, "server_metadata_url in [auth]"),
        (
            GOOD | {"google": CLIENT | {"server_metadata_url": "http://id.example.com/x"}},
            "server_metadata_url in [auth.google]",
        ),
    ],
)
def test_unsound_sign_in_says_in_one_sentence_what_to_fill_in(written, section, said):
    written(section)
    assert auth.is_configured()
    with pytest.raises(SettingsError) as refused:
        shield.refuse_open_door()
    sentence = refused.value.message
    assert said in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert refused.value.exit_code == 2
    if isinstance(section, dict):
        given = section.get("cookie_secret")
        assert not isinstance(given, str) or len(given) < 2 or given not in sentence


def test_no_random_secret_is_taken_for_a_weak_one():
    for _ in range(2000):
        for made in (secrets.token_hex(16), secrets.token_hex(), secrets.token_urlsafe(24)):
            assert list(auth._secret_faults(made)) == []
    # what is random of one kind only is still looked at for what it is
    assert list(auth._secret_faults("10" * 16)) != []


def test_example_begins_with_every_key_that_is_looked_at():
    example = (auth.Path(auth.__file__).parents[2] / ".streamlit/secrets.toml.example").read_text()
    lines = [line.removeprefix("#") for line in example.splitlines()]
    for key in GOOD:
        assert any(line.startswith(f"{key} = ") for line in lines), key
    assert not any(line.startswith("cookie_secret") for line in example.splitlines())
    assert auth.HOW.split(" makes")[0] in example


def test_sign_in_that_goes_away_while_the_server_runs_opens_nothing(written):
    written(GOOD)
    shield.refuse_open_door()
    secrets_singleton._secrets = {}
    assert auth.is_configured()
    assert "gone" in auth.fault()
    assert auth.outside() is None
    written(GOOD | {"cookie_secret": "changeme"})
    assert auth.outside() is None
    written(GOOD)
    assert auth.fault() is None
    assert auth.outside() == "https://scouts.example.com"


@pytest.mark.parametrize("content", ["[auth", "auth = ", None])
def test_file_that_cannot_be_read_is_no_server_where_nobody_signs_in(written, tmp_path, content):
    file = tmp_path / "secrets.toml"
    if content is not None:
        file.write_text(content)
    kept = secrets_singleton._secrets
    secrets_singleton._secrets = None
    found = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(file)])
    try:
        with pytest.raises(SettingsError, match="not there or no TOML"):
            shield.refuse_open_door()
        assert auth.is_configured()
    finally:
        config._set_option("secrets.files", found, ConfigOption.DEFAULT_DEFINITION)
        secrets_singleton._secrets = kept
