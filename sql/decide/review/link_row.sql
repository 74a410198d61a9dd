-- Links a scouting row that is linked to nobody to a person, one who is there or a new one for this row, or moves the
-- link that it has; closes its unmatched row, and writes the audit. A link that is out of date goes either way. One
-- row: what was done; linked_count 0 = the row is linked by now (to move: to nobody or to that person), or gone.
with chosen as materialized (
    select
        s.source_pk,
        s.content,
        s.license_key,
        s.phone_key,
        case
            when cast(:is_new_person as boolean) then scout.new_person_key(s.row_id)
            else cast(:person_key as uuid)
        end as person_key,
        jsonb_build_object('has_license', s.license_key is not null, 'has_phone', s.phone_key is not null) as evidence
    from scout.v_review_rows as v
    inner join scout.src_scouting_daily as s on s.source_pk = v.source_pk
    where v.source_pk = cast(:source_pk as text)
        and not s.is_repeated
        and case
            when cast(:is_move as boolean)
                then coalesce(v.person_key, v.outdated_person_key) is not null
                and v.person_key is distinct from cast(:person_key as uuid)
            else v.person_key is null
        end
),

founded as (
    insert into canon.identity_registry (
        person_key, created_at, updated_at, confidence_level, primary_phone, primary_license, flags
    )
    select
        c.person_key,
        now(),
        now(),
        'MEDIUM',
        c.phone_key,
        c.license_key,
        jsonb_build_object('created_by', 'scout_attribution_review', 'run_id', cast(:run_id as integer))
    from chosen as c
    where cast(:is_new_person as boolean)
    returning person_key
),

-- the link under the row's number, in force or out of date; one under its older key stays, and counts no more
moved as (
    delete from canon.identity_links as k
    using chosen as c
    where k.source_table = 'module_ct_scouting_daily' and k.source_pk = c.source_pk
    returning k.*
),

kept as (
    insert into scout.moved_links (
        run_id, source_table, source_pk, person_key, snapshot_date, match_rule, match_score, confidence_level, evidence,
        linked_at, link_run_id, content
    )
    select
        :run_id,
        m.source_table,
        m.source_pk,
        m.person_key,
        m.snapshot_date,
        m.match_rule,
        m.match_score,
        m.confidence_level::text,
        m.evidence,
        m.linked_at,
        m.run_id,
        l.content
    from moved as m
    left join scout.v_row_links as l on l.link_id = m.id
    returning source_pk
),

linked as (
    insert into canon.identity_links (
        person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level, evidence, linked_at, run_id
    )
    select
        c.person_key,
        'module_ct_scouting_daily',
        c.source_pk,
        now(),
        case
            when cast(:is_new_person as boolean) then 'REVIEW_NEW_PERSON'
            when cast(:is_move as boolean) then 'REVIEW_MOVE'
            else 'REVIEW_LINK'
        end,
        100,
        'HIGH',
        c.evidence,
        now(),
        :run_id
    from chosen as c
    -- the old link is gone before the new one comes
    left join moved as m on m.source_pk = c.source_pk
    where (not cast(:is_new_person as boolean) or c.person_key in (select f.person_key from founded as f))
        and (m.id is not null or not exists (
            select from canon.identity_links as k
            where k.source_table = 'module_ct_scouting_daily' and k.source_pk = c.source_pk
        ))
    returning source_table, source_pk, person_key, match_rule, match_score, confidence_level, evidence
),

said as (
    insert into scout.linked_rows as r (source_table, source_pk, content)
    select
        l.source_table,
        l.source_pk,
        c.content
    from linked as l
    inner join chosen as c on c.source_pk = l.source_pk
    on conflict (source_table, source_pk) do update
        set content = excluded.content
    returning r.source_pk
),

resolved as (
    update canon.identity_unmatched as u
    set
        status = 'RESOLVED',
        resolved_at = now(),
        run_id = :run_id
    from linked as l
    where u.source_table = l.source_table and u.source_pk = l.source_pk and u.status <> 'RESOLVED'
    returning u.id
),

taken_up as (
    delete from scout.ignored_rows as i
    using linked as l
    where i.source_table = l.source_table and i.source_pk = l.source_pk
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
            'reverts audit row ' || m.audit_id || ' of run ' || m.run_id || ': somebody moved the link' as notes
        from moved as o
        inner join scout.v_made_links as m on m.source_table = o.source_table and m.source_pk = o.source_pk
        union all
        select
            l.source_table,
            l.source_pk,
            l.person_key,
            null,
            l.match_rule,
            l.confidence_level::text,
            l.match_score,
            l.evidence,
            'CREATED',
            case when o.id is not null then 'moved from ' || o.person_key end
        from linked as l
        left join moved as o on o.source_pk = l.source_pk
    ) as a
    order by a.action_type desc
    returning person_key, action_type
)

select
    (select a.person_key::text from audited as a where a.action_type = 'CREATED') as person_key,
    (select count(*) from linked) as linked_count,
    (select count(*) from founded) as founded_count,
    (select count(*) from resolved) as resolved_count;
