-- The owner's tables as they are on the owner's database; only `demo` makes them, on an empty one.
-- Keys, constraints and indexes follow in source_constraints.sql, after the rows: ten times faster.
create schema canon;
create schema ops;
create schema observational;
create type public.confidencelevel as enum ('HIGH', 'MEDIUM', 'LOW');
create type public.unmatchedstatus as enum ('OPEN', 'RESOLVED', 'IGNORED');
create type public.runstatus as enum ('RUNNING', 'COMPLETED', 'FAILED');
create type public.jobtype as enum ('identity_run', 'drivers_index_refresh');
create type public.matched_source_enum as enum ('drivers', 'cabinet', 'none');
create type public.confidence_level_obs_enum as enum ('low', 'medium', 'high');
create type public.alertseverity as enum ('info', 'warning', 'error');
create type public.attributionconfidence as enum ('high', 'medium', 'low');
create type public.decisionstatus as enum ('assigned', 'unassigned', 'conflict');

create table ops.ingestion_runs (
    id serial,
    started_at timestamptz not null default now(),
    completed_at timestamptz,
    status public.runstatus not null default 'RUNNING',
    stats json,
    error_message varchar,
    job_type public.jobtype default 'identity_run',
    scope_date_from date,
    scope_date_to date,
    incremental boolean default true
);

create table canon.identity_registry (
    person_key uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    confidence_level public.confidencelevel not null,
    primary_phone varchar,
    primary_document varchar,
    primary_license varchar,
    primary_full_name varchar,
    flags jsonb
);

create table canon.identity_links (
    id serial,
    person_key uuid not null,
    source_table varchar not null,
    source_pk varchar not null,
    snapshot_date timestamptz not null,
    match_rule varchar not null,
    match_score integer not null,
    confidence_level public.confidencelevel not null,
    evidence jsonb,
    linked_at timestamptz not null default now(),
    run_id integer
);

create table canon.identity_unmatched (
    id serial,
    source_table varchar not null,
    source_pk varchar not null,
    snapshot_date timestamptz not null,
    reason_code varchar not null,
    details jsonb,
    candidates_preview jsonb,
    status public.unmatchedstatus not null default 'OPEN',
    created_at timestamptz not null default now(),
    resolved_at timestamptz,
    run_id integer
);

create table canon.drivers_index (
    driver_id varchar,
    park_id varchar,
    phone_norm varchar,
    license_norm varchar,
    plate_norm varchar,
    full_name_norm varchar,
    hire_date date,
    snapshot_date date not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    brand_norm varchar,
    model_norm varchar
);

create table observational.lead_events (
    id serial,
    source_table varchar not null,
    source_pk varchar not null,
    event_date date not null,
    person_key uuid,
    scout_id integer,
    payload_json jsonb,
    created_at timestamptz not null default now()
);

create table observational.lead_ledger (
    person_key uuid,
    attributed_source varchar,
    attributed_scout_id integer,
    attribution_rule varchar,
    attribution_score numeric(5, 2) not null,
    confidence_level public.attributionconfidence not null,
    evidence_json jsonb,
    decision_status public.decisionstatus not null,
    updated_at timestamptz not null default now()
);

create table observational.scouting_match_candidates (
    id serial,
    week_label varchar not null,
    scouting_row_id varchar not null,
    scouting_date date not null,
    person_key_candidate uuid,
    matched_source public.matched_source_enum not null,
    match_rule varchar,
    score numeric(3, 2) not null,
    confidence_level public.confidence_level_obs_enum not null,
    matched_source_pk varchar,
    matched_source_date date,
    time_to_match_days integer,
    notes text,
    created_at timestamptz not null default now(),
    run_id integer
);

create table ops.alerts (
    id serial,
    alert_type varchar not null,
    severity public.alertseverity not null,
    week_label varchar not null,
    message text not null,
    details jsonb,
    created_at timestamptz not null default now(),
    acknowledged_at timestamptz,
    run_id integer
);

