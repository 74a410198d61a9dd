-- What somebody has to look at, as rows with a life: one for each thing that was ever wrong, open until it is
-- acknowledged, muted or gone by itself, open again when it is back. What became of it is kept for good.

create table scout.alerts (
    alert_id bigint generated always as identity primary key,
    rule text not null check (rule ~ '^[A-Z][A-Z0-9_]{2,59}$'),
    subject text not null check (length(subject) between 1 and 200),
    -- a row of the sources or a person, which are compared where they were touched; else whoever looks names all
    is_of_row boolean not null,
    severity text not null check (severity in ('INFO', 'WARN', 'FAIL')),
    severity_rank integer not null generated always as (
        case severity when 'FAIL' then 3 when 'WARN' then 2 else 1 end
    ) stored,
    status text not null check (status in ('OPEN', 'ACKNOWLEDGED', 'MUTED', 'RESOLVED')),
    person_key uuid,
    text text not null,
    opened_at timestamptz not null,
    opened_run integer,
    first_opened_at timestamptz not null,
    times_opened integer not null default 1,
    muted_at timestamptz,
    muted_until timestamptz,
    resolved_at timestamptz,
    actor text,
    reason text,
    changed_at timestamptz not null,
    -- serves: one cause is one alert, however often it comes back
    unique (subject, rule),
    check (muted_until is not null or status <> 'MUTED'),
    check ((muted_until is null) = (muted_at is null)),
    check ((resolved_at is not null) = (status = 'RESOLVED'))
)
with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
-- serves: what stands, worst and newest first, and oldest first
create index alerts_standing on scout.alerts (severity_rank desc, opened_at desc, alert_id desc)
where status <> 'RESOLVED';
create index alerts_standing_since on scout.alerts (opened_at, alert_id) where status <> 'RESOLVED';
-- serves: what stands of a rule, worst first; what others than the rows are compared with
create index alerts_standing_rule on scout.alerts (rule, severity_rank desc, opened_at desc, alert_id desc)
where status <> 'RESOLVED';
create index alerts_standing_named on scout.alerts (rule, subject) where status <> 'RESOLVED' and not is_of_row;
-- serves: the alerts of a person
create index alerts_person on scout.alerts (person_key) where person_key is not null;
-- serves: mutes oldest first, and those that have run out
create index alerts_muted on scout.alerts (muted_at, alert_id) where muted_until is not null;
-- serves: what went, newest first
create index alerts_resolved on scout.alerts (resolved_at desc, alert_id desc) where status = 'RESOLVED';
comment on table scout.alerts is
'One row per rule and subject that was ever wrong. Stands while OPEN, ACKNOWLEDGED or MUTED; RESOLVED by itself when the condition is gone.';
comment on column scout.alerts.subject is 'What is wrong: a person key, table/row of a source, a source, an indicator; never personal data.';
comment on column scout.alerts.is_of_row is 'The condition is of a person or a source row and follows from scout.v_alert_conditions.';
comment on column scout.alerts.severity_rank is '3 FAIL, 2 WARN, 1 INFO: the order of lists.';
comment on column scout.alerts.text is 'One sentence in English, as of when it was looked at last.';
comment on column scout.alerts.opened_at is 'Since when it stands: opened, or open again after it was gone. A mute that ran out does not change it.';
comment on column scout.alerts.opened_run is 'Run that found it then; null = found between two runs.';
comment on column scout.alerts.muted_until is 'A mute holds until then, also when the condition goes and comes back meanwhile; null = not muted.';
comment on column scout.alerts.actor is 'Who did the last thing to it; null = it changed by itself.';
comment on column scout.alerts.reason is 'Why, of the last thing that somebody did.';
comment on column scout.alerts.changed_at is 'Since when its status is what it is.';

