-- name: facts
select
    (select coalesce(sum(t.person_count), 0)::bigint from scout.v_attribution_totals as t) as total_persons,
    not exists (
        select from ops.ingestion_runs as r
        where r.job_type = 'scout_attribution_refresh' and r.status = 'COMPLETED'
    ) as is_first_run;

-- name: plan_links
select
    c.source_pk,
    c.scout_id,
    c.outcome,
    c.person_key::text as person_key,
    c.match_rule,
    c.reason_code,
    c.moved_from_person_key::text as moved_from,
    c.is_founder as is_new_person,
    c.is_new_reason,
    -- the row of another number, that was linked to the same person: no change that the guard minds
    c.outcome = 'LINK' and exists (
        select
        from scout.src_scouting_daily as s
        inner join scout.v_row_links as k on k.content = s.content
        where s.source_pk = c.source_pk and k.person_key = c.person_key
    ) as is_renumbered
from scout.v_identity_candidates as c
order by c.apply_order;

-- name: plan_scouts
select
    p.person_key::text as person_key,
    p.scout_id,
    p.has_ledger_row
from scout.v_planned_scouts as p
order by p.person_key;

-- name: skipped_scouts
select
    t.reason_code,
    sum(t.person_count)::bigint as person_count
from scout.v_backlog_totals as t
where t.category = 'D' and t.reason_code <> 'WAITING_FOR_NEXT_RUN'
group by t.reason_code
order by t.reason_code;

-- name: count_candidates
select coalesce(sum(t.person_count), 0)::bigint as person_count
from scout.v_backlog_totals as t
where t.reason_code = 'WAITING_FOR_NEXT_RUN';

-- name: waiting_between
select v.person_key
from scout.v_propagation_candidates as v
where (cast(:after_key as uuid) is null or v.person_key > cast(:after_key as uuid))
    and v.person_key <= cast(:upto_key as uuid)
order by v.person_key;

-- name: vanished_sources
select
    c.source_name,
    c.kept_count,
    c.row_count
from scout.v_source_rows_now as c
where c.is_vanished
order by c.source_name;

-- name: lost_meanwhile
-- by what statements of others have noted since this run counted
select
    k.source_name,
    k.row_count as kept_count,
    greatest(k.row_count + n.row_change, 0) as row_count
from scout.source_rows as k
inner join (
    select
        c.source_name,
        sum(c.row_change) as row_change
    from scout.source_changes as c
    where not c.is_ours
    group by c.source_name
) as n on n.source_name = k.source_name
where k.row_count > 0 and (k.row_count + n.row_change) * 2 < k.row_count
order by k.source_name;
