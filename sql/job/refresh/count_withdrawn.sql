-- One row: scouting rows of one batch of the plan that a hold or a person took out after it was made.
select count(*) as row_count
from scout.planned_links as p
where p.run_id = :run_id
    and p.outcome = 'LINK'
    and p.apply_order > :after_order
    and p.apply_order <= :upto_order
    and (
        p.row_id::text in (
            select h.source_pk from scout.v_held_rows as h
            where h.source_table = 'module_ct_scouting_daily'
        )
        or p.row_id::text in (
            select u.source_pk from scout.v_ignored_rows as u
            where u.source_table = 'module_ct_scouting_daily'
        )
    );
