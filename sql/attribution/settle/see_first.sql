-- Evidence that is there without a created_at when we begin to look is older than everything. A range of persons.
-- What an older version settled of the ledger is kept too: settling writes down persons who change, and no others.
with seen as (
    insert into scout.evidence_seen as t (piece, seen_at)
    select distinct
        e.piece,
        timestamptz '-infinity'
    from scout.v_evidence_age as e
    where e.created_at is null
        and e.seen_at is null
        and e.piece is not null
        and e.person_key > cast(:after_key as uuid)
        and e.person_key <= cast(:upto_key as uuid)
        and not (select s.is_evidence_seen from scout.state as s)
    on conflict (piece) do nothing
    returning 1
),

seen_ledger as (
    insert into scout.ledger_seen as t (person_key, scout_id, updated_at)
    select
        p.person_key,
        p.ledger_scout_id,
        p.ledger_updated_at
    from scout.person_attribution as p
    where (p.scout_min <> p.ledger_scout_id or p.scout_max <> p.ledger_scout_id)
        and p.ledger_updated_at is not null
        and p.person_key > cast(:after_key as uuid)
        and p.person_key <= cast(:upto_key as uuid)
        and not (select s.is_evidence_seen from scout.state as s)
    on conflict (person_key, scout_id) do nothing
    returning 1
)

select count(*) as piece_count from seen;
