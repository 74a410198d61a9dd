-- Who may ask by token, what was refused to whom, and which files left.

create table scout.api_tokens (
    token_id text primary key check (token_id ~ '^[0-9a-f]{16}$'),
    name text not null check (length(name) between 1 and 60),
    role text not null check (role in ('viewer', 'analyst', 'operator', 'admin')),
    actions text[],
    secret_hash bytea not null check (octet_length(secret_hash) = 32),
    created_at timestamptz not null default clock_timestamp(),
    created_by text not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by text,
    last_used_at timestamptz,
    check ((revoked_at is null) = (revoked_by is null))
);
-- serves: a name says which token it is, in audit rows too
create unique index api_tokens_name on scout.api_tokens (name) where revoked_at is null;
comment on table scout.api_tokens is 'One row per token of the API. The secret itself is nowhere: it was shown once when it was made.';
comment on column scout.api_tokens.token_id is 'The part of the token that is no secret, by which its row is found.';
comment on column scout.api_tokens.actions is 'Only these actions of the role; null = all of them.';
comment on column scout.api_tokens.secret_hash is 'sha256 of the secret, which has 256 random bits, so that no salt is needed.';
comment on column scout.api_tokens.last_used_at is 'Brought up to date at most once a minute.';

create table scout.denials (
    id bigint generated always as identity primary key,
    actor text not null,
    role text not null,
    action text not null,
    via text not null check (via in ('api', 'page', 'cli')),
    recorded_at timestamptz not null default clock_timestamp()
);
-- serves: what was refused lately
create index denials_recorded on scout.denials (recorded_at);
comment on table scout.denials is 'One row per action that a role or token did not allow (append-only). It is all that such an attempt leaves.';

create table scout.export_audit (
    id bigint generated always as identity primary key,
    actor text not null,
    role text not null,
    via text not null check (via in ('api', 'page', 'cli')),
    list_name text not null,
    filters jsonb not null,
    sort text not null,
    format text not null check (format in ('csv', 'xlsx')),
    is_raw boolean not null,
    is_clear boolean not null,
    reason text,
    row_count bigint,
    byte_count bigint not null,
    sha256 text,
    is_complete boolean not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (is_clear <= (reason is not null)),
    check (is_complete = (sha256 is not null) and is_complete = (row_count is not null))
);
-- serves: which files left lately
create index export_audit_recorded on scout.export_audit (recorded_at);
comment on table scout.export_audit is 'One row per file of a list that left (append-only): who, which list under which filter, masked or in clear and why.';
comment on column scout.export_audit.filters is 'Filters that were set, by name; of typed text only that there was one, since it may be anything.';
comment on column scout.export_audit.is_complete is 'False when the reader left or the database failed in between: byte_count went out, row_count and sha256 are null.';

create trigger scout_append_only before update or delete or truncate on scout.denials
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on scout.export_audit
for each statement execute function scout.refuse_change();
alter table scout.denials enable always trigger scout_append_only;
alter table scout.export_audit enable always trigger scout_append_only;