create table scout.alert_events (
    event_id bigint generated always as identity primary key,
    alert_id bigint not null references scout.alerts,
    event text not null check (
        event in ('OPENED', 'ACKNOWLEDGED', 'MUTED', 'UNMUTED', 'RESOLVED', 'REOPENED', 'WORSENED')
    ),
    status text not null check (status in ('OPEN', 'ACKNOWLEDGED', 'MUTED', 'RESOLVED')),
    severity text not null check (severity in ('INFO', 'WARN', 'FAIL')),
    actor text,
    reason text,
    muted_until timestamptz,
    run_id integer,
    request_id text,
    at timestamptz not null,
    check ((actor is null) = (reason is null)),
    check ((event = 'MUTED') = (muted_until is not null)),
    -- serves: the same request twice is one event
    unique (request_id, alert_id)
);
-- serves: the life of an alert
create index alert_events_alert on scout.alert_events (alert_id, event_id);
comment on table scout.alert_events is 'One row per thing that happened to an alert (append-only), written by the statement that changed the alert.';
comment on column scout.alert_events.status is 'What the alert is since.';
comment on column scout.alert_events.actor is 'Who did it; null = by itself.';
comment on column scout.alert_events.run_id is 'Run that found it; null = between two runs, or done by somebody.';

create trigger scout_append_only before update or delete or truncate on scout.alert_events
for each statement execute function scout.refuse_change();
alter table scout.alert_events enable always trigger scout_append_only;

