-- One row: the day, how many rows a first refresh would change about, and the persons whom somebody
-- decided on or held.
select
    s.today,
    (select count(*) from demo_scouting where link is null)
    + (select count(*) from demo_persons where category = 'D') as changes,
    (
        select
            jsonb_agg(
                jsonb_build_object(
                    'cohort', p.cohort,
                    'person_key', p.person_key,
                    'scout_id', case when p.category = 'D' then p.scout_id end
                )
                order by p.n
            )
        from demo_persons as p
        where p.cohort in ('c_decided', 'a_decided', 'd_decided', 'd_new_evidence', 'd_held')
    ) as marks
from demo_settings as s;
