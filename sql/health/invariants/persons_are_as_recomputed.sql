-- Settled and pending persons are what the sources say, row for row (I20)
select
    'shown, and not so' as problem,
    n.person_key,
    n.category,
    n.reason_code,
    n.conflict_kind,
    n.scout_ids
from (
    select * from scout.v_persons_now
    except
    select * from scout.v_person_attribution_live
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
    select * from scout.v_person_attribution_live
    except
    select * from scout.v_persons_now
) as n;
