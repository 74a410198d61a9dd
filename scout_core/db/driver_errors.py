"""What an error of the driver means to the user: every one becomes ours here, and nowhere else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scout_core.db import connection_refused
from scout_core.errors import (
    CannotBeKept,
    DatabaseAway,
    DatabaseError,
    DatabaseReadOnly,
    RowsHidden,
    ScoutError,
)

KEY_IS_THERE = "23505"
# and a referenced row that is gone
WRITTEN_BY_OTHERS = frozenset({KEY_IS_THERE, "23503"})


@contextmanager
def wrapped_errors() -> Iterator[None]:
    """Turn errors of the driver into ours. ScoutErrors pass."""
    try:
        yield
    except DBAPIError as exc:
        _forget_values(exc)
        _raise_ours(exc)
    except PoolTimeout as exc:
        raise DatabaseAway(
            "All connections of this process are in use: try again in a moment."
        ) from exc


def sqlstate(exc: BaseException) -> str | None:
    """SQLSTATE of a wrapped or raw driver error; null when the server gave none."""
    if isinstance(exc, ScoutError):
        return exc.facts.get("sqlstate")  # type: ignore[return-value]
    return getattr(getattr(exc, "orig", None), "pgcode", None)


def is_retryable(exc: BaseException) -> bool:
    """Whether the same work may succeed at once: serialization, deadlock, lock wait, same row."""
    # A row that others wrote is new to the next try, as after a serialization failure. A connection
    # that was lost (08, 57P) is not tried again here: the lock of the job went with it, so that
    # somebody else may be at work; it ends as DatabaseAway, 75, and the next start takes over. Nor
    # is a disk that is full (53): the same work fills it again.
    return sqlstate(exc) in {"40001", "40P01", "55P03", *WRITTEN_BY_OTHERS}


def _forget_values(exc: DBAPIError) -> None:
    """Take out of a driver's error what a traceback would show: the line of the statement with its
    values, and the detail that quotes a row."""
    orig = exc.orig
    if orig is None or sqlstate(exc) is None:
        return  # about the connection, not about a statement
    said = f"{type(orig).__name__}: {_first_line(orig) if _is_told(sqlstate(exc)) else 'not shown'}"
    orig.args = (said,)
    exc.args = (said,)


def _primary(orig: BaseException | None) -> str:
    said = str(orig or "").strip()
    return str(getattr(getattr(orig, "diag", None), "message_primary", None) or said)


def _first_line(orig: BaseException | None) -> str:
    primary = _primary(orig)
    return primary.splitlines()[0] if primary else "no message"


def _is_told(code: str | None) -> bool:
    """Whether what the server says may be shown: not where it quotes a value (class 22), nor where
    a trigger or function of the owner speaks."""
    return not (code or "").startswith(("22", "P0", "38", "39", "HV"))


def _column_of_key(orig: BaseException | None) -> str | None:
    """The one column of the key that is there already, as table and name; null for several."""
    diag = getattr(orig, "diag", None)
    column = re.search(r"\((\w+)\)=\(", getattr(diag, "message_detail", None) or "")
    return f"{diag.schema_name}.{diag.table_name}.{column[1]}" if diag and column else None


def _raise_ours(exc: DBAPIError) -> NoReturn:
    code = sqlstate(exc)
    orig = exc.orig
    said = str(orig or "").strip()
    first = _first_line(orig)
    if code is None and type(orig).__name__ in ("OperationalError", "ProgrammingError"):
        connection_refused.raise_ours(said, exc)
    if code == "25006":
        raise DatabaseReadOnly(sqlstate=code) from exc
    if exc.connection_invalidated or (code or "").startswith(("08", "57P")):
        raise DatabaseAway(connection_refused.LOST, sqlstate=code) from exc
    if code == "55P03":
        raise DatabaseError(
            "Somebody else holds a lock that is needed: try again when they have finished.",
            sqlstate=code,
        ) from exc
    if code in WRITTEN_BY_OTHERS:
        raise DatabaseError(
            "Somebody else wrote or removed the same row meanwhile: start it again, it goes on "
            "from what is there then.",
            sqlstate=code,
            column=_column_of_key(orig),
        ) from exc
    if code == "57014":
        raise DatabaseError(
            "The database took longer than this kind of query may take and was stopped.",
            sqlstate=code,
        ) from exc
    if code == "22P05":
        _raise_if_it_cannot_be_kept(_primary(orig), exc)
    if code and code.startswith("53"):
        raise DatabaseError(
            f"The database has run out of resources ({first}): what was not committed is rolled "
            f"back, what was committed before stays whole. {_MORE.get(code, 'Make room')}, "
            "then start it again: it goes on from there.",
            sqlstate=code,
        ) from exc
    _raise_if_the_owner_must_act(code, first, exc)
    if code == "42501":
        raise DatabaseError(
            f"The login lacks a right ({first}): `python -m scout_core doctor` says which.",
            sqlstate=code,
        ) from exc
    if code in {"42P01", "3F000", "42883", "42703"}:
        raise DatabaseError(
            f"Something is missing in the database ({first}): "
            "`python -m scout_core doctor` says what; `init` puts ours in place.",
            sqlstate=code,
        ) from exc
    said_safely = first
    if not _is_told(code):
        is_value = (code or "").startswith("22")
        said_safely = "a value was refused" if is_value else "a rule of its own"
    raise DatabaseError(
        f"The database refused a statement ({said_safely}{f', SQLSTATE {code}' if code else ''}).",
        sqlstate=code,
    ) from exc


def _raise_if_the_owner_must_act(code: str | None, first: str, exc: DBAPIError) -> None:
    """Row level security hides rows of a source, or a function of the owner finds its names in
    public alone."""
    diag = getattr(exc.orig, "diag", None)
    if getattr(diag, "source_function", None) == "check_enable_rls":
        table = re.search(r"[\"«„](.+?)[\"»“]", first)
        name = table.group(1) if table else "a table"
        raise RowsHidden(
            f"Row level security hides rows of {name} from us: nothing was changed. "
            "`python -m scout_core doctor` says from which role and what to do.",
            sqlstate=code,
            tables=[name],
        ) from exc
    function = _FUNCTION.search(getattr(diag, "context", None) or "")
    if code in {"42P01", "42883", "42704"} and function and not function[1].startswith("scout."):
        raise DatabaseError(
            f"The function {function[1]} of this database uses something without naming its "
            f"schema ({first}), and our sessions do not search public: let its owner name it, or "
            f"run `alter function {function[1]} set search_path = public`.",
            sqlstate=code,
        ) from exc


def _raise_if_it_cannot_be_kept(said: str, exc: DBAPIError) -> None:
    """A text that was sent has a character that the encoding of the database lacks. The words of
    the server are another in each language, its bytes and names of encodings are not."""
    found = _NO_EQUIVALENT.search(said)
    if found is None or found[2] != "UTF8":
        return
    try:
        character = bytes.fromhex(found[1].replace("0x", "")).decode()
    except ValueError:
        return
    why = f"“{character}” (U+{ord(character):04X}), which this database cannot keep"
    why += f" (its encoding is {found[3]})"
    raise CannotBeKept(
        f"A text has {why}: write it without.",
        allowed=f"text without {why}",
        character=character,
        encoding=found[3],
    ) from exc


_NO_EQUIVALENT = re.compile(
    r"((?:0x[0-9a-f]{2} ?){1,4}).*?[\"'«„“](\w+)[\"'»“”].*[\"'«„“](\w+)[\"'»“”]"
)
# the innermost function that was at work, in English or Spanish
_FUNCTION = re.compile(r"(?:SQL function|función (?:PL/pg)?SQL) [\"«]?([^\s\"»(]+)")

# what to do about each kind of shortage
_MORE = {
    "53100": "Make room on the disk of the database",
    "53200": "Give the server more memory, for `out of shared memory` by max_locks_per_transaction",
    "53300": "Close connections or raise max_connections",
    "53400": "Raise the limit that is named",
}
