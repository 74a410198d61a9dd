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
    -- a hold on what a row said is none on another row that has its number
    and (
        h.held_content is null
        or h.held_content = (
            select c.content from scout.linked_rows as c
            where c.source_table = a.source_table and c.source_pk = a.source_pk
        )
    )
    and a.written_at < coalesce(h.released_at, 'infinity')
-- an undo gives back the link that a run had moved, and holds the row
inner join scout.runs as r on r.run_id = a.run_id and r.requested_at > h.held_at and r.kind <> 'undo';
