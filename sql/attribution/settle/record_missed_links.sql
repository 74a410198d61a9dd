-- The same of links that runs of ours made. One row: how many.
with found as materialized (
    select
        coalesce(k.source_table::text, n.source_table) as source_table,
        coalesce(k.source_pk::text, n.source_pk) as source_pk,
        n.person_key as old_person_key,
        k.person_key as new_person_key,
        k.match_score,
        k.confidence_level::text as confidence_level
    from (select w.* from scout.v_newest_link_audit as w where w.action_type = 'CREATED') as n
    full join (
        select i.* from canon.identity_links as i
        where i.run_id in (select r.run_id from scout.runs as r)
    ) as k
        on k.source_table = n.source_table and k.source_pk = n.source_pk
    where k.person_key is distinct from n.person_key
        or (n.match_method <> 'EXTERNAL_CHANGE' and k.run_id <> n.run_id)
),

audited as (
    insert into ops.identity_links_backfill_audit (
        source_table, source_pk, person_key, match_method, match_confidence, match_score, action_type, actor, notes
    )
    select
        w.source_table, w.source_pk, w.person_key, 'EXTERNAL_CHANGE', w.confidence_level, w.match_score, w.action_type,
        'unknown', 'found later'
    from (
        select 1 as place, f.source_table, f.source_pk, f.old_person_key as person_key, null as confidence_level, null::integer as match_score, 'REVERTED' as action_type
        from found as f
        where f.old_person_key is not null
        union all
        select 2, f.source_table, f.source_pk, f.new_person_key, f.confidence_level, f.match_score, 'CREATED'
        from found as f
        where f.new_person_key is not null
    ) as w
    order by w.source_table, w.source_pk, w.place
    returning id
),

-- no run seals them
waiting as (
    insert into scout.unsealed_rows (table_name, id)
    select
        'ops.identity_links_backfill_audit',
        a.id
    from audited as a
    returning 1
),

cleared as (
    delete from scout.missed_changes as m
    where m.kind = 'links'
    returning 1
)

select
    (select count(*) from waiting) as changed_count,
    (select count(*) from cleared) as cleared_count;
