-- One row per amount that a scout was paid for a person, or will be: is_paid = its time has come, or
-- cannot be one: better not paid than paid twice.
-- source: ops.scout_liquidation_ledger
-- name: present
create or replace view scout.src_liquidation_ledger as
select
    l.person_key,
    l.scout_id::integer as scout_id,
    l.milestone_value::integer as milestone_value,
    l.amount::numeric(12, 2) as amount_pen,
    case when scout.sane_timestamp(l.paid_at) is null then l.paid_at::text end as raw_bad_date,
    scout.sane_timestamp(l.paid_at) as paid_at,
    coalesce(scout.sane_timestamp(l.paid_at) <= now(), true) as is_paid
from ops.scout_liquidation_ledger as l
where l.paid_at is not null;
-- name: absent
create or replace view scout.src_liquidation_ledger as
select
    null::uuid as person_key,
    null::integer as scout_id,
    null::integer as milestone_value,
    null::numeric(12, 2) as amount_pen,
    null::text as raw_bad_date,
    null::timestamptz as paid_at,
    null::boolean as is_paid
where false;
