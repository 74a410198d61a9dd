-- Claims on Yango: 417 for 2,033 persons, 87 of 100 claimed persons have a scout.
-- Ten persons have 19 claims: all of them milestone 1, six 5, three 25.
insert into public.peer_claims (
    driver_id,
    person_key,
    driver_name,
    milestone_value,
    lead_date,
    expected_amount,
    paid,
    payment_key,
    pay_date,
    reason_code,
    match_rule,
    match_confidence,
    identity_status
)
with
-- The first two of each situation come first, so that every kind of answer occurs.
ranked as (
    select
        n,
        has_scout,
        row_number() over (partition by has_scout order by k > 2, draw, n) as position
    from (
        select
            n,
            k,
            draw,
            category = 'S'
            or cohort in (
                select r.cohort
                from demo_recipes as r
                where
                    r.names is not null
                    and r.link is not null
                    and r.event is distinct from 'similar key'
            ) as has_scout
        from demo_persons
        where driver_id is not null
    ) as candidates
),

wanted as (
    select round(417 * persons / 2033.0)::bigint as claims
    from demo_settings
),

slots as (
    select
        g.slot,
        floor(g.slot * 0.87) > floor((g.slot - 1) * 0.87) as has_scout,
        case
            when floor(g.slot * 0.87) > floor((g.slot - 1) * 0.87) then floor(g.slot * 0.87)
            else g.slot - floor(g.slot * 0.87)
        end::bigint as position
    from wanted as w
    cross join lateral generate_series(1::bigint, w.claims * 10 / 19 + 10) as g (slot)
),

claims as (
    select
        p.*,
        m.milestone,
        pg_temp.share(p.draw, 'paid' || m.milestone) as luck,
        row_number() over (order by s.slot, m.milestone) as claim
    from slots as s
    inner join ranked as r on s.has_scout = r.has_scout and s.position = r.position
    inner join demo_persons as p on r.n = p.n
    inner join (values (1, 10), (5, 6), (25, 3)) as m (milestone, of_ten)
        on s.slot % 10 < m.of_ten
)

select
    c.driver_id,
    c.person_key,
    c.full_name,
    c.milestone,
    c.first_at::date,
    case c.milestone when 1 then 25.00 when 5 then 35.00 else 100.00 end,
    c.luck < 0.35,
    case when c.luck < 0.35 then md5('payment|' || c.n || '|' || c.milestone) end,
    case when c.luck < 0.35 then least(c.first_at::date + 16, c.today - 1) end,
    case
        when c.luck < 0.35 then 'paid'
        when c.luck < 0.45 then 'payment_found_other_milestone'
        else 'no_payment_found'
    end,
    case when c.luck < 0.8 then 'driver_id' else 'name' end,
    case when c.luck < 0.8 then 'high' else 'medium' end,
    case
        when c.luck < 0.5 then 'confirmed'
        when c.luck < 0.8 then 'enriched'
        else 'ambiguous'
    end
from claims as c
inner join wanted as w on c.claim <= w.claims
order by c.claim;

-- What a scout earns per milestone, and what some were paid already.
insert into ops.scout_payment_rules (origin_tag, milestone_value, amount, is_active)
values
(null, 1, 10.00, true),
(null, 5, 25.00, true),
(null, 25, 60.00, true),
('migration', 25, 80.00, true),
(null, 1, 8.00, false);

insert into ops.scout_liquidation_ledger (
    id,
    person_key,
    scout_id,
    milestone_value,
    amount,
    paid_at
)
select
    row_number() over (order by c.first_at, c.person_key),
    c.person_key,
    c.scout_id,
    1,
    10.00,
    pg_temp.days_ago(c.today, c.days * 0.5)
from (
    select
        p.*,
        row_number() over (order by (p.cohort = 's_contradicted') desc, p.draw, p.n) as position
    from demo_persons as p
    where
        p.category = 'S'
        and p.person_key in (select k.person_key from public.peer_claims as k where k.paid)
) as c
cross join demo_settings as s
where c.position <= greatest(2, round(12 * s.persons / 2033.0));
