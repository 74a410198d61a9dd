-- Makes the alerts what the conditions are: opens what is new, opens again what is back, worse than when it was
-- acknowledged, or muted until now, resolves what is gone, each with its event. Conditions of persons and rows are
-- those of what was noted, or all; the others are given. One row per rule with news.
with noted as materialized (
    select
        n.ctid as entry,
        n.subject
    from scout.alerts_to_check as n
    where :compares_rows and (:is_whole or n.subject <> '*')
),

-- those whose settled row is not what is so now
pending as materialized (
    select k.person_key
    from scout.pending_keys() as k (person_key)
    where :compares_rows
),

persons as materialized (
    select coalesce(array_agg(distinct p.person_key), '{}') as person_keys
    from (
        select n.subject::uuid as person_key
        from noted as n
        where n.subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        union all
        select k.person_key
        from pending as k
        where :adds_pending
    ) as p
),

lead_links as materialized (
    select
        l.person_key,
        l.source_pk
    from canon.identity_links as l
    where l.source_table = 'module_ct_cabinet_leads' and l.person_key = any((select p.person_keys from persons as p)::uuid [])
),

-- by number, or by what links call it
lead_names as materialized (
    select coalesce(array_agg(distinct n.name), '{}') as names
    from (
        select split_part(n.subject, '/', 2) as name
        from noted as n
        where starts_with(n.subject, 'public.module_ct_cabinet_leads/')
        union all
        select p.source_pk as name
        from scout.pending_persons as p
        where :adds_pending and p.source_table = 'module_ct_cabinet_leads'
        union all
        select l.source_pk as name
        from lead_links as l
    ) as n
    where n.name is not null
),

subjects as materialized (
    select coalesce(array_agg(distinct s.subject), '{}') as subjects
    from (
        select n.subject
        from noted as n
        union all
        select unnest(p.person_keys)::text as subject
        from persons as p
        union all
        select 'public.module_ct_cabinet_leads/' || unnest(n.names) as subject
        from lead_names as n
        union all
        select 'public.module_ct_cabinet_leads/' || c.cabinet_lead_id as subject
        from scout.src_cabinet_leads as c
        where c.external_id = any((select n.names from lead_names as n)::text [])
    ) as s
),

-- some tables tell of a row without its schema
noted_rows as materialized (
    select
        coalesce(array_agg(t.source_table), '{}') as source_tables,
        coalesce(array_agg(substr(r.subject, strpos(r.subject, '/') + 1)), '{}') as source_pks
    from subjects as s
    cross join lateral unnest(s.subjects) as r (subject)
    cross join lateral (
        values
        (split_part(r.subject, '/', 1)),
        (substring(split_part(r.subject, '/', 1) from '^public\.(module_ct_.*)$'))
    ) as t (source_table)
    where strpos(r.subject, '/') > 0 and t.source_table is not null
),

wanted as materialized (
    select distinct on (f.subject, f.rule)
        f.rule,
        f.subject,
        f.severity,
        case f.severity when 'FAIL' then 3 when 'WARN' then 2 else 1 end as severity_rank,
        f.person_key,
        f.text,
        f.is_of_row
    from (
        select c.rule, c.subject, c.severity, c.person_key, c.text, true as is_of_row
        from scout.alert_conditions() as c
        where :is_whole
        union all
        select c.rule, c.subject, c.severity, c.person_key, c.text, true as is_of_row
        from noted_rows as n
        cross join persons as p
        cross join lead_names as l
        cross join lateral scout.alert_conditions_of(p.person_keys, l.names, n.source_tables, n.source_pks) as c
        where :compares_rows and not :is_whole
        union all
        select g.rule, g.subject, g.severity, g.person_key, g.text, false as is_of_row
        from unnest(
            cast(:rules as text []),
            cast(:subjects as text []),
            cast(:severities as text []),
            cast(:person_keys as uuid []),
            cast(:texts as text [])
        ) as g (rule, subject, severity, person_key, text)
    ) as f
    order by f.subject, f.rule, severity_rank desc, f.person_key, f.text
),

