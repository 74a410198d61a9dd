"""The owner's relations that the product reads: which must be there, which may be, for what."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

_INSPECT = Path(__file__).parent.parent / "sql" / "install" / "inspect_sources.sql"


@dataclass(frozen=True)
class Source:
    """A relation of the owner. An optional one that is absent or incomplete counts as empty."""

    name: str
    is_mandatory: bool
    columns: tuple[str, ...]
    used_for: str


@dataclass(frozen=True)
class SourceState:
    """A source as it is in a database. missing_columns is empty where the relation is absent."""

    source: Source
    exists: bool
    missing_columns: tuple[str, ...]
    is_readable: bool

    @property
    def is_usable(self) -> bool:
        """There, complete, and the login may read it."""
        return self.exists and self.is_readable and not self.missing_columns

    @property
    def lack(self) -> str:
        """What keeps it from being used, in a few words; empty when it is usable."""
        if not self.exists:
            return "absent"
        if self.missing_columns:
            noun = "column" if len(self.missing_columns) == 1 else "columns"
            return f"lacks {noun} {', '.join(self.missing_columns)}"
        return "" if self.is_readable else "the login may not read it"


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


SOURCES: tuple[Source, ...] = (
    Source(
        "canon.identity_registry",
        True,
        _columns(
            "person_key created_at updated_at confidence_level primary_phone primary_license flags"
        ),
        "who is a person",
    ),
    Source(
        "canon.identity_links",
        True,
        _columns(
            "id person_key source_table source_pk snapshot_date match_rule match_score "
            "confidence_level evidence linked_at run_id"
        ),
        "which source row belongs to which person",
    ),
    Source(
        "canon.identity_unmatched",
        True,
        _columns(
            "id source_table source_pk snapshot_date reason_code details candidates_preview "
            "status created_at resolved_at run_id"
        ),
        "source rows that could not be linked, and why",
    ),
    Source(
        "observational.lead_events",
        True,
        _columns(
            "id source_table source_pk event_date person_key scout_id payload_json created_at"
        ),
        "evidence of scouts, and who is a lead",
    ),
    Source(
        "observational.lead_ledger",
        True,
        _columns(
            "person_key attributed_source attributed_scout_id attribution_rule attribution_score "
            "confidence_level evidence_json decision_status updated_at"
        ),
        "the scout of each person",
    ),
    Source(
        "ops.ingestion_runs",
        True,
        _columns("id started_at completed_at status stats error_message job_type"),
        "the record of every run",
    ),
    Source(
        "canon.drivers_index",
        False,
        _columns("driver_id phone_norm license_norm"),
        "finding the person of a licence or phone",
    ),
    Source(
        "public.module_ct_scouting_daily",
        False,
        _columns(
            "id scout_id driver_phone driver_license registration_date acquisition_method "
            "created_at"
        ),
        "evidence of scouts, and the rows that the job links",
    ),
    Source(
        "public.module_ct_migrations",
        False,
        _columns("id driver_id scout_id hire_date created_at"),
        "evidence of scouts",
    ),
    Source(
        "public.module_ct_scouts_list",
        False,
        _columns("scout_id raw_name name is_active created_at updated_at"),
        "which scouts are known, and their names",
    ),
    Source(
        "public.module_ct_cabinet_payments",
        False,
        _columns("id date scout_id trip_1 trip_5 trip_25 created_at driver_id person_key"),
        "evidence of scouts",
    ),
    Source(
        "public.module_ct_cabinet_leads",
        False,
        _columns("id external_id lead_created_at"),
        "cabinet leads without a scout, and who is a lead",
    ),
    Source(
        "ops.v_yango_cabinet_claims_for_collection",
        False,
        _columns(
            "driver_id person_key driver_name milestone_value lead_date expected_amount "
            "yango_due_date days_overdue_yango overdue_bucket_yango yango_payment_status "
            "payment_key pay_date reason_code match_rule match_confidence identity_status "
            "suggested_driver_id is_reconcilable_enriched"
        ),
        "collection with scout, and the money of a person",
    ),
    Source(
        "ops.scout_payment_rules",
        False,
        _columns("origin_tag milestone_value amount is_active"),
        "what a milestone pays",
    ),
    Source(
        "ops.scout_liquidation_ledger",
        False,
        _columns("person_key scout_id milestone_value amount paid_at"),
        "what was already paid for a person",
    ),
)


def inspect(conn: Connection) -> list[SourceState]:
    """State of each source, in the order of SOURCES."""
    facts = {
        row.relation_name: row
        for row in conn.execute(
            text(_INSPECT.read_text(encoding="utf-8")),
            {"relation_names": [source.name for source in SOURCES]},
        )
    }
    states = []
    for source in SOURCES:
        fact = facts[source.name]
        missing = tuple(c for c in source.columns if c not in fact.column_names)
        states.append(
            SourceState(source, fact.is_there, missing if fact.is_there else (), fact.is_readable)
        )
    return states


def usable_names(states: Iterable[SourceState]) -> frozenset[str]:
    """Names of the sources that views may read; the others get an empty stand-in."""
    return frozenset(state.source.name for state in states if state.is_usable)
