-- One row per person and piece of evidence of priority 2 to 5 with its age: the oldest created_at of rows that say the
-- same, now or when we saw it before. A row without a created_at is as old as our first look; nobody has looked = now.
create or replace view scout.v_evidence_age as
select
    f.person_key,
    s.scout_id,
    scout.piece_of(f.person_key, f.source_table, f.content, s.scout_id) as piece,
    f.created_at,
    n.seen_at,
    case when f.created_at is null then coalesce(n.seen_at, now()) else least(f.created_at, n.seen_at) end as since
from scout.v_facts as f
cross join lateral (values (f.scout_a), (f.scout_b)) as s (scout_id)
left join scout.evidence_seen as n
    on n.piece = scout.piece_of(f.person_key, f.source_table, f.content, s.scout_id)
where f.person_key is not null and f.priority >= 2 and s.scout_id is not null;
