"""The settings: where they come from, what they may be, and how to show them.

A value is taken from the environment, else from `.env`, else the default. A secret may also be
given as NAME_FILE, the path of a file that holds it. An empty value counts as not given.
"""

import difflib
import io
import os
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from scout_core import text_files
from scout_core.errors import SettingsError

PREFIX = "SCOUT_"
MAX_SESSION_HOURS = 720
SECRETS = frozenset({"database_url", "notify_urls", "ping_url"})
# Apprise kinds that write to this machine, its desktop or its wires instead of telling somebody
LOCAL_CHANNELS = frozenset(
    (
        *("syslog", "rsyslog", "dbus", "qt", "kde", "glib", "gio", "gnome"),
        *("macosx", "windows", "blink1", "file", "config"),
    )
)
# a comma may stand in an address: only one before another scheme parts two of them
_BETWEEN_CHANNELS = re.compile(r"[,\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
# the end of an address that is the pages, and what no address to build on has
_PAGES = re.compile(r"(?<=[^:/])(?:/+scouts)+$")
_IS_BARE = re.compile(r"[^?#]+")
_CHANNEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*)://\S+")

Origin = Literal["environment", ".env", "file", "default"]
Rows = Annotated[int, Field(ge=0, le=2**31 - 1)]
Minutes = Annotated[int, Field(ge=1, le=525_600)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Settings(BaseModel):
    """What the program was told. Made by `load`, never changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str | None = Field(
        None,
        repr=False,
        description="PostgreSQL 15 or newer to work on; without it an embedded one is started",
    )
    data_dir: Path = Field(
        Path(".data"), description="folder of the embedded database and of this machine's files"
    )
    source_timezone: str = Field(
        "America/Lima", description="zone of the timestamps in source tables that name none"
    )
    run_max_rows: Annotated[int, Field(ge=1, le=2**31 - 1)] = Field(
        10_000, description="rows that a run changes in one commit; more work goes on in batches"
    )
    run_limit_minutes: Minutes = Field(
        180, description="time after which a scheduled run is ended, exit code 124"
    )
    guard_max_rows: Rows = Field(
        10_000, description="rows above which a run stops until it is forced"
    )
    guard_max_pct: Percent = Field(
        20,
        description="share of the persons, in percent, above which a run stops",
    )
    health_population: Literal["leads", "persons"] = Field(
        "leads", description="over whom the satisfactory share is taken: leads or persons"
    )
    health_satisfactory_ok_pct: Percent = Field(
        80, description="satisfactory share above which health is OK"
    )
    health_satisfactory_fail_pct: Percent = Field(
        50, description="satisfactory share below which health is FAIL"
    )
    health_conflicts_warn: Rows = Field(50, description="open conflicts from which health is WARN")
    health_conflicts_fail: Rows = Field(
        100, description="open conflicts above which health is FAIL"
    )
    health_late_minutes: Minutes = Field(
        260, description="age of the last completed run above which health is WARN"
    )
    health_stuck_minutes: Minutes = Field(
        60, description="time after which a running run counts as stuck"
    )
    health_scheduler_minutes: Minutes = Field(
        260,
        description="time since the scheduler last started a run above which it counts as silent",
    )
    health_sources_minutes: Minutes = Field(
        10, description="how often the rows of the sources are counted"
    )
    health_sources_quiet_days: Annotated[int, Field(ge=1, le=30)] = Field(
        2, description="working days in a row without a row after which a source is STALE"
    )
    health_sources_low_pct: Percent = Field(
        50, description="share of the usual rows of such a day below which a source is WARN"
    )
    quality_first_day: date = Field(
        date(2015, 1, 1),
        description="day before which no source row can be, by the checks of the sources",
    )
    notify_urls: str | None = Field(
        None,
        repr=False,
        description="Apprise addresses of the channels that are told, separated by commas",
    )
    notify_language: Literal["es", "en"] = Field("es", description="language of messages: es or en")
    notify_timeout_seconds: Annotated[int, Field(ge=1, le=60)] = Field(
        5, description="time that a channel has to take a message"
    )
    notify_max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        12, description="attempts after which a message is given up for a channel"
    )
    notify_give_up_hours: Annotated[int, Field(ge=1, le=8_760)] = Field(
        24, description="time after which a message is given up for a channel"
    )
    public_url: str = Field(
        "http://localhost:3000", description="address of the pages, for the links in messages"
    )
    session_hours: Annotated[int, Field(ge=1, le=MAX_SESSION_HOURS)] = Field(
        12, description="time after which people have to sign in again, 1 to 720 hours"
    )
    ping_url: str | None = Field(
        None,
        repr=False,
        description="address that a scheduled run pings: /start before it, /fail after a failure",
    )
    known_event_triggers: str | None = Field(
        None,
        description="event triggers of the database that verify need not report, with commas",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least level that is logged: DEBUG, INFO, WARNING or ERROR"
    )

    @property
    def event_triggers(self) -> tuple[str, ...]:
        """The names in SCOUT_KNOWN_EVENT_TRIGGERS."""
        parts = (self.known_event_triggers or "").split(",")
        return tuple(name for part in parts if (name := part.strip()))

    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    @field_validator("database_url")
    @classmethod
    def _read_as_psycopg2(cls, url: str | None) -> str | None:
        if url is None:
            return None
        from scout_core import address  # slow to import, needed only here

        return address.read(url).render_as_string(hide_password=False)

    @field_validator("notify_urls")
    @classmethod
    def _readable_channels(cls, urls: str | None) -> str | None:
        # what Apprise makes of them is seen by `notify test`: it takes seconds to load
        for number, url in enumerate(split_channels(urls), 1):
            found = _CHANNEL.fullmatch(url)
            if found is None:
                raise ValueError(
                    "addresses of Apprise such as slack://... or mailtos://..., separated by "
                    f"commas; number {number} has no such form"
                )
            if found[1].lower() in LOCAL_CHANNELS:
                raise ValueError(
                    f"addresses that reach somebody; number {number} ({found[1].lower()}) stays "
                    "on this machine"
                )
        return urls

    @field_validator("public_url", "ping_url")
    @classmethod
    def _of_the_web(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            is_good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good or not url.isprintable() or " " in url:
            raise ValueError("an address that begins with http:// or https://")
        return url.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _without_the_pages(cls, url: str) -> str:
        # links add /scouts themselves, and people copy the address out of the browser
        if not _IS_BARE.fullmatch(url):
            raise ValueError("an address without ? or #")
        return _PAGES.sub("", url)

    @field_validator("source_timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zoneinfo.available_timezones():
            near = _nearest(zone, zoneinfo.available_timezones())
            raise ValueError(f"the name of a time zone, such as {near}")
        return zone

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> "Settings":
        for low, high in (
            ("health_satisfactory_fail_pct", "health_satisfactory_ok_pct"),
            ("health_conflicts_warn", "health_conflicts_fail"),
        ):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(
                    f"{env_name(low)} is {getattr(self, low):g}, above {env_name(high)} "
                    f"({getattr(self, high):g}): lower the first or raise the second."
                )
        return self

    def origin(self, field: str) -> Origin:
        """Where the value of a field came from."""
        return self._origins.get(field, "default")


class Described(NamedTuple):
    """One setting as it may be shown."""

    name: str
    value: str
    origin: Origin
    meaning: str


def env_name(field: str) -> str:
    """The environment variable of a field."""
    return "DATABASE_URL" if field == "database_url" else PREFIX + field.upper()


def known_names() -> dict[str, str]:
    """Each name that may be set -> its field; secrets have a second name, NAME_FILE."""
    names = {env_name(field): field for field in Settings.model_fields}
    return names | {f"{env_name(field)}_FILE": field for field in SECRETS}


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings in force. SettingsError names each name that is unknown or value that is bad."""
    layers: list[tuple[Origin, Mapping[str, str | None]]]
    layers = [("environment", os.environ if environ is None else environ)]
    if dotenv is not None and dotenv.is_file():
        layers.append((".env", _read_dotenv(dotenv)))
    given: dict[str, str] = {}
    origins: dict[str, Origin] = {}
    for layer, values in layers:
        _refuse_unknown(values, layer)
        for field in Settings.model_fields:
            if field not in given and (found := _find(field, values, layer)):
                given[field], origins[field] = found
    try:
        settings = Settings.model_validate(given)
    except ValidationError as exc:
        raise SettingsError(" ".join(_sentence(e, origins) for e in exc.errors())) from None
    settings._origins.update(origins)
    return settings


def describe(settings: Settings) -> list[Described]:
    """Each setting with its value, origin and meaning, secrets masked."""
    rows = []
    for field, info in Settings.model_fields.items():
        value = getattr(settings, field)
        if value is None:
            shown = ""
        elif field in SECRETS:
            shown = _mask(field, value)
        else:
            shown = f"{value:g}" if isinstance(value, float) else str(value)
        rows.append(
            Described(env_name(field), shown, settings.origin(field), info.description or "")
        )
    return rows


def split_channels(urls: str | None) -> tuple[str, ...]:
    """Each address of SCOUT_NOTIFY_URLS, in its order, one that stands there twice once."""
    parts = _BETWEEN_CHANNELS.split((urls or "").strip())
    return tuple(dict.fromkeys(found for part in parts if (found := part.strip(" ,\t\r\n"))))


def _mask(field: str, value: str) -> str:
    if field == "database_url":
        return mask_url(value)
    # of other addresses nothing is known to be harmless but the kind
    return ", ".join(f"{url.partition('://')[0].lower()}://***" for url in split_channels(value))


def mask_url(url: str) -> str:
    """A database address without its passwords, for the eyes of an operator."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    hidden = {key: "***" for key in parsed.query if "password" in key.lower()}
    return parsed.update_query_dict(hidden).render_as_string(hide_password=True)


def _find(field: str, values: Mapping[str, str | None], layer: Origin) -> tuple[str, Origin] | None:
    """The value that a layer gives a field, and its origin."""
    name = env_name(field)
    value = (values.get(name) or "").strip()
    path = (values.get(f"{name}_FILE") or "").strip() if field in SECRETS else ""
    if value and path:
        raise SettingsError(f"{name} and {name}_FILE are both set ({layer}): keep one of them.")
    if path:
        return _read_secret(f"{name}_FILE", Path(path)), "file"
    return (value, layer) if value else None


def _read_dotenv(path: Path) -> dict[str, str | None]:
    try:
        return dotenv_values(stream=io.StringIO(text_files.read(path)))
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read ({exc.strerror}): correct its rights.") from exc
    except ValueError as exc:
        raise SettingsError(f"{path} cannot be read: {exc}.") from exc


def _read_secret(name: str, path: Path) -> str:
    try:
        secret = text_files.read(path).strip()
    except OSError as exc:
        raise SettingsError(
            f"{name} names {path}, which cannot be read ({exc.strerror}): correct the path or its "
            "rights."
        ) from exc
    except ValueError as exc:
        raise SettingsError(f"{name} names {path}, which cannot be read: {exc}.") from exc
    if not secret:
        raise SettingsError(f"{name} names {path}, which is empty: write the value into it.")
    return secret


def _refuse_unknown(values: Iterable[str], layer: Origin) -> None:
    known = known_names()
    unknown = sorted(n for n in values if n.startswith(PREFIX) and n not in known)
    if unknown:
        hints = ", ".join(f"{name} (did you mean {_nearest(name, known)}?)" for name in unknown)
        raise SettingsError(
            f"Unknown setting in {'the ' if layer == 'environment' else ''}{layer}: {hints}. "
            "Correct or remove it; docs/settings.md lists all."
        )


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    return by_lower[difflib.get_close_matches(word.lower(), sorted(by_lower), n=1, cutoff=0)[0]]


def _sentence(error: ErrorDetails, origins: Mapping[str, Origin]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            must_be = str(context["error"])
        case "int_parsing" | "int_from_float":
            must_be = "a whole number"
        case "float_parsing":
            must_be = "a number"
        case "literal_error":
            must_be = f"one of {context['expected']}"
        case _:
            must_be = error["msg"].removeprefix("Input should be ")
    if not error["loc"]:
        return must_be
    field = str(error["loc"][0])
    value = "" if field in SECRETS else f" is {error['input']!r}"
    default = Settings.model_fields[field].default
    instead = "leave it out" if default is None else f"leave it out for {default}"
    return (
        f"{env_name(field)}{value} ({origins.get(field, 'default')}): "
        f"it must be {must_be}. Correct it or {instead}."
    )
