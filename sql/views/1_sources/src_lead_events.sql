-- One row per lead event. A payload over 64 kB is not searched and counts as unreadable, as one that is no JSON.
-- source: observational.lead_events
create or replace view scout.src_lead_events as
select
    scout.read_event_number(e.id) as event_id,
    scout.read_key(e.id) as source_pk,
    scout.read_person_key(e.person_key) as person_key,
    e.source_table::text as origin_table,
    e.source_pk::text as origin_pk,
    scout.parse_scout_id(e.scout_id) as column_scout_id,
    case
        when not scout.is_oversized_payload(e.payload_json) then scout.parse_scout_id(scout.read_payload(e.payload_json) ->> 'scout_id')
    end as payload_scout_id,
    scout.is_unreadable_scout(e.scout_id)
    or scout.is_oversized_payload(e.payload_json)
    or scout.is_unreadable_payload(e.payload_json)
    or scout.is_unreadable_scout(scout.read_payload(e.payload_json) ->> 'scout_id') as is_unreadable,
    case when scout.is_unreadable_scout(e.scout_id) then e.scout_id::text end as raw_column_scout_id,
    case when not scout.is_oversized_payload(e.payload_json) then scout.read_payload(e.payload_json) ->> 'scout_id' end as raw_payload_scout_id,
    e.payload_json is not null as has_payload,
    case
        when e.payload_json is null then null
        when scout.is_oversized_payload(e.payload_json) then 'PAYLOAD_TOO_LARGE'
        when scout.is_unreadable_payload(e.payload_json) then 'PAYLOAD_SHAPE'
        when jsonb_typeof(scout.read_payload(e.payload_json)) <> 'object' then 'PAYLOAD_SHAPE'
        when exists (
            select from jsonb_object_keys(scout.read_payload(e.payload_json)) as k (payload_key)
            where k.payload_key <> 'scout_id' and lower(replace(k.payload_key, '_', '')) = 'scoutid'
        ) then 'SIMILAR_KEY'
    end as payload_issue,
    coalesce(
        scout.bad_value(e.event_date, scout.sane_date(scout.read_day(e.event_date)) is not null),
        scout.bad_value(e.created_at, scout.source_timestamp(e.created_at) is not null)
    ) as raw_bad_date,
    case when not scout.is_oversized_payload(e.payload_json) then scout.read_payload(e.payload_json) ->> 'origin_tag' end as origin_tag,
    scout.sane_date(scout.read_day(e.event_date)) as event_on,
    scout.source_timestamp(e.created_at) as created_at
from observational.lead_events as e;
