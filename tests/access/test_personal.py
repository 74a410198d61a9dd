"""No text that somebody gives with a write holds a phone, licence, document or e-mail address."""

import importlib
import inspect
import io
import pkgutil
import re
import string
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import FunctionType
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

import scout_core
from scout_core import cli, personal
from scout_core.access.note import checked_note
from scout_core.access.permissions import Actor
from scout_core.db.database import Database
from scout_core.errors import BadInput
from scout_core.export.writer import Form
from tests.support.asking import asking
from tests.support.job import settings, story
from tests.support.looking import installed
from tests.support.state import effects

ADMIN = Actor("root", "admin")
PERSON = "8f14e45f-ceea-467f-a9b5-1c1e3b2f0a11"
# parameters that are texts of the one who writes
TEXTS = {"reason", "note", "name"}
WORDS = ["called", "him", "twice,", "de nuevo", "ok:", "(see", "the form)", "-", "n."]
BETWEEN = ["", " ", "-", ".", ") ", " (", "\u00a0", "\u2013", " - "]
PHONE, LICENSE, MAIL = "912 345 678", "Q12345678", "ana.quispe@example.com"


@st.composite
def phones(draw: st.DrawFn) -> str:
    """Nine digits that start with 9, whatever stands between them, with or without a prefix."""
    digits = "9" + draw(st.text(string.digits, min_size=8, max_size=8))
    cuts = draw(st.lists(st.sampled_from(BETWEEN), min_size=8, max_size=8))
    number = "".join(digit + cut for digit, cut in zip(digits, [*cuts, ""], strict=True))
    prefix = draw(st.sampled_from(["", "+51", "+51 ", "(+51) ", "0051", "51-", "0"]))
    hidden = draw(st.sampled_from(["", "\u200b", "\u2060"]))
    other = str.maketrans(string.digits, draw(st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩"])))
    return (prefix + hidden.join(number)).translate(other)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A licence with its letter, or a document of eight digits that can be no day."""
    digits = draw(st.text(string.digits, min_size=8, max_size=8))
    if draw(st.booleans()):
        cut = draw(st.sampled_from(["", "-", " "]))
        return (
            draw(st.sampled_from("QABqz"))
            + draw(st.sampled_from(["", "-"]))
            + (digits[:4] + cut + digits[4:])
        )
    return "7" + digits[1:]


def among(draw: st.DrawFn, found: str) -> str:
    words = st.lists(st.sampled_from(WORDS), min_size=2, max_size=6)
    return " ".join([*draw(words), found, *draw(words)])


@effort(max_examples=400)
@given(st.data())
def test_each_phone_licence_or_address_is_found_in_whatever_form(data: st.DataObject):
    kind, found = data.draw(
        st.one_of(
            st.tuples(st.just("phone"), phones()),
            st.tuples(st.just("document"), documents()),
            st.tuples(
                st.just("email"),
                st.from_regex(r"\A[a-z][a-z0-9._]{1,9}[a-z]@[a-z]{2,8}\.(com|pe|com\.pe)\Z"),
            ),
        )
    )
    text = data.draw(st.composite(lambda draw: among(draw, found))())
    # eight digits may also make up a phone, and a phone a licence: found is found
    assert personal.find_kind(text) is not None, text
    if kind == "email":
        assert personal.find_kind(text) == "email"
    with pytest.raises(BadInput) as refused:
        checked_note(text, "reason")
    digits = re.sub(r"\D", "", found)
    assert len(digits) < 6 or digits not in re.sub(r"\D", "", refused.value.message)
    assert refused.value.parameter == "reason"


@pytest.mark.parametrize("between", "/_*·-. ")
def test_phone_is_found_whatever_stands_between_its_groups(between):
    assert personal.find_kind(f"call {between.join(('987', '654', '321'))} today") == "phone"


@st.composite
def harmless(draw: st.DrawFn) -> str:
    """What a reason may well name: a run, a row, a scout, an amount, a day, a person."""
    day = draw(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
    amount = draw(st.integers(1, 99_999_999))
    return draw(
        st.sampled_from(
            [
                f"run {draw(st.integers(1, 9_999_999))}",
                f"scout {draw(st.integers(1, 99_999))}",
                f"S/ {amount}",
                f"S/ {amount:,}.50",
                f"{amount / 100:.2f} soles",
                f"{day}",
                f"{day:%d/%m/%Y}",
                f"{day:%d-%m-%Y}",
                f"{day:%Y%m%d}",
                f"{day}T03:00:00",
                f"{day} 14:30",
                str(draw(st.uuids())),
                draw(st.uuids()).hex + "ab" * 16,
                "100 %",
                "14 of 20",
                "file_2026-01-15.csv",
                "@ana",
            ]
        )
    )


@effort(max_examples=400)
@given(st.lists(harmless(), min_size=1, max_size=3), st.sampled_from([", ", "; ", " and "]))
def test_runs_rows_amounts_days_and_persons_may_be_named(named: list[str], between: str):
    text = f"It was loaded twice: {between.join(named)}."
    assert personal.find_kind(text) is None, text
    assert checked_note(text) == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Call him on 912345678, he knows", "phone"),
        ("Call him on +51 912 345 678", "phone"),
        ("Call him on (01) 234-5678 today", "phone"),
        ("Call him on 9 1 2 3 4 5 6 7 8", "phone"),
        ("Runs 41 912.345.678 and others", "phone"),
        ("Call ９１２３４５６７８ in the evening", "phone"),
        ("S/ 912345678 was paid to him", "phone"),
        ("licence q-12345678 was shown", "document"),
        ("licence Q20260115 was shown", "document"),
        ("DNI 71234567 was shown", "document"),
        ("DNI 71.234.567 was shown", "document"),
        ("RUC 20123456789 was shown", "document"),
        ("passport AB1234567 was shown", "document"),
        ("write to ana @ example.com.pe for more", "email"),
        ("runs 120 121 122 were loaded twice", None),
        ("runs 1200 and 1201, 8 rows each", None),
        ("paid 1,250.00 soles on 15/01/2026 at 10:30", None),
        ("the file of 20260115 was loaded twice", None),
        ("rows 5 kg @ 12.50. Later more", None),
        ("from 05-01-2026 3 rows came twice", None),
        (f"the same as person {PERSON}, run 41", None),
    ],
)
def test_examples_are_told_apart(text: str, kind: str | None):
    assert personal.find_kind(text) == kind


@effort(max_examples=200)
@given(
    st.text(
        st.sampled_from(
            "\u200b\u200c\u200d\u2060\ufeff\u202e\u2066\u00ad\x07\x1b\u2800\u3164\ufe0f"
        )
        | st.sampled_from(" \t\n\u00a0\u2003\u3000"),
        min_size=10,
        max_size=200,
    )
)
def test_reason_of_invisible_characters_is_none(unseen: str):
    with pytest.raises(BadInput, match="0 visible characters"):
        checked_note(unseen)
    with pytest.raises(BadInput, match="9 visible characters"):
        checked_note(f"{unseen}nine sign{unseen}")
    assert checked_note(f"{unseen}ten\u200b signs!{unseen}") == "ten signs!"


def test_blanks_between_words_do_not_make_a_reason():
    with pytest.raises(BadInput):
        checked_note("a" + " " * 20 + "b")
    with pytest.raises(BadInput):
        checked_note("e\u0301" * 9)
    assert checked_note("e\u0301" * 10) == "e\u0301" * 10
    with pytest.raises(BadInput, match="1,001 visible"):
        checked_note("x" * 1001)


# the library: every function that takes who acts and a text of theirs


@pytest.fixture(scope="module")
def shared(server_url: str) -> Iterator[Database]:
    with installed(server_url) as database:
        story(database.url)
        yield database


def writers() -> Iterator[tuple[str, FunctionType, set[str]]]:
    for info in pkgutil.walk_packages(scout_core.__path__, "scout_core."):
        module = importlib.import_module(info.name)
        for name, found in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or found.__module__ != info.name:
                continue
            parameters = inspect.signature(found).parameters
            if "actor" in parameters and (texts := TEXTS & set(parameters)):
                yield f"{info.name.removeprefix('scout_core.')}.{name}", found, texts


WRITERS = {name: (found, texts) for name, found, texts in writers()}
# of the list, or a code, not of the one who writes
NO_TEXTS = {
    ("export.delivery.export_to", "name"),
    ("export.lists.export_list", "name"),
    ("access.sessions.end", "reason"),
}


def given_for(name: str, db: Database, text: str) -> Any:
    now = datetime.now(UTC)
    known: dict[str, Callable[[], Any]] = {
        "db": lambda: db,
        # what is refused is refused before anything is read
        "conn": lambda: None,
        "read_from": lambda: db,
        "write_to": lambda: db,
        "settings": settings,
        "actor": lambda: ADMIN,
        "now": lambda: now,
        "until": lambda: now + timedelta(days=1),
        "person_key": lambda: PERSON,
        "persons": lambda: {PERSON: "0" * 32},
        "outcome": lambda: "NO_SCOUT",
        "reason_code": lambda: "OTHER",
        "seen": lambda: "0" * 32,
        "source_pk": lambda: "999999",
        "run_id": lambda: 999_999,
        "hold_id": lambda: 999_999,
        "alert_id": lambda: 999_999,
        "alert_ids": lambda: [999_999],
        "role": lambda: "viewer",
        "name": lambda: "runs",
        "filters": lambda: None,
        "out": io.BytesIO,
        "form": lambda: Form(is_clear=True),
        "via": lambda: "cli",
        "is_clear": lambda: True,
        "force": lambda: True,
    }
    return text if name in TEXTS else known[name]()


@pytest.mark.parametrize("personal_text", [f"call {PHONE} on it", f"shown {LICENSE}"])
@pytest.mark.parametrize(
    ("writer", "parameter"),
    [
        (name, text)
        for name, (_, texts) in sorted(WRITERS.items())
        for text in sorted(texts)
        if (name, text) not in NO_TEXTS
    ],
)
def test_every_function_that_writes_a_text_refuses_a_personal_one(
    shared: Database, writer: str, parameter: str, personal_text: str
):
    found = WRITERS[writer][0]
    wanted = {
        name: given_for(name, shared, personal_text)
        for name, p in inspect.signature(found).parameters.items()
        if p.default is inspect.Parameter.empty or name in TEXTS | {"is_clear", "force"}
    }
    if (writer, "name") in NO_TEXTS:
        wanted["name"] = "runs"
    before = effects(shared.url)
    with pytest.raises(BadInput) as refused:
        found(**wanted)
    assert (refused.value.parameter, refused.value.personal) == (
        parameter,
        "phone" if PHONE in personal_text else "document",
    )
    assert effects(shared.url) == before


def test_the_table_of_writers_is_whole():
    assert {
        "alerts.acts.ack",
        "alerts.acts.mute",
        "alerts.acts.mute_many",
        "alerts.acts.unmute",
        "decide.decisions.decide",
        "decide.decisions.decide_many",
        "decide.erasure.erase",
        "export.writer.checked_form",
        "export.delivery.export_to",
        "decide.holds.release",
        "decide.holds.release_of_run",
        "job.refresh.run_refresh",
        "decide.review.create",
        "decide.review.dismiss",
        "decide.review.link",
        "access.tokens.create",
        "decide.undo.run_undo",
    } <= set(WRITERS)


# the command line: every option or argument that is such a text


def texts_of_verbs(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, click.Command]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            if found is not None:
                yield from texts_of_verbs(found, (*path, name))
    elif TEXTS & {p.name for p in command.params}:
        yield " ".join(path), next(p.name for p in command.params if p.name in TEXTS), command


# of a setting, which the verb only shows
VERBS = {p: (name, verb) for p, name, verb in texts_of_verbs(cli.group) if p != "config"}
# what each wants beside its text
BESIDE = {"decide": ["--none", "--seen", "0" * 32], "refresh": ["--force"]}
BESIDE["alerts mute"] = ["--days", "2"]


@pytest.mark.parametrize("path", sorted(VERBS))
def test_every_verb_that_takes_a_text_ends_with_2_for_a_personal_one(
    shared: Database,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("DATABASE_URL", shared.url)
    name, command = VERBS[path]
    text = f"call {PHONE}"
    words = [
        text if p.name == name else {"person_key": PERSON, "out": "-"}.get(p.name or "", "999999")
        for p in command.params
        if isinstance(p, click.Argument) and (p.required or p.name == "hold_id")
    ]
    option = next(p for p in command.params if p.name == name)
    if isinstance(option, click.Option):
        words += [option.opts[0], text]
    if any(p.name == "clear" for p in command.params):
        words.append("--clear")
    if any(p.name == "role" and p.required for p in command.params):
        words += ["--role", "viewer"]
    before = effects(shared.url)
    assert cli.run([*path.split(), *words, *BESIDE.get(path, [])]) == 2
    said = capsys.readouterr()
    assert "looks like it holds a phone number" in said.err, said.err
    assert "912" not in said.err + said.out
    assert effects(shared.url) == before


# the API: every body that has such a text


def test_every_route_that_takes_a_text_answers_422_for_a_personal_one(shared: Database):
    asked = 0
    with asking(shared) as ask:
        schema = ask.app.openapi()
        before = effects(shared.url)
        for path, methods in schema["paths"].items():
            content = methods.get("post", {}).get("requestBody", {}).get("content", {})
            if not content:
                continue
            body = schema["components"]["schemas"][
                content["application/json"]["schema"]["$ref"].rsplit("/")[-1]
            ]
            for name in TEXTS & set(body["properties"]):
                values = {
                    "outcome": "NO_SCOUT",
                    "reason_code": "OTHER",
                    "seen": "0" * 32,
                    "act": "dismiss",
                    "until": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
                }
                sent = {n: v for n, v in values.items() if n in body["properties"]}
                address = re.sub(r"\{(\w+)\}", lambda m: filled(m[1]), path)
                answer = ask.client.post(address, json={**sent, name: f"call {PHONE} on it"})
                assert answer.status_code == 422, (path, answer.text)
                assert answer.json()["errors"][0]["parameter"] == name
                assert PHONE not in answer.text
                asked += 1
        assert effects(shared.url) == before
    assert asked >= 10


def filled(name: str) -> str:
    return str(uuid.uuid4()) if name == "person_key" else "999999"
