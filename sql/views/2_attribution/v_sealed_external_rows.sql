-- One row per audit row without a run that a seal already covers.
create or replace view scout.v_sealed_external_rows as
select unnest(s.external_audit_ids) as id
from scout.seals as s;
