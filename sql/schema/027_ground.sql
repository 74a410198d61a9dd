-- The ground under the sources: which relation each view of ours reads, which changes can be noted, how many rows there
-- were at the last run, and what is done where a note could not be made.

create table scout.installed_sources (
    source_name text primary key,
    is_mandatory boolean not null,
    is_used boolean not null,
    is_tracked boolean not null,
    columns text[] not null,
    column_numbers smallint[] not null,
    lack text
);
comment on table scout.installed_sources is
'One row per relation of the owner that we know, as the last init found it. What it is now: scout.v_source_troubles.';
comment on column scout.installed_sources.is_mandatory is 'No run goes on without it; an optional one counts as empty.';
comment on column scout.installed_sources.is_used is 'Views of ours read it; else an empty stand-in counts in its place.';
comment on column scout.installed_sources.is_tracked is 'Triggers of ours are to note what changes in it.';
comment on column scout.installed_sources.columns is 'The columns that we read.';
comment on column scout.installed_sources.column_numbers is 'Their numbers in the relation, by which our views read them; 0 where it was not there.';
comment on column scout.installed_sources.lack is 'Why it is not used; null where it is.';

create table scout.source_views (
    view_name text not null,
    source_name text not null,
    -- serves: each view that reads a source, once
    primary key (view_name, source_name)
);
comment on table scout.source_views is
'One row per view of ours and relation of the owner that it reads, as init made it: the relation is looked up again by its name at each run.';

create table scout.source_rows (
    source_name text primary key,
    row_count bigint not null,
    kept_count bigint not null,
    newest_id text,
    write_count bigint not null,
    write_limit bigint not null,
    file_node bigint,
    run_id integer not null,
    counted_at timestamptz not null default now()
);
comment on table scout.source_rows is
'One row per source as the last run found it. The next one compares: a source that lost its rows stops it, rows that nobody noted make it rebuild.';
comment on column scout.source_rows.kept_count is 'Rows by which a loss is measured: those that it had before it lost more than half, until a run is forced.';
comment on column scout.source_rows.write_count is 'Rows written since the server counts them: while it is the same, nothing is counted again.';
comment on column scout.source_rows.write_limit is 'Of these, as many as were noted, or were there when we began: more were written past our triggers.';
comment on column scout.source_rows.file_node is 'File of the relation, another one after a TRUNCATE; null for what is no table.';

create table scout.source_changes (
    source_name text not null,
    row_change bigint not null,
    written_count bigint not null,
    is_ours boolean not null
);
comment on table scout.source_changes is
'One row per statement that changed a tracked source since the last run: how many rows it added or took away. The next run adds them up.';
comment on column scout.source_changes.written_count is 'Rows that it wrote, as the statistics of the server count them.';
comment on column scout.source_changes.is_ours is 'A run of ours did it.';

create table scout.rebuild_requests (
    source_name text not null,
    reason text not null,
    noted_at timestamptz not null default now(),
    noted_in xid8 not null default pg_current_xact_id()
);
comment on table scout.rebuild_requests is
'One row per change of a source that could not be noted: until everything is settled anew, readers show settled values with their time, and a run looks everything up.';
comment on column scout.rebuild_requests.noted_in is 'Transaction that noted it: tells what a settling of everything has seen.';

create table scout.repeated_ids (
    source_name text not null,
    source_pk text not null
);
-- serves: whether the id of a row is there twice
create index repeated_ids_key on scout.repeated_ids (source_name, source_pk);
comment on table scout.repeated_ids is
'One row per id that more than one row of a source has, where no unique index forbids it. What a link says of such a row may be meant for the other.';

-- rows are taken away from these, which a publication of all tables would not let happen
alter table scout.source_changes replica identity full;
alter table scout.rebuild_requests replica identity full;
alter table scout.repeated_ids replica identity full;
alter table scout.pending_persons replica identity full;
alter table scout.touched_keys replica identity full;
alter table scout.alerts_to_check replica identity full;
alter table scout.missed_changes replica identity full;

