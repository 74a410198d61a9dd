-- One row per source row that may name a scout, with the person it leads to (null = nobody). Each arm has
-- a plain person_key, so that a filter on it reaches an index; a link of the row and the link that stands
-- in for it are arms of their own. origin_table = where
-- an event says that it comes from; row_id = source_pk of an event, as its index has it. Of an erased person neither
-- licence nor phone, whatever the source holds. A link names a row by its id: where several rows have it, what they say
-- is unreadable. content = what the row says without the numbers that a reload gives anew.
create or replace view scout.v_facts as
select
    l.person_key,
    1 as priority,
    case when l.attributed_scout_id >= 1 then l.attributed_scout_id end as scout_a,
    null::integer as scout_b,
    false as is_unreadable,
    l.attributed_scout_id as ledger_scout_id,
    null::text as origin_table,
    'observational.lead_ledger' as source_table,
    l.person_key::text as source_pk,
    null::integer as row_id,
    null::text as driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    null::text as origin_tag,
    null::text as acquisition_method,
    null::text as content,
    scout.sane_date(scout.lima_date(scout.source_timestamp(l.updated_at))) as attribution_date,
    scout.source_timestamp(l.updated_at) as created_at
from observational.lead_ledger as l
union all
select
    e.person_key,
    2 as priority,
    e.column_scout_id as scout_a,
    nullif(e.payload_scout_id, e.column_scout_id) as scout_b,
    e.is_unreadable,
    null::integer as ledger_scout_id,
    e.origin_table,
    'observational.lead_events' as source_table,
    e.source_pk,
    e.event_id as row_id,
    null::text as driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    e.origin_tag,
    null::text as acquisition_method,
    coalesce(e.origin_table, '') || '|' || coalesce(e.origin_pk, '') || '|' || coalesce(e.event_on::text, '') as content,
    e.event_on as attribution_date,
    e.created_at
from scout.src_lead_events as e
union all
select
    l.person_key,
    3 as priority,
    case when not m.is_repeated then m.scout_id end as scout_a,
    null::integer as scout_b,
    m.is_unreadable or m.is_repeated as is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_migrations' as source_table,
    m.source_pk,
    null::integer as row_id,
    m.driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    'migration' as origin_tag,
    null::text as acquisition_method,
    coalesce(m.driver_id, '') || '|' || coalesce(m.hired_on::text, '') as content,
    m.hired_on as attribution_date,
    m.created_at
from scout.src_migrations as m
inner join canon.identity_links as l
    on l.source_table = 'module_ct_migrations' and l.source_pk = m.source_pk
union all
select
    l.person_key,
    3 as priority,
    m.scout_id as scout_a,
    null::integer as scout_b,
    m.is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_migrations' as source_table,
    m.source_pk,
    null::integer as row_id,
    m.driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    'migration' as origin_tag,
    null::text as acquisition_method,
    coalesce(m.driver_id, '') || '|' || coalesce(m.hired_on::text, '') as content,
    m.hired_on as attribution_date,
    m.created_at
from scout.src_migrations as m
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = m.driver_id
where not exists (
    select from canon.identity_links as i
    where i.source_table = 'module_ct_migrations' and i.source_pk = m.source_pk
)
union all
select
    null::uuid as person_key,
    3 as priority,
    m.scout_id as scout_a,
    null::integer as scout_b,
    m.is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_migrations' as source_table,
    m.source_pk,
    null::integer as row_id,
    m.driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    'migration' as origin_tag,
    null::text as acquisition_method,
    coalesce(m.driver_id, '') || '|' || coalesce(m.hired_on::text, '') as content,
    m.hired_on as attribution_date,
    m.created_at
from scout.src_migrations as m
where not exists (
    select from canon.identity_links as i
    where i.source_table = 'module_ct_migrations' and i.source_pk = m.source_pk
)
and not exists (
    select from canon.identity_links as d
    where d.source_table = 'drivers' and d.source_pk = m.driver_id
)
union all
select
    l.person_key,
    4 as priority,
    case when not s.is_repeated then s.scout_id end as scout_a,
    null::integer as scout_b,
    s.is_unreadable or s.is_repeated as is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_scouting_daily' as source_table,
    s.source_pk,
    null::integer as row_id,
    null::text as driver_id,
    case when l.person_key not in (select x.person_key from scout.erased_persons as x) then s.driver_license end as driver_license,
    case when l.person_key not in (select x.person_key from scout.erased_persons as x) then s.driver_phone end as driver_phone,
    'scout_registration' as origin_tag,
    s.acquisition_method,
    coalesce(s.license_key, s.driver_license, '') || '|' || coalesce(s.phone_key, s.driver_phone, '') || '|'
    || coalesce(s.registered_on::text, '') as content,
    s.registered_on as attribution_date,
    s.created_at
