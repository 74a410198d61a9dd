"""Columns as loaders type them are read as those of the right types, or asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scout_core.db.database import LOOK, Database
from scout_core.errors import InstallError
from scout_core.health import verdict
from scout_core.install import doctor
from tests.support import databases
from tests.support.installing import init, opened, run, settings, value
from tests.support.job import broken, refresh, rows

SEED = (Path(__file__).parent / "column_types.sql").read_text(encoding="utf-8")
SCOUTING, MIGRATIONS = "public.module_ct_scouting_daily", "public.module_ct_migrations"
LIST, LEADS = "public.module_ct_scouts_list", "public.module_ct_cabinet_leads"
PAYMENTS, EVENTS = "public.module_ct_cabinet_payments", "observational.lead_events"
DRIVERS, CLAIMS = "canon.drivers_index", "ops.v_yango_cabinet_claims_for_collection"
RULES, PAID = "ops.scout_payment_rules", "ops.scout_liquidation_ledger"

COLUMNS = {
    "row number": [(t, "id") for t in (SCOUTING, MIGRATIONS, LEADS, PAYMENTS, EVENTS)],
    "scout": [(t, "scout_id") for t in (SCOUTING, MIGRATIONS, LIST, PAYMENTS, EVENTS, PAID)],
    "number": [
        (RULES, "milestone_value"),
        (PAID, "milestone_value"),
        (CLAIMS, "milestone_value"),
        (CLAIMS, "days_overdue_yango"),
    ],
    "digits": [
        (SCOUTING, "driver_phone"),
        (SCOUTING, "driver_license"),
        (DRIVERS, "phone_norm"),
        (DRIVERS, "license_norm"),
        (DRIVERS, "driver_id"),
        (MIGRATIONS, "driver_id"),
        (PAYMENTS, "driver_id"),
        (LEADS, "external_id"),
        (CLAIMS, "driver_id"),
        (CLAIMS, "suggested_driver_id"),
    ],
    "day": [
        (SCOUTING, "registration_date"),
        (MIGRATIONS, "hire_date"),
        (PAYMENTS, "date"),
        (EVENTS, "event_date"),
        (CLAIMS, "lead_date"),
        (CLAIMS, "pay_date"),
    ],
    "moment": [
        *((t, "created_at") for t in (SCOUTING, MIGRATIONS, LIST, PAYMENTS, EVENTS)),
        (LIST, "updated_at"),
        (LEADS, "lead_created_at"),
        (PAID, "paid_at"),
        (CLAIMS, "yango_due_date"),
    ],
    "person": [
        (EVENTS, "person_key"),
        (PAYMENTS, "person_key"),
        (PAID, "person_key"),
        (CLAIMS, "person_key"),
    ],
    "flag": [
        (LIST, "is_active"),
        (RULES, "is_active"),
        *((PAYMENTS, f"trip_{n}") for n in (1, 5, 25)),
        (CLAIMS, "is_reconcilable_enriched"),
    ],
    "amount": [(RULES, "amount"), (PAID, "amount"), (CLAIMS, "expected_amount")],
    "payload": [(EVENTS, "payload_json")],
    "words": [
        (SCOUTING, "acquisition_method"),
        (LIST, "raw_name"),
        (LIST, "name"),
        (EVENTS, "source_table"),
        (RULES, "origin_tag"),
        *(
            (CLAIMS, name)
            for name in (
                "driver_name",
                "overdue_bucket_yango",
                "yango_payment_status",
                "payment_key",
                "reason_code",
                "match_rule",
                "match_confidence",
                "identity_status",
            )
        ),
    ],
}
WHOLE = {"smallint": "", "bigint": "", "real": "", "float8": "", "numeric(38,9)": "", "text": ""}
# kind of column -> type -> how a loader makes the value, {c} is the column
LOADED = {
    "row number": WHOLE,
    "scout": WHOLE,
    "number": {**WHOLE, "text ": "{c}::text || '.0'"},
    "digits": {
        "bigint": "{c}::bigint",
        "float8": "{c}::float8",
        "numeric(38,9)": "{c}::numeric",
        "text": "",
        "char(30)": "",
    },
    "day": {
        "date": "",
        "timestamp": "",
        "timestamptz": "({c}::timestamp at time zone 'UTC')",
        "text": "",
        "text ": "to_char({c}::timestamp, 'YYYY-MM-DD HH24:MI:SS')",
        "text  ": 'to_char({c}::timestamp, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')',
        "text   ": "coalesce({c}::text, '')",
    },
    "moment": {
        "timestamptz": "",
        "timestamp": "",
        "text": "",
        "text ": "to_char({c}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
        "text  ": "coalesce({c}::text, '')",
    },
    "person": {
        "text": "",
        "varchar(36)": "upper({c}::text)",
        "char(40)": "",
        "text ": "coalesce({c}::text, '')",
    },
    "flag": {
        "bigint": "{c}::int",
        "float8": "{c}::int",
        "numeric(38,9)": "{c}::int",
        "text": "",
        "text ": "left({c}::text, 1)",
        "text  ": "case when {c} then 'si' else 'no' end",
        "text   ": "case when {c} then 'Sí' else 'FALSO' end",
        "text    ": "{c}::int::text",
    },
    "amount": {
        "float8": "",
        "money": "",
        "numeric(38,9)": "",
        "bigint": "",
        "text": "",
        "text ": "'S/ ' || replace({c}::text, '.', ',')",
    },
    "payload": {"json": "", "text": ""},
    "words": {"text": "", "char(60)": ""},
}
CASES = [(kind, type_) for kind, types in LOADED.items() for type_ in types]

PERSONS = """
select person_key::text, category, reason_code, conflict_kind, ledger_scout_id, scout_ids,
    is_lead, first_event_date, last_evidence_date
