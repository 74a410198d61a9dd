-- One row: events read = used + without scout + unreadable; unlinked ones lead to nobody.
select
    count(*) as read_count,
    count(*) filter (
        where not e.is_unreadable and coalesce(e.column_scout_id, e.payload_scout_id) is not null
    ) as used_count,
    count(*) filter (
        where not e.is_unreadable and coalesce(e.column_scout_id, e.payload_scout_id) is null
    ) as without_scout_count,
    count(*) filter (where e.is_unreadable) as unreadable_count,
    count(*) filter (where e.person_key is null) as unlinked_count
from scout.src_lead_events as e;
