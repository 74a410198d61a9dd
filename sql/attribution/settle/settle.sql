-- Takes touched source rows off the list and settles the persons and scouting rows that they concern, and a
-- range of persons where one is given: one snapshot decides what is taken, looked up and recomputed.
-- While nothing was settled before, totals are counted at the end, and nobody reads them until then. One row: how many.
with entries as materialized (
    select
        p.ctid as entry,
        p.source_table,
        p.source_pk,
        p.person_key
    from scout.pending_persons as p
    limit :row_limit
),

entry_list as materialized (
    select coalesce(array_agg(e.entry), '{}') as entries
    from entries as e
),

concerned as materialized (
    select coalesce(array_agg(distinct k.person_key), '{}') as person_keys
    from scout.v_pending_keys as k
    where k.entry = any((select l.entries from entry_list as l)::tid [])
),

concerned_rows as materialized (
    select coalesce(array_agg(distinct r.source_pk), '{}') as source_pks
    from scout.v_pending_rows as r
    where r.entry = any((select l.entries from entry_list as l)::tid [])
),

live as (
    select l.*
    from scout.attribution_of((select c.person_keys from concerned as c)) as l
    union all
    select l.*
    from scout.attribution_between(cast(:after_key as uuid), cast(:upto_key as uuid)) as l
),

settled as (
    select s.*
    from scout.person_attribution as s
    where s.person_key = any((select c.person_keys from concerned as c)::uuid [])
    union all
    select s.*
    from scout.person_attribution as s
    where s.person_key > cast(:after_key as uuid) and s.person_key <= cast(:upto_key as uuid)
),

-- looked at under the lock: another settler may have built the state since
totals as materialized (
    select s.mode <> 'LIVE' as is_read from scout.state as s
),

-- what is as it was is neither locked nor counted; a person as a whole costs as much as reading it, and is made
-- where it is counted alone
changed as materialized (
    select
        l.*,
        s.person_key as settled_key,
        s.conflict_kind as settled_conflict_kind,
        s.ledger_scout_id as settled_ledger_scout_id,
        s.cabinet_link_days as settled_cabinet_link_days,
        case when (select t.is_read from totals as t) then l::scout.person_attribution end as fresh,
        case when (select t.is_read from totals as t) then s::scout.person_attribution end as outdated
    from live as l
    full join settled as s on s.person_key = l.person_key
    where s.person_key is null or l.person_key is null or s.* is distinct from l.*
),

written as (
    insert into scout.person_attribution as s
    select
        c.person_key,
        c.registered_at,
        c.is_lead,
        c.has_identity_link,
        c.linked_driver_id,
        c.has_ledger_row,
        c.ledger_scout_id,
        c.ledger_updated_at,
        c.event_count,
        c.event_scout_min,
        c.event_scout_max,
        c.scout_min,
        c.scout_max,
        c.event_evidence_count,
        c.migration_evidence_count,
        c.scouting_evidence_count,
        c.payment_evidence_count,
        c.has_unreadable_scout,
        c.first_event_date,
        c.last_event_date,
        c.first_evidence_date,
        c.last_evidence_date,
        c.decision_id,
        c.category,
        c.reason_code,
        c.conflict_kind,
        c.scout_ids,
        c.sources,
        c.origin_tags,
        c.evidence_count,
        c.event_source_tables,
        c.event_origin_tags,
        c.scouting_link_days,
        c.cabinet_link_days,
        c.best
    from changed as c
    where c.person_key is not null
    on conflict (person_key) do update
        set (
            person_key,
            registered_at,
            is_lead,
            has_identity_link,
            linked_driver_id,
            has_ledger_row,
            ledger_scout_id,
            ledger_updated_at,
            event_count,
            event_scout_min,
            event_scout_max,
            scout_min,
            scout_max,
            event_evidence_count,
            migration_evidence_count,
            scouting_evidence_count,
            payment_evidence_count,
            has_unreadable_scout,
            first_event_date,
            last_event_date,
            first_evidence_date,
            last_evidence_date,
            decision_id,
            category,
            reason_code,
            conflict_kind,
            scout_ids,
            sources,
            origin_tags,
            evidence_count,
            event_source_tables,
            event_origin_tags,
            scouting_link_days,
            cabinet_link_days,
            best
        ) = (select excluded.*)
    returning s.person_key
),

gone as (
    delete from scout.person_attribution as s
    where s.person_key in (select c.settled_key from changed as c where c.person_key is null)
    returning s.person_key
),

changes as (
    select
        1 as weight,
        c.fresh as person
    from changed as c
    where (c.fresh).person_key is not null
    union all
    select
        -1 as weight,
        c.outdated as person
    from changed as c
    where (c.outdated).person_key is not null
),

counted as (
    insert into scout.attribution_totals as t (
        category, reason_code, conflict_kind, is_lead, has_identity_link, names_scout, best_priority, person_count
    )
    select
        n.category, n.reason_code, n.conflict_kind, n.is_lead, n.has_identity_link, n.names_scout, n.best_priority,
        sum(c.weight)
    from changes as c
    cross join lateral scout.group_of(c.person) as n
    group by
        n.category, n.reason_code, n.conflict_kind, n.is_lead, n.has_identity_link, n.names_scout, n.best_priority
    having sum(c.weight) <> 0
    on conflict (
        category, reason_code, conflict_kind, is_lead, has_identity_link, names_scout, best_priority
    ) do update
        set person_count = t.person_count + excluded.person_count
    returning t.person_count
),