create table public.drivers (
    driver_id varchar,
    park_id varchar,
    phone varchar,
    license_number varchar,
    license_normalized_number varchar,
    car_number varchar,
    car_normalized_number varchar,
    car_brand varchar,
    car_model varchar,
    full_name varchar,
    first_name varchar,
    middle_name varchar,
    last_name varchar,
    hire_date date,
    created_at timestamp,
    updated_at timestamp
);

create table public.module_ct_scouting_daily (
    id serial,
    scout_id integer,
    driver_name varchar,
    driver_phone varchar,
    driver_license varchar,
    registration_date date,
    acquisition_method varchar,
    created_at timestamp default now()
);

create table public.module_ct_migrations (
    id serial,
    driver_id varchar,
    driver_name varchar,
    scout_id integer,
    scout_name varchar,
    hire_date timestamp,
    created_at timestamp default now(),
    updated_at timestamp default now()
);

create table public.module_ct_scouts_list (
    scout_id integer,
    raw_name varchar,
    name varchar,
    is_active boolean,
    created_at timestamp default now(),
    updated_at timestamp default now()
);

create table public.module_ct_cabinet_leads (
    id serial,
    external_id varchar,
    activation_city varchar,
    active_1 boolean,
    active_5 boolean,
    active_10 boolean,
    active_15 boolean,
    active_25 boolean,
    active_50 boolean,
    active_100 boolean,
    asset_color varchar,
    asset_model varchar,
    asset_plate_number varchar,
    last_name varchar,
    first_name varchar,
    middle_name varchar,
    last_active_date date,
    lead_created_at timestamp,
    park_name varchar,
    park_phone varchar,
    status varchar,
    tariff varchar,
    target_city varchar,
    created_at timestamp default now()
);

create table public.module_ct_cabinet_payments (
    id serial,
    date date,
    "time" time,
    scout_id integer,
    driver varchar,
    trip_1 boolean,
    trip_5 boolean,
    trip_25 boolean,
    created_at timestamp default now(),
    updated_at timestamp default now(),
    driver_id varchar,
    person_key uuid
);

create table public.peer_claims (
    driver_id varchar,
    person_key uuid,
    driver_name varchar,
    milestone_value integer,
    lead_date date,
    expected_amount numeric(12, 2),
    paid boolean,
    payment_key text,
    pay_date date,
    reason_code text,
    match_rule text,
    match_confidence text,
    identity_status text,
    suggested_driver_id varchar
);

-- What the owner may have besides: amounts per milestone, and what was paid to scouts.
create table ops.scout_payment_rules (
    id serial,
    origin_tag varchar,
    milestone_value integer not null,
    amount numeric(12, 2) not null,
    is_active boolean not null default true
);

create table ops.scout_liquidation_ledger (
    id serial,
    person_key uuid not null,
    scout_id integer not null,
    milestone_value integer not null,
    amount numeric(12, 2) not null,
    paid_at timestamptz not null default now()
);

create view ops.v_yango_cabinet_claims_for_collection as
select
    driver_id,
    person_key,
    driver_name,
    milestone_value,
    lead_date,
    expected_amount,
    lead_date + interval '14 days' as yango_due_date,
    greatest(0, current_date - (lead_date + 14)) as days_overdue_yango,
    case
        when lead_date + 14 >= current_date then '0_not_due'
        when current_date - (lead_date + 14) <= 7 then '1_1_7'
        when current_date - (lead_date + 14) <= 14 then '2_8_14'
        when current_date - (lead_date + 14) <= 30 then '3_15_30'
        else '4_30_plus'
    end as overdue_bucket_yango,
    case
        when paid then 'PAID'
        when reason_code = 'payment_found_other_milestone' then 'PAID_MISAPPLIED'
        else 'UNPAID'
    end as yango_payment_status,
    payment_key,
    pay_date,
    reason_code,
    match_rule,
    match_confidence,
    identity_status,
    suggested_driver_id,
    (identity_status in ('confirmed', 'enriched') and match_confidence = 'high')
        as is_reconcilable_enriched
from public.peer_claims;
