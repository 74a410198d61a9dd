-- What claims and the liquidation ledger say of persons; scouts by name. Amounts in soles, unknown is null.

-- name: by_person
select
    k.person_key::text as person_key,
    coalesce(c.claim_count, 0) as claim_count,
    coalesce(c.unpaid_claim_count, 0) as unpaid_claim_count,
    c.at_stake_pen,
    l.paid_pen
from unnest(cast(:person_keys as uuid[])) as k (person_key)
left join (
    select
        v.person_key,
        v.claim_count,
        v.unpaid_claim_count,
        v.at_stake_pen
    from scout.v_person_claims as v
    where v.person_key = any(cast(:person_keys as uuid[]))
) as c
    on c.person_key = k.person_key
left join (
    select
        p.person_key,
        p.paid_pen
    from scout.v_person_payouts as p
    where p.person_key = any(cast(:person_keys as uuid[]))
) as l
    on l.person_key = k.person_key;

-- name: scout_names
select
    s.scout_id,
    s.scout_name,
    s.is_active
from scout.v_scout_names as s
where s.scout_id = any(cast(:scout_ids as integer[]));

-- name: scouts
select
    s.scout_id,
    s.scout_name
from scout.v_scout_names as s
order by s.scout_id;
