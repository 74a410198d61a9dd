-- One row per cabinet lead. The table names no scout.
-- source: public.module_ct_cabinet_leads
-- name: present
create or replace view scout.src_cabinet_leads as
select
    c.id::bigint as cabinet_lead_id,
    c.external_id::text as external_id,
    case
        when c.lead_created_at is not null and scout.source_timestamp(c.lead_created_at) is null then c.lead_created_at::text
    end as raw_bad_date,
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
