-- Releases holds by their id, or all that one undo made. One row per hold released.
update scout.holds as h
set
    released_at = now(),
    released_by = :actor,
    release_reason = :reason,
    release_run_id = :run_id
where h.released_at is null
    and (h.hold_id = any(cast(:hold_ids as bigint [])) or h.run_id = cast(:held_by_run_id as integer))
returning h.hold_id;
