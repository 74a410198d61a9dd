-- Who signed in to the pages, and whose sessions ended before their time.

create table scout.sign_ins (
    subject text primary key check (length(subject) between 1 and 1000),
    actor text not null check (length(actor) between 1 and 1000),
    role text not null check (role in ('viewer', 'analyst', 'operator', 'admin')),
    signed_in_at timestamptz not null
);
comment on table scout.sign_ins is 'One row per subject of an identity provider: the last sign-in. Forgotten 30 days later, which is longer than any session.';
comment on column scout.sign_ins.subject is 'The issuer and its name for the person, written issuer#sub.';
comment on column scout.sign_ins.actor is 'The name under which the person acts: a verified address, else the subject.';
comment on column scout.sign_ins.role is 'Of the last sign-in: another one at the next sign-in ends the older sessions.';

create table scout.session_ends (
    subject text primary key check (length(subject) between 1 and 1000),
    ended_at timestamptz not null,
    reason text not null check (reason in ('SIGNED_OUT', 'ROLE_CHANGED', 'PROVIDER', 'ADMIN')),
    actor text not null check (length(actor) between 1 and 1000)
);
comment on table scout.session_ends is 'One row per subject whose sessions were ended: those that began up to ended_at open nothing any more. Forgotten 30 days later, which is longer than any session.';
comment on column scout.session_ends.subject is 'As in scout.sign_ins; or issuer?sid=... for one session of the provider.';
comment on column scout.session_ends.reason is 'SIGNED_OUT: by themselves; ROLE_CHANGED: signed in again with another role; PROVIDER: the provider said so; ADMIN: by the verb `session end`.';
comment on column scout.session_ends.actor is 'Who ended them.';
