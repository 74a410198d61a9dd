-- One row per batch of persons that a run wrote or decided: the last person_key of each, and how many in all.
select
    c.person_key,
    c.person_count
from (
    select
        k.person_key,
        row_number() over (order by k.person_key) as place,
        count(*) over () as person_count
    from (
        select a.person_key
        from ops.lead_ledger_scout_backfill_audit as a
        where a.ingestion_run_id = :target_run_id
        union
        select d.person_key
        from scout.decisions as d
        where d.run_id = :target_run_id
    ) as k
) as c
where c.place % :row_limit = 0 or c.place = c.person_count
order by c.person_key;