counted_scouts as (
    insert into scout.attribution_scouts as t (scout_id, category, reason_code, conflict_kind, person_count)
    select
        ((c.person).best).scout_id,
        (c.person).category,
        (c.person).reason_code,
        (c.person).conflict_kind,
        sum(c.weight)
    from changes as c
    where ((c.person).best).scout_id is not null
    group by ((c.person).best).scout_id, (c.person).category, (c.person).reason_code, (c.person).conflict_kind
    having sum(c.weight) <> 0
    on conflict (scout_id, category, reason_code, conflict_kind) do update
        set person_count = t.person_count + excluded.person_count
    returning t.person_count
),

dated as (
    insert into scout.attribution_days as t (on_date, kind, person_count)
    select
        n.on_date,
        n.kind,
        sum(c.weight)
    from changes as c
    cross join lateral scout.days_of(
        (c.person).registered_at, (c.person).ledger_scout_id, (c.person).ledger_updated_at, (c.person).scouting_link_days, (c.person).cabinet_link_days
    ) as n
    group by n.on_date, n.kind
    having sum(c.weight) <> 0
    on conflict (on_date, kind) do update
        set person_count = t.person_count + excluded.person_count
    returning t.person_count
),

-- whose evidence is asked for its age: it names another scout than the ledger, or may some day; what has no created_at
-- is as old as our first look
asked as materialized (
    select
        c.person_key,
        c.ledger_scout_id
    from changed as c
    where c.scout_min <> c.ledger_scout_id or c.scout_max <> c.ledger_scout_id
        or (c.scout_min is not null and (select s.is_evidence_seen from scout.state as s))
),

seen as (
    insert into scout.evidence_seen as t (piece, seen_at)
    select
        e.piece,
        min(e.since)
    from asked as d
    inner join scout.v_evidence_age as e on e.person_key = d.person_key
    where e.piece is not null
        and (
            (e.scout_id <> d.ledger_scout_id and (e.seen_at is null or e.created_at < e.seen_at))
            or (e.created_at is null and e.seen_at is null)
        )
    group by e.piece
    on conflict (piece) do update
        set seen_at = excluded.seen_at
        where excluded.seen_at < t.seen_at
    returning 1
),

seen_ledger as (
    insert into scout.ledger_seen as t (person_key, scout_id, updated_at)
    select
        c.person_key,
        c.ledger_scout_id,
        c.ledger_updated_at
    from changed as c
    where (c.scout_min <> c.ledger_scout_id or c.scout_max <> c.ledger_scout_id)
        and c.ledger_updated_at is not null
    on conflict (person_key, scout_id) do update
        set updated_at = excluded.updated_at
        where excluded.updated_at < t.updated_at
    returning 1
),

unlinked as materialized (
    select u.*
    from scout.unlinked_of((select c.source_pks from concerned_rows as c)) as u
),

kept_rows as (
    insert into scout.unlinked_rows as t (source_pk, row_id, scout_id)
    select
        u.source_pk,
        u.row_id,
        u.scout_id
    from unlinked as u
    on conflict (source_pk) do update
        set
            row_id = excluded.row_id,
            scout_id = excluded.scout_id
        where t.* is distinct from excluded.*
    returning t.source_pk
),

gone_rows as (
    delete from scout.unlinked_rows as t
    where t.source_pk = any((select c.source_pks from concerned_rows as c)::text [])
        and not exists (select from unlinked as u where u.source_pk = t.source_pk)
    returning t.source_pk
),

touched as (
    insert into scout.touched_keys (license_key, phone_key, person_key, source_pk)
    select distinct
        t.license_key,
        t.phone_key,
        t.person_key,
        t.source_pk
    from scout.v_pending_touches as t
    where t.entry = any((select l.entries from entry_list as l)::tid [])
    returning 1
),

to_check as (
    insert into scout.rows_to_check (source_table, source_pk)
    select distinct
        c.source_table,
        c.source_pk
    from entries as e
    cross join lateral (
        values
        (coalesce(e.source_table, 'lead_ledger'), coalesce(e.source_pk, e.person_key::text))
    ) as c (source_table, source_pk)
    where c.source_pk is not null
    on conflict (source_table, source_pk) do nothing
    returning 1
),

-- the alerts that hang on what changed are looked at next time
noted as (
    insert into scout.alerts_to_check (subject)
    select coalesce(c.person_key, c.settled_key)::text
    from changed as c
    where c.conflict_kind is distinct from c.settled_conflict_kind
        or (
            (c.ledger_scout_id is null) <> (c.settled_ledger_scout_id is null)
            and cardinality(coalesce(c.cabinet_link_days, c.settled_cabinet_link_days)) > 0
        )
    union all
    select distinct scout.row_subject(e.source_table, e.source_pk)
    from entries as e
    where e.source_table = 'module_ct_cabinet_leads'
    returning 1
),

taken as (
    delete from scout.pending_persons as p
    where p.ctid = any((select l.entries from entry_list as l)::tid [])
    returning 1
)

select
    (select count(*) from taken) as entry_count,
    -- those that are settled, and those that are new
    (select count(*) from settled) + (select count(*) from changed as c where c.settled_key is null) as person_count,
    (select count(*) from written) + (select count(*) from gone) as changed_count;