-- No key and no index: whoever notes never waits.
create table scout.alerts_to_check (
    subject text not null
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
comment on table scout.alerts_to_check is
'One row per person or source row whose condition may have changed since alerts were compared with them; * = compare all.';

create table scout.alert_state (
    is_only_row boolean primary key default true check (is_only_row),
    whole_at timestamptz,
    looked_at timestamptz
);
comment on table scout.alert_state is 'The one row: when the alerts of persons and rows were compared with all of them, and when anybody looked last.';
comment on column scout.alert_state.whole_at is 'Null = never: the next look compares all.';
insert into scout.alert_state default values;

create function scout.row_subject(source_table text, source_pk text) returns text
language sql immutable parallel safe
as $$
    select case when source_table like 'module\_ct\_%' then 'public.' else '' end || source_table || '/' || source_pk
$$;
comment on function scout.row_subject(text, text) is 'How alerts name a source row: table with its schema, slash, key. Whoever tells of the row, the name is the same.';

create or replace function scout.note_unmatched() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'TRUNCATE' then
        insert into scout.alerts_to_check (subject) values ('*');
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
        insert into scout.alerts_to_check (subject)
        select scout.row_subject(n.source_table, n.source_pk) from new_rows as n;
    end if;
    if tg_op in ('UPDATE', 'DELETE') then
        insert into scout.alerts_to_check (subject)
        select scout.row_subject(o.source_table, o.source_pk) from old_rows as o;
    end if;
    -- what a run of ours writes there is its own verdict
    if coalesce(current_setting('scout.run_id', true), '') <> '' then
        return null;
    end if;
    if tg_op = 'TRUNCATE' then
        insert into scout.touched_keys default values;
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
        insert into scout.pending_persons (source_table, source_pk)
        select n.source_table, n.source_pk from new_rows as n;
    end if;
    if tg_op in ('UPDATE', 'DELETE') then
        insert into scout.pending_persons (source_table, source_pk)
        select o.source_table, o.source_pk from old_rows as o;
    end if;
    return null;
end
$$;
comment on function scout.note_unmatched() is
'Notes rows to review that came, went or changed, and scouting rows that a person set aside or took up again.';

create function scout.note_issues() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'INSERT' then
        insert into scout.alerts_to_check (subject)
        select distinct scout.row_subject(n.source_table, n.source_pk) from new_rows as n;
    elsif tg_op = 'UPDATE' then
        -- seen again is no news
        insert into scout.alerts_to_check (subject)
        select distinct scout.row_subject(n.source_table, n.source_pk)
        from new_rows as n
        inner join old_rows as o on o.issue_id = n.issue_id
        where (o.closed_at is null) <> (n.closed_at is null) or o.person_key is distinct from n.person_key;
    elsif tg_op = 'DELETE' then
        insert into scout.alerts_to_check (subject)
        select distinct scout.row_subject(o.source_table, o.source_pk) from old_rows as o;
    else
        insert into scout.alerts_to_check (subject) values ('*');
    end if;
    return null;
end
$$;
comment on function scout.note_issues() is 'Notes source rows whose bad values were found or mended.';

create trigger scout_note_issues_insert after insert on scout.data_quality_issues
referencing new table as new_rows
for each statement execute function scout.note_issues();
create trigger scout_note_issues_update after update on scout.data_quality_issues
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_issues();
create trigger scout_note_issues_delete after delete on scout.data_quality_issues
referencing old table as old_rows
for each statement execute function scout.note_issues();
create trigger scout_note_issues_truncate after truncate on scout.data_quality_issues
for each statement execute function scout.note_issues();

create function scout.lead_text() returns text
language sql immutable parallel safe
return 'This cabinet lead has no scout: its person has none in the ledger, or it leads to nobody.';
comment on function scout.lead_text() is 'What the alert of a cabinet lead without a scout says.';

create function scout.alert_conditions()
returns table (rule text, subject text, severity text, person_key uuid, text text)
language plpgsql stable set search_path = pg_catalog set jit = off rows 10000
as $$
begin
    return query
    select c.rule, c.subject, c.severity, c.person_key, c.text from scout.v_alert_conditions as c;
end
$$;
comment on function scout.alert_conditions() is
'Every row of scout.v_alert_conditions. A function, so that it is planned only where all is compared.';

create function scout.alert_conditions_of(
    person_keys uuid[], lead_names text[], source_tables text[], source_pks text[]
) returns table (rule text, subject text, severity text, person_key uuid, text text)
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_generic_plan set jit = off
set max_parallel_workers_per_gather = 0 rows 100
as $$
#variable_conflict use_column
declare
    lead_persons uuid[];
begin
    if cardinality(person_keys) > 0 then
        return query
        select c.rule, c.subject, c.severity, c.person_key, c.text
        from scout.v_alert_conditions as c
        where c.rule = 'NEW_CONFLICT' and c.person_key = any(person_keys);
    end if;
    if cardinality(lead_names) > 0 then
        -- a union is not joined by index: the persons are looked up first, and who leads to nobody by itself
        select array_agg(l.person_key) into lead_persons
        from scout.src_cabinet_leads as c
        inner join canon.identity_links as l
            on l.source_table = 'module_ct_cabinet_leads' and l.source_pk = coalesce(c.external_id, c.cabinet_lead_id::text)
        where c.cabinet_lead_id::text = any(lead_names) or c.external_id = any(lead_names);
        return query
        select c.rule, c.subject, c.severity, c.person_key, c.text
        from scout.v_alert_conditions as c
        where c.rule = 'CABINET_LEAD_WITHOUT_SCOUT'
            and c.person_key = any(lead_persons)
            and (c.lead_row = any(lead_names) or c.external_id = any(lead_names));
        return query
        select
            'CABINET_LEAD_WITHOUT_SCOUT',
            'public.module_ct_cabinet_leads/' || c.cabinet_lead_id,
            'INFO',
            null::uuid,
            scout.lead_text()
        from scout.src_cabinet_leads as c
        left join canon.identity_links as l
            on l.source_table = 'module_ct_cabinet_leads' and l.source_pk = coalesce(c.external_id, c.cabinet_lead_id::text)
        left join canon.identity_registry as r on r.person_key = l.person_key
        where (c.cabinet_lead_id::text = any(lead_names) or c.external_id = any(lead_names)) and r.person_key is null;
    end if;
    if cardinality(source_pks) > 0 then
        return query
        select c.rule, c.subject, c.severity, c.person_key, c.text
        from unnest(source_tables, source_pks) as n (source_table, source_pk)
        inner join scout.v_alert_conditions as c
            on c.source_table = n.source_table and c.source_pk = n.source_pk;
    end if;
end
$$;
comment on function scout.alert_conditions_of(uuid[], text[], text[], text[]) is
'The rows of scout.v_alert_conditions of these persons, cabinet leads (by number or by what links call them) and source rows, by index.';
