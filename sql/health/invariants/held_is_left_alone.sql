-- No run wrote a person or linked a source row while it was held (I15)
select
    h.hold_id,
    coalesce(h.person_key::text, h.source_pk) as subject,
    a.run_id
from scout.holds as h
inner join (
    select
        l.person_key,
        null as source_table,
        null as source_pk,
        l.ingestion_run_id as run_id,
        l.backfill_timestamp as written_at
    from ops.lead_ledger_scout_backfill_audit as l
    where l.backfill_method = 'BACKFILL_SINGLE_SCOUT_FROM_EVENTS'
    union all
    select
        null as person_key,
        k.source_table,
        k.source_pk,
        k.ingestion_run_id as run_id,
        k.backfill_timestamp as written_at
    from ops.identity_links_backfill_audit as k
    where k.action_type = 'CREATED' and k.match_method like 'BACKFILL%'
) as a
    on (a.person_key = h.person_key or (a.source_table = h.source_table and a.source_pk = h.source_pk))
    and a.written_at > h.held_at
    and a.written_at < coalesce(h.released_at, 'infinity')
inner join scout.runs as r on r.run_id = a.run_id and r.requested_at > h.held_at;
