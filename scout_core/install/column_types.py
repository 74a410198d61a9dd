"""Types of the owner's columns: what each is read as, and which of them stop an installation.

The views in sql/views/1_sources read a column of any type. Where we write too, or compare keys by
an index, the column must have the type that is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from scout_core.install.session import ask
from scout_core.sources import SourceState

_TEXT = frozenset({"text", "character varying", "character"})
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_MOMENT = frozenset({"timestamp with time zone", "timestamp without time zone"})


@dataclass(frozen=True)
class Reading:
    """How a kind of column is read: the types that need no word, and what others are read as."""

    types: frozenset[str]
    words: str


KEY = Reading(_TEXT | _WHOLE, "keys, numbers without decimals that say nothing")
TEXT = Reading(_TEXT, "text")
SCOUT = Reading(_WHOLE, "whole numbers; any other value is no scout number and an issue")
WHOLE = Reading(_WHOLE, "whole numbers; any other value counts as unknown")
DAY = Reading(
    frozenset({"date"}), "days of ISO 8601 (2025-03-01); any other value is no date and an issue"
)
MOMENT = Reading(
    _MOMENT, "moments of ISO 8601 (2025-03-01 10:00); any other value is no date and an issue"
)
DUE = Reading(_MOMENT | {"date"}, "moments of ISO 8601; any other value counts as unknown")
FLAG = Reading(
    frozenset({"boolean"}), "true and false, 1 and 0, si and no; any other value counts as unknown"
)
AMOUNT = Reading(
    frozenset({"numeric", *_WHOLE}), "amounts in soles (50.00, S/ 50,00); any other is unknown"
)
PERSON = Reading(frozenset({"uuid"}), "keys of persons; a value that is none is nobody")
PAYLOAD = Reading(frozenset({"jsonb"}), "JSON; a value that is none counts as unreadable")

READ: dict[str, dict[str, Reading]] = {
    "observational.lead_events": {
        "id": KEY,
        "source_table": TEXT,
        "event_date": DAY,
        "person_key": PERSON,
        "scout_id": SCOUT,
        "payload_json": PAYLOAD,
        "created_at": MOMENT,
    },
    "canon.drivers_index": {"driver_id": KEY, "phone_norm": KEY, "license_norm": KEY},
    "public.module_ct_scouting_daily": {
        "id": KEY,
        "scout_id": SCOUT,
        "driver_phone": KEY,
        "driver_license": KEY,
        "registration_date": DAY,
        "acquisition_method": TEXT,
        "created_at": MOMENT,
    },
    "public.module_ct_migrations": {
        "id": KEY,
        "driver_id": KEY,
        "scout_id": SCOUT,
        "hire_date": DUE,
        "created_at": MOMENT,
    },
    "public.module_ct_scouts_list": {
        "scout_id": SCOUT,
        "raw_name": TEXT,
        "name": TEXT,
        "is_active": FLAG,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    },
    "public.module_ct_cabinet_payments": {
        "id": KEY,
        "date": DAY,
        "scout_id": SCOUT,
        "trip_1": FLAG,
        "trip_5": FLAG,
        "trip_25": FLAG,
        "created_at": MOMENT,
        "driver_id": KEY,
        "person_key": PERSON,
    },
    "public.module_ct_cabinet_leads": {"id": KEY, "external_id": KEY, "lead_created_at": MOMENT},
    "ops.v_yango_cabinet_claims_for_collection": {
        "driver_id": KEY,
        "person_key": PERSON,
        "milestone_value": WHOLE,
        "lead_date": DAY,
        "expected_amount": AMOUNT,
        "yango_due_date": DUE,
        "days_overdue_yango": WHOLE,
        "pay_date": DAY,
        "suggested_driver_id": KEY,
        "is_reconcilable_enriched": FLAG,
    },
    "ops.scout_payment_rules": {
        "origin_tag": TEXT,
        "milestone_value": WHOLE,
        "amount": AMOUNT,
        "is_active": FLAG,
    },
    "ops.scout_liquidation_ledger": {
        "person_key": PERSON,
        "scout_id": SCOUT,
        "milestone_value": WHOLE,
        "amount": AMOUNT,
        "paid_at": MOMENT,
    },
}

_NAME = frozenset({"enum", *_TEXT})
_JSONB = frozenset({"jsonb"})
_ANY_JSON = frozenset({"json", "jsonb"})
_UUID = frozenset({"uuid"})
NEEDED: dict[str, dict[str, frozenset[str]]] = {
    "canon.identity_registry": {
        "person_key": _UUID,
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "confidence_level": _NAME,
        "primary_phone": _TEXT,
        "primary_license": _TEXT,
        "flags": _JSONB,
    },
    "canon.identity_links": {
        "id": _WHOLE,
        "person_key": _UUID,
        "source_table": _TEXT,
        "source_pk": _TEXT,
        "snapshot_date": _MOMENT,
        "match_rule": _TEXT,
        "match_score": _WHOLE | {"numeric", "real", "double precision"},
        "confidence_level": _NAME,
        "evidence": _JSONB,
        "linked_at": _MOMENT,
        "run_id": _WHOLE,
    },
    "canon.identity_unmatched": {
        "id": _WHOLE,
        "source_table": _TEXT,
        "source_pk": _TEXT,
        "snapshot_date": _MOMENT,
        "reason_code": _TEXT,
        "details": _JSONB,
        "candidates_preview": _JSONB,
        "status": _NAME,
        "created_at": _MOMENT,
        "resolved_at": _MOMENT,
        "run_id": _WHOLE,
    },
    "observational.lead_ledger": {
        "person_key": _UUID,
        "attributed_source": _TEXT,
        "attributed_scout_id": _WHOLE - {"smallint"},
        "attribution_rule": _TEXT,
        "attribution_score": frozenset({"numeric", "real", "double precision"}),
        "confidence_level": _NAME,
        "evidence_json": _JSONB,
        "decision_status": _NAME,
        "updated_at": _MOMENT,
    },
    "ops.ingestion_runs": {
        "id": _WHOLE,
        "started_at": _MOMENT,
        "completed_at": _MOMENT,
        "status": _NAME,
        "stats": _ANY_JSON,
        "error_message": _TEXT,
        "job_type": _NAME,
    },
}
# what a message asks for
_ASKED = {
    _UUID: "uuid",
    _MOMENT: "timestamptz",
    _JSONB: "jsonb",
    _ANY_JSON: "jsonb",
    _TEXT: "text",
    _NAME: "text",
}


@dataclass(frozen=True)
class OddColumn:
    """A column of another type than the one that is meant.

    needed null = it is read all the same, as `read_as` says; else the type that it must have.
    """

    relation: str
    column: str
    type_name: str
    read_as: str | None
    needed: str | None

    @property
    def name(self) -> str:
        """Table and column."""
        return f"{self.relation}.{self.column}"

    @property
    def said(self) -> str:
        """One sentence."""
        if self.needed is None:
            return f"{self.name} is {self.type_name}, read as {self.read_as}."
        return (
            f"{self.name} is {self.type_name} and must be {self.needed}: we write there, or find "
            "persons by it."
        )

    @property
    def todo(self) -> str:
        """What to do about it."""
        if self.needed is None:
            return "Nothing, if it is meant so; else give the column its type and run init."
        return (
            f"Let its owner run: alter table {self.relation} alter column {self.column} type "
            f"{self.needed} using {self.column}::{self.needed};"
        )


def list_odd(conn: Connection, states: Iterable[SourceState]) -> list[OddColumn]:
    """The columns of usable sources whose type is another than the one that is meant."""
    usable = [state.source for state in states if state.is_usable]
    found = {
        (row.relation_name, row.column_name): row.type_name
        for row in ask(conn, "column_types", relation_names=[source.name for source in usable])
    }
    odd = []
    for source in usable:
        for column in source.columns:
            type_name = found[source.name, column]
            reading = READ.get(source.name, {}).get(column)
            needed = NEEDED.get(source.name, {}).get(column)
            if reading and type_name not in reading.types:
                odd.append(OddColumn(source.name, column, type_name, reading.words, None))
            if needed and type_name not in needed:
                asked = _ASKED.get(needed, "numeric" if "numeric" in needed else "integer")
                odd.append(OddColumn(source.name, column, type_name, None, asked))
    return odd
