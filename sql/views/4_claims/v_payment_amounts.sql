-- One row per origin (null = any) and milestone with active payment rules: what a scout earns. Two rules for the same
-- say nothing, whatever they give: the amount is null until one is switched off.
create or replace view scout.v_payment_amounts as
select
    r.origin_tag,
    r.milestone_value,
    case when count(*) = 1 then min(r.amount_pen) end as amount_pen,
    count(*)::integer as rule_count
from scout.src_payment_rules as r
group by r.origin_tag, r.milestone_value;
