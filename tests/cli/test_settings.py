"""Settings: where values come from, what is refused and in which words."""

import pytest

from scout_core.errors import SettingsError
from scout_core.settings import Settings, describe, env_name, known_names, load, mask_url


def refused(environ, dotenv=None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environ, dotenv)
    return caught.value.message


def test_nothing_given_gives_the_defaults():
    settings = load({}, None)
    assert settings.database_url is None
    assert str(settings.data_dir) == ".data"
    assert settings.source_timezone == "America/Lima"
    assert (settings.guard_max_rows, settings.guard_max_pct) == (10_000, 20)
    assert {row.origin for row in describe(settings)} == {"default"}


def test_empty_value_counts_as_not_given():
    assert load({"DATABASE_URL": "", "SCOUT_LOG_LEVEL": " "}, None) == Settings()


def test_environment_wins_over_dotenv_and_each_says_so(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("SCOUT_RUN_MAX_ROWS=5\nSCOUT_GUARD_MAX_ROWS=6\nOTHER_NAME=x\n")
    settings = load({"SCOUT_RUN_MAX_ROWS": "7", "PATH": "/bin"}, dotenv)
    assert (settings.run_max_rows, settings.guard_max_rows) == (7, 6)
    assert settings.origin("run_max_rows") == "environment"
    assert settings.origin("guard_max_rows") == ".env"
    assert settings.origin("guard_max_pct") == "default"


@pytest.mark.parametrize(
    "given",
    [
        "postgres://ana:s3cret@db:5432/fleet",
        "postgresql://ana:s3cret@db:5432/fleet",
        "postgresql+psycopg2://ana:s3cret@db:5432/fleet",
        "postgresql+psycopg://ana:s3cret@db:5432/fleet",
        "  postgres://ana:s3cret@db:5432/fleet\n",
    ],
)
def test_every_form_of_the_address_is_read_with_psycopg2(given):
    settings = load({"DATABASE_URL": given}, None)
    assert settings.database_url == "postgresql+psycopg2://ana:s3cret@db:5432/fleet"


@pytest.mark.parametrize(
    "given",
    [
        "mysql://ana:s3cret@db/fleet",
        "db:5432/fleet s3cret",
        "host=db password=s3cret",
        "postgresql+asyncpg://ana:s3cret@db/fleet",
        "postgres://ana:s3cret@db:port/fleet",
    ],
)
def test_address_that_is_not_postgresql_is_refused_without_repeating_it(given):
    message = refused({"DATABASE_URL": given})
    assert "DATABASE_URL (environment)" in message
    assert "write postgresql://user:password@host:5432/database" in message
    assert "s3cret" not in message


def test_secret_file_is_read_and_its_origin_is_file(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgres://ana:s3cret@db/fleet\n")
    settings = load({"DATABASE_URL_FILE": str(secret)}, None)
    assert settings.database_url == "postgresql+psycopg2://ana:s3cret@db/fleet"
    assert settings.origin("database_url") == "file"


def test_secret_given_twice_is_refused(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgres://a:b@db/fleet")
    message = refused({"DATABASE_URL": "postgres://c:d@db/x", "DATABASE_URL_FILE": str(secret)})
    assert message == (
        "DATABASE_URL and DATABASE_URL_FILE are both set (environment): keep one of them."
    )


def test_environment_secret_wins_over_the_file_that_dotenv_names(tmp_path):
    """Two places are no contradiction: the environment is the nearer one."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("DATABASE_URL_FILE=/nowhere\n")
    with pytest.raises(SettingsError):
        load({}, dotenv)
    settings = load({"DATABASE_URL": "postgres://a:b@db/x"}, dotenv)
    assert settings.origin("database_url") == "environment"


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("  \n", "is empty"), (b"\xff\xfe", "not UTF-8")]
)
def test_secret_file_that_gives_nothing_is_refused_with_its_path(tmp_path, content, why):
    secret = tmp_path / "url"
    if content is not None:
        secret.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refused({"DATABASE_URL_FILE": str(secret)})
    assert str(secret) in message
    assert why in message


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SCOUT_RUN_MAX_ROW", "SCOUT_RUN_MAX_ROWS"),
        ("SCOUT_DATABASE_URL", "DATABASE_URL"),
        ("SCOUT_LOGLEVEL", "SCOUT_LOG_LEVEL"),
        ("SCOUT_DATA_DIR_FILE", "SCOUT_DATA_DIR"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest_known_one(name, nearest):
    message = refused({name: "1"})
    assert f"{name} (did you mean {nearest}?)" in message


def test_unknown_name_in_dotenv_is_refused_even_when_it_is_empty(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("SCOUT_GUARD_MAX_ROW=\n")
    assert "in .env: SCOUT_GUARD_MAX_ROW (did you mean SCOUT_GUARD_MAX_ROWS?)" in refused(
        {}, dotenv
    )


@pytest.mark.parametrize(
    ("name", "value", "must_be"),
    [
        ("SCOUT_RUN_MAX_ROWS", "many", "a whole number"),
        ("SCOUT_RUN_MAX_ROWS", "0", "greater than or equal to 1"),
        ("SCOUT_RUN_MAX_ROWS", "2147483648", "less than or equal to 2147483647"),
        ("SCOUT_GUARD_MAX_ROWS", "1.5", "a whole number"),
        ("SCOUT_GUARD_MAX_PCT", "101", "less than or equal to 100"),
        ("SCOUT_GUARD_MAX_PCT", "nan", "a finite number"),
        ("SCOUT_GUARD_MAX_PCT", "a fifth", "a number"),
        ("SCOUT_HEALTH_POPULATION", "all", "one of 'leads' or 'persons'"),
        ("SCOUT_LOG_LEVEL", "LOUD", "one of 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("SCOUT_SOURCE_TIMEZONE", "america/lima ", "the name of a time zone, such as America/Lima"),
    ],
)
def test_bad_value_is_named_with_what_it_must_be_and_what_to_do(name, value, must_be):
    message = refused({name: value})
    assert message.startswith(f"{name} is {value.strip()!r} (environment): it must be {must_be}.")
    assert "Correct it or leave it out for " in message


def test_thresholds_out_of_order_are_refused():
    message = refused({"SCOUT_HEALTH_CONFLICTS_WARN": "101"})
    assert message.startswith(
        "SCOUT_HEALTH_CONFLICTS_WARN is 101, above SCOUT_HEALTH_CONFLICTS_FAIL (100)"
    )


def test_log_level_is_read_in_any_case():
    assert load({"SCOUT_LOG_LEVEL": "debug"}, None).log_level == "DEBUG"


def test_passwords_are_masked_wherever_the_address_holds_one():
    shown = mask_url(
        "postgresql+psycopg2://ana:s3cret@db/fleet?sslpassword=t0psecret&sslmode=require"
    )
    assert "s3cret" not in shown
    assert "t0psecret" not in shown
    assert shown.startswith("postgresql+psycopg2://ana:***@db/fleet")
    assert "sslmode=require" in shown


def test_neither_description_nor_repr_shows_the_password():
    settings = load({"DATABASE_URL": "postgres://ana:s3cret@db/fleet"}, None)
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(describe(settings))


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        load({}, None).run_max_rows = 1


def test_each_field_has_one_name_and_a_meaning():
    assert set(known_names().values()) == set(Settings.model_fields)
    assert env_name("database_url") == "DATABASE_URL"
    assert env_name("run_max_rows") == "SCOUT_RUN_MAX_ROWS"
    assert all(row.meaning for row in describe(Settings()))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://scouts.example.com", "https://scouts.example.com"),
        ("https://scouts.example.com/", "https://scouts.example.com"),
        ("https://scouts.example.com/scouts", "https://scouts.example.com"),
        ("https://scouts.example.com/scouts/", "https://scouts.example.com"),
        ("https://scouts.example.com//scouts//", "https://scouts.example.com"),
        ("https://scouts.example.com/scouts/scouts", "https://scouts.example.com"),
        ("https://example.com/fleet/scouts/", "https://example.com/fleet"),
        ("https://example.com/fleet", "https://example.com/fleet"),
        ("https://example.com/myscouts", "https://example.com/myscouts"),
        ("http://scouts:3000", "http://scouts:3000"),
        ("http://scouts", "http://scouts"),
    ],
)
def test_public_address_is_taken_with_or_without_the_pages_at_its_end(given, kept):
    assert load({"SCOUT_PUBLIC_URL": given}, None).public_url == kept


@pytest.mark.parametrize("given", ["https://x.example.com/?lang=en", "https://x.example.com#a"])
def test_public_address_that_links_cannot_be_built_on_is_refused(given):
    assert "an address without ? or #" in refused({"SCOUT_PUBLIC_URL": given})
    # the other one is called as it is
    assert load({"SCOUT_PING_URL": f"{given}/scouts"}, None).ping_url == f"{given}/scouts"
