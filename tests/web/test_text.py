"""Numbers, times and text as the screens write them."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ui.parts import text

AT = datetime(2026, 11, 22, 11, 40, 12, tzinfo=UTC)


@pytest.fixture(params=["es", "en"])
def language(request):
    text._spoken.language = request.param
    yield request.param
    del text._spoken.language


@pytest.fixture
def spanish():
    text._spoken.language = "es"
    yield
    del text._spoken.language


def test_numbers_are_written_as_in_peru(language):
    assert text.number(2033) == "2,033"
    assert text.number(-1234567.5, 1) == "-1,234,567.5"
    assert text.percent(Decimal("73.44")) == "73.4\u00a0%"
    assert text.points(0.6) == "+0.6\u00a0pp"
    assert text.signed(0) == "0"
    assert text.money(Decimal("1250.50"), cents=True) == "S/\u00a01,250.50"
    assert text.money(-3) == "-S/\u00a03"


def test_nothing_known_is_a_dash_and_never_zero(language):
    for written in (text.number, text.percent, text.points, text.signed, text.money):
        assert written(None) == "—"
    for written in (text.moment, text.clock, text.short_day, text.full_day, text.duration):
        assert written(None) == "—"
    assert text.ago(None, AT) == "—"


def test_times_are_lima_times(spanish):
    assert text.moment(AT) == "22 nov 06:40"
    assert text.moment(AT, seconds=True) == "22 nov 06:40:12"
    assert text.clock(datetime(2026, 1, 1, 3, 0, tzinfo=UTC)) == "22:00"
    assert text.moment(datetime(2026, 1, 1, 3, 0, tzinfo=UTC)) == "31 dic 22:00"
    assert text.span(date(2026, 10, 1), date(2026, 11, 22)) == "01/10/2026 – 22/11/2026"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.71, "0.7 s"),
        (38, "38 s"),
        (300, "5 min"),
        (9600, "2 h 40 min"),
        (14_400, "4 h"),
        (3 * 86_400, "3 d"),
    ],
)
def test_durations(spanish, seconds, written):
    assert text.duration(seconds).replace("\u00a0", " ") == written
    assert text.duration(timedelta(seconds=seconds)).replace("\u00a0", " ") == written


@pytest.mark.parametrize(
    "odd",
    [
        "<script>alert(1)</script>",
        "![x](http://example.com)",
        "[a](javascript:alert(1))",
        ":red[rojo] :material/home:",
        "$x^2$ **b** _i_ `c` ~~s~~",
        "https://example.com HTTP://a.pe www.example.com a@example.com mailto:a@b.pe",
        "1. x\n# y\n- z",
    ],
)
def test_markdown_of_the_database_stays_text(odd):
    shown = text.plain(odd)
    bare = shown.replace("\\", "").replace(text.WORD_JOINER, "")
    assert bare == " ".join(odd.split("\n"))
    for mark in "<[]()*_`#$:!":
        assert shown.count(mark) == shown.count(f"\\{mark}")
    # what Streamlit looks for in the text that it has read, where no sign is escaped any more
    read = shown.replace("\\", "")
    assert not re.search(r"(https?://|www\.)[-.\w]+|[-.\w+]+@[-\w]", read, re.IGNORECASE | re.ASCII)


def test_characters_that_only_steer_the_display_are_left_out_and_long_text_is_cut():
    assert text.clean("\u202eolleh\u202c zero\u200bwidth\ufeff\x00") == "olleh zerowidth"
    assert text.clean("a\ud800b") == "ab"
    cut = text.clean("x" * 10_000)
    assert len(cut) == 80
    assert cut.endswith("…")
    assert text.clean("Ñandú") == "Ñandú"
