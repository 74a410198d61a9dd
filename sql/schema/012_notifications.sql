-- What is told outside: messages written with what they tell of, and how each reaches each channel.

create table scout.outbox (
    message_id bigint generated always as identity primary key,
    run_id integer,
    status text not null check (status in ('OK', 'WARN', 'STALE', 'UNKNOWN', 'FAIL')),
    opened jsonb not null,
    reopened jsonb not null,
    resolved jsonb not null,
    samples jsonb not null,
    created_at timestamptz not null
);
-- serves: a run tells once
create unique index outbox_run on scout.outbox (run_id) where run_id is not null;
-- serves: the newest messages
create index outbox_created on scout.outbox (created_at);
comment on table scout.outbox is 'One row per message (append-only), in the commit of what it tells of: a run that is rolled back tells nothing.';
comment on column scout.outbox.run_id is 'The run that it tells of; null for what was noticed between two runs.';
comment on column scout.outbox.status is 'Health as it was then.';
comment on column scout.outbox.opened is 'Number of new alerts by rule; reopened and resolved likewise.';
comment on column scout.outbox.samples is 'Up to three subjects of each rule: keys, never phones, licences or names.';

create table scout.deliveries (
    delivery_id bigint generated always as identity primary key,
    message_id bigint not null references scout.outbox (message_id),
    channel text not null,
    state text not null default 'PENDING' check (state in ('PENDING', 'SENT', 'DEAD', 'DROPPED')),
    attempts integer not null default 0,
    last_outcome text,
    lease_token uuid,
    leased_until timestamptz,
    created_at timestamptz not null,
    pending_since timestamptz not null,
    next_attempt_at timestamptz not null,
    ended_at timestamptz,
    actor text,
    -- serves: a message goes to a channel once
    unique (message_id, channel),
    check ((lease_token is null) = (leased_until is null)),
    check ((state = 'PENDING') = (ended_at is null)),
    check (state = 'PENDING' or lease_token is null)
);
-- serves: what a sender takes next; how much waits
create index deliveries_due on scout.deliveries (channel, next_attempt_at, delivery_id) where state = 'PENDING';
-- serves: dead letters, counted and listed
create index deliveries_dead on scout.deliveries (delivery_id) where state = 'DEAD';
comment on table scout.deliveries is 'One row per message and channel that it goes to.';
comment on column scout.deliveries.channel is 'Kind of the channel and the first eight hex digits of the sha256 of its address, which is kept nowhere.';
comment on column scout.deliveries.state is 'DEAD: given up after SCOUT_NOTIFY_MAX_ATTEMPTS attempts or SCOUT_NOTIFY_GIVE_UP_HOURS hours, until somebody retries it, or drops it for good.';
comment on column scout.deliveries.attempts is 'Attempts begun since it is pending: one that died with its sender counts.';
comment on column scout.deliveries.last_outcome is 'How the last attempt ended, as in delivery_log; CHANNEL_GONE when no sender has the channel any more.';
comment on column scout.deliveries.lease_token is 'The sender at work on it; when leased_until has passed, another one may take it.';
comment on column scout.deliveries.pending_since is 'When it was made, or made pending again: the hours until it is given up count from here.';
comment on column scout.deliveries.ended_at is 'When it was sent, given up or dropped.';
comment on column scout.deliveries.actor is 'Who retried or dropped it last; null = nobody.';

create table scout.delivery_log (
    id bigint generated always as identity primary key,
    delivery_id bigint references scout.deliveries (delivery_id),
    channel text not null,
    is_ok boolean not null,
    outcome text not null,
    http_status smallint,
    took_ms integer not null,
    actor text,
    recorded_at timestamptz not null default clock_timestamp(),
    check (is_ok = (outcome = 'SENT'))
);
-- serves: the attempts of a delivery
create index delivery_log_delivery on scout.delivery_log (delivery_id);
-- serves: the newest attempts
create index delivery_log_recorded on scout.delivery_log (recorded_at);
comment on table scout.delivery_log is 'One row per attempt that ended (append-only). No address and no text of the receiver is in it.';
comment on column scout.delivery_log.delivery_id is 'Null for a test message.';
comment on column scout.delivery_log.outcome is
'SENT, TIMEOUT, NO_ANSWER, HTTP_ERROR (with http_status), REFUSED (for another reason), BAD_ADDRESS, CRASHED.';
comment on column scout.delivery_log.actor is 'Who asked for the test; null for a message.';

create trigger scout_append_only before update or delete or truncate on scout.outbox
for each statement execute function scout.refuse_change();
create trigger scout_append_only before update or delete or truncate on scout.delivery_log
for each statement execute function scout.refuse_change();
alter table scout.outbox enable always trigger scout_append_only;
alter table scout.delivery_log enable always trigger scout_append_only;