create function scout.note_row_change(relation oid, row_change bigint, written_count bigint) returns void
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
    insert into scout.source_changes (source_name, row_change, written_count, is_ours)
    values (relation::regclass::text, row_change, written_count, coalesce(current_setting('scout.run_id', true), '') <> '')
$$;
comment on function scout.note_row_change(oid, bigint, bigint) is
'Notes how many rows a statement added to a source, and how many it wrote.';

create function scout.count_rows(relation oid) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    row_count bigint;
begin
    execute format('select count(*) from %s', relation::regclass) into row_count;
    return row_count;
end
$$;
comment on function scout.count_rows(oid) is 'Rows of a source, for the note of a TRUNCATE.';

create function scout.note_trouble(relation oid, code text, words text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- words about a value may show it
    insert into scout.rebuild_requests (source_name, reason)
    values (
        relation::regclass::text, case when code in ('42703', '42883', '42804', '42P01') then words else 'SQLSTATE ' || code end
    );
exception when others then
    raise warning 'A change of % was not noted for the attribution of scouts (SQLSTATE %): run scout_core init.', relation::regclass, sqlstate;
end
$$;
comment on function scout.note_trouble(oid, text, text) is
'Asks for a rebuild where a change could not be noted: the statement of the owner never fails for us.';

create function scout.lacks_unique_id(relation oid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select not exists (
        select
        from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = relation and i.indisunique and i.indisvalid and i.indpred is null and i.indnkeyatts = 1
            and a.attname = 'id'
    )
$$;
comment on function scout.lacks_unique_id(oid) is 'Whether two rows of a source may have the same id: no unique index on it.';

create function scout.keep_repeated_ids(relation oid, ids text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    repeated text[];
begin
    execute format('select array_agg(t.pk) from (select scout.read_key(id) as pk from %s where scout.read_key(id) = any($1) group by 1 having count(*) > 1) as t', relation::regclass)
    into repeated using ids;
    delete from scout.repeated_ids as r
    where r.source_name = relation::regclass::text and r.source_pk = any(ids)
        and r.source_pk <> all(coalesce(repeated, '{}'));
    insert into scout.repeated_ids (source_name, source_pk)
    select relation::regclass::text, n.source_pk
    from unnest(repeated) as n (source_pk)
    where not exists (
        select from scout.repeated_ids as r
        where r.source_name = relation::regclass::text and r.source_pk = n.source_pk
    );
end
$$;
comment on function scout.keep_repeated_ids(oid, text[]) is 'Keeps which of these ids more than one row of a source has.';

create function scout.find_repeated_ids() returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    source record;
    found_ids text[];
    changed bigint := 0;
    step bigint;
begin
    for source in
        select
            s.source_name,
            to_regclass(s.source_name)::oid as relation,
            case
                when s.source_name like 'public.%' then split_part(s.source_name, '.', 2) else 'lead_events'
            end as noted_as
        from scout.installed_sources as s
        where s.is_used
            and s.source_name in (
                'observational.lead_events', 'public.module_ct_migrations', 'public.module_ct_scouting_daily',
                'public.module_ct_cabinet_payments', 'public.module_ct_cabinet_leads'
            )
            and to_regclass(s.source_name) is not null
    loop
        begin
            found_ids := '{}';
            if scout.lacks_unique_id(source.relation) then
                execute format(
                    'select coalesce(array_agg(t.pk), ''{}'') from (select scout.read_key(id) as pk from %s where id is not null group by 1 having count(*) > 1) as t',
                    source.relation::regclass
                )
                into found_ids;
            end if;
            with gone as (
                delete from scout.repeated_ids as r
                where r.source_name = source.source_name and r.source_pk <> all(found_ids)
                returning r.source_pk
            ),
            new as (
                insert into scout.repeated_ids (source_name, source_pk)
                select source.source_name, n.source_pk
                from unnest(found_ids) as n (source_pk)
                where not exists (
                    select from scout.repeated_ids as r
                    where r.source_name = source.source_name and r.source_pk = n.source_pk
                )
                returning source_pk
            )
            insert into scout.pending_persons (source_table, source_pk)
            select source.noted_as, c.source_pk
            from (select g.source_pk from gone as g union select n.source_pk from new as n) as c;
            get diagnostics step = row_count;
            changed := changed + step;
        exception when undefined_column then
            -- a source without its id is told of elsewhere
            null;
        end;
    end loop;
    return changed;
end
$$;
comment on function scout.find_repeated_ids() is
'Looks through every source that may repeat an id for those that it does repeat; how many are new or gone. For where triggers did not see to it.';

create or replace function scout.reading() returns text
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when s.mode = 'LIVE' then 'LIVE'
        -- the job and verify want the truth, whatever it costs
        when s.mode = 'REBUILT' or exists (select from scout.rebuild_requests)
            then case when current_setting('scout.exact', true) = 'on' then 'LIVE' else 'SETTLED' end
        when coalesce(current_setting('scout.exact', true), '') <> 'on' and (
            select count(*) > scout.pending_limit()
            from (select from scout.pending_persons limit scout.pending_limit() + 1) as p
        ) then 'SETTLED'
        else 'EXACT'
    end
    from scout.state as s;
end
$$;

-- A cabinet lead without a number, or whose number several have, has no alert of its own.
create or replace function scout.alert_conditions_of(
    person_keys uuid[], lead_names text[], source_tables text[], source_pks text[]
) returns table (rule text, subject text, severity text, person_key uuid, text text)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
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
        where (c.cabinet_lead_id::text = any(lead_names) or c.external_id = any(lead_names)) and r.person_key is null
            and c.cabinet_lead_id is not null
            and not exists (
                select from scout.repeated_ids as d
                where d.source_name = 'public.module_ct_cabinet_leads' and d.source_pk = c.cabinet_lead_id::text
            );
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

-- What the tracking triggers call. Each note is made within a block of its own: whatever goes wrong with it, the
-- statement of the owner goes on, and everything is settled anew.

create or replace function scout.note_registry() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
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
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_links() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
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
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_ledger() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
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
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_events() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
        if tg_op = 'INSERT' then
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select scout.read_person_key(n.person_key), 'lead_events', coalesce(scout.read_key(n.id), '') from new_rows as n;
        elsif tg_op = 'DELETE' then
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select scout.read_person_key(o.person_key), 'lead_events', coalesce(scout.read_key(o.id), '') from old_rows as o;
        elsif tg_op = 'TRUNCATE' then
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select scout.read_person_key(e.person_key), 'lead_events', coalesce(scout.read_key(e.id), '') from observational.lead_events as e;
        else
            -- as text: 12 and 12.0 are the same json and not the same scout
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select distinct scout.read_person_key(c.person_key), 'lead_events', coalesce(scout.read_key(c.id), '')
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
        if scout.lacks_unique_id(tg_relid) then
            if tg_op = 'INSERT' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(n.id) from new_rows as n));
            elsif tg_op = 'DELETE' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(o.id) from old_rows as o));
            elsif tg_op = 'UPDATE' then
                perform scout.keep_repeated_ids(
                    tg_relid, array(select scout.read_key(n.id) from new_rows as n union select scout.read_key(o.id) from old_rows as o)
                );
            else
                delete from scout.repeated_ids as r where r.source_name = tg_relid::regclass::text;
            end if;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_migrations() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
        -- where a row was, the driver that it had too: where it is, the driver is looked up
        if tg_op = 'INSERT' then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_migrations', coalesce(scout.read_key(n.id), '') from new_rows as n
            union all
            -- a row without a number is looked up by its driver
            select 'drivers', scout.read_key(n.driver_id) from new_rows as n
            where n.id is null and n.driver_id is not null;
        elsif tg_op = 'TRUNCATE' then
            insert into scout.pending_persons (source_table, source_pk)
            select v.source_table, v.source_pk
            from public.module_ct_migrations as m
            cross join lateral (values ('module_ct_migrations', coalesce(scout.read_key(m.id), '')), ('drivers', scout.read_key(m.driver_id))) as v (source_table, source_pk)
            where v.source_pk is not null;
        else
            insert into scout.pending_persons (source_table, source_pk)
            select v.source_table, v.source_pk
            from old_rows as o
            cross join lateral (values ('module_ct_migrations', coalesce(scout.read_key(o.id), '')), ('drivers', scout.read_key(o.driver_id))) as v (source_table, source_pk)
            where v.source_pk is not null;
            if tg_op = 'UPDATE' then
                insert into scout.pending_persons (source_table, source_pk)
                select 'module_ct_migrations', coalesce(scout.read_key(n.id), '') from new_rows as n
                union all
                select 'drivers', scout.read_key(n.driver_id) from new_rows as n
                where n.id is null and n.driver_id is not null;
            end if;
        end if;
        if scout.lacks_unique_id(tg_relid) then
            if tg_op = 'INSERT' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(n.id) from new_rows as n));
            elsif tg_op = 'DELETE' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(o.id) from old_rows as o));
            elsif tg_op = 'UPDATE' then
                perform scout.keep_repeated_ids(
                    tg_relid, array(select scout.read_key(n.id) from new_rows as n union select scout.read_key(o.id) from old_rows as o)
                );
            else
                delete from scout.repeated_ids as r where r.source_name = tg_relid::regclass::text;
            end if;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_scouting() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
        -- where a row was, the older key that it had too: where it is, that key is looked up
        if tg_op = 'INSERT' then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_scouting_daily', coalesce(scout.read_key(n.id), '') from new_rows as n
            union all
            -- a row without a number is looked up by its older key
            select 'module_ct_scouting_daily', scout.scouting_md5_key(scout.read_key(n.scout_id), scout.read_key(n.driver_phone), scout.read_key(n.driver_license), scout.read_day(n.registration_date))
            from new_rows as n
            where n.id is null;
        elsif tg_op = 'TRUNCATE' then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_scouting_daily', v.source_pk
            from public.module_ct_scouting_daily as s
            cross join lateral (
                values
                (coalesce(scout.read_key(s.id), '')),
                (scout.scouting_md5_key(scout.read_key(s.scout_id), scout.read_key(s.driver_phone), scout.read_key(s.driver_license), scout.read_day(s.registration_date)))
            ) as v (source_pk);
            insert into scout.touched_keys default values;
        else
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_scouting_daily', v.source_pk
            from old_rows as o
            cross join lateral (
                values
                (coalesce(scout.read_key(o.id), '')),
                (scout.scouting_md5_key(scout.read_key(o.scout_id), scout.read_key(o.driver_phone), scout.read_key(o.driver_license), scout.read_day(o.registration_date)))
            ) as v (source_pk);
            insert into scout.touched_keys (license_key, phone_key)
            select scout.license_key(o.driver_license), scout.phone_key(o.driver_phone) from old_rows as o
            where coalesce(scout.license_key(o.driver_license), scout.phone_key(o.driver_phone)) is not null;
            if tg_op = 'UPDATE' then
                insert into scout.pending_persons (source_table, source_pk)
                select 'module_ct_scouting_daily', coalesce(scout.read_key(n.id), '') from new_rows as n
                union all
                select 'module_ct_scouting_daily', scout.scouting_md5_key(scout.read_key(n.scout_id), scout.read_key(n.driver_phone), scout.read_key(n.driver_license), scout.read_day(n.registration_date))
                from new_rows as n
                where n.id is null;
            end if;
        end if;
        if scout.lacks_unique_id(tg_relid) then
            if tg_op = 'INSERT' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(n.id) from new_rows as n));
            elsif tg_op = 'DELETE' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(o.id) from old_rows as o));
            elsif tg_op = 'UPDATE' then
                perform scout.keep_repeated_ids(
                    tg_relid, array(select scout.read_key(n.id) from new_rows as n union select scout.read_key(o.id) from old_rows as o)
                );
            else
                delete from scout.repeated_ids as r where r.source_name = tg_relid::regclass::text;
            end if;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_payments() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
        if tg_op = 'INSERT' then
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select scout.read_person_key(n.person_key), 'module_ct_cabinet_payments', coalesce(scout.read_key(n.id), '') from new_rows as n
            union all
            select null, 'drivers', scout.read_key(n.driver_id) from new_rows as n
            where scout.read_person_key(n.person_key) is null and n.driver_id is not null;
        elsif tg_op = 'TRUNCATE' then
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select scout.read_person_key(p.person_key), 'module_ct_cabinet_payments', coalesce(scout.read_key(p.id), '') from public.module_ct_cabinet_payments as p
            union all
            select null, 'drivers', scout.read_key(p.driver_id) from public.module_ct_cabinet_payments as p
            where scout.read_person_key(p.person_key) is null and p.driver_id is not null;
        else
            insert into scout.pending_persons (person_key, source_table, source_pk)
            select scout.read_person_key(o.person_key), 'module_ct_cabinet_payments', coalesce(scout.read_key(o.id), '') from old_rows as o
            union all
            select null, 'drivers', scout.read_key(o.driver_id) from old_rows as o
            where scout.read_person_key(o.person_key) is null and o.driver_id is not null;
            if tg_op = 'UPDATE' then
                insert into scout.pending_persons (person_key, source_table, source_pk)
                select scout.read_person_key(n.person_key), 'module_ct_cabinet_payments', coalesce(scout.read_key(n.id), '') from new_rows as n
                union all
                select null, 'drivers', scout.read_key(n.driver_id) from new_rows as n
                where scout.read_person_key(n.person_key) is null and n.driver_id is not null;
            end if;
        end if;
        if scout.lacks_unique_id(tg_relid) then
            if tg_op = 'INSERT' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(n.id) from new_rows as n));
            elsif tg_op = 'DELETE' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(o.id) from old_rows as o));
            elsif tg_op = 'UPDATE' then
                perform scout.keep_repeated_ids(
                    tg_relid, array(select scout.read_key(n.id) from new_rows as n union select scout.read_key(o.id) from old_rows as o)
                );
            else
                delete from scout.repeated_ids as r where r.source_name = tg_relid::regclass::text;
            end if;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_drivers() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
        -- the driver leads to the person who was known under what it had
        if tg_op = 'TRUNCATE' then
            insert into scout.touched_keys default values;
        elsif tg_op = 'INSERT' then
            insert into scout.touched_keys (license_key, phone_key)
            select scout.license_key(n.license_norm), scout.phone_key(n.phone_norm) from new_rows as n
            where coalesce(scout.license_key(n.license_norm), scout.phone_key(n.phone_norm)) is not null;
            insert into scout.pending_persons (source_table, source_pk)
            select 'drivers_index', scout.read_key(n.driver_id) from new_rows as n;
        elsif tg_op = 'DELETE' then
            insert into scout.touched_keys (license_key, phone_key)
            select scout.license_key(o.license_norm), scout.phone_key(o.phone_norm) from old_rows as o
            where coalesce(scout.license_key(o.license_norm), scout.phone_key(o.phone_norm)) is not null;
            insert into scout.pending_persons (source_table, source_pk)
            select 'drivers_index', scout.read_key(o.driver_id) from old_rows as o;
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
                select distinct 'drivers_index', scout.read_key(c.driver_id) from changed as c
                returning 1
            )
            insert into scout.touched_keys (license_key, phone_key)
            select scout.license_key(c.license_norm), scout.phone_key(c.phone_norm) from changed as c
            where coalesce(scout.license_key(c.license_norm), scout.phone_key(c.phone_norm)) is not null;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_unmatched() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
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
        -- whoever sets a row aside means what it says now; one that is put back as it went is of what it was of
        if tg_op = 'INSERT' then
            insert into scout.ignored_rows (source_table, source_pk, content)
            select n.source_table, n.source_pk, min(s.content::text)::uuid
            from new_rows as n
            inner join scout.src_scouting_daily as s on s.source_pk = n.source_pk
            where n.source_table = 'module_ct_scouting_daily' and n.status = 'IGNORED'
            group by n.source_table, n.source_pk
            on conflict (source_table, source_pk) do nothing;
        elsif tg_op = 'UPDATE' then
            insert into scout.ignored_rows (source_table, source_pk, content)
            select n.source_table, n.source_pk, min(s.content::text)::uuid
            from new_rows as n
            inner join scout.src_scouting_daily as s on s.source_pk = n.source_pk
            where n.source_table = 'module_ct_scouting_daily' and n.status = 'IGNORED'
                and not exists (
                    select from old_rows as o
                    where o.source_table = n.source_table and o.source_pk = n.source_pk and o.status = 'IGNORED'
                )
            group by n.source_table, n.source_pk
            on conflict (source_table, source_pk) do update
                set content = excluded.content;
        end if;
        if tg_op in ('INSERT', 'UPDATE') then
            insert into scout.pending_persons (source_table, source_pk)
            select n.source_table, n.source_pk from new_rows as n;
        end if;
        if tg_op in ('UPDATE', 'DELETE') then
            insert into scout.pending_persons (source_table, source_pk)
            select o.source_table, o.source_pk from old_rows as o;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_scouts_list() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        -- which scouts are known concerns every source row that names one; a row of its own for each transaction, as
        -- two that write the same key wait for each other
        insert into scout.rows_to_check (source_table, source_pk) values ('*', pg_current_xact_id()::text)
        on conflict (source_table, source_pk) do nothing;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;

