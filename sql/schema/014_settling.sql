-- The same days, at less cost: most persons have no links of scouting or cabinet leads, and recounting
-- everything asks for each of them.

create or replace function scout.days_of(
    registered_at timestamptz, ledger_scout_id integer, ledger_updated_at timestamptz, scouting_days date[], cabinet_days date[]
) returns table (on_date date, kind text)
language sql stable rows 2
as $$
    select coalesce(scout.lima_date(registered_at), '-infinity'), 'registered'
    union all
    select coalesce(scout.lima_date(ledger_updated_at), '-infinity'), 'attributed'
    where ledger_scout_id is not null
    union all
    select unnest(scouting_days), 'scouting_daily'
    where scouting_days <> '{}'
    union all
    select unnest(cabinet_days), 'cabinet_leads'
    where cabinet_days <> '{}'
$$;
