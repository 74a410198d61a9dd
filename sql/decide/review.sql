-- Scouting rows that no rule could link: the work list of identity review, and one of them looked at closely.

-- name: list_open
select
    u.unmatched_id,
    u.source_pk,
    u.reason_code,
    s.scout_id,
    s.registered_on,
    s.license_key is not null as has_license,
    s.phone_key is not null as has_phone,
    u.candidate_person_keys::text[] as candidate_person_keys,
    exists (
        select from scout.v_held_rows as h
        where h.source_table = u.source_table and h.source_pk = u.source_pk
    ) as is_held,
    u.created_at as left_at
from scout.src_unmatched as u
inner join scout.src_scouting_daily as s
    on s.source_pk = u.source_pk
where u.source_table = 'module_ct_scouting_daily'
    and u.status = 'OPEN'
    and (cast(:reason_code as text) is null or u.reason_code = cast(:reason_code as text))
    and (cast(:scout_id as integer) is null or s.scout_id = cast(:scout_id as integer));

-- name: reasons
select
    u.reason_code,
    count(*) as row_count
from scout.src_unmatched as u
where u.source_table = 'module_ct_scouting_daily' and u.status = 'OPEN'
group by u.reason_code
order by row_count desc, u.reason_code;

-- name: row
select
    v.source_pk,
    v.scout_id,
    v.registered_on,
    v.phone,
    v.license,
    v.license_key,
    v.phone_key,
    v.person_key::text as person_key,
    v.outdated_person_key::text as outdated_person_key,
    v.status,
    v.reason_code,
    v.hold_id
from scout.v_review_rows as v
where v.source_pk = cast(:source_pk as text);

-- name: candidate_keys
-- One row per person who is known under the row's licence or phone, or whom a run named.
select k.person_key::text as person_key
from (
    select l.person_key from scout.v_person_keys as l
    where l.license_key = cast(:license_key as text) collate "C"
    union
    select f.person_key from scout.v_person_keys as f
    where f.phone_key = cast(:phone_key as text) collate "C"
    union
    select unnest(u.candidate_person_keys) from scout.src_unmatched as u
    where u.source_table = 'module_ct_scouting_daily' and u.source_pk = cast(:source_pk as text)
) as k
order by k.person_key
limit :row_limit;

-- name: candidates
-- One row per person given, those who share most first; scout_ids = those that evidence and ledger name.
select
    p.person_key::text as person_key,
    c.shares_license,
    c.shares_phone,
    c.has_other_license,
    r.phone,
    r.license,
    coalesce(
        r.full_name,
        (
            select min(n.full_name) from scout.v_person_names as n
            where n.person_key = r.person_key
        )
    ) as full_name,
    p.ledger_scout_id,
    p.scout_ids,
    p.is_lead
from scout.attribution_of(cast(:person_keys as uuid [])) as p
inner join scout.src_registry_identifiers as r
    on r.person_key = p.person_key
cross join lateral (
    select
        coalesce(bool_or(k.license_key = cast(:license_key as text) collate "C"), false) as shares_license,
        coalesce(bool_or(k.phone_key = cast(:phone_key as text) collate "C"), false) as shares_phone,
        coalesce(bool_or(k.license_key <> cast(:license_key as text) collate "C"), false) as has_other_license
    from scout.v_person_keys as k
    where k.person_key = p.person_key
) as c
where r.person_key = any(cast(:person_keys as uuid []))
order by c.shares_license desc, c.shares_phone desc, p.person_key;

-- name: names
-- What the row says of its driver's name; null where the source has none.
select min(n.full_name) as full_name
from scout.src_scouting_names as n
where n.source_pk = cast(:source_pk as text);

-- name: audit
select
    a.id as audit_id,
    a.backfill_timestamp as changed_at,
    a.action_type::text as action,
    a.match_method as method,
    a.person_key::text as person_key,
    a.ingestion_run_id as run_id,
    a.actor,
    a.notes
from ops.identity_links_backfill_audit as a
where a.source_table = 'module_ct_scouting_daily' and a.source_pk = cast(:source_pk as text)
order by a.id;
