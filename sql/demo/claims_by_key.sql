-- The claims of the demo as a relation that answers by key: what the owner's view has to be for pages of claims,
-- and the money of a few persons, to cost the same however many claims there are. Load it upon the demo.
create table public.claims_by_key as
select * from ops.v_yango_cabinet_claims_for_collection;
-- serves: the claims of persons; claims that name nobody
create index claims_by_key_person on public.claims_by_key (person_key);
-- serves: the claims of a page
create unique index claims_by_key_driver on public.claims_by_key (driver_id, milestone_value);
-- serves: the pages, longest overdue first and largest amount first
create index claims_by_key_overdue on public.claims_by_key (
    (coalesce(days_overdue_yango, -2147483648)),
    (coalesce(driver_id, '')),
    (coalesce(milestone_value, -2147483648))
);
create index claims_by_key_amount on public.claims_by_key (
    (coalesce(expected_amount, '-infinity')),
    (coalesce(driver_id, '')),
    (coalesce(milestone_value, -2147483648))
);

create or replace view ops.v_yango_cabinet_claims_for_collection as
select
    driver_id,
    person_key,
    driver_name,
    milestone_value,
    lead_date,
    expected_amount,
    yango_due_date,
    days_overdue_yango,
    overdue_bucket_yango,
    yango_payment_status,
    payment_key,
    pay_date,
    reason_code,
    match_rule,
    match_confidence,
    identity_status,
    suggested_driver_id,
    is_reconcilable_enriched
from public.claims_by_key;
