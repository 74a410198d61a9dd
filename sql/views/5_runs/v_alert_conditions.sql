-- One row per person or source row that somebody has to look at now, and rule: what is compared with the alerts
-- of rows. lead_row and external_id: what a cabinet lead is looked up by; null elsewhere.
create or replace view scout.v_alert_conditions as
select
    'NEW_CONFLICT' as rule,
    p.person_key::text as subject,
    'WARN' as severity,
    p.person_key,
    case p.conflict_kind
        when 'SEVERAL_SCOUTS' then 'The evidence of this person names several scouts, and nobody has decided.'
        when 'CONTRADICTS_LEDGER' then 'The evidence of this person names another scout than the ledger.'
        else 'New evidence names a scout whom the decision about this person did not consider.'
    end as text,
    null::text as source_table,
    null::text as source_pk,
    null::text as lead_row,
    null::text as external_id
from scout.v_persons_now as p
where p.conflict_kind is not null
union all
select
    'IDENTITY_TO_REVIEW' as rule,
    scout.row_subject(u.source_table, u.source_pk) as subject,
    'INFO' as severity,
    null::uuid as person_key,
    'This row could not be linked to a person: ' || left(u.reason_code, 60) || '.' as text,
    u.source_table::text as source_table,
    u.source_pk::text as source_pk,
    null::text as lead_row,
    null::text as external_id
from canon.identity_unmatched as u
where u.status = 'OPEN'
union all
select
    q.rule,
    scout.row_subject(q.source_table, q.source_pk) as subject,
    case when q.rule in ('UNREADABLE_SCOUT', 'UNKNOWN_SCOUT') then 'WARN' else 'INFO' end as severity,
    q.person_key,
    case q.rule
        when 'UNREADABLE_SCOUT' then case
            when q.source_table = 'public.module_ct_scouts_list'
                then 'The number of this entry of the list of scouts cannot be read: the list lacks that scout.'
            else 'The scout of this row cannot be read: its person waits until it is mended.'
        end
        when 'UNKNOWN_SCOUT' then 'This row names a scout whom the list of scouts lacks.'
        when 'PAYLOAD_SHAPE' then 'The payload of this row is no object.'
        when 'PAYLOAD_TOO_LARGE' then 'The payload of this row is too large to be read.'
        when 'SIMILAR_KEY' then 'A key of the payload looks like scout_id and is not.'
        when 'DATE_OUT_OF_RANGE' then 'A date of this row cannot be.'
        when 'ROW_WITHOUT_ID' then 'This source has rows without a number: they cannot be linked.'
        when 'REPEATED_ID' then 'Several rows of this source have this number: none of them is linked, and what they say holds its person.'
        else 'A value of this row cannot be used.'
    end as text,
    q.source_table,
    q.source_pk,
    null::text as lead_row,
    null::text as external_id
from scout.data_quality_issues as q
where q.closed_at is null
union all
select
    'CABINET_LEAD_WITHOUT_SCOUT' as rule,
    'public.module_ct_cabinet_leads/' || c.cabinet_lead_id as subject,
    'INFO' as severity,
    c.person_key,
    scout.lead_text() as text,
    null::text as source_table,
    null::text as source_pk,
    c.cabinet_lead_id::text as lead_row,
    c.external_id
from ops.v_cabinet_leads_missing_scout_alerts as c
where c.cabinet_lead_id is not null
    and not exists (
        select from scout.repeated_ids as r
        where r.source_name = 'public.module_ct_cabinet_leads' and r.source_pk = c.cabinet_lead_id::text
    );
