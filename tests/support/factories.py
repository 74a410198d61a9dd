"""Rows of the owner's tables that name only what matters: `lead_event(conn, person=ana, scout=7)`.

Each takes a connection first, leaves what is not named to plain defaults or to the database, takes
any further column by its own name, and returns the key of the new row.
"""

import itertools
import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

DAY = date(2026, 3, 2)
TIME = datetime(2026, 3, 2, 15, tzinfo=UTC)
_numbers = itertools.count(1)


def person(
    conn: Connection,
    *,
    license: str | None = None,
    phone: str | None = None,
    key: UUID | None = None,
    **columns: Any,
) -> UUID:
    """A registered person."""
    return _insert(
        conn,
        "canon.identity_registry",
        "person_key",
        {
            "person_key": key or uuid4(),
            "confidence_level": "HIGH",
            "primary_license": license,
            "primary_phone": phone,
            **columns,
        },
    )


def lead_event(
    conn: Connection,
    *,
    person: UUID | None = None,
    scout: int | None = None,
    payload: object = None,
    payload_text: str | None = None,
    on: date | str = DAY,
    **columns: Any,
) -> int:
    """An event. payload is anything that json can write; payload_text is JSON as it is."""
    if payload is not None:
        payload_text = json.dumps(payload)
    return _insert(
        conn,
        "observational.lead_events",
        "id",
        {
            "source_table": "module_ct_migrations",
            "source_pk": f"event-{next(_numbers)}",
            "event_date": on,
            "person_key": person,
            "scout_id": scout,
            "payload_json": payload_text,
            **columns,
        },
    )


def ledger(
    conn: Connection, *, person: UUID, scout: int | None = None, at: Any = TIME, **columns: Any
) -> UUID:
    """The person's row in the ledger."""
    return _insert(
        conn,
        "observational.lead_ledger",
        "person_key",
        {
            "person_key": person,
            "attributed_scout_id": scout,
            "attribution_score": 1,
            "confidence_level": "high",
            "decision_status": "unassigned" if scout is None else "assigned",
            "updated_at": at,
            **columns,
        },
    )


def scouting_row(
    conn: Connection,
    *,
    scout: int | None = None,
    license: str | None = None,
    phone: str | None = None,
    on: date | str | None = DAY,
    **columns: Any,
) -> int:
    """A driver as a scout wrote him down."""
    return _insert(
        conn,
        "public.module_ct_scouting_daily",
        "id",
        {
            "scout_id": scout,
            "driver_license": license,
            "driver_phone": phone,
            "registration_date": on,
            **columns,
        },
    )


def migration(
    conn: Connection,
    *,
    scout: int | None = None,
    driver: str | None = None,
    at: Any = TIME,
    **columns: Any,
) -> int:
    """A driver that a scout brought from another fleet."""
    values = {"scout_id": scout, "driver_id": driver, "hire_date": at, **columns}
    return _insert(conn, "public.module_ct_migrations", "id", values)


def payment(
    conn: Connection,
    *,
    scout: int | None = None,
    person: UUID | None = None,
    driver: str | None = None,
    on: date | str | None = DAY,
    **columns: Any,
) -> int:
    """A payment of the cabinet."""
    return _insert(
        conn,
        "public.module_ct_cabinet_payments",
        "id",
        {"scout_id": scout, "person_key": person, "driver_id": driver, "date": on, **columns},
    )


def cabinet_lead(conn: Connection, *, external: str | None = None, **columns: Any) -> int:
    """A lead of the cabinet."""
    return _insert(
        conn,
        "public.module_ct_cabinet_leads",
        "id",
        {
            "external_id": external or f"lead-{next(_numbers)}",
            "lead_created_at": TIME.replace(tzinfo=None),
            **columns,
        },
    )


def link(
    conn: Connection, *, person: UUID, table: str, pk: object, at: Any = TIME, **columns: Any
) -> int:
    """An identity link. table is bare: 'drivers', 'module_ct_scouting_daily', ..."""
    return _insert(
        conn,
        "canon.identity_links",
        "id",
        {
            "person_key": person,
            "source_table": table,
            "source_pk": str(pk),
            "snapshot_date": at,
            "match_rule": "R1_LICENSE",
            "match_score": 100,
            "confidence_level": "HIGH",
            "linked_at": at,
            **columns,
        },
    )


def driver(
    conn: Connection,
    *,
    key: str | None = None,
    license: str | None = None,
    phone: str | None = None,
    person: UUID | None = None,
    **columns: Any,
) -> str:
    """A driver in the index, with his link when person is given."""
    driver_id = _insert(
        conn,
        "canon.drivers_index",
        "driver_id",
        {
            "driver_id": key or f"driver-{next(_numbers)}",
            "license_norm": license,
            "phone_norm": phone,
            "snapshot_date": DAY,
            **columns,
        },
    )
    if person is not None:
        link(conn, person=person, table="drivers", pk=driver_id)
    return str(driver_id)


def scout_listed(
    conn: Connection, scout: int, *, name: str | None = None, active: bool = True, **columns: Any
) -> int:
    """A scout in the list of scouts."""
    values = {"scout_id": scout, "raw_name": name, "name": name, "is_active": active, **columns}
    return _insert(conn, "public.module_ct_scouts_list", "scout_id", values)


def claim(
    conn: Connection,
    *,
    person: UUID | None = None,
    driver: str | None = None,
    milestone: int = 1,
    amount: object = 25,
    paid: bool = False,
    **columns: Any,
) -> str:
    """A claim, through the table that stands for the end of its chain."""
    return _insert(
        conn,
        "public.peer_claims",
        "driver_id",
        {
            "driver_id": driver or f"driver-{next(_numbers)}",
            "person_key": person,
            "milestone_value": milestone,
            "lead_date": DAY,
            "expected_amount": amount,
            "paid": paid,
            "identity_status": "confirmed",
            "match_confidence": "high",
            **columns,
        },
    )


def _insert(conn: Connection, table: str, key: str, values: dict[str, Any]) -> Any:
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    statement = f"insert into {table} ({columns}) values ({places}) returning {key}"
    return conn.execute(text(statement), values).scalar_one()
