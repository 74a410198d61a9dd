-- What stands of persons and rows is what is wrong with them now, but for what was touched since anybody looked
with waiting as materialized (
    select n.subject
    from scout.alerts_to_check as n
    union all
    select k.person_key::text as subject
    from scout.pending_keys() as k (person_key)
    union all
    select scout.row_subject(p.source_table, p.source_pk) as subject
    from scout.pending_persons as p
    where p.source_table = 'module_ct_cabinet_leads'
),

looked as materialized (
    select
        s.mode = 'TRACKED'
        and a.whole_at is not null
        and not exists (select from waiting as w where w.subject = '*') as is_complete
    from scout.state as s
    cross join scout.alert_state as a
),

conditions as materialized (
    select distinct
        c.rule,
        c.subject,
        c.person_key,
        c.lead_row,
        c.external_id
    from scout.v_alert_conditions as c
    where (select l.is_complete from looked as l)
),

alerts as materialized (
    select
        a.rule,
        a.subject,
        a.person_key
    from scout.alerts as a
    where a.status <> 'RESOLVED' and a.is_of_row and (select l.is_complete from looked as l)
),

differing as (
    select
        'wrong, and no alert stands' as problem,
        c.rule,
        c.subject,
        c.person_key,
        c.lead_row,
        c.external_id
    from conditions as c
    where not exists (select from alerts as a where a.subject = c.subject and a.rule = c.rule)
    union all
    select
        'an alert stands, and nothing is wrong' as problem,
        a.rule,
        a.subject,
        a.person_key,
        split_part(a.subject, '/', 2) as lead_row,
        c.external_id
    from alerts as a
    left join scout.src_cabinet_leads as c
        on a.rule = 'CABINET_LEAD_WITHOUT_SCOUT' and c.cabinet_lead_id::text = split_part(a.subject, '/', 2)
    where not exists (select from conditions as k where k.subject = a.subject and k.rule = a.rule)
)

select
    d.problem,
    d.rule,
    d.subject,
    d.person_key
from differing as d
where d.subject not in (select w.subject from waiting as w)
    -- a lead is noted by what links call it too, or by its person
    and coalesce(scout.row_subject('module_ct_cabinet_leads', d.external_id), d.subject) not in (select w.subject from waiting as w)
    and coalesce(d.person_key::text, d.subject) not in (select w.subject from waiting as w)
    and not (
        d.rule = 'CABINET_LEAD_WITHOUT_SCOUT'
        and exists (
            select from canon.identity_links as l
            inner join waiting as w on w.subject = l.person_key::text
            where l.source_table = 'module_ct_cabinet_leads' and l.source_pk = coalesce(d.external_id, d.lead_row)
        )
    );
