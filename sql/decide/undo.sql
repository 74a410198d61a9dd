-- What undoing a run would do.

-- name: run
select
    r.run_id,
    r.kind,
    r.status,
    r.actor,
    r.started_at,
    r.completed_at
from scout.v_runs as r
where r.run_id = :run_id;

-- name: counts
-- One row per subject and outcome of what the run did. Subjects: LEDGER (with its decision where there is one),
-- DECISION (for what the ledger said already), LINK, DISMISSAL.
select
    c.subject,
    c.outcome,
    count(*) as item_count
from (
    select
        case when p.audit_id is null then 'DECISION' else 'LEDGER' end as subject,
        p.outcome
    from scout.v_undo_persons as p
    where p.run_id = :run_id
    union all
    select
        l.kind as subject,
        l.outcome
    from scout.v_undo_links as l
    where l.run_id = :run_id
) as c
group by c.subject, c.outcome
order by c.subject, c.outcome;

-- name: items
-- One row per thing that the run did, those first that cannot be undone.
select
    c.subject,
    c.outcome,
    c.person_key::text as person_key,
    c.source_table,
    c.source_pk,
    c.old_scout_id,
    c.new_scout_id,
    case when c.outcome <> 'UNDO' then c.later_run_id end as later_run_id,
    case when c.outcome <> 'UNDO' then c.later_actor end as later_actor,
    case when c.outcome <> 'UNDO' then c.later_method end as later_method,
    case when c.outcome <> 'UNDO' then c.later_at end as later_at
from (
    select
        case when p.audit_id is null then 'DECISION' else 'LEDGER' end as subject,
        p.outcome,
        p.person_key,
        null as source_table,
        null as source_pk,
        p.old_scout_id,
        p.new_scout_id,
        p.later_run_id,
        p.later_actor,
        p.later_method,
        p.later_at
    from scout.v_undo_persons as p
    where p.run_id = :run_id
    union all
    select
        l.kind as subject,
        l.outcome,
        l.person_key,
        l.source_table,
        l.source_pk,
        null as old_scout_id,
        null as new_scout_id,
        l.later_run_id,
        l.later_actor,
        l.later_method,
        l.later_at
    from scout.v_undo_links as l
    where l.run_id = :run_id
) as c
order by c.outcome = 'UNDO', c.outcome = 'ALREADY_UNDONE', c.subject desc, c.person_key, c.source_pk
limit :row_limit;

-- name: founded
-- One row: persons that the run founded and that are still there, and how many of them would go.
select
    (
        select count(*) from scout.v_founded_persons as f
        where f.run_id = :run_id and f.is_there
    ) as founded_count,
    (select count(*) from scout.removable_persons(:run_id) as r (person_key)) as removable_count;

-- name: paid
-- One row: persons whom the undo concerns and who were already paid for, and how much.
select
    count(distinct s.person_key) as person_count,
    sum(s.amount_pen) as paid_pen
from scout.v_undo_persons as p
inner join scout.src_liquidation_ledger as s
    on s.person_key = p.person_key
where p.run_id = :run_id and p.outcome = 'UNDO' and s.is_paid;
