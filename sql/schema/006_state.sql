-- State that is always true: the settled row of each person, totals over them, and what was touched since.
-- Exact at every instant = settled rows that are not pending + live rows of the pending ones.

create type scout.evidence_piece as (
    driver_id text,
    driver_license text,
    driver_phone text,
    scout_id integer,
    origin_tag text,
    acquisition_method text,
    source_table text,
    source_pk text,
    attribution_date date,
    created_at timestamptz,
    priority integer
);
comment on type scout.evidence_piece is 'One piece of evidence, as ops.v_scout_attribution_raw has it.';

create table scout.person_attribution (
    person_key uuid primary key,
    registered_at timestamptz,
    is_lead boolean not null,
    has_identity_link boolean not null,
    linked_driver_id text,
    has_ledger_row boolean not null,
    ledger_scout_id integer,
    ledger_updated_at timestamptz,
    event_count bigint not null,
    event_scout_min integer,
    event_scout_max integer,
    scout_min integer,
    scout_max integer,
    event_evidence_count bigint not null,
    migration_evidence_count bigint not null,
    scouting_evidence_count bigint not null,
    payment_evidence_count bigint not null,
    has_unreadable_scout boolean not null,
    first_event_date date,
    last_event_date date,
    first_evidence_date date,
    last_evidence_date date,
    decision_id bigint,
    category text,
    reason_code text,
    conflict_kind text,
    scout_ids integer[] not null,
    sources text[] not null,
    origin_tags text[] not null,
    evidence_count bigint not null,
    event_source_tables text[] not null,
    event_origin_tags text[] not null,
    scouting_link_days date[] not null,
    cabinet_link_days date[] not null,
    best scout.evidence_piece
)
with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
-- serves: the open conflicts, newest evidence first
create index person_attribution_conflicts on scout.person_attribution (
    (coalesce(last_evidence_date, '-infinity')) desc, person_key desc
) where conflict_kind is not null;
-- serves: the pages of the backlog, newest and oldest event first
create index person_attribution_backlog_newest on scout.person_attribution (
    (coalesce(last_event_date, '-infinity')) desc, person_key desc
) where category is not null;
create index person_attribution_backlog_oldest on scout.person_attribution (
    (coalesce(first_event_date, 'infinity')), person_key
) where category is not null;
-- serves: the pages of the liquidation, newest attribution first and by scout
create index person_attribution_newest on scout.person_attribution (
    (coalesce((best).attribution_date, '-infinity')) desc, person_key desc
) where (best).scout_id is not null;
create index person_attribution_scout on scout.person_attribution (((best).scout_id), person_key)
where (best).scout_id is not null;
-- serves: the candidates of the next run, in key order
create index person_attribution_waiting on scout.person_attribution (person_key)
where reason_code = 'WAITING_FOR_NEXT_RUN';
comment on table scout.person_attribution is
'One row per registered person as last settled. Read scout.v_person_attribution, which is exact; columns as in scout.v_person_attribution_live.';
comment on column scout.person_attribution.reason_code is
'As in the backlog, but WAITING_FOR_NEXT_RUN also where the list of scouts lacks the scout: that list is joined at read.';
comment on column scout.person_attribution.best is 'The canonical piece of evidence; null without any.';
comment on column scout.person_attribution.evidence_count is 'Pieces of evidence, the ledger''s own included.';

create table scout.attribution_totals (
    category text,
    reason_code text,
    conflict_kind text,
    is_lead boolean not null,
    has_identity_link boolean not null,
    names_scout boolean not null,
    best_priority integer,
    person_count bigint not null,
    -- serves: settling adds to the one row of a group
    unique nulls not distinct (category, reason_code, conflict_kind, is_lead, has_identity_link, names_scout, best_priority)
)
with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on table scout.attribution_totals is 'One row per group of settled persons: how many. Read scout.v_attribution_totals, which is exact.';
comment on column scout.attribution_totals.names_scout is 'Some evidence of priority 2 to 5 names a scout.';
comment on column scout.attribution_totals.best_priority is 'Priority of the canonical evidence; null without any.';

