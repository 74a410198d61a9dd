-- name: try_lock
select pg_try_advisory_xact_lock(:lock_class, :lock_key);

-- name: lock
select pg_advisory_xact_lock(:lock_class, :lock_key);

-- name: of_now
select
    v.mode,
    v.reading,
    v.as_of,
    v.is_exact,
    v.pending_count,
    v.built_at
from scout.v_state as v;

-- name: definition
select s.mode, s.built_at, s.definition from scout.state as s;

-- name: has_pending
select exists (select from scout.pending_persons) as has_pending;

-- name: load
-- beyond a tenth of the persons one pass over everything is faster than looking each up
-- an installation that died before its state was built is finished by whoever settles next; and a change that could
-- not be audited is found by looking at everything
select
    p.entry_count,
    s.mode = 'LIVE'
    or p.entry_count > 50000 and p.entry_count > 0.1 * (select count(*) from scout.person_attribution) as is_whole,
    -- triggers are off or work again, or a note could not be made
    (s.mode = 'TRACKED') <> t.is_tracked
    or exists (select from scout.rebuild_requests)
    or exists (select from scout.missed_changes) as is_unnoted,
    s.mode = 'TRACKED' and not t.is_tracked as is_blind
from scout.state as s
cross join (select count(*) as entry_count from scout.pending_persons) as p
cross join scout.v_tracking as t;

-- name: begun
select
    pg_current_snapshot()::text as seen,
    now() as begun_at;

-- name: set_mode
update scout.state
set
    mode = :mode,
    is_evidence_seen = true,
    built_at = coalesce(cast(:built_at as timestamptz), built_at),
    definition = coalesce(cast(:definition as text), definition);

-- name: lose_track
update scout.state
set mode = 'REBUILT'
where mode = 'TRACKED';

-- name: is_tracked
select t.is_tracked from scout.v_tracking as t;
