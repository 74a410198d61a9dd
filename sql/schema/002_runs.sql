-- What every write of ours is recorded under. ops.ingestion_runs holds the row that the owner reads;
-- scout.runs adds who, why and from where.

create table scout.install_facts (
    name text primary key,
    value text not null
);
comment on table scout.install_facts is 'One row per fact of the installation: installed_at, source_timezone, version, demo.';

create table scout.runs (
    run_id integer primary key,
    kind text not null check (kind in ('refresh', 'undo', 'decision', 'review')),
    trigger text not null check (trigger in ('cron', 'manual', 'api')),
    actor text not null,
    reason text,
    -- serves: the same request twice is one run
    request_id text unique,
    is_forced boolean not null default false,
    host text not null,
    process_id integer not null,
    version text not null,
    requested_at timestamptz not null default now()
);
comment on table scout.runs is 'One row per run of any kind; run_id is ops.ingestion_runs.id. Who asked, why, from where.';
comment on column scout.runs.request_id is 'Identifier that the caller gave; a second request with it is answered with this run.';
comment on column scout.runs.process_id is 'Process on host that works the run; a dead one lets the next start take over at once.';

create table scout.holds (
    hold_id bigint generated always as identity primary key,
    subject text not null check (subject in ('person', 'source_row')),
    person_key uuid,
    source_table text,
    source_pk text,
    reason text not null,
    actor text not null,
    run_id integer,
    held_at timestamptz not null default now(),
    released_at timestamptz,
    released_by text,
    release_reason text,
    check ((subject = 'person') = (person_key is not null)),
    check ((subject = 'source_row') = (source_table is not null and source_pk is not null))
);
-- serves: is this person held (backlog reason, propagation)
create index holds_person on scout.holds (person_key) where released_at is null;
-- serves: is this scouting row held (linking)
create index holds_source_row on scout.holds (source_table, source_pk) where released_at is null;
comment on table scout.holds is 'One row per hold: persons and source rows that no run writes or links until they are released.';
comment on column scout.holds.source_table is 'As in canon.identity_links, e.g. module_ct_scouting_daily.';

create table scout.decisions (
    decision_id bigint generated always as identity primary key,
    person_key uuid not null,
    outcome text not null check (outcome in ('ASSIGN', 'NO_SCOUT', 'REOPEN')),
    scout_id integer check (scout_id >= 1),
    considered_scout_ids integer[] not null,
    reason_code text not null,
    note text not null,
    actor text not null,
    run_id integer,
    ledger_scout_id_before integer,
    decided_at timestamptz not null default clock_timestamp(),
    check ((outcome = 'ASSIGN') = (scout_id is not null))
);
-- serves: the newest decision of a person
create index decisions_person on scout.decisions (person_key, decision_id desc);
comment on table scout.decisions is 'One row per human decision, append-only. The newest of a person counts while the ledger still says what it decided.';
comment on column scout.decisions.considered_scout_ids is 'Scouts of the evidence that was on screen; another one later reopens the conflict.';

create table scout.data_quality_issues (
    issue_id bigint generated always as identity primary key,
    source_table text not null,
    source_pk text not null,
    rule text not null,
    raw_hash text not null,
    raw_excerpt text,
    person_key uuid,
    first_seen_run integer,
    last_seen_run integer,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    closed_at timestamptz,
    closed_run integer,
    -- serves: one issue per value, seen again and again
    unique (source_table, source_pk, rule, raw_hash)
);
-- serves: the open issues, and closing what was mended
create index data_quality_issues_open on scout.data_quality_issues (rule, source_table, source_pk) where closed_at is null;
comment on table scout.data_quality_issues is 'One row per bad value of a source row and rule; closed by the run that finds it mended.';
comment on column scout.data_quality_issues.raw_excerpt is 'At most 200 characters, letters and digits after the third masked; code points where they are not ASCII.';

create table scout.metrics_history (
    metric_date date primary key,
    total_persons bigint not null,
    satisfactory_count bigint not null,
    missing_count bigint not null,
    conflicts_count bigint,
    lead_persons bigint not null,
    satisfactory_lead_count bigint not null,
    by_source_scouting_daily bigint not null,
    by_source_cabinet_leads bigint not null,
    by_source_lead_ledger bigint not null,
    run_id integer,
    computed_at timestamptz not null default now()
);
comment on table scout.metrics_history is 'One row per Lima day on which a run recorded the numbers; the last run of the day counts.';

create unlogged table scout.planned_links (
    run_id integer not null,
    apply_order bigint not null,
    row_id bigint not null,
    scout_id integer not null,
    outcome text not null,
    person_key uuid,
    driver_id text,
    match_rule text,
    match_score integer,
    match_confidence text,
    reason_code text,
    is_founder boolean not null,
    is_new_reason boolean not null,
    license_key text,
    phone_key text,
    candidate_person_keys uuid[] not null,
    license_person_count integer not null,
    phone_person_count integer not null,
    primary key (run_id, apply_order)
);
comment on table scout.planned_links is
'One row per scouting row that the run in progress will link or leave; its batches read it, and the run empties it. Unlogged: nothing is lost with it.';