from scout.src_scouting_daily as s
inner join scout.v_row_links as l
    on l.source_table = 'module_ct_scouting_daily'
    and l.source_pk = s.source_pk
    and scout.is_same_content(l.content, s.content)
union all
select
    s.person_key,
    4 as priority,
    case when not s.is_repeated then s.scout_id end as scout_a,
    null::integer as scout_b,
    s.is_unreadable or s.is_repeated as is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_scouting_daily' as source_table,
    s.source_pk,
    null::integer as row_id,
    null::text as driver_id,
    case when s.person_key not in (select x.person_key from scout.erased_persons as x) then s.driver_license end as driver_license,
    case when s.person_key not in (select x.person_key from scout.erased_persons as x) then s.driver_phone end as driver_phone,
    'scout_registration' as origin_tag,
    s.acquisition_method,
    coalesce(s.license_key, s.driver_license, '') || '|' || coalesce(s.phone_key, s.driver_phone, '') || '|'
    || coalesce(s.registered_on::text, '') as content,
    s.registered_on as attribution_date,
    s.created_at
from scout.v_scouting_older_links as s
union all
select
    null::uuid as person_key,
    4 as priority,
    s.scout_id as scout_a,
    null::integer as scout_b,
    s.is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_scouting_daily' as source_table,
    s.source_pk,
    null::integer as row_id,
    null::text as driver_id,
    s.driver_license,
    s.driver_phone,
    'scout_registration' as origin_tag,
    s.acquisition_method,
    coalesce(s.license_key, s.driver_license, '') || '|' || coalesce(s.phone_key, s.driver_phone, '') || '|'
    || coalesce(s.registered_on::text, '') as content,
    s.registered_on as attribution_date,
    s.created_at
from scout.src_scouting_daily as s
where not exists (
    select from scout.v_row_links as i
    where i.source_table = 'module_ct_scouting_daily'
        and i.source_pk = s.source_pk
        and scout.is_same_content(i.content, s.content)
)
and not exists (
    select from scout.v_scouting_older_links as k
    where k.md5_key = s.md5_key and k.row_id is not distinct from s.row_id
)
union all
select
    p.person_key,
    5 as priority,
    p.scout_id as scout_a,
    null::integer as scout_b,
    p.is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_cabinet_payments' as source_table,
    p.source_pk,
    null::integer as row_id,
    p.driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    'cabinet_payment' as origin_tag,
    null::text as acquisition_method,
    coalesce(p.driver_id, p.person_key::text, '') || '|' || coalesce(p.paid_on::text, '') as content,
    p.paid_on as attribution_date,
    p.created_at
from scout.src_cabinet_payments as p
where exists (select from canon.identity_registry as r where r.person_key = p.person_key)
union all
select
    l.person_key,
    5 as priority,
    p.scout_id as scout_a,
    null::integer as scout_b,
    p.is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_cabinet_payments' as source_table,
    p.source_pk,
    null::integer as row_id,
    p.driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    'cabinet_payment' as origin_tag,
    null::text as acquisition_method,
    coalesce(p.driver_id, p.person_key::text, '') || '|' || coalesce(p.paid_on::text, '') as content,
    p.paid_on as attribution_date,
    p.created_at
from scout.src_cabinet_payments as p
inner join canon.identity_links as l
    on l.source_table = 'drivers' and l.source_pk = p.driver_id
where p.person_key is null
union all
select
    null::uuid as person_key,
    5 as priority,
    p.scout_id as scout_a,
    null::integer as scout_b,
    p.is_unreadable,
    null::integer as ledger_scout_id,
    null::text as origin_table,
    'public.module_ct_cabinet_payments' as source_table,
    p.source_pk,
    null::integer as row_id,
    p.driver_id,
    null::text as driver_license,
    null::text as driver_phone,
    'cabinet_payment' as origin_tag,
    null::text as acquisition_method,
    coalesce(p.driver_id, p.person_key::text, '') || '|' || coalesce(p.paid_on::text, '') as content,
    p.paid_on as attribution_date,
    p.created_at
from scout.src_cabinet_payments as p
where (p.person_key is null or not exists (select from canon.identity_registry as r where r.person_key = p.person_key))
    and (p.person_key is not null or not exists (
        select from canon.identity_links as d
        where d.source_table = 'drivers' and d.source_pk = p.driver_id
    ));
