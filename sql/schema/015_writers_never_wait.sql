-- Who changes the list of scouts waits for nobody who does the same, nor for a run that looks at it.

create or replace function scout.note_scouts_list() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- which scouts are known concerns every source row that names one; a row of its own for each transaction, as
    -- two that write the same key wait for each other
    insert into scout.rows_to_check (source_table, source_pk) values ('*', pg_current_xact_id()::text)
    on conflict (source_table, source_pk) do nothing;
    return null;
end
$$;
comment on table scout.rows_to_check is
'One row per source row that changed since a run looked for bad values; source_table * = every row of every source.';
