-- Tokens of the API. The hash leaves the database only to be compared.

-- name: create
with made as (
    insert into scout.api_tokens (token_id, name, role, actions, secret_hash, created_by, expires_at)
    values (:token_id, :name, :role, cast(:actions as text []), :secret_hash, :created_by, :expires_at)
    returning token_id, name, role, actions, secret_hash, expires_at, created_by, created_at
)

insert into scout.token_events (token_id, event, name, role, actions, secret_hash, expires_at, actor, at)
select
    m.token_id,
    'CREATED',
    m.name,
    m.role,
    m.actions,
    m.secret_hash,
    m.expires_at,
    m.created_by,
    m.created_at
from made as m;

-- name: list_tokens
select
    t.token_id,
    t.name,
    t.role,
    t.actions,
    t.created_at,
    t.created_by,
    t.expires_at,
    t.revoked_at,
    t.revoked_by,
    t.last_used_at
from scout.api_tokens as t
order by t.created_at, t.token_id;

-- name: find
select
    t.token_id,
    t.name,
    t.role,
    t.actions,
    t.secret_hash,
    t.last_used_at
from scout.api_tokens as t
where t.token_id = :token_id and t.revoked_at is null and t.expires_at > :now;

-- name: revoke
with revoked as (
    update scout.api_tokens as t
    set
        revoked_at = clock_timestamp(),
        revoked_by = :actor
    where t.token_id = :token_id and t.revoked_at is null
    returning t.token_id, t.revoked_by, t.revoked_at
)

insert into scout.token_events (token_id, event, actor, at)
select
    r.token_id,
    'REVOKED',
    r.revoked_by,
    r.revoked_at
from revoked as r
returning token_id;

-- name: record_use
update scout.api_tokens as t
set last_used_at = :now
where t.token_id = :token_id and (t.last_used_at is null or t.last_used_at < :not_after);
