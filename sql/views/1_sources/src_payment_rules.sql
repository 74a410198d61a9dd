-- One row per active payment rule: what a scout earns for a milestone. origin_tag null = any origin.
-- source: ops.scout_payment_rules
-- name: present
create or replace view scout.src_payment_rules as
select
    r.origin_tag::text as origin_tag,
    scout.read_whole(r.milestone_value) as milestone_value,
    scout.sane_amount(scout.read_amount(r.amount))::numeric(12, 2) as amount_pen
from ops.scout_payment_rules as r
where scout.read_flag(r.is_active);
-- name: absent
create or replace view scout.src_payment_rules as
select
    null::text as origin_tag,
    null::integer as milestone_value,
    null::numeric(12, 2) as amount_pen
where false;
