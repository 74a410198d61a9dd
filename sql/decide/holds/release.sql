-- Releases holds by their id, or all that one undo made; rows that they held under another number by now are to be
-- judged too. One row per hold released.
with released as (
    update scout.holds as h
    set
        released_at = now(),
        released_by = :actor,
        release_reason = :reason,
        release_run_id = :run_id
    where h.released_at is null
        and (h.hold_id = any(cast(:hold_ids as bigint [])) or h.run_id = cast(:held_by_run_id as integer))
    returning h.hold_id
),

noted as (
    insert into scout.pending_persons (source_table, source_pk)
    select
        r.source_table,
        r.source_pk
    from scout.v_held_rows as r
    where r.hold_id in (select d.hold_id from released as d)
    returning 1
)

select r.hold_id from released as r;
