-- Audit rows hold of evidence only the keys that runs of ours write, and a hash of what they leave out (I23)
with since as (
    -- rows from before hold it whole, and nobody can change them
    select f.applied_at from scout.schema_files as f
    where f.version = 20
)

select
    a.id as audit_id,
    a.person_key,
    a.backfill_method
from ops.lead_ledger_scout_backfill_audit as a
cross join lateral (values (a.evidence_json_old), (a.evidence_json_new)) as v (evidence)
where a.backfill_timestamp > (select s.applied_at from since as s)
    and not scout.is_audit_evidence(
        case jsonb_typeof(v.evidence) when 'object' then v.evidence - 'left_out_sha256' else v.evidence end
    );
