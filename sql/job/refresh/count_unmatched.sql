-- One row per reason: scouting rows of the plan that stay without a link.
select
    p.reason_code,
    count(*) as row_count
from scout.planned_links as p
where p.run_id = :run_id and p.outcome = 'UNMATCHED'
group by p.reason_code
order by p.reason_code;