alerts_known as materialized (
    -- what holds, in whatever state its alert is
    select
        a.alert_id,
        true as holds,
        w.severity,
        w.text,
        w.person_key,
        w.severity_rank > a.severity_rank as is_worse
    from wanted as w
    inner join scout.alerts as a on a.subject = w.subject and a.rule = w.rule
    union all
    -- what stands and was looked at, and holds no more
    select
        a.alert_id,
        false as holds,
        a.severity,
        a.text,
        a.person_key,
        false as is_worse
    from (
        select s.* from scout.alerts as s
        where s.status <> 'RESOLVED' and not s.is_of_row
        union all
        select s.* from scout.alerts as s
        where :compares_rows and :is_whole and s.status <> 'RESOLVED' and s.is_of_row
        union all
        select s.* from scout.alerts as s
        where :compares_rows and not :is_whole and s.status <> 'RESOLVED' and s.is_of_row
            and s.subject = any((select u.subjects from subjects as u)::text [])
    ) as a
    where not exists (select from wanted as w where w.subject = a.subject and w.rule = a.rule)
),

compared as materialized (
    select k.* from alerts_known as k
    union all
    -- nobody looked at it, and its mute has run out
    select
        a.alert_id,
        true as holds,
        a.severity,
        a.text,
        a.person_key,
        false as is_worse
    from scout.alerts as a
    where a.status = 'MUTED'
        and a.muted_until <= cast(:now as timestamptz)
        and a.alert_id not in (select k.alert_id from alerts_known as k)
    union all
    -- nobody looked at it, and its row says something else than when it was acknowledged or muted
    select
        a.alert_id,
        true as holds,
        a.severity,
        a.text,
        a.person_key,
        false as is_worse
    from scout.alerts as a
    where a.status in ('ACKNOWLEDGED', 'MUTED')
        and a.answered_content is not null
        -- a row is looked up for each: in a run, not each minute
        and cast(:run_id as integer) is not null
        and a.answered_content <> scout.content_of_subject(a.subject)
        and not (a.status = 'MUTED' and a.muted_until <= cast(:now as timestamptz))
        and a.alert_id not in (select k.alert_id from alerts_known as k)
),

verdicts as materialized (
    select
        c.alert_id,
        a.status as old_status,
        case
            when not c.holds then 'RESOLVED'
            when m.is_of_another_row then 'OPEN'
            when m.is_muted and a.status in ('MUTED', 'RESOLVED') then 'MUTED'
            when a.status = 'ACKNOWLEDGED' and not c.is_worse then 'ACKNOWLEDGED'
            else 'OPEN'
        end as status,
        m.is_muted,
        m.is_of_another_row and c.holds and a.status <> 'RESOLVED' as is_moved,
        m.is_of_another_row,
        c.is_worse and a.status <> 'RESOLVED' as is_worse,
        c.severity,
        c.text,
        c.person_key
    from compared as c
    inner join scout.alerts as a on a.alert_id = c.alert_id
    cross join lateral (
        select
            coalesce(a.answered_content <> scout.content_of_subject(a.subject), false) as is_of_another_row
    ) as o
    cross join lateral (
        select
            o.is_of_another_row,
            coalesce(a.muted_until > cast(:now as timestamptz), false) and not o.is_of_another_row as is_muted
    ) as m
    where not c.holds
        or o.is_of_another_row
        or a.status = 'RESOLVED'
        or a.status = 'MUTED' and not m.is_muted
        or (a.severity, a.text, a.person_key) is distinct from (c.severity, c.text, c.person_key)
),

changed as (
    update scout.alerts as a
    set
        status = v.status,
        severity = v.severity,
        text = v.text,
        person_key = v.person_key,
        opened_at = case when v.old_status = 'RESOLVED' or v.is_moved then cast(:now as timestamptz) else a.opened_at end,
        opened_run = case when v.old_status = 'RESOLVED' or v.is_moved then cast(:run_id as integer) else a.opened_run end,
        times_opened = a.times_opened + (v.old_status = 'RESOLVED' or v.is_moved)::integer,
        muted_at = case when v.is_muted then a.muted_at end,
        muted_until = case when v.is_muted then a.muted_until end,
        resolved_at = case when v.status = 'RESOLVED' then cast(:now as timestamptz) end,
        -- what was said of it holds for what the row said then
        answered_content = case when not v.is_of_another_row then a.answered_content end,
        -- who muted it, as long as the mute holds
        actor = case when v.is_muted or v.status = v.old_status then a.actor end,
        reason = case when v.is_muted or v.status = v.old_status then a.reason end,
        changed_at = case when v.status = v.old_status then a.changed_at else cast(:now as timestamptz) end
    from verdicts as v
    where a.alert_id = v.alert_id
    returning a.alert_id, a.rule, a.subject, a.severity, a.severity_rank, a.status
),

