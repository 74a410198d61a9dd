-- Which request a key of the API belongs to, so that a key sent again is answered as the first time, and to nobody else.

create table scout.request_keys (
    request_key text primary key,
    actor text not null,
    request_hash bytea check (octet_length(request_hash) = 32),
    -- serves: one request of the library belongs to one key
    request_id text not null unique,
    answer text,
    first_at timestamptz not null default clock_timestamp()
);
-- serves: forgetting keys after a week
create index request_keys_first_at on scout.request_keys (first_at);
comment on table scout.request_keys is
'One row per Idempotency-Key of the last week: whose request it is, and what it was answered. Rounds delete what is older.';
comment on column scout.request_keys.request_hash is
'sha256 of method, route, parameters and body; null for a request that came before there was this table.';
comment on column scout.request_keys.request_id is 'As in scout.runs or scout.alert_events, which keep it for good.';
comment on column scout.request_keys.answer is 'The body of the first good answer; null while there is none, also after a refusal.';

-- requests of before go on being answered, for a week from now
insert into scout.request_keys (request_key, actor, request_id)
select r.request_id, r.actor, r.request_id
from scout.runs as r
where r.request_id is not null and r.trigger = 'api'
union all
select distinct on (e.request_id) e.request_id, e.actor, e.request_id
from scout.alert_events as e
where e.request_id is not null
    and e.actor is not null
    and not exists (select from scout.runs as r where r.request_id = e.request_id and r.trigger = 'api');