create table scout.attribution_scouts (
    scout_id integer not null,
    category text,
    reason_code text,
    conflict_kind text,
    person_count bigint not null,
    -- serves: settling adds to the one row of a group; the persons of a scout
    unique nulls not distinct (scout_id, category, reason_code, conflict_kind)
)
with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
-- serves: how many wait for a scout that the list of scouts lacks
create index attribution_scouts_waiting on scout.attribution_scouts (scout_id)
where reason_code = 'WAITING_FOR_NEXT_RUN';
comment on table scout.attribution_scouts is
'One row per canonical scout and group of settled persons: how many. Read scout.v_attribution_scouts, which is exact.';

create table scout.attribution_days (
    on_date date not null,
    kind text not null check (kind in ('registered', 'attributed', 'scouting_daily', 'cabinet_leads')),
    person_count bigint not null,
    -- serves: the days of the trend
    primary key (on_date, kind)
)
with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on table scout.attribution_days is
'One row per Lima day and kind: settled persons registered, attributed (ledger) or linked that day. Read scout.v_attribution_days, which is exact.';

-- No key and no index: writers of the sources never wait for each other here, and pay for one row only.
create table scout.pending_persons (
    person_key uuid,
    source_table text,
    source_pk text,
    is_judged boolean not null default false,
    noted_at timestamptz not null default now(),
    noted_in xid8 not null default pg_current_xact_id()
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
comment on table scout.pending_persons is
'One row per touched source row, written by the tracking triggers: a person, or a row or link whose person is looked up at read.';
comment on column scout.pending_persons.source_table is 'As in canon.identity_links (module_ct_scouting_daily, drivers, ...), lead_events or module_ct_cabinet_payments; identity_registry; null = ledger, decision or hold.';
comment on column scout.pending_persons.noted_in is 'Transaction that touched the row: tells what a settling of everything has seen.';
comment on column scout.pending_persons.is_judged is 'Written by a refresh, which has judged whatever this may change for other scouting rows.';

create table scout.rows_to_check (
    source_table text not null,
    source_pk text not null,
    -- serves: a row is checked once, however often it was touched
    primary key (source_table, source_pk)
);
comment on table scout.rows_to_check is
'One row per source row that changed since a run looked for bad values; source_pk * = every row of that source.';

create table scout.unlinked_rows (
    source_pk text primary key,
    row_id bigint not null,
    scout_id integer not null,
    license_key text collate "C",
    phone_key text collate "C"
);
-- serves: rows that share a licence or phone with one that changed
create index unlinked_rows_license on scout.unlinked_rows (license_key) where license_key is not null;
create index unlinked_rows_phone on scout.unlinked_rows (phone_key) where phone_key is not null;
comment on table scout.unlinked_rows is
'One row per settled scouting row that names a scout and has no link. Read scout.v_unlinked_rows, which is exact.';

create table scout.touched_keys (
    license_key text collate "C",
    phone_key text collate "C",
    person_key uuid,
    source_pk text,
    run_id integer
);
comment on table scout.touched_keys is
'One row per licence, phone, person or scouting row about which something changed since a run judged what hangs on it; all null = everything.';
comment on column scout.touched_keys.run_id is 'The run that is judging them now; it takes the row away when its links are written.';

create table scout.state (
    is_only_row boolean primary key default true check (is_only_row),
    mode text not null check (mode in ('LIVE', 'TRACKED', 'REBUILT')),
    built_at timestamptz,
    definition text
);
comment on table scout.state is
'The one row: how the state is kept. LIVE = not built, everything is recomputed; TRACKED = triggers note what changes; REBUILT = no triggers, true as of built_at.';
comment on column scout.state.definition is 'Hash of the views from which the settled rows were built; init builds anew when it differs.';
insert into scout.state (mode) values ('LIVE');

create function scout.pending_limit() returns integer
language sql immutable parallel safe
return 10000;
comment on function scout.pending_limit() is 'Touched source rows above which readers show settled values, with their time, until settling has caught up.';

create function scout.reading() returns text
language plpgsql stable parallel safe set search_path = pg_catalog
as $$
begin
    return case
        when s.mode = 'LIVE' then 'LIVE'
        -- the job and verify want the truth, whatever it costs
        when s.mode = 'REBUILT' then case when current_setting('scout.exact', true) = 'on' then 'LIVE' else 'SETTLED' end
        when coalesce(current_setting('scout.exact', true), '') <> 'on' and (
            select count(*) > scout.pending_limit()
            from (select from scout.pending_persons limit scout.pending_limit() + 1) as p
        ) then 'SETTLED'
        else 'EXACT'
    end
    from scout.state as s;
end
$$;
comment on function scout.reading() is
'How readers get at persons now: EXACT = settled and pending, SETTLED = settled only (see scout.v_state.as_of), LIVE = recomputed.';

create function scout.pending_keys() returns setof uuid
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_generic_plan
set max_parallel_workers_per_gather = 0 rows 100
as $$
begin
    if scout.reading() <> 'EXACT' or not exists (select from scout.pending_persons) then
        return;
    end if;
    return query select distinct k.person_key from scout.v_pending_keys as k;
end
$$;
comment on function scout.pending_keys() is 'Persons whose settled row may be out of date, each once. A function, so that its plan is made once a session.';

create function scout.attribution_of(person_keys uuid[]) returns setof scout.person_attribution
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_generic_plan set jit = off set max_parallel_workers_per_gather = 0 rows 100
as $$
begin
    if cardinality(person_keys) > 0 then
        return query select l.* from scout.v_person_attribution_live as l where l.person_key = any(person_keys);
    end if;
end
$$;
comment on function scout.attribution_of(uuid[]) is
'Live rows of these persons, recomputed by index. A function, so that its plan is made once a session.';

create function scout.attribution_between(after_key uuid, upto_key uuid) returns setof scout.person_attribution
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_custom_plan set jit = off rows 100000
as $$
begin
    if upto_key is not null then
        return query
        select l.* from scout.v_person_attribution_live as l
        where l.person_key > after_key and l.person_key <= upto_key;
    end if;
end
$$;
comment on function scout.attribution_between(uuid, uuid) is
'Live rows of a range of persons, recomputed in one pass over the sources; none for a range without end.';

create function scout.all_attribution() returns setof scout.person_attribution
language plpgsql stable set search_path = pg_catalog set jit = off rows 100000
as $$
begin
    if scout.reading() = 'LIVE' then
        return query select l.* from scout.v_person_attribution_live as l;
    end if;
end
$$;
comment on function scout.all_attribution() is 'Live rows of all persons, while no settled state is there to read; else none.';

create function scout.group_of(p scout.person_attribution) returns table (
    category text, reason_code text, conflict_kind text, is_lead boolean, has_identity_link boolean, names_scout boolean,
    best_priority integer
)
language sql stable rows 1
as $$
    select
        p.category, p.reason_code, p.conflict_kind, p.is_lead, p.has_identity_link, p.scout_min is not null, (p.best).priority
$$;
comment on function scout.group_of(scout.person_attribution) is 'The row of scout.attribution_totals in which a person counts.';

create function scout.days_of(
    registered_at timestamptz, ledger_scout_id integer, ledger_updated_at timestamptz, scouting_days date[], cabinet_days date[]
) returns table (on_date date, kind text)
language sql stable rows 2
as $$
    select coalesce(scout.lima_date(registered_at), '-infinity'), 'registered'
    union all
    select coalesce(scout.lima_date(ledger_updated_at), '-infinity'), 'attributed'
    where ledger_scout_id is not null
    union all
    select d.on_date, 'scouting_daily'
    from unnest(scouting_days) as d (on_date)
    union all
    select d.on_date, 'cabinet_leads'
    from unnest(cabinet_days) as d (on_date)
$$;
comment on function scout.days_of(timestamptz, integer, timestamptz, date[], date[]) is
'The rows of scout.attribution_days in which a person counts; -infinity = on a day that nobody can tell.';

create function scout.unlinked_of(source_pks text[]) returns setof scout.unlinked_rows
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_generic_plan
set max_parallel_workers_per_gather = 0 rows 100
as $$
begin
    if cardinality(source_pks) > 0 then
        return query
        select l.source_pk, l.row_id, l.scout_id, l.license_key, l.phone_key
        from scout.v_unlinked_rows_live as l
        where l.source_pk = any(source_pks);
    end if;
end
$$;
comment on function scout.unlinked_of(text[]) is 'Those of these scouting rows that name a scout and have no link.';

create function scout.identity_ties(kind text, key text) returns table (other_kind text, other_key text)
language plpgsql stable set search_path = pg_catalog set plan_cache_mode = force_generic_plan
set max_parallel_workers_per_gather = 0 rows 10
as $$
begin
    if kind = 'person' then
        return query
        select v.kind, v.key
        from (
            select scout.license_key(r.primary_license) as license_key, scout.phone_key(r.primary_phone) as phone_key
            from canon.identity_registry as r
            where r.person_key = identity_ties.key::uuid
            union all
            select d.license_key, d.phone_key
            from canon.identity_links as l
            inner join scout.src_drivers_index as d on d.driver_id = l.source_pk
            where l.person_key = identity_ties.key::uuid and l.source_table = 'drivers'
            union all
            select s.license_key, s.phone_key
            from scout.v_scouting_persons as s
            where s.person_key = identity_ties.key::uuid
        ) as k
        cross join lateral (values ('license', k.license_key), ('phone', k.phone_key)) as v (kind, key)
        where v.key is not null;
    elsif kind = 'license' then
        return query
        select 'person', r.person_key::text from canon.identity_registry as r
        where scout.license_key(r.primary_license) collate "C" = identity_ties.key
        union all
        select 'person', l.person_key::text
        from scout.src_drivers_index as d
        inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
        where d.license_key = identity_ties.key
        union all
        select 'person', s.person_key::text from scout.v_scouting_persons as s
        where s.license_key = identity_ties.key
        union all
        select 'phone', u.phone_key from scout.v_unlinked_rows as u
        where u.license_key = identity_ties.key and u.phone_key is not null;
    else
        return query
        select 'person', r.person_key::text from canon.identity_registry as r
        where scout.phone_key(r.primary_phone) collate "C" = identity_ties.key
        union all
        select 'person', l.person_key::text
        from scout.src_drivers_index as d
        inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
        where d.phone_key = identity_ties.key
        union all
        select 'person', s.person_key::text from scout.v_scouting_persons as s
        where s.phone_key = identity_ties.key
        union all
        select 'license', u.license_key from scout.v_unlinked_rows as u
        where u.phone_key = identity_ties.key and u.license_key is not null;
    end if;
end
$$;
comment on function scout.identity_ties(text, text) is
'What hangs directly on a license, phone or person: the persons known under it, the keys that a person is known under, the keys that a row without link shows with it.';

-- What the tracking triggers call. Security definer: whoever writes a source needs no right here, and never
-- waits. A row or link is noted by its own key, its person is looked up when the note is read.

create function scout.note_registry() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (person_key, source_table, is_judged)
        select n.person_key, 'identity_registry', coalesce(current_setting('scout.run_kind', true) = 'refresh', false)
        from new_rows as n;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (person_key, source_table)
        select r.person_key, 'identity_registry' from canon.identity_registry as r;
        insert into scout.touched_keys default values;
    elsif tg_op = 'DELETE' then
        insert into scout.pending_persons (person_key, source_table)
        select o.person_key, 'identity_registry' from old_rows as o;
        insert into scout.touched_keys (license_key, phone_key)
        select scout.license_key(o.primary_license), scout.phone_key(o.primary_phone) from old_rows as o
        where coalesce(scout.license_key(o.primary_license), scout.phone_key(o.primary_phone)) is not null;
    else
        insert into scout.touched_keys (license_key, phone_key)
        select scout.license_key(o.primary_license), scout.phone_key(o.primary_phone)
        from old_rows as o
        left join new_rows as n on n.person_key = o.person_key
        where (n.primary_license, n.primary_phone) is distinct from (o.primary_license, o.primary_phone)
            and coalesce(scout.license_key(o.primary_license), scout.phone_key(o.primary_phone)) is not null;
        insert into scout.pending_persons (person_key, source_table)
        select distinct c.person_key, 'identity_registry'
        from (
            (
                select n.person_key, n.created_at, n.primary_phone, n.primary_license from new_rows as n
                except
                select o.person_key, o.created_at, o.primary_phone, o.primary_license from old_rows as o
            )
            union all
            (
                select o.person_key, o.created_at, o.primary_phone, o.primary_license from old_rows as o
                except
                select n.person_key, n.created_at, n.primary_phone, n.primary_license from new_rows as n
            )
        ) as c;
    end if;
    return null;
end
$$;
comment on function scout.note_registry() is 'Notes persons that came, went or changed.';

create function scout.note_links() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (person_key, source_table, source_pk, is_judged)
        select n.person_key, n.source_table, n.source_pk, coalesce(current_setting('scout.run_kind', true) = 'refresh', false)
        from new_rows as n;
    elsif tg_op = 'DELETE' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select o.person_key, o.source_table, o.source_pk from old_rows as o;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select l.person_key, l.source_table, l.source_pk from canon.identity_links as l;
    else
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select distinct c.person_key, c.source_table, c.source_pk
        from (
            (
                select n.person_key, n.source_table, n.source_pk, n.linked_at from new_rows as n
                except
                select o.person_key, o.source_table, o.source_pk, o.linked_at from old_rows as o
            )
            union all
            (
                select o.person_key, o.source_table, o.source_pk, o.linked_at from old_rows as o
                except
                select n.person_key, n.source_table, n.source_pk, n.linked_at from new_rows as n
            )
        ) as c;
    end if;
    return null;
end
$$;
comment on function scout.note_links() is 'Notes links that came, went or changed, with the person that they had.';

create function scout.note_ledger() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (person_key) select n.person_key from new_rows as n;
    elsif tg_op = 'DELETE' then
        insert into scout.pending_persons (person_key) select o.person_key from old_rows as o;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (person_key) select l.person_key from observational.lead_ledger as l;
    elsif coalesce(current_setting('scout.run_id', true), '') <> '' then
        -- a run of ours changes the scout of every row that it writes, and never a key
        insert into scout.pending_persons (person_key) select n.person_key from new_rows as n;
    else
        insert into scout.pending_persons (person_key)
        select distinct c.person_key
        from (
            (
                select n.person_key, n.attributed_scout_id, n.updated_at from new_rows as n
                except
                select o.person_key, o.attributed_scout_id, o.updated_at from old_rows as o
            )
            union all
            (
                select o.person_key, o.attributed_scout_id, o.updated_at from old_rows as o
                except
                select n.person_key, n.attributed_scout_id, n.updated_at from new_rows as n
            )
        ) as c;
    end if;
    return null;
end
$$;
comment on function scout.note_ledger() is 'Notes persons whose ledger row came, went or changed.';

create function scout.note_events() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select n.person_key, 'lead_events', n.id::text from new_rows as n;
    elsif tg_op = 'DELETE' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select o.person_key, 'lead_events', o.id::text from old_rows as o;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select e.person_key, 'lead_events', e.id::text from observational.lead_events as e;
    else
        -- as text: 12 and 12.0 are the same json and not the same scout
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select distinct c.person_key, 'lead_events', c.id::text
        from (
            (
                select n.person_key, n.id, n.scout_id, n.payload_json::text, n.event_date, n.created_at, n.source_table from new_rows as n
                except
                select o.person_key, o.id, o.scout_id, o.payload_json::text, o.event_date, o.created_at, o.source_table from old_rows as o
            )
            union all
            (
                select o.person_key, o.id, o.scout_id, o.payload_json::text, o.event_date, o.created_at, o.source_table from old_rows as o
                except
                select n.person_key, n.id, n.scout_id, n.payload_json::text, n.event_date, n.created_at, n.source_table from new_rows as n
            )
        ) as c;
    end if;
    return null;
end
$$;
comment on function scout.note_events() is 'Notes events that came, went or changed, with the person that they had.';

create function scout.note_migrations() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- where a row was, the driver that it had too: where it is, the driver is looked up
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (source_table, source_pk)
        select 'module_ct_migrations', n.id::text from new_rows as n;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (source_table, source_pk)
        select v.source_table, v.source_pk
        from public.module_ct_migrations as m
        cross join lateral (values ('module_ct_migrations', m.id::text), ('drivers', m.driver_id::text)) as v (source_table, source_pk)
        where v.source_pk is not null;
    else
        insert into scout.pending_persons (source_table, source_pk)
        select v.source_table, v.source_pk
        from old_rows as o
        cross join lateral (values ('module_ct_migrations', o.id::text), ('drivers', o.driver_id::text)) as v (source_table, source_pk)
        where v.source_pk is not null;
        if tg_op = 'UPDATE' then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_migrations', n.id::text from new_rows as n;
        end if;
    end if;
    return null;
end
$$;
comment on function scout.note_migrations() is 'Notes migrations that came, went or changed, and the driver that they had.';

create function scout.note_scouting() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- where a row was, the older key that it had too: where it is, that key is looked up
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (source_table, source_pk)
        select 'module_ct_scouting_daily', n.id::text from new_rows as n;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (source_table, source_pk)
        select 'module_ct_scouting_daily', v.source_pk
        from public.module_ct_scouting_daily as s
        cross join lateral (
            values
            (s.id::text),
            (scout.scouting_md5_key(s.scout_id::text, s.driver_phone, s.driver_license, s.registration_date))
        ) as v (source_pk);
        insert into scout.touched_keys default values;
    else
        insert into scout.pending_persons (source_table, source_pk)
        select 'module_ct_scouting_daily', v.source_pk
        from old_rows as o
        cross join lateral (
            values
            (o.id::text),
            (scout.scouting_md5_key(o.scout_id::text, o.driver_phone, o.driver_license, o.registration_date))
        ) as v (source_pk);
        insert into scout.touched_keys (license_key, phone_key)
        select scout.license_key(o.driver_license), scout.phone_key(o.driver_phone) from old_rows as o
        where coalesce(scout.license_key(o.driver_license), scout.phone_key(o.driver_phone)) is not null;
        if tg_op = 'UPDATE' then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_scouting_daily', n.id::text from new_rows as n;
        end if;
    end if;
    return null;
end
$$;
comment on function scout.note_scouting() is 'Notes scouting rows that came, went or changed, and the older key that they had.';

create function scout.note_payments() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'INSERT' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select n.person_key, 'module_ct_cabinet_payments', n.id::text from new_rows as n
        union all
        select null, 'drivers', n.driver_id::text from new_rows as n
        where n.person_key is null and n.driver_id is not null;
    elsif tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select p.person_key, 'module_ct_cabinet_payments', p.id::text from public.module_ct_cabinet_payments as p
        union all
        select null, 'drivers', p.driver_id::text from public.module_ct_cabinet_payments as p
        where p.person_key is null and p.driver_id is not null;
    else
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select o.person_key, 'module_ct_cabinet_payments', o.id::text from old_rows as o
        union all
        select null, 'drivers', o.driver_id::text from old_rows as o
        where o.person_key is null and o.driver_id is not null;
        if tg_op = 'UPDATE' then
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select n.person_key, 'module_ct_cabinet_payments', n.id::text from new_rows as n
            union all
            select null, 'drivers', n.driver_id::text from new_rows as n
            where n.person_key is null and n.driver_id is not null;
        end if;
    end if;
    return null;
end
$$;
comment on function scout.note_payments() is 'Notes cabinet payment rows that came, went or changed, with the person or driver that they had.';

create function scout.note_drivers() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- the driver leads to the person who was known under what it had
    if tg_op = 'TRUNCATE' then
        insert into scout.touched_keys default values;
    elsif tg_op = 'INSERT' then
        insert into scout.touched_keys (license_key, phone_key)
        select scout.license_key(n.license_norm), scout.phone_key(n.phone_norm) from new_rows as n
        where coalesce(scout.license_key(n.license_norm), scout.phone_key(n.phone_norm)) is not null;
        insert into scout.pending_persons (source_table, source_pk)
        select 'drivers_index', n.driver_id::text from new_rows as n;
    elsif tg_op = 'DELETE' then
        insert into scout.touched_keys (license_key, phone_key)
        select scout.license_key(o.license_norm), scout.phone_key(o.phone_norm) from old_rows as o
        where coalesce(scout.license_key(o.license_norm), scout.phone_key(o.phone_norm)) is not null;
        insert into scout.pending_persons (source_table, source_pk)
        select 'drivers_index', o.driver_id::text from old_rows as o;
    else
        with changed as materialized (
            (
                select n.driver_id, n.license_norm, n.phone_norm from new_rows as n
                except
                select o.driver_id, o.license_norm, o.phone_norm from old_rows as o
            )
            union all
            (
                select o.driver_id, o.license_norm, o.phone_norm from old_rows as o
                except
                select n.driver_id, n.license_norm, n.phone_norm from new_rows as n
            )
        ),
        noted as (
            insert into scout.pending_persons (source_table, source_pk)
            select distinct 'drivers_index', c.driver_id::text from changed as c
            returning 1
        )
        insert into scout.touched_keys (license_key, phone_key)
        select scout.license_key(c.license_norm), scout.phone_key(c.phone_norm) from changed as c
        where coalesce(scout.license_key(c.license_norm), scout.phone_key(c.phone_norm)) is not null;
    end if;
    return null;
end
$$;
comment on function scout.note_drivers() is 'Notes the licences and phones of drivers that came, went or changed.';

create function scout.note_unmatched() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
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
comment on function scout.note_unmatched() is 'Notes scouting rows that a person set aside or took up again.';

create function scout.note_ours() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_table_name = 'decisions' then
        insert into scout.pending_persons (person_key) select n.person_key from new_rows as n;
        return null;
    end if;
    if tg_op in ('INSERT', 'UPDATE') then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select n.person_key, n.source_table, n.source_pk from new_rows as n;
    end if;
    if tg_op in ('UPDATE', 'DELETE') then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select o.person_key, o.source_table, o.source_pk from old_rows as o;
    end if;
    if tg_op = 'TRUNCATE' then
        insert into scout.pending_persons (person_key, source_table, source_pk)
        select h.person_key, h.source_table, h.source_pk from scout.holds as h;
    end if;
    return null;
end
$$;
comment on function scout.note_ours() is 'Notes persons that were decided, held or released, and scouting rows that were held or released.';

create trigger scout_note_insert after insert on scout.decisions
referencing new table as new_rows
for each statement execute function scout.note_ours();
create trigger scout_note_insert after insert on scout.holds
referencing new table as new_rows
for each statement execute function scout.note_ours();
create trigger scout_note_update after update on scout.holds
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_ours();
create trigger scout_note_delete after delete on scout.holds
referencing old table as old_rows
for each statement execute function scout.note_ours();
create trigger scout_note_truncate before truncate on scout.holds
for each statement execute function scout.note_ours();

create function scout.note_scouts_list() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- which scouts are known concerns every source row that names one
    insert into scout.rows_to_check (source_table, source_pk) values ('*', '*')
    on conflict (source_table, source_pk) do nothing;
    return null;
end
$$;
comment on function scout.note_scouts_list() is 'Notes that every source row is to be looked at for unknown scouts.';

create function scout.note_cabinet_leads() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op in ('INSERT', 'UPDATE') then
        insert into scout.pending_persons (source_table, source_pk)
        select 'module_ct_cabinet_leads', n.id::bigint::text from new_rows as n;
    end if;
    if tg_op in ('UPDATE', 'DELETE') then
        insert into scout.pending_persons (source_table, source_pk)
        select 'module_ct_cabinet_leads', o.id::bigint::text from old_rows as o;
    end if;
    return null;
end
$$;
comment on function scout.note_cabinet_leads() is 'Notes cabinet leads that are to be looked at for bad dates.';
