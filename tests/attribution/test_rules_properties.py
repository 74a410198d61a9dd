"""The readings of raw values in SQL are those of the model, on any text."""

from collections.abc import Iterator
from datetime import date

import psycopg2
import psycopg2.extensions
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model import keys

Connection = psycopg2.extensions.connection
READABLE = "0123456789 +-()\t\r\nQqRrSs9"
STRANGE = "\u0661\uff11\u00a0\u200b\u00e7\u00df\u0131\u017f\u212a\U0001d7d8.,;|_xXeE\u2028\x0b\x85"
WORDS = (
    "TRAMITE", "EN TRÁMITE", "en trámite", "Pendiente ", "NINGUNO", "ningún", "NO TIENE ", "SIN ",
    "por confirmar", "EN PROCESO", "FALTA", "X ", "XX", "LICENCIA ",
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.text(alphabet=READABLE, max_size=16),
        st.text(alphabet=READABLE + STRANGE, max_size=16),
        st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        st.integers(min_value=-10, max_value=10**11).map(str),
        st.from_regex(r"[ \t\r\n]{0,2}[+-]?[0-9]{1,12}[ \t\r\n]{0,2}", fullmatch=True),
        st.from_regex(
            r"(\+|00)?[ (]?(51)?[ )]?0?9[0-9]{2}[ .-]?[0-9]{3}[ .-]?[0-9]{3,4}"
            r"(\.0|E8| [a-z])?[ \n]?",
            fullmatch=True,
        ),
        st.from_regex(r"[A-Zq]{0,3}-?([0-9]{5,8}|0{5,8}|7{4,8})[A-Z]?(\.0)?[ \n]?", fullmatch=True),
        st.from_regex(r"[0-9][.,]?[0-9]{0,7}[Ee][+-]?[0-9]{1,2}", fullmatch=True),
        st.tuples(st.sampled_from(WORDS), st.text(alphabet="0123456789 .", max_size=8)).map(
            "".join
        ),
    ),
    min_size=1,
    max_size=50,
)
PROFILE = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def installed(db_url: str) -> Iterator[Connection]:
    connection = psycopg2.connect(db_url.replace("+psycopg2", ""))
    yield connection
    connection.close()


def read_in_sql(connection: Connection, function: str, texts: list[str]) -> list[object]:
    """What a function of one text gives for each text."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select scout.{function}(t.raw)"
            " from unnest(%s::text[]) with ordinality as t (raw, place) order by t.place",
            [texts],
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize(
    ("function", "model"),
    [
        ("parse_scout_id", keys.parse_scout),
        ("is_unreadable_scout", keys.is_unreadable),
        ("license_key", keys.license_key),
        ("phone_key", keys.phone_key),
    ],
)
def test_sql_reads_any_text_as_the_model_does(
    installed: Connection, function: str, model: object
) -> None:
    @PROFILE
    @given(TEXTS)
    def holds(texts: list[str]) -> None:
        assert callable(model)
        shown = read_in_sql(installed, function, texts)
        assert dict(zip(texts, shown, strict=True)) == {text: model(text) for text in texts}

    holds()


def test_null_is_absent_everywhere(installed: Connection) -> None:
    """Null gives no key and is not unreadable."""
    with installed.cursor() as cursor:
        cursor.execute(
            "select scout.parse_scout_id(null), scout.is_unreadable_scout(null),"
            " scout.license_key(null), scout.phone_key(null)"
        )
        assert cursor.fetchone() == (None, False, None, None)


def test_the_older_scouting_key_is_that_of_the_model(installed: Connection) -> None:
    """On plain ASCII: what the older system wrote. None of the four parts is needed."""
    ascii_text = st.text(
        alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20
    ) | st.text(alphabet="0123456789 +-()", max_size=16)

    @PROFILE
    @given(
        st.none() | st.integers(min_value=-5, max_value=2**31 - 1),
        st.none() | ascii_text,
        st.none() | ascii_text,
        st.none() | st.dates(),
    )
    def holds(
        scout_id: int | None, phone: str | None, license_: str | None, day: date | None
    ) -> None:
        with installed.cursor() as cursor:
            cursor.execute(
                "select scout.scouting_md5_key(%s::integer::text, %s::text, %s::text, %s::date)",
                [scout_id, phone, license_, day],
            )
            (shown,) = cursor.fetchone() or (None,)
        written = None if day is None else day.isoformat()
        assert shown == keys.scouting_md5_key(scout_id, phone, license_, written)

    holds()
