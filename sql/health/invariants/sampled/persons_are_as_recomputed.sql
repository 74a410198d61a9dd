-- Settled and pending persons are what the sources say, in a sample of some 20,000 (I20)
with sample as materialized (
    select array_agg(r.person_key) as person_keys
    from canon.identity_registry as r
    where random() < 20000.0 / (select coalesce(sum(t.person_count), 20000) from scout.v_attribution_totals as t)
),

shown as materialized (
    select n.*
    from scout.v_persons_now as n
    where n.person_key = any((select s.person_keys from sample as s)::uuid [])
),

recomputed as materialized (
    select l.*
    from scout.attribution_of((select s.person_keys from sample as s)) as l
)

select
    'shown, and not so' as problem,
    n.person_key,
    n.category,
    n.reason_code,
    n.conflict_kind,
    n.scout_ids
from (
    select * from shown
    except
    select * from recomputed
) as n
union all
select
    'so, and not shown' as problem,
    n.person_key,
    n.category,
    n.reason_code,
    n.conflict_kind,
    n.scout_ids
from (
    select * from recomputed
    except
    select * from shown
) as n;
