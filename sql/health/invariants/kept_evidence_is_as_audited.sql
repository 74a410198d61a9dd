-- What an audit row leaves out of the owner's evidence is kept as it was, until the person is erased (I15)
select
    a.id as audit_id,
    a.person_key,
    case when k.audit_id is null then 'it is not kept' else 'what is kept is something else' end as problem
from ops.lead_ledger_scout_backfill_audit as a
left join scout.ledger_evidence_kept as k on k.audit_id = a.id
where a.backfill_timestamp >= (
    select f.value::timestamptz from scout.install_facts as f
    where f.name = 'installed_at'
)
and a.backfill_method <> 'ERASURE'
and (a.evidence_json_old ? 'left_out_sha256' or (k.audit_id is null and a.evidence_json_new ? 'left_out_sha256'))
and not (k.audit_id is not null and scout.is_as_audited(k.evidence, a.evidence_json_old, k.salt))
and not exists (
    select from scout.erased_persons as e
    where e.person_key = a.person_key and e.erased_at >= a.backfill_timestamp
);
