-- One row per registered person: everything its evidence says, recomputed from the source tables.
-- Evidence counts and scouts are of priority 2 to 5, the ledger is told apart; best = the canonical piece.
create or replace view scout.v_person_evidence as
select
    a.person_key,
    max(a.registered_at) as registered_at,
    bool_or(a.is_lead) as is_lead,
    bool_or(a.link_table is not null) as has_identity_link,
    min(a.link_pk) filter (where a.link_table = 'drivers') as linked_driver_id,
    array_agg(a.linked_on) filter (where a.link_table = 'module_ct_scouting_daily') as scouting_link_days,
    array_agg(a.linked_on) filter (where a.link_table = 'module_ct_cabinet_leads') as cabinet_link_days,
    bool_or(a.priority = 1) as has_ledger_row,
    max(a.ledger_scout_id) as ledger_scout_id,
    max(a.created_at) filter (where a.priority = 1) as ledger_updated_at,
    count(*) filter (where a.priority = 2) as event_count,
    min(a.scout_low) filter (where a.priority = 2) as event_scout_min,
    max(a.scout_high) filter (where a.priority = 2) as event_scout_max,
    min(a.scout_low) filter (where a.priority >= 2) as scout_min,
    max(a.scout_high) filter (where a.priority >= 2) as scout_max,
    array_agg(a.scout_low) filter (where a.priority >= 2 and a.piece_count > 0) as scouts_low,
    array_agg(a.scout_high) filter (where a.priority >= 2 and a.piece_count > 1) as scouts_high,
    coalesce(sum(a.piece_count) filter (where a.priority = 2), 0) as event_evidence_count,
    coalesce(sum(a.piece_count) filter (where a.priority = 3), 0) as migration_evidence_count,
    coalesce(sum(a.piece_count) filter (where a.priority = 4), 0) as scouting_evidence_count,
    coalesce(sum(a.piece_count) filter (where a.priority = 5), 0) as payment_evidence_count,
    coalesce(bool_or(a.is_unreadable), false) as has_unreadable_scout,
    array_agg(a.origin_table) filter (where a.priority = 2) as event_tables,
    array_agg(a.origin_tag) filter (where a.priority = 2 and a.origin_tag is not null) as event_tags,
    array_agg(a.origin_tag) filter (where a.piece_count > 0 and a.origin_tag is not null) as evidence_tags,
    min(a.attribution_date) filter (where a.priority = 2) as first_event_date,
    max(a.attribution_date) filter (where a.priority = 2) as last_event_date,
    min(a.attribution_date) filter (where a.priority >= 2 and a.piece_count > 0) as first_evidence_date,
    max(a.attribution_date) filter (where a.priority >= 2 and a.piece_count > 0) as last_evidence_date,
    (array_agg(
        (
            a.driver_id, a.driver_license, a.driver_phone, a.scout_low, a.origin_tag, a.acquisition_method, a.source_table,
            a.source_pk, a.attribution_date, a.created_at, a.priority
        )::scout.evidence_piece
        order by
            a.priority,
            a.attribution_date desc nulls last,
            a.created_at desc nulls last,
            a.scout_low,
            a.source_table,
            a.source_pk
    ) filter (where a.piece_count > 0))[1] as best
from (
    select
        r.person_key,
        0 as priority,
        null::integer as scout_low,
        null::integer as scout_high,
        0 as piece_count,
        false as is_unreadable,
        false as is_lead,
        null::text as link_table,
        null::text as link_pk,
        null::date as linked_on,
        null::integer as ledger_scout_id,
        null::text as origin_table,
        null::text as source_table,
        null::text as source_pk,
        null::text as driver_id,
        null::text as driver_license,
        null::text as driver_phone,
        null::text as origin_tag,
        null::text as acquisition_method,
        null::date as attribution_date,
        r.created_at as registered_at,
        null::timestamptz as created_at
    from canon.identity_registry as r
    union all
    select
        f.person_key,
        f.priority,
        least(f.scout_a, f.scout_b) as scout_low,
        greatest(f.scout_a, f.scout_b) as scout_high,
        (f.scout_a is not null)::integer + (f.scout_b is not null)::integer as piece_count,
        f.is_unreadable,
        f.priority = 2 as is_lead,
        null::text as link_table,
        null::text as link_pk,
        null::date as linked_on,
        f.ledger_scout_id,
        f.origin_table,
        f.source_table,
        f.source_pk,
        f.driver_id,
        f.driver_license,
        f.driver_phone,
        f.origin_tag,
        f.acquisition_method,
        f.attribution_date,
        null::timestamptz as registered_at,
        f.created_at
    from scout.v_facts as f
    where f.person_key is not null
    union all
    select
        k.person_key,
        0 as priority,
        null::integer as scout_low,
        null::integer as scout_high,
        0 as piece_count,
        false as is_unreadable,
        -- cast first: a dump writes an `in` over varchar in other words than it reads
        k.source_table::text in ('module_ct_scouting_daily', 'module_ct_migrations', 'module_ct_cabinet_leads') as is_lead,
        k.source_table::text as link_table,
        k.source_pk::text as link_pk,
        scout.lima_date(scout.sane_timestamp(k.linked_at)) as linked_on,
        null::integer as ledger_scout_id,
        null::text as origin_table,
        null::text as source_table,
        null::text as source_pk,
        null::text as driver_id,
        null::text as driver_license,
        null::text as driver_phone,
        null::text as origin_tag,
        null::text as acquisition_method,
        null::date as attribution_date,
        null::timestamptz as registered_at,
        null::timestamptz as created_at
    from canon.identity_links as k
) as a
group by a.person_key
having max(a.registered_at) is not null;
