-- Several payment rules are active for the same origin and milestone, so that nobody has an amount by them.
-- severity: WARN
-- One row per origin (any = all) and milestone.
select
    'ops.scout_payment_rules' as source_table,
    coalesce(r.origin_tag, 'any') || ' ' || coalesce(r.milestone_value::text, '') as source_pk,
    null::uuid as person_key,
    'rules=' || r.rule_count as detail,
    null::date as on_date
from scout.v_payment_amounts as r
where r.rule_count > 1;
