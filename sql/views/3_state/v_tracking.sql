-- The one row: whether every change of the sources is noted: each trigger that init wanted was made, is there and fires,
-- and no source is written past its triggers.
create or replace view scout.v_tracking as
select
    (
        select count(*) = max(f.value::integer)
        from scout.install_facts as f
        inner join scout.installed_objects as i on i.kind = 'trigger' and i.name like 'scout_note_%'
        inner join pg_namespace as n on n.nspname = split_part(i.relation, '.', 1)
        inner join pg_class as c on c.relnamespace = n.oid and c.relname = split_part(i.relation, '.', 2)
        inner join pg_trigger as t on t.tgname = i.name and t.tgrelid = c.oid and t.tgenabled in ('O', 'A')
        where f.name = 'tracking_triggers'
    )
    and not exists (select from scout.v_untracked_sources) as is_tracked;