create or replace function scout.note_cabinet_leads() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    begin
        if tg_op = 'INSERT' then
            perform scout.note_row_change(tg_relid, n.row_count, n.row_count) from (select count(*) as row_count from new_rows) as n;
        elsif tg_op = 'DELETE' then
            perform scout.note_row_change(tg_relid, -n.row_count, n.row_count) from (select count(*) as row_count from old_rows) as n;
        elsif tg_op = 'UPDATE' then
            perform scout.note_row_change(tg_relid, 0, n.row_count) from (select count(*) as row_count from new_rows) as n;
        else
            perform scout.note_row_change(tg_relid, -scout.count_rows(tg_relid), 0);
        end if;
        if tg_op in ('INSERT', 'UPDATE') then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_cabinet_leads', coalesce(scout.read_row_number(n.id)::text, '') from new_rows as n;
        end if;
        if tg_op in ('UPDATE', 'DELETE') then
            insert into scout.pending_persons (source_table, source_pk)
            select 'module_ct_cabinet_leads', coalesce(scout.read_row_number(o.id)::text, '') from old_rows as o;
        end if;
        if scout.lacks_unique_id(tg_relid) then
            if tg_op = 'INSERT' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(n.id) from new_rows as n));
            elsif tg_op = 'DELETE' then
                perform scout.keep_repeated_ids(tg_relid, array(select scout.read_key(o.id) from old_rows as o));
            elsif tg_op = 'UPDATE' then
                perform scout.keep_repeated_ids(
                    tg_relid, array(select scout.read_key(n.id) from new_rows as n union select scout.read_key(o.id) from old_rows as o)
                );
            else
                delete from scout.repeated_ids as r where r.source_name = tg_relid::regclass::text;
            end if;
        end if;
    exception when others then
        perform scout.note_trouble(tg_relid, sqlstate, sqlerrm);
    end;
    return null;
end
$$;
