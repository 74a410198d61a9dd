-- name: record
-- One row a minute for the same: who is refused again and again does not fill the table.
insert into scout.denials (actor, role, action, via)
select
    cast(:actor as text),
    cast(:role as text),
    cast(:action as text),
    cast(:via as text)
where not exists (
    select
    from scout.denials
    where denials.actor = :actor
        and denials.role = :role
        and denials.action = :action
        and denials.via = :via
        and denials.recorded_at > clock_timestamp() - interval '1 minute'
);
