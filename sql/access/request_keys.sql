-- name: forget_one
delete from scout.request_keys as k
where k.request_key = :request_key and k.first_at < :since;

-- name: forget
delete from scout.request_keys as k
where k.first_at < :since;

-- name: claim
insert into scout.request_keys (request_key, actor, request_hash, request_id, first_at)
values (:request_key, :actor, :request_hash, :request_id, :now)
on conflict (request_key) do nothing;

-- name: by_key
select
    k.actor,
    k.request_hash,
    k.request_id,
    k.answer
from scout.request_keys as k
where k.request_key = :request_key;

-- name: keep_answer
update scout.request_keys as k
set
    answer = :answer,
    request_hash = :request_hash
where k.request_key = :request_key and k.request_id = :request_id and k.answer is null;
