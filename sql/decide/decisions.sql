-- What somebody who decides has to know of persons.

-- name: persons
-- One row per person asked for that is registered; seen as in scout.v_evidence_seen. is_held = by an open hold.
select
    p.person_key::text as person_key,
    s.seen,
    p.conflict_kind,
    p.reason_code,
    p.ledger_scout_id,
    p.scout_ids,
    p.decision_id,
    d.outcome as decision_outcome,
    d.scout_id as decision_scout_id,
    exists (
        select from scout.v_held_persons as h
        where h.person_key = p.person_key
    ) as is_held
from scout.attribution_of(cast(:person_keys as uuid [])) as p
inner join scout.v_evidence_seen as s
    on s.person_key = p.person_key
left join scout.decisions as d
    on d.decision_id = p.decision_id
where s.person_key = any(cast(:person_keys as uuid []))
order by p.person_key;

-- name: seen
select
    s.person_key::text as person_key,
    s.seen
from scout.v_evidence_seen as s
where s.person_key = any(cast(:person_keys as uuid []));

-- name: is_known
-- One row: whether the list of scouts has the scout, or is empty.
select
    not exists (select from scout.v_known_scouts)
    or exists (
        select from scout.v_known_scouts as k
        where k.scout_id = cast(:scout_id as integer)
    ) as is_known;

-- name: evidence
select
    e.scout_id,
    e.source_table,
    e.source_pk,
    e.attribution_date
from ops.v_scout_attribution_raw as e
where e.person_key = cast(:person_key as uuid)
order by e.priority, e.attribution_date, e.source_pk, e.scout_id
limit 50;
