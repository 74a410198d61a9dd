-- One row per bad value of a source row, by rule. raw_value is what stands there, not yet masked; row_id is
-- source_pk of an event or link, as its index has it.
create or replace view scout.v_source_issues as
with unreadable_scouts as (
    select
        'observational.lead_events' as source_table,
        e.source_pk,
        e.event_id as row_id,
        e.person_key,
        v.raw_value
    from scout.src_lead_events as e
    cross join lateral (values (e.raw_column_scout_id), (e.raw_payload_scout_id)) as v (raw_value)
    where e.is_unreadable and scout.is_unreadable_scout(v.raw_value)
    union all
    select
        'public.module_ct_migrations' as source_table,
        m.source_pk,
        null as row_id,
        null as person_key,
        m.raw_scout_id as raw_value
    from scout.src_migrations as m
    where m.is_unreadable
    union all
    select
        'public.module_ct_scouting_daily' as source_table,
        s.source_pk,
        null as row_id,
        null as person_key,
        s.raw_scout_id as raw_value
    from scout.src_scouting_daily as s
    where s.is_unreadable
    union all
    select
        'public.module_ct_cabinet_payments' as source_table,
        p.source_pk,
        null as row_id,
        p.person_key,
        p.raw_scout_id as raw_value
    from scout.src_cabinet_payments as p
    where p.is_unreadable
    union all
    select
        'public.module_ct_scouts_list' as source_table,
        l.source_pk,
        null as row_id,
        null as person_key,
        l.source_pk as raw_value
    from scout.src_scouts_list as l
    where l.is_unreadable
    union all
    select
        'observational.lead_ledger' as source_table,
        l.person_key::text as source_pk,
        null as row_id,
        l.person_key,
        l.attributed_scout_id::text as raw_value
    from observational.lead_ledger as l
    where scout.is_unreadable_scout(l.attributed_scout_id)
),

bad_dates as (
    select
        'observational.lead_events' as source_table,
        e.source_pk,
        e.event_id as row_id,
        e.person_key,
        e.raw_bad_date as raw_value
    from scout.src_lead_events as e
    union all
    select
        'observational.lead_ledger' as source_table,
        l.person_key::text as source_pk,
        null as row_id,
        l.person_key,
        case when scout.source_timestamp(l.updated_at) is null then l.updated_at::text end as raw_value
    from observational.lead_ledger as l
    union all
    select
        'canon.identity_registry' as source_table,
        r.person_key::text as source_pk,
        null as row_id,
        r.person_key,
        case when scout.source_timestamp(r.created_at) is null then r.created_at::text end as raw_value
    from canon.identity_registry as r
    union all
    select
        'canon.identity_links' as source_table,
        k.id::text as source_pk,
        k.id as row_id,
        k.person_key,
        case when scout.source_timestamp(k.linked_at) is null then k.linked_at::text end as raw_value
    from canon.identity_links as k
    union all
    select
        'public.module_ct_migrations' as source_table,
        m.source_pk,
        null as row_id,
        null as person_key,
        m.raw_bad_date as raw_value
    from scout.src_migrations as m
    union all
    select
        'public.module_ct_scouting_daily' as source_table,
        s.source_pk,
        null as row_id,
        null as person_key,
        s.raw_bad_date as raw_value
    from scout.src_scouting_daily as s
    union all
    select
        'public.module_ct_cabinet_payments' as source_table,
        p.source_pk,
        null as row_id,
        p.person_key,
        p.raw_bad_date as raw_value
    from scout.src_cabinet_payments as p
    union all
    select
        'public.module_ct_cabinet_leads' as source_table,
        c.cabinet_lead_id::text as source_pk,
        null as row_id,
        null as person_key,
        c.raw_bad_date as raw_value
    from scout.src_cabinet_leads as c
    union all
    select
        'public.module_ct_scouts_list' as source_table,
        coalesce(l.source_pk, '') as source_pk,
        null as row_id,
        null as person_key,
        l.raw_bad_date as raw_value
    from scout.src_scouts_list as l
    union all
    select
        'ops.scout_liquidation_ledger' as source_table,
        coalesce(p.person_key::text, '') as source_pk,
        null as row_id,
        p.person_key,
        p.raw_bad_date as raw_value
    from scout.src_liquidation_ledger as p
)

