-- Sessions of the pages: the last sign-in of each subject, and whose sessions have ended.

-- name: enter
insert into scout.sign_ins (subject, actor, role, signed_in_at)
values (:subject, :actor, :role, clock_timestamp())
on conflict (subject) do nothing;

-- name: lock
select s.role
from scout.sign_ins as s
where s.subject = :subject
for update;

-- name: record
update scout.sign_ins as s
set
    actor = :actor,
    role = :role,
    signed_in_at = clock_timestamp()
where s.subject = :subject
returning s.signed_in_at;

-- name: end_sessions
insert into scout.session_ends as e (subject, ended_at, reason, actor)
values (:subject, coalesce(cast(:at as timestamptz), clock_timestamp()), :reason, :actor)
on conflict (subject) do update
    set
        ended_at = excluded.ended_at,
        reason = excluded.reason,
        actor = excluded.actor
    where excluded.ended_at > e.ended_at;

-- name: forget_ends
delete from scout.session_ends as e
where e.ended_at < clock_timestamp() - make_interval(hours => :hours);

-- name: forget_sign_ins
delete from scout.sign_ins as s
where s.signed_in_at < clock_timestamp() - make_interval(hours => :hours);

-- name: list_ends
select
    e.subject,
    e.ended_at
from scout.session_ends as e
order by e.subject;

-- name: find_subjects
select
    s.subject,
    s.actor
from scout.sign_ins as s
where s.subject = :whom or lower(s.actor) = lower(:whom)
order by s.subject;

-- name: list_sign_ins
select
    s.subject,
    s.actor,
    s.role,
    s.signed_in_at,
    e.ended_at,
    e.reason
from scout.sign_ins as s
left join scout.session_ends as e
    on e.subject = s.subject and e.ended_at >= s.signed_in_at
order by s.signed_in_at desc, s.subject;