from scout.v_person_attribution order by person_key"""
LINKS = """
select person_key::text, source_table, source_pk, match_rule
from canon.identity_links where source_table <> 'drivers' order by source_table, source_pk"""
EVIDENCE = """
select person_key::text, scout_id, source_table, source_pk, attribution_date, origin_tag, created_at
from ops.v_scout_attribution_raw where priority > 1 order by source_table, source_pk, scout_id"""
ISSUES = """
select source_table, source_pk, rule, raw_excerpt
from scout.data_quality_issues where closed_at is null order by 1, 2, 3, 4"""
MONEY = """
select person_key::text, scout_id, milestone_reached, milestone_date, amount_payable,
    payment_status, block_reason
from ops.v_scout_payment_base order by person_key"""
NAMES = """
select scout_id, scout_name_normalized, is_active, created_at, updated_at
from ops.v_dim_scouts order by scout_id"""
COLLECTION = """
select driver_id, milestone_value, person_key::text, lead_date, expected_amount,
    yango_due_date::timestamp, yango_payment_status, pay_date, suggested_driver_id,
    is_reconcilable_enriched, scout_id
from ops.v_yango_collection_with_scout order by driver_id, milestone_value"""
CABINET = """
select cabinet_lead_id, external_id, lead_created_at
from ops.v_cabinet_leads_missing_scout_alerts order by cabinet_lead_id"""
SHOWN = {
    "persons": PERSONS,
    "links": LINKS,
    "evidence": EVIDENCE,
    "issues": ISSUES,
    "money": MONEY,
    "names": NAMES,
    "collection": COLLECTION,
    "cabinet leads": CABINET,
}


def load(url: str) -> None:
    run(url, "set timezone = 'America/Lima'", SEED)


def retype(url: str, *columns: tuple[str, str, str, str]) -> None:
    """Give columns (table, name, type, using) another type; those of the claims in a view upon the
    claims as they were."""
    upon_claims = {name: (kind, using) for table, name, kind, using in columns if table == CLAIMS}
    statements = ["set timezone = 'America/Lima'", "set lc_monetary = 'C'"]
    for table, name, kind, using in columns:
        if table != CLAIMS:
            changed = using.format(c=name) or name
            kind_text = "::text" if kind.startswith("json") and not using else ""
            statements += [
                f"alter table {table} alter column {name} drop default",
                f"alter table {table} alter column {name} type {kind}"
                f" using ({changed}){kind_text}::{kind}",
            ]
    if upon_claims:
        names = [
            str(name)
            for (name,) in rows(
                url,
                "select attname from pg_attribute where attnum > 0"
                f" and attrelid = '{CLAIMS}'::regclass order by attnum",
            )
        ]
        shown = [
            f"({upon_claims[n][1].format(c=n) or n})::{upon_claims[n][0]} as {n}"
            if n in upon_claims
            else n
            for n in names
        ]
        statements += [
            f"alter view {CLAIMS} rename to claims_as_they_were",
            f"create view {CLAIMS} as select {', '.join(shown)} from ops.claims_as_they_were",
        ]
    run(url, *_without_keys(columns), *statements)


def _without_keys(columns: tuple[tuple[str, str, str, str], ...]) -> list[str]:
    """A foreign key allows no other type."""
    return [
        f"alter table {table} drop constraint if exists lead_events_person_key_fkey"
        for table, name, *_ in columns
        if (table, name) == (EVENTS, "person_key")
    ]


def shown(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(url, query) for name, query in SHOWN.items()}


def work(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """What there is to see after init and one refresh, which must hold together."""
    assert init(url).lost == ()
    db = Database(url)
    try:
        assert refresh(db).status == "COMPLETED"
        assert broken(db) == {}
    finally:
        db.dispose()
    return shown(url)


@pytest.fixture(scope="module")
def expected(server_url: str) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    with databases.clone(server_url, databases.source_schema_template(server_url)) as url:
        load(url)
        yield work(url)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("kind", "type_"), CASES)
def test_columns_of_another_type_are_read_the_same(
    source_db: str, expected: dict[str, list[tuple[Any, ...]]], kind: str, type_: str
) -> None:
    load(source_db)
    retype(
        source_db,
        *((table, name, type_.strip(), LOADED[kind][type_]) for table, name in COLUMNS[kind]),
    )
    found = work(source_db)
    for name, seen in expected.items():
        assert found[name] == seen, name


UNFIT = [
    ("canon.identity_registry", "person_key", "text", "uuid"),
    ("canon.identity_registry", "primary_phone", "bigint", "text"),
    ("canon.identity_links", "source_pk", "bigint", "text"),
    ("canon.identity_links", "person_key", "text", "uuid"),
    ("canon.identity_unmatched", "details", "json", "jsonb"),
    ("observational.lead_ledger", "person_key", "text", "uuid"),
    ("observational.lead_ledger", "attributed_scout_id", "text", "integer"),
    ("observational.lead_ledger", "attributed_scout_id", "float8", "integer"),
    ("observational.lead_ledger", "updated_at", "text", "timestamptz"),
    ("ops.ingestion_runs", "stats", "text", "jsonb"),
]


@pytest.mark.parametrize(("table", "name", "type_", "needed"), UNFIT)
def test_a_column_that_we_write_is_asked_for_before_anything_is_changed(
    source_db: str, table: str, name: str, type_: str, needed: str
) -> None:
    run(
        source_db,
        *(
            f"alter table {relation} drop constraint {constraint} cascade"
            for relation, constraint in rows(
                source_db,
                "select conrelid::regclass::text, conname::text from pg_constraint"
                " where contype = 'f' and connamespace <> 'pg_catalog'::regnamespace",
            )
        ),
        f"alter table {table} alter column {name} drop default",
        f"alter table {table} alter column {name} type {type_} using {name}::text::{type_}",
    )
    with pytest.raises(InstallError, match="Nothing was changed") as refused:
        init(source_db)
    assert refused.value.message.startswith(f"{table}.{name} is ")
    assert f"must be {needed}" in refused.value.message
    assert value(source_db, "select to_regnamespace('scout') is null")
    with opened(source_db) as db:
        found = {f.name: f for f in doctor.examine(db, settings())}
    assert found[f"{table}.{name}"].state == "FAIL"
    assert found[f"{table}.{name}"].what in refused.value.message


def test_doctor_says_what_is_read_of_a_column_of_another_type(source_db: str) -> None:
    retype(source_db, (SCOUTING, "scout_id", "float8", ""), (PAYMENTS, "date", "text", ""))
    init(source_db)
    with opened(source_db) as db:
        found = [f for f in doctor.examine(db, settings()) if f.layer == "sources"]
    told = {f.name: (f.state, f.what) for f in found if f.state != "OK"}
    assert told[f"{SCOUTING}.scout_id"] == (
        "WARN",
        f"{SCOUTING}.scout_id is double precision, read as whole numbers; any other value is no"
        " scout number and an issue.",
    )
    assert told[f"{PAYMENTS}.date"][1].startswith(f"{PAYMENTS}.date is text, read as days of")
    assert not [
        name
        for name in told
        if name.count(".") > 1 and name not in {f"{SCOUTING}.scout_id", f"{PAYMENTS}.date"}
    ]


def test_of_a_list_of_scouts_the_entries_that_can_be_read_count(source_db: str) -> None:
    """One entry that cannot be read is an issue and lets nobody else pass."""
    load(source_db)
    retype(source_db, (LIST, "scout_id", "text", "case {c} when 12 then 'S-12' else {c}::text end"))
    found = work(source_db)
    assert (LIST, "S-12", "UNREADABLE_SCOUT", "S-1*") in found["issues"]
    assert {row[2] for row in found["issues"] if row[0] != LIST} == {"UNKNOWN_SCOUT"}
    reasons = {row[0][-2:]: (row[2], row[4]) for row in found["persons"]}
    assert reasons["a1"] == (None, 11)
    assert reasons["a2"] == ("UNKNOWN_SCOUT", None)


@pytest.mark.parametrize("made", ["'S-' || {c}", "null::text"])
def test_a_list_of_scouts_that_cannot_be_read_is_not_an_empty_one(
    source_db: str, made: str
) -> None:
    load(source_db)
    retype(source_db, (LIST, "scout_id", "text", made))
    found = work(source_db)
    assert {row[4] for row in found["persons"]} == {None}
    assert "UNKNOWN_SCOUT" in {row[2] for row in found["persons"]}
    with opened(source_db) as db:
        told = next(f for f in doctor.examine(db, settings()) if f.name == "list of scouts")
        with db.transaction(LOOK) as conn:
            lights = verdict.assess(conn, settings(), datetime.now(UTC)).lights
    assert told.state == "FAIL"
    light = next(light for light in lights if light.indicator == "sources")
    assert (light.status, light.value) == ("WARN", LIST)
    assert "nobody gets one" in light.text
    run(source_db, f"update {LIST} set scout_id = 11 where raw_name = 'SCOUT UNO'")
    with opened(source_db) as db:
        assert refresh(db).status == "COMPLETED"
        assert broken(db) == {}
    reasons = {row[0][-2:]: (row[2], row[4]) for row in shown(source_db)["persons"]}
    assert (reasons["a1"], reasons["a2"]) == ((None, 11), ("UNKNOWN_SCOUT", None))


def test_what_cannot_be_read_is_an_issue_or_unknown_and_stops_nothing(
    source_db: str, expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    load(source_db)
    bad = "case when {c} is null then null else 'no sé' end"
    retype(
        source_db,
        (SCOUTING, "scout_id", "float8", "case when {c} = 11 then 'NaN'::float8 else {c} end"),
        (SCOUTING, "registration_date", "text", "case {c} when '2025-03-02' then '02/03/2025'"
         " else {c}::text end"),
        (SCOUTING, "created_at", "text", bad),
        (MIGRATIONS, "scout_id", "numeric", "{c} + 0.5"),
        (MIGRATIONS, "hire_date", "text", "'2025-02-30'"),
        (PAYMENTS, "scout_id", "real", "{c} + 16777216"),
        (PAYMENTS, "person_key", "text", "coalesce({c}::text, 'nobody')"),
        (PAYMENTS, "trip_25", "text", "'tal vez'"),
        (EVENTS, "payload_json", "text", "replace({c}::text, 'id\": \"12\"', 'id\": \"12')"),
        (LEADS, "lead_created_at", "text", "'ayer'"),
        (RULES, "amount", "text", "'1.234'"),
        (PAID, "paid_at", "text", "'hoy'"),
        (CLAIMS, "expected_amount", "text", "'cien'"),
        (CLAIMS, "milestone_value", "text", "{c} || '.5'"),
        (CLAIMS, "lead_date", "text", "'infinity'"),
    )  # fmt: skip
    found = work(source_db)
    # excerpts are masked
    issues = {(table, rule) for table, _, rule, _ in found["issues"]}
    assert issues == {
        (SCOUTING, "UNREADABLE_SCOUT"),
        (SCOUTING, "DATE_OUT_OF_RANGE"),
        (MIGRATIONS, "UNREADABLE_SCOUT"),
        (MIGRATIONS, "DATE_OUT_OF_RANGE"),
        (PAYMENTS, "UNREADABLE_SCOUT"),
        (EVENTS, "PAYLOAD_SHAPE"),
        (LEADS, "DATE_OUT_OF_RANGE"),
        (PAID, "DATE_OUT_OF_RANGE"),
    }
    # held back: the scouting row of the first, the payload of the second cannot be read
    reasons = {row[0][-2:]: (row[2], row[4]) for row in found["persons"]}
    assert reasons["a1"] == ("UNREADABLE_SCOUT", None)
    assert reasons["a2"] == ("UNREADABLE_SCOUT", None)
    # somebody's key that cannot be read is nobody's, not that of the driver
    assert {row[0] for row in found["evidence"] if row[2] == PAYMENTS} == set()
    assert {(row[4], row[1], row[3]) for row in found["collection"]} == {(None, None, None)}
    # a row that names no scout is not linked
    assert found["links"] == [row for row in expected["links"] if row[2] != "1"]
    assert {row[4] for row in found["money"]} == {None}
