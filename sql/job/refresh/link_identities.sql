-- Links a range of the plan's scouting rows, moves the links that are out of date, founds their persons, closes their
-- unmatched rows and writes the audit. One row: how many.
with batch as materialized (
    select
        p.apply_order,
        p.row_id,
        p.row_id::text as source_pk,
        -- of what was judged: where the row says something else by now, its link is out of date at once
        scout.content_of_keys(p.license_key, p.phone_key, (select k.secret from scout.content_key as k)) as content,
        p.moved_from_person_key,
        p.person_key,
        p.driver_id,
        p.match_rule,
        p.match_score,
        p.match_confidence,
        p.is_founder,
        p.license_key,
        p.phone_key,
        -- constants where they can be: built anew for each row they took a fifth of the step
        case
            when p.license_key is null then '{"has_license": false, "has_phone": true}'::jsonb
            when p.phone_key is null then '{"has_license": true, "has_phone": false}'::jsonb
            else '{"has_license": true, "has_phone": true}'::jsonb
        end || case
            when p.driver_id is null then '{}'::jsonb
            else jsonb_build_object('driver_id', p.driver_id)
        end as evidence
    from scout.planned_links as p
    where p.run_id = :run_id
        and p.outcome = 'LINK'
        and p.apply_order > :after_order
        and p.apply_order <= :upto_order
        -- linked by somebody else since the plan was made
        and not exists (
            select from canon.identity_links as k
            where k.source_table = 'module_ct_scouting_daily'
                and k.source_pk = p.row_id::text
                and k.person_key is distinct from p.moved_from_person_key
        )
    order by p.apply_order
),

founded as (
    insert into canon.identity_registry (
        person_key, created_at, updated_at, confidence_level, primary_phone, primary_license, flags
    )
    select
        b.person_key,
        now(),
        now(),
        'LOW',
        b.phone_key,
        b.license_key,
        jsonb_build_object('created_by', 'scout_attribution_refresh', 'run_id', cast(:run_id as integer))
    from batch as b
    where b.is_founder
    on conflict (person_key) do nothing
    returning person_key
),

-- a person whose key somebody took meanwhile is not ours to link
placed as materialized (
    select b.*
    from batch as b
    where not b.is_founder or b.person_key in (select f.person_key from founded as f)
),

outdated as (
    delete from canon.identity_links as k
    using placed as p
    where p.moved_from_person_key is not null
        and k.source_table = 'module_ct_scouting_daily'
        and k.source_pk = p.source_pk
        and k.person_key = p.moved_from_person_key
    returning k.*
),

-- the old link is gone before the new one comes; looked up in a hash, as joins of these would be nested loops
linkable as materialized (
    select p.*
    from placed as p
    where p.moved_from_person_key is null or p.source_pk in (select o.source_pk::text from outdated as o)
),

kept as (
    insert into scout.moved_links (
        run_id, source_table, source_pk, person_key, snapshot_date, match_rule, match_score, confidence_level, evidence,
        linked_at, link_run_id, content
    )
    select
        :run_id,
        o.source_table,
        o.source_pk,
        o.person_key,
        o.snapshot_date,
        o.match_rule,
        o.match_score,
        o.confidence_level::text,
        o.evidence,
        o.linked_at,
        o.run_id,
        l.content
    from outdated as o
    left join scout.v_row_links as l on l.link_id = o.id
    returning source_pk
),

linked as (
    insert into canon.identity_links (
        person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level, evidence, linked_at, run_id
    )
    select
        p.person_key,
        'module_ct_scouting_daily',
        p.source_pk,
        now(),
        p.match_rule,
        p.match_score,
        p.match_confidence::public.confidencelevel,
        p.evidence,
        now(),
        :run_id
    from linkable as p
    returning source_table, source_pk, person_key, match_rule, match_score, confidence_level, evidence
),

said as (
    insert into scout.linked_rows as c (source_table, source_pk, content)
    select
        'module_ct_scouting_daily',
        p.source_pk,
        p.content
    from linkable as p
    on conflict (source_table, source_pk) do update
        set content = excluded.content
    returning c.source_pk
),

resolved as (
    update canon.identity_unmatched as u
    set
        status = 'RESOLVED',
        resolved_at = now(),
        run_id = :run_id
    from linked as l
    where u.source_table = l.source_table and u.source_pk = l.source_pk and u.status <> 'RESOLVED'
        -- one that was set aside since the plan was made stays so: the run makes its plan anew
        and u.source_pk not in (
            select g.source_pk from scout.v_ignored_rows as g
            where g.source_table = 'module_ct_scouting_daily'
        )
    returning u.id
),

-- what was set aside under this number said something else
forgotten as (
    delete from scout.ignored_rows as i
    using linked as l
    where i.source_table = l.source_table and i.source_pk = l.source_pk
        and i.source_pk not in (
            select g.source_pk from scout.v_ignored_rows as g
            where g.source_table = 'module_ct_scouting_daily'
        )
    returning i.source_pk
),

-- what is taken back comes before what is made
audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, person_key, driver_id, match_method, match_confidence, match_score, evidence_json,
        action_type, ingestion_run_id, actor, notes
    )
    select
        a.source_table,
        a.source_pk,
        a.person_key,
        a.driver_id,
        a.match_rule,
        a.confidence_level,
        a.match_score,
        a.evidence,
        a.action_type,
        :run_id,
        :actor,
        a.notes
    from (
        select
            o.source_table::text as source_table,
            o.source_pk::text as source_pk,
            m.person_key,
            o.evidence ->> 'driver_id' as driver_id,
            o.match_rule::text as match_rule,
            o.confidence_level::text as confidence_level,
            o.match_score,
            scout.audited_link_evidence(o.evidence) as evidence,
            'REVERTED' as action_type,
            'reverts audit row ' || m.audit_id || ' of run ' || m.run_id || ': the row says something else now' as notes
        from outdated as o
        inner join scout.v_made_links as m on m.source_table = o.source_table and m.source_pk = o.source_pk
        union all
        select
            'module_ct_scouting_daily',
            p.source_pk,
            p.person_key,
            p.driver_id,
            p.match_rule,
            p.match_confidence,
            p.match_score,
            p.evidence,
            'CREATED',
            'moved from ' || p.moved_from_person_key
        from linkable as p
    ) as a
    order by a.action_type desc
    returning id
)

select
    (select count(*) from batch) as seen_count,
    (select count(*) from linked) as changed_count,
    (select count(*) from outdated) as moved_count,
    (select count(*) from founded) as founded_count,
    (select count(*) from resolved) as resolved_count,
    (select count(*) from linked as l where l.match_rule = 'BACKFILL_LICENSE_MATCH') as license_match_count,
    (select count(*) from linked as l where l.match_rule = 'BACKFILL_PHONE_MATCH') as phone_match_count,
    (select count(*) from linked as l where l.match_rule = 'BACKFILL_NEW_PERSON') as new_person_count;
