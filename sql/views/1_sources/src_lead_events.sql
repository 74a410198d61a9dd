-- One row per lead event. A payload over 64 kB is not searched and counts as unreadable.
-- source: observational.lead_events
create or replace view scout.src_lead_events as
select
    e.id as event_id,
    e.person_key,
    e.source_table::text as origin_table,
    case when e.scout_id >= 1 then e.scout_id end as column_scout_id,
    case
        when not scout.is_oversized_payload(e.payload_json) then scout.parse_scout_id(e.payload_json ->> 'scout_id')
    end as payload_scout_id,
    coalesce(e.scout_id < 1, false)
    or scout.is_oversized_payload(e.payload_json)
    or scout.is_unreadable_scout(e.payload_json ->> 'scout_id') as is_unreadable,
    case when e.scout_id < 1 then e.scout_id::text end as raw_column_scout_id,
    case when not scout.is_oversized_payload(e.payload_json) then e.payload_json ->> 'scout_id' end as raw_payload_scout_id,
    case
        when e.payload_json is null then null
        when scout.is_oversized_payload(e.payload_json) then 'PAYLOAD_TOO_LARGE'
        when jsonb_typeof(e.payload_json) <> 'object' then 'PAYLOAD_SHAPE'
        when exists (
            select from jsonb_object_keys(e.payload_json) as k (payload_key)
            where k.payload_key <> 'scout_id' and lower(replace(k.payload_key, '_', '')) = 'scoutid'
        ) then 'SIMILAR_KEY'
    end as payload_issue,
    case
        when e.event_date is not null and scout.sane_date(e.event_date) is null then e.event_date::text
        when e.created_at is not null and scout.sane_timestamp(e.created_at) is null then e.created_at::text
    end as raw_bad_date,
    case when not scout.is_oversized_payload(e.payload_json) then e.payload_json ->> 'origin_tag' end as origin_tag,
    scout.sane_date(e.event_date) as event_on,
    scout.sane_timestamp(e.created_at) as created_at
from observational.lead_events as e;