opened as (
    insert into scout.alerts as a (
        rule, subject, is_of_row, severity, status, person_key, text, opened_at, opened_run, first_opened_at, changed_at
    )
    select
        w.rule,
        w.subject,
        w.is_of_row,
        w.severity,
        'OPEN',
        w.person_key,
        w.text,
        cast(:now as timestamptz),
        cast(:run_id as integer),
        cast(:now as timestamptz),
        cast(:now as timestamptz)
    from wanted as w
    where not exists (select from scout.alerts as k where k.subject = w.subject and k.rule = w.rule)
    order by w.severity_rank desc, w.rule, w.subject
    returning a.alert_id, a.rule, a.subject, a.severity, a.severity_rank, a.status
),

outcomes as materialized (
    select
        o.alert_id,
        o.rule,
        o.subject,
        o.severity,
        o.severity_rank,
        o.status,
        null as old_status,
        false as is_worse,
        false as is_moved
    from opened as o
    union all
    select
        c.alert_id,
        c.rule,
        c.subject,
        c.severity,
        c.severity_rank,
        c.status,
        v.old_status,
        v.is_worse,
        v.is_moved
    from changed as c
    inner join verdicts as v on v.alert_id = c.alert_id
),

recorded as (
    insert into scout.alert_events (alert_id, event, status, severity, run_id, at)
    select
        o.alert_id,
        e.event,
        o.status,
        o.severity,
        cast(:run_id as integer),
        cast(:now as timestamptz)
    from outcomes as o
    cross join lateral (
        values
        ('OPENED', o.old_status is null),
        ('RESOLVED', o.status = 'RESOLVED'),
        ('REOPENED', o.old_status = 'RESOLVED' or o.is_moved and o.old_status = 'ACKNOWLEDGED'),
        ('UNMUTED', o.old_status = 'MUTED' and o.status = 'OPEN'),
        ('WORSENED', o.is_worse)
    ) as e (event, is_so)
    where e.is_so
    order by o.alert_id
    returning 1
),

taken as (
    delete from scout.alerts_to_check as n
    using noted as t
    where n.ctid = t.entry
    returning 1
),

-- of a person who is not settled the live state was looked at, and settling tells only of what differs from the
-- settled one: these are looked at again
kept as (
    insert into scout.alerts_to_check (subject)
    select k.person_key::text
    from pending as k
    left join scout.person_attribution as s on s.person_key = k.person_key
    where (:is_whole or k.person_key = any((select p.person_keys from persons as p)::uuid []))
        and (
            (s.conflict_kind is not null) <> exists (
                select from wanted as w where w.rule = 'NEW_CONFLICT' and w.subject = k.person_key::text
            )
            or exists (
                select from canon.identity_links as l
                where l.person_key = k.person_key and l.source_table = 'module_ct_cabinet_leads'
            )
        )
    returning 1
),

state as (
    update scout.alert_state
    set
        looked_at = cast(:now as timestamptz),
        whole_at = case when :is_whole then cast(:now as timestamptz) else whole_at end
    returning 1
),

-- by rule those first that matter most, then by subject
news as materialized (
    select
        o.rule,
        o.subject,
        o.old_status is null as is_opened,
        o.old_status is not null and o.status = 'OPEN' and o.old_status <> 'OPEN' as is_reopened,
        -- of what is muted nobody was told
        o.status = 'RESOLVED' and o.old_status <> 'MUTED' as is_resolved,
        row_number() over (
            partition by o.rule, o.status = 'OPEN' and o.old_status is distinct from 'OPEN'
            order by o.severity_rank desc, o.subject
        ) as place
    from outcomes as o
)

select
    n.rule,
    count(*) filter (where n.is_opened) as opened_count,
    count(*) filter (where n.is_reopened) as reopened_count,
    count(*) filter (where n.is_resolved) as resolved_count,
    coalesce(
        array_agg(n.subject order by n.place) filter (where (n.is_opened or n.is_reopened) and n.place <= 3), '{}'
    ) as samples,
    (select count(*) from recorded) + (select count(*) from taken) + (select count(*) from kept)
    + (select count(*) from state) as written_count
from news as n
where n.is_opened or n.is_reopened or n.is_resolved
group by n.rule
order by n.rule;