select
    'UNREADABLE_SCOUT' as rule,
    u.source_table,
    u.source_pk,
    u.row_id,
    u.person_key,
    u.raw_value
from unreadable_scouts as u
union all
select
    'UNKNOWN_SCOUT' as rule,
    f.source_table,
    f.source_pk,
    f.row_id,
    f.person_key,
    n.scout_id::text as raw_value
from scout.v_facts as f
cross join lateral (values (f.scout_a), (f.scout_b)) as n (scout_id)
cross join lateral scout.unlisted(n.scout_id) as u
where f.priority >= 2 and u.is_unlisted
union all
select
    e.payload_issue as rule,
    'observational.lead_events' as source_table,
    e.source_pk,
    e.event_id as row_id,
    e.person_key,
    case when e.payload_issue = 'PAYLOAD_TOO_LARGE' then 'more than 64 kB' else e.payload_issue end as raw_value
from scout.src_lead_events as e
where e.payload_issue is not null
union all
select
    'DATE_OUT_OF_RANGE' as rule,
    d.source_table,
    d.source_pk,
    d.row_id,
    d.person_key,
    d.raw_value
from bad_dates as d
where d.raw_value is not null
union all
select
    'ROW_WITHOUT_ID' as rule,
    'observational.lead_events' as source_table,
    '' as source_pk,
    null as row_id,
    null as person_key,
    'no id' as raw_value
from scout.src_lead_events as e
where e.event_id is null
union all
select
    'ROW_WITHOUT_ID' as rule,
    'public.module_ct_migrations' as source_table,
    '' as source_pk,
    null as row_id,
    null as person_key,
    'no id' as raw_value
from scout.src_migrations as e
where e.source_pk is null
union all
select
    'ROW_WITHOUT_ID' as rule,
    'public.module_ct_scouting_daily' as source_table,
    '' as source_pk,
    null as row_id,
    null as person_key,
    'no id' as raw_value
from scout.src_scouting_daily as e
where e.source_pk is null
union all
select
    'ROW_WITHOUT_ID' as rule,
    'public.module_ct_cabinet_payments' as source_table,
    '' as source_pk,
    null as row_id,
    null as person_key,
    'no id' as raw_value
from scout.src_cabinet_payments as e
where e.source_pk is null
union all
select
    'ROW_WITHOUT_ID' as rule,
    'public.module_ct_cabinet_leads' as source_table,
    '' as source_pk,
    null as row_id,
    null as person_key,
    'no id' as raw_value
from scout.src_cabinet_leads as e
where e.cabinet_lead_id is null
union all
select
    'ROW_WITHOUT_ID' as rule,
    'public.module_ct_scouting_daily' as source_table,
    e.source_pk,
    null as row_id,
    null as person_key,
    e.source_pk as raw_value
from scout.src_scouting_daily as e
where e.row_id is null and e.source_pk is not null
union all
select
    'REPEATED_ID' as rule,
    r.source_name as source_table,
    r.source_pk,
    case when r.source_name = 'observational.lead_events' then scout.read_event_number(r.source_pk) end as row_id,
    null as person_key,
    r.source_pk as raw_value
from scout.repeated_ids as r;
comment on column scout.v_source_issues.rule is
'UNREADABLE_SCOUT, UNKNOWN_SCOUT, PAYLOAD_SHAPE, PAYLOAD_TOO_LARGE, SIMILAR_KEY, DATE_OUT_OF_RANGE, ROW_WITHOUT_ID or REPEATED_ID.';
