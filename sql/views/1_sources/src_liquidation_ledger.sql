-- One row per amount that a scout was paid for a person, or will be: is_paid = its time has come, or
-- cannot be one: better not paid than paid twice.
-- source: ops.scout_liquidation_ledger
-- name: present
create or replace view scout.src_liquidation_ledger as
select
    scout.read_person_key(l.person_key) as person_key,
    scout.parse_scout_id(l.scout_id) as scout_id,
    scout.read_whole(l.milestone_value) as milestone_value,
    scout.sane_amount(scout.read_amount(l.amount))::numeric(12, 2) as amount_pen,
    scout.bad_value(l.paid_at, scout.source_timestamp(l.paid_at) is not null) as raw_bad_date,
    scout.source_timestamp(l.paid_at) as paid_at,
    -- a time that cannot be one is paid, unless it is one to come: better not paid than paid twice
    coalesce(scout.source_timestamp(l.paid_at) <= now(), l.paid_at::text !~ '^(infinity|2[2-9]|[3-9][0-9]{3}-|[0-9]{5,})') as is_paid
from ops.scout_liquidation_ledger as l
where nullif(l.paid_at::text, '') is not null;
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
