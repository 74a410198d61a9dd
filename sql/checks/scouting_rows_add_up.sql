-- Scouting rows that name a scout = linked + waiting or left + held + ignored (I12)
with counted as (
    select
        (select count(*) from scout.src_scouting_daily as s where s.scout_id is not null) as row_count,
        (
            select count(*) from scout.src_scouting_daily as s
            where s.scout_id is not null and s.row_id in (select p.row_id from scout.v_scouting_persons as p)
        ) as linked_count,
        (select count(*) from scout.v_identity_candidates) as waiting_count,
        (
            select count(*) from scout.src_scouting_daily as s
            where s.scout_id is not null
                and s.row_id not in (select p.row_id from scout.v_scouting_persons as p)
                and (
                    exists (
                        select from scout.holds as h
                        where h.source_table = 'module_ct_scouting_daily' and h.source_pk = s.source_pk and h.released_at is null
                    )
                    or exists (
                        select from canon.identity_unmatched as u
                        where u.source_table = 'module_ct_scouting_daily' and u.source_pk = s.source_pk and u.status = 'IGNORED'
                    )
                )
        ) as kept_out_count
)

select
    c.row_count,
    c.linked_count,
    c.waiting_count,
    c.kept_out_count
from counted as c
where c.row_count <> c.linked_count + c.waiting_count + c.kept_out_count;
