-- When health went from one state to another, and what had arrived from the sources when somebody last counted.

create table scout.health_changes (
    id bigint generated always as identity primary key,
    indicator text not null,
    from_status text check (from_status in ('OK', 'WARN', 'STALE', 'UNKNOWN', 'FAIL')),
    to_status text not null check (to_status in ('OK', 'WARN', 'STALE', 'UNKNOWN', 'FAIL')),
    changed_at timestamptz not null,
    value text,
    run_id integer,
    previous_id bigint references scout.health_changes,
    -- serves: two who see a change at the same moment write it once
    unique nulls not distinct (indicator, previous_id),
    check (from_status is distinct from to_status),
    check ((from_status is null) = (previous_id is null))
);
-- serves: the newest change of an indicator
create index health_changes_newest on scout.health_changes (indicator, id);
comment on table scout.health_changes is
'One row per change of state of the verdict (overall) or of one of its indicators and lights (append-only).';
comment on column scout.health_changes.from_status is 'Null for the first time that it was looked at.';
comment on column scout.health_changes.changed_at is 'When the new state was seen first, by the clock of who looked.';
comment on column scout.health_changes.value is
'What was seen: a share in percent, a count, a status of a run, names of sources; of overall the indicators that decided.';
comment on column scout.health_changes.run_id is 'The run in whose commit it was seen; null when somebody looked between two runs.';
comment on column scout.health_changes.previous_id is 'The change of the same indicator before this one.';

create trigger scout_append_only before update or delete or truncate on scout.health_changes
for each statement execute function scout.refuse_change();
alter table scout.health_changes enable always trigger scout_append_only;

create table scout.source_arrivals (
    source_table text primary key,
    newest_at timestamptz,
    rows_of_day jsonb not null,
    looked_at timestamptz not null
);
comment on table scout.source_arrivals is
'One row per source as it was last counted, which goes through whole tables and so is done every few minutes only.';
comment on column scout.source_arrivals.newest_at is 'Null when the source is empty or not there.';
comment on column scout.source_arrivals.rows_of_day is 'Rows by Lima day of arrival, of the last 60 days; what is older is in the first of them.';

-- serves: the last run that the scheduler started
create index runs_scheduled on scout.runs (run_id) where trigger = 'cron' and kind = 'refresh';
