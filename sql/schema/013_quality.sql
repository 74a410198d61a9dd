-- What the checks of the sources found: one result each time that a check ran, and the rows of its last run.

create table scout.quality_results (
    id bigint generated always as identity primary key,
    check_name text not null,
    severity text not null check (severity in ('INFO', 'WARN', 'FAIL')),
    state text not null check (state in ('OK', 'FOUND', 'FAILED')),
    row_count bigint,
    appeared_count bigint,
    gone_count bigint,
    error text,
    lima_date date not null,
    ran_at timestamptz not null,
    took_ms integer not null,
    run_id integer,
    actor text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check ((state = 'FAILED') = (row_count is null) and (state = 'FAILED') = (error is not null)),
    check ((state = 'FOUND') = coalesce(row_count > 0, false))
);
-- serves: the newest results of a check
create index quality_results_check on scout.quality_results (check_name, id desc);
comment on table scout.quality_results is 'One row per check of the sources and time that it ran (append-only).';
comment on column scout.quality_results.check_name is 'A file of sql/quality.';
comment on column scout.quality_results.state is 'OK (nothing found), FOUND (rows found) or FAILED (it could not be run: see error; the rows of its last run stay).';
comment on column scout.quality_results.row_count is 'Rows that it found; null when it FAILED.';
comment on column scout.quality_results.appeared_count is 'Of those, rows that its last run had not found.';
comment on column scout.quality_results.gone_count is 'Rows of its last run that it found no more.';
comment on column scout.quality_results.lima_date is 'Lima day on which it ran; once a day is due.';
comment on column scout.quality_results.run_id is 'The refresh after which it ran; null when none.';

create trigger scout_append_only before update or delete or truncate on scout.quality_results
for each statement execute function scout.refuse_change();
alter table scout.quality_results enable always trigger scout_append_only;

create table scout.quality_rows (
    row_id bigint generated always as identity,
    check_name text not null,
    source_table text not null,
    source_pk text not null,
    person_key uuid,
    detail text not null,
    on_date date,
    found_at timestamptz not null,
    -- serves: was this row found before
    primary key (check_name, source_table, source_pk)
);
-- serves: the rows of a check, what was found last first
create unique index quality_rows_newest on scout.quality_rows (check_name, row_id);
-- serves: the rows of all checks, in the same order
create unique index quality_rows_any on scout.quality_rows (row_id);
comment on table scout.quality_rows is 'One row per source row that a check found when it last ran; their number is the row_count of that result.';
comment on column scout.quality_rows.row_id is 'Ascending in the order in which rows were found.';
comment on column scout.quality_rows.detail is 'Facts as name=value, "; " between them; values of the sources masked, no phone, licence, document or name.';
comment on column scout.quality_rows.on_date is 'Day that the row is of, in Lima; null when it has none.';
comment on column scout.quality_rows.found_at is 'When a run of the check found it for the first time since it last was not so.';
