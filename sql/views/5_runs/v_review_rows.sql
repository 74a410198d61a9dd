-- One row per scouting row as identity review looks at it: to whom it is linked (null = nobody), what the last run
-- said of it (status null = no run judged it), the hold on it. Personal data.
create or replace view scout.v_review_rows as
select
    s.source_pk,
    s.row_id,
    s.scout_id,
    s.registered_on,
    s.driver_phone as phone,
    s.driver_license as license,
    s.license_key,
    s.phone_key,
    coalesce(
        (
            select i.person_key from scout.v_row_links as i
            where i.source_table = 'module_ct_scouting_daily'
                and i.source_pk = s.source_pk
                and scout.is_same_content(i.content, s.content)
        ),
        (
            select o.person_key from canon.identity_links as o
            where o.source_table = 'module_ct_scouting_daily' and o.source_pk = s.md5_key
        )
    ) as person_key,
    (
        select o.person_key from scout.v_outdated_links as o
        where o.source_pk = s.source_pk
        -- once per row, where several have the number
        limit 1
    ) as outdated_person_key,
    case
        when exists (
            select from scout.v_ignored_rows as i
            where i.source_table = 'module_ct_scouting_daily' and i.source_pk = s.source_pk
        ) then 'IGNORED'
        when u.status <> 'IGNORED' then u.status::text
    end as status,
    u.reason_code::text as reason_code,
    (
        select min(h.hold_id) from scout.v_held_rows as h
        where h.source_table = 'module_ct_scouting_daily' and h.source_pk = s.source_pk
    ) as hold_id
from scout.src_scouting_daily as s
left join canon.identity_unmatched as u
    on u.source_table = 'module_ct_scouting_daily' and u.source_pk = s.source_pk;
