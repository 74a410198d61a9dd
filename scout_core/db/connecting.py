"""How every connection of ours is opened: text is UTF-8 on the way, whatever the role, the database
or the environment says.

A database in SQL_ASCII keeps bytes and knows nothing of letters. To UTF-8 it would check each row
and end the list at the first that is none; so its bytes come as they are, and what is no UTF-8
among them is shown as U+FFFD.
"""

import codecs
from typing import Any

import psycopg2.extensions
from sqlalchemy import Connection, Engine, create_engine, event

from scout_core import address

CLIENT_ENCODING = "utf8"
LENIENT = "scout_lenient_utf8"
# what stands for bytes that are no text
UNREADABLE = "\ufffd"
_NO_ENCODING = "SQL_ASCII"


def engine(url: str, *, arguments: dict[str, Any] | None = None, **how: Any) -> Engine:
    """An engine of SQLAlchemy for this address. arguments: of the driver; how: of create_engine."""
    made = create_engine(
        address.read(url),
        connect_args={"client_encoding": CLIENT_ENCODING, **(arguments or {})},
        hide_parameters=True,
        **how,
    )
    event.listen(made, "connect", lambda connection, _record: settle_encoding(connection))
    return made


def keeps_bytes(conn: Connection) -> bool:
    """Whether the database knows nothing of letters, so that a text may be no UTF-8."""
    driver: Any = conn.connection.dbapi_connection
    return _is_without_encoding(driver)


def _is_without_encoding(connection: Any) -> bool:
    return bool(connection.info.parameter_status("server_encoding") == _NO_ENCODING)


def settle_encoding(connection: Any) -> None:
    """Take the bytes of a database in SQL_ASCII as they are. For a new connection of the driver."""
    if _is_without_encoding(connection):
        connection.set_client_encoding(_NO_ENCODING)


def _decode(data: Any, _errors: str = "strict", /) -> tuple[str, int]:
    return codecs.utf_8_decode(data, "replace", True)


def _lenient(name: str) -> codecs.CodecInfo | None:
    if name != LENIENT:
        return None
    return codecs.CodecInfo(codecs.utf_8_encode, _decode, name=LENIENT)


codecs.register(_lenient)
# the driver knows the encoding by either name, as ASCII
for _name in (_NO_ENCODING, "SQLASCII"):
    psycopg2.extensions.encodings[_name] = LENIENT
