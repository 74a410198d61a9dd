-- One row per cabinet lead. The table names no scout.
-- source: public.module_ct_cabinet_leads
-- name: present
create or replace view scout.src_cabinet_leads as
select
    scout.read_row_number(c.id) as cabinet_lead_id,
    scout.read_key(c.external_id) as external_id,
    scout.bad_value(c.lead_created_at, scout.source_timestamp(c.lead_created_at) is not null) as raw_bad_date,
    scout.source_timestamp(c.lead_created_at) as lead_created_at
from public.module_ct_cabinet_leads as c;
-- name: absent
create or replace view scout.src_cabinet_leads as
select
    null::bigint as cabinet_lead_id,
    null::text as external_id,
    null::text as raw_bad_date,
    null::timestamptz as lead_created_at
where false;
