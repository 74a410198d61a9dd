-- Functions that work by names that nobody else can take.

-- Temporary relations and types of whoever calls come last and not first; init sees to it from now on.
do $$
declare
    open_routine regprocedure;
begin
    for open_routine in
        select p.oid
        from pg_catalog.pg_proc as p
        where p.pronamespace = 'scout'::regnamespace
            and exists (select from unnest(p.proconfig) as c (setting) where c.setting like 'search\_path=%')
    loop
        execute format('alter routine %s set search_path = pg_catalog, pg_temp', open_routine);
    end loop;
end
$$;

-- Who reads a view of the contract has no right on what it stands on: what the view evaluates for them reads with the
-- rights of the owner. None of these changes anything.
alter function scout.reading() security definer;
alter function scout.pending_keys() security definer;
alter function scout.attribution_of(uuid[]) security definer;
alter function scout.all_attribution() security definer;

-- Functions that call others of ours are bound to them when they are made, not by name when somebody calls; the
-- planner still puts them into the query that calls them.

create or replace function scout.parse_scout_id(raw smallint) returns integer
language sql immutable parallel safe
return scout.parse_scout_id(raw::integer);

create or replace function scout.parse_scout_id(raw numeric) returns integer
language sql immutable parallel safe
return scout.parse_scout_id(raw::text);

create or replace function scout.is_unreadable_scout(raw text) returns boolean
language sql immutable parallel safe
return coalesce(btrim(raw, E' \t\r\n') <> '' and scout.parse_scout_id(raw) is null, false);

create or replace function scout.is_unreadable_scout(raw smallint) returns boolean
language sql immutable parallel safe
return scout.is_unreadable_scout(raw::integer);

create or replace function scout.is_unreadable_scout(raw numeric) returns boolean
language sql immutable parallel safe
return scout.is_unreadable_scout(raw::text);

create or replace function scout.source_timestamp(moment timestamp) returns timestamptz
language sql immutable parallel safe
return case
    when moment >= timestamp '1900-01-01' and moment < timestamp '2200-01-01'
        then moment at time zone scout.source_timezone()
end;

create or replace function scout.source_timestamp(moment timestamptz) returns timestamptz
language sql immutable parallel safe
return scout.sane_timestamp(moment);

create or replace function scout.source_timestamp(day date) returns timestamptz
language sql immutable parallel safe
return scout.sane_date(day)::timestamp at time zone scout.source_timezone();

create or replace function scout.days_of(
    registered_at timestamptz, ledger_scout_id integer, ledger_updated_at timestamptz, scouting_days date[], cabinet_days date[]
) returns table (on_date date, kind text)
language sql stable rows 2
-- each column with its name and type, so that a dump gives back the same text
begin atomic
    select coalesce(scout.lima_date(registered_at), '-infinity'::date) as on_date, 'registered'::text as kind
    union all
    select coalesce(scout.lima_date(ledger_updated_at), '-infinity'::date) as on_date, 'attributed'::text as kind
    where ledger_scout_id is not null
    union all
    select unnest(scouting_days) as on_date, 'scouting_daily'::text as kind
    where scouting_days <> '{}'::date[]
    union all
    select unnest(cabinet_days) as on_date, 'cabinet_leads'::text as kind
    where cabinet_days <> '{}'::date[];
end;
