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
    case when not scout.is_oversized_payload(e.payload_json) then e.payload_json ->> 'origin_tag' end as origin_tag,
    scout.sane_date(e.event_date) as event_on,
    scout.sane_timestamp(e.created_at) as created_at
from observational.lead_events as e;
