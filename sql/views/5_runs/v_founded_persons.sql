-- One row per person that a run founded: still there, changed since, and whether anything refers to it but the
-- links and the ledger row that undoing the run takes away.
create or replace view scout.v_founded_persons as
select
    w.run_id,
    w.person_key,
    r.person_key is not null as is_there,
    coalesce(r.updated_at <> r.created_at or coalesce(r.flags ->> 'run_id', '') <> w.run_id::text, false) as is_changed,
    exists (
        select from canon.identity_links as k
        where k.person_key = w.person_key and k.run_id is distinct from w.run_id
    )
    or exists (select from scout.src_lead_events as e where e.person_key = w.person_key)
    or exists (
        select from observational.lead_ledger as l
        where l.person_key = w.person_key
            and not exists (
                select from scout.v_undo_persons as p
                inner join ops.lead_ledger_scout_backfill_audit as a on a.id = p.audit_id
                where p.person_key = w.person_key and p.run_id = w.run_id and p.outcome = 'UNDO' and a.is_new_row
            )
    )
    or exists (
        select from scout.decisions as d
        where d.person_key = w.person_key
    )
    or exists (
        select from scout.src_cabinet_payments as c
        where c.person_key = w.person_key
    )
    or exists (
        select from scout.src_liquidation_ledger as s
        where s.person_key = w.person_key
    ) as is_referred
from (
    select
        a.ingestion_run_id as run_id,
        a.person_key
    from ops.identity_links_backfill_audit as a
    inner join scout.runs as u on u.run_id = a.ingestion_run_id
    where a.action_type = 'CREATED' and a.match_method in ('BACKFILL_NEW_PERSON', 'REVIEW_NEW_PERSON')
) as w
left join canon.identity_registry as r
    on r.person_key = w.person_key;
