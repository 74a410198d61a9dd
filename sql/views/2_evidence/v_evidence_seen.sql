-- One row per registered person: a fingerprint of what somebody who decides has on screen (every piece of
-- evidence, what cannot be read, the ledger's scout, the newest decision). It changes when any of these does.
create or replace view scout.v_evidence_seen as
select
    r.person_key,
    md5(concat_ws(
        '/',
        coalesce(e.pieces, ''),
        (
            select max(d.decision_id) from scout.decisions as d
            where d.person_key = r.person_key
        )
    )) as seen
from canon.identity_registry as r
cross join lateral (
    select
        string_agg(
            concat_ws('|', f.priority, f.source_table, f.source_pk, f.scout_a, f.scout_b, f.is_unreadable, f.attribution_date), ','
            order by
                f.priority,
                f.source_table,
                f.source_pk,
                f.scout_a,
                f.scout_b
        ) as pieces
    from scout.v_facts as f
    where f.person_key = r.person_key
        and (f.scout_a is not null or f.scout_b is not null or f.is_unreadable)
        -- when the ledger was touched says nothing; who is in it does
        and (f.priority > 1 or f.ledger_scout_id is not null)
) as e;
comment on column scout.v_evidence_seen.seen is 'Given back with a decision: it is refused when the evidence is another one by then.';
