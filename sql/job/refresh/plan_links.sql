-- Writes down what the run will do with every scouting row without a link, or with one that is out of date. Returns the counts.
with planned as (
    insert into scout.planned_links (
        run_id, apply_order, row_id, scout_id, outcome, person_key, driver_id, match_rule, match_score, match_confidence,
        reason_code, rule_reason_code, moved_from_person_key, is_founder, is_new_reason, license_key, phone_key, candidate_person_keys, license_person_count, phone_person_count
    )
    select
        :run_id,
        c.apply_order,
        c.row_id,
        c.scout_id,
        c.outcome,
        c.person_key,
        c.driver_id,
        c.match_rule,
        c.match_score,
        c.match_confidence,
        c.reason_code,
        c.rule_reason_code,
        c.moved_from_person_key,
        c.is_founder,
        c.is_new_reason,
        c.license_key,
        c.phone_key,
        c.candidate_person_keys,
        c.license_person_count,
        c.phone_person_count
    from scout.v_identity_candidates as c
    returning row_id, outcome, person_key, is_new_reason
),

-- what was touched is judged by this plan; taken off the list when its links are written
judged as (
    update scout.touched_keys
    set run_id = :run_id
    returning 1
)

select
    (select count(*) from judged) as touched_count,
    count(*) as seen_count,
    count(*) filter (where p.outcome = 'LINK') as link_count,
    count(*) filter (where p.is_new_reason) as new_reason_count,
    -- the row of another number, that was linked to the same person: a load that gives ids anew changes nothing
    (
        select count(*)
        from planned as n
        inner join scout.src_scouting_daily as s on s.source_pk = n.row_id::text
        where n.outcome = 'LINK'
            and (s.content, n.person_key) in (select c.content, c.person_key from scout.v_row_links as c)
    ) as renumbered_count
from planned as p;
