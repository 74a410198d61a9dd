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
        v.resolved_person_key as person_key,
        count(*) as claim_count,
        count(*) filter (where v.yango_payment_status is distinct from 'PAID') as unpaid_claim_count,
        case
            when count(*) filter (where v.yango_payment_status is distinct from 'PAID') = 0 then 0
            else sum(v.expected_amount) filter (where v.yango_payment_status is distinct from 'PAID')
        end as at_stake_pen
    from scout.v_claims as v
    where v.resolved_person_key = any(cast(:person_keys as uuid[]))
    group by v.resolved_person_key
) as c
    on c.person_key = k.person_key
left join (
    select
        p.person_key,
        sum(p.amount_pen) as paid_pen
    from scout.src_liquidation_ledger as p
    where p.person_key = any(cast(:person_keys as uuid[]))
    group by p.person_key
) as l
    on l.person_key = k.person_key;

-- name: scout_names
select
    s.scout_id,
    coalesce(s.raw_name, s.scout_name_normalized) as scout_name,
    s.is_active
from ops.v_dim_scouts as s
where s.scout_id = any(cast(:scout_ids as integer[]));

-- name: scouts
select
    s.scout_id,
    coalesce(s.raw_name, s.scout_name_normalized) as scout_name
from ops.v_dim_scouts as s
order by s.scout_id;
