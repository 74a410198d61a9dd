-- Every token of the API is as it was made and revoked (I13)
select
    coalesce(t.token_id, e.token_id) as token_id,
    case
        when e.token_id is null then 'token that nobody made'
        when t.token_id is null then 'token that is gone'
        else 'token that was changed'
    end as problem
from scout.api_tokens as t
full join (
    select
        c.token_id,
        row(
            c.token_id, c.name, c.role, c.actions, c.secret_hash, c.at, c.actor, c.expires_at, r.at, r.actor
        )::text as token_text
    from scout.token_events as c
    left join scout.token_events as r on r.token_id = c.token_id and r.event = 'REVOKED'
    where c.event = 'CREATED'
) as e on e.token_id = t.token_id
where e.token_text is distinct from row(
        t.token_id, t.name, t.role, t.actions, t.secret_hash, t.created_at, t.created_by, t.expires_at, t.revoked_at,
        t.revoked_by
    )::text;
