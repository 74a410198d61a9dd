-- What others change in the ledger and in links of ours is audited when their transaction commits, net: a row that a
-- transaction takes away and brings back has not changed. Until then the values from before are noted here.

-- Unlogged: a transaction that a crash ends never was, and its notes with it.
create unlogged table scout.ledger_notes (
    note_no bigint generated always as identity,
    noted_in xid8 not null default pg_current_xact_id(),
    inserted_keys uuid[],
    person_key uuid,
    attributed_scout_id integer,
    attributed_source text,
    attribution_rule text,
    attribution_score numeric,
    confidence_level text,
    evidence_json jsonb,
    decision_status text,
    updated_at timestamptz
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
-- long and random: to compress it takes longer than to write it
alter table scout.ledger_notes alter column inserted_keys set storage external;
-- serves: the notes of the transaction that commits
create index ledger_notes_transaction on scout.ledger_notes (noted_in);
comment on table scout.ledger_notes is
'One row per ledger row that a transaction of somebody else is changing, with its values from before, and one per statement that puts rows in; gone when the transaction commits. The first about a person counts.';
comment on column scout.ledger_notes.inserted_keys is 'Persons whose rows a statement put in: they had none just before. Then all else is null.';
comment on column scout.ledger_notes.evidence_json is 'Personal data of the owner''s, for as long as the transaction lasts.';

create unlogged table scout.link_notes (
    note_no bigint generated always as identity,
    noted_in xid8 not null default pg_current_xact_id(),
    source_table text not null,
    source_pk text not null,
    person_key uuid,
    run_id integer,
    match_score integer,
    confidence_level text
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
-- serves: the notes of the transaction that commits
create index link_notes_transaction on scout.link_notes (noted_in);
comment on table scout.link_notes is
'One row per link of ours that a transaction of somebody else is changing, with its values from before; gone when it commits. The first of a source row counts.';
comment on column scout.link_notes.person_key is 'Null = there was no link of ours.';

create unlogged table scout.open_changes (
    noted_in xid8 not null default pg_current_xact_id(),
    kind text not null check (kind in ('ledger', 'links')),
    -- serves: has this transaction its row already
    primary key (noted_in, kind)
)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
comment on table scout.open_changes is
'One row per transaction at work that has notes; its deferred trigger audits what has changed when the transaction commits.';

create table scout.missed_changes (
    noted_at timestamptz not null default clock_timestamp(),
    kind text not null,
    error text not null
);
comment on table scout.missed_changes is
'One row per change of the ledger or of links that could not be audited (the owner''s write goes on). The next settling of everything audits what differs, and takes it away.';

create function scout.is_run_of_ours() returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
    -- That it is ours is told by its role too, for anybody can set the variable.
    select coalesce(current_setting('scout.run_id', true), '') <> ''
        and (
            current_setting('role') = 'scout_writer'
            or pg_has_role(
                coalesce(nullif(current_setting('role'), 'none'), session_user),
                (select n.nspowner from pg_namespace as n where n.nspname = 'scout'),
                'MEMBER'
            )
        )
$$;
comment on function scout.is_run_of_ours() is
'Whether a run of ours is writing: it writes its own audit, in the statement that writes.';

create function scout.open_change(of_kind text) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from scout.open_changes as c where c.noted_in = pg_current_xact_id() and c.kind = of_kind) then
        -- also where the transaction has set all constraints to immediate
        set constraints scout.scout_audit_changes deferred;
        insert into scout.open_changes (kind) values (of_kind);
    end if;
end
$$;
comment on function scout.open_change(text) is 'Sees to it that what the transaction at work has noted is audited when it commits.';

create or replace function scout.record_external_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if scout.is_run_of_ours() then
        return null;
    end if;
    -- the owner's write must not fail for us, whatever the table has become
    begin
        if tg_op = 'INSERT' then
            insert into scout.ledger_notes (inserted_keys)
            select array_agg(n.person_key)
            from new_rows as n
            having count(*) > 0;
        elsif tg_op = 'UPDATE' then
            insert into scout.ledger_notes (
                inserted_keys, person_key, attributed_scout_id, attributed_source, attribution_rule, attribution_score,
                confidence_level, evidence_json, decision_status, updated_at
            )
            select
                case when o.person_key is null then array[n.person_key] end,
                o.person_key, o.attributed_scout_id, o.attributed_source, o.attribution_rule, o.attribution_score,
                o.confidence_level::text, o.evidence_json::jsonb, o.decision_status::text, o.updated_at
            from old_rows as o
            full join new_rows as n on n.person_key = o.person_key
            where o.person_key is null or n.person_key is null
                or o.attributed_scout_id is distinct from n.attributed_scout_id;
        elsif tg_op = 'DELETE' then
            insert into scout.ledger_notes (
                person_key, attributed_scout_id, attributed_source, attribution_rule, attribution_score,
                confidence_level, evidence_json, decision_status, updated_at
            )
            select
                o.person_key, o.attributed_scout_id, o.attributed_source, o.attribution_rule,
                o.attribution_score, o.confidence_level::text, o.evidence_json::jsonb, o.decision_status::text, o.updated_at
            from old_rows as o;
        else
            insert into scout.ledger_notes (
                person_key, attributed_scout_id, attributed_source, attribution_rule, attribution_score,
                confidence_level, evidence_json, decision_status, updated_at
            )
            select
                l.person_key, l.attributed_scout_id, l.attributed_source, l.attribution_rule,
                l.attribution_score, l.confidence_level::text, l.evidence_json::jsonb, l.decision_status::text, l.updated_at
            from observational.lead_ledger as l;
        end if;
        if found then
            perform scout.open_change('ledger');
        end if;
    exception when others then
        insert into scout.missed_changes (kind, error) values ('ledger', 'SQLSTATE ' || sqlstate);
    end;
    return null;
end
$$;
comment on function scout.record_external_change() is
'Statement trigger of the ledger: notes what it holds before somebody other than a run of ours changes it.';

create function scout.track_links() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if scout.is_run_of_ours() then
        return null;
    end if;
    begin
        if tg_op = 'INSERT' then
            insert into scout.link_notes (source_table, source_pk)
            select n.source_table, n.source_pk
            from new_rows as n
            where n.run_id in (select r.run_id from scout.runs as r);
        elsif tg_op = 'UPDATE' then
            insert into scout.link_notes (source_table, source_pk, person_key, run_id, match_score, confidence_level)
            select
                c.source_table, c.source_pk, c.person_key, c.run_id, c.match_score, c.confidence_level
            from (
                select
                    coalesce(o.source_table, n.source_table)::text as source_table,
                    coalesce(o.source_pk, n.source_pk)::text as source_pk,
                    case when o.is_ours then o.person_key end as person_key,
                    case when o.is_ours then o.run_id end as run_id,
                    case when o.is_ours then o.match_score end as match_score,
                    case when o.is_ours then o.confidence_level::text end as confidence_level,
                    case when n.is_ours then n.person_key end as new_person_key,
                    case when n.is_ours then n.run_id end as new_run_id
                from (select w.*, w.run_id in (select r.run_id from scout.runs as r) as is_ours from old_rows as w) as o
                full join (select w.*, w.run_id in (select r.run_id from scout.runs as r) as is_ours from new_rows as w) as n
                    on n.source_table = o.source_table and n.source_pk = o.source_pk
            ) as c
            where (c.person_key, c.run_id) is distinct from (c.new_person_key, c.new_run_id);
        elsif tg_op = 'DELETE' then
            insert into scout.link_notes (source_table, source_pk, person_key, run_id, match_score, confidence_level)
            select o.source_table, o.source_pk, o.person_key, o.run_id, o.match_score, o.confidence_level::text
            from old_rows as o
            where o.run_id in (select r.run_id from scout.runs as r);
        else
            insert into scout.link_notes (source_table, source_pk, person_key, run_id, match_score, confidence_level)
            select k.source_table, k.source_pk, k.person_key, k.run_id, k.match_score, k.confidence_level::text
            from canon.identity_links as k
            where k.run_id in (select r.run_id from scout.runs as r);
        end if;
        if found then
            perform scout.open_change('links');
        end if;
    exception when others then
        insert into scout.missed_changes (kind, error) values ('links', 'SQLSTATE ' || sqlstate);
    end;
    return null;
end
$$;
comment on function scout.track_links() is
'Statement trigger of links: notes those of runs of ours before somebody else takes them away, changes them or brings them back.';

create function scout.audit_ledger_changes() returns void
language plpgsql set search_path = pg_catalog, pg_temp set jit = off
as $$
begin
    with noted as materialized (
        delete from scout.ledger_notes as d
        where d.noted_in = pg_current_xact_id()
        returning d.*
    ),
    put_in as materialized (
        select k.person_key, min(d.note_no) as note_no
        from noted as d
        cross join lateral unnest(d.inserted_keys) as k (person_key)
        where d.inserted_keys is not null
        group by k.person_key
    ),
    taken as materialized (
        select distinct on (d.person_key) d.*
        from noted as d
        where d.inserted_keys is null
            -- put in first, and changed after: there was nothing
            and not exists (select from put_in as i where i.person_key = d.person_key and i.note_no < d.note_no)
        order by d.person_key, d.note_no
    ),
    changed as materialized (
        select
            coalesce(t.person_key, i.person_key) as person_key,
            t.attributed_scout_id as old_scout_id,
            t.attributed_source as old_source,
            t.attribution_rule as old_rule,
            t.attribution_score as old_score,
            t.confidence_level as old_confidence,
            t.evidence_json,
            t.decision_status as old_status,
            t.updated_at as old_updated_at,
            i.person_key is not null and l.person_key is not null as is_new_row,
            l.attributed_scout_id as new_scout_id,
            l.attributed_source as new_source,
            l.attribution_rule as new_rule,
            l.attribution_score as new_score,
            l.confidence_level::text as new_confidence,
            l.decision_status::text as new_status,
            l.updated_at as new_updated_at,
            case when not scout.is_audit_evidence(t.evidence_json) then gen_random_uuid() end as salt
        from taken as t
        full join put_in as i on i.person_key = t.person_key
        left join observational.lead_ledger as l on l.person_key = coalesce(t.person_key, i.person_key)
        where t.attributed_scout_id is distinct from l.attributed_scout_id
    ),
    audited as (
        insert into ops.lead_ledger_scout_backfill_audit (
            person_key, old_attributed_scout_id, new_attributed_scout_id,
            attribution_rule_old, attribution_rule_new, attribution_confidence_old, attribution_confidence_new,
            evidence_json_old, backfill_method, actor, is_new_row,
            attributed_source_old, attributed_source_new, attribution_score_old, attribution_score_new,
            decision_status_old, decision_status_new, updated_at_old, updated_at_new
        )
        select
            c.person_key, c.old_scout_id, c.new_scout_id, c.old_rule, c.new_rule, c.old_confidence,
            c.new_confidence, scout.audited_evidence(c.evidence_json, c.salt), 'EXTERNAL_CHANGE', session_user, c.is_new_row,
            c.old_source, c.new_source, c.old_score, c.new_score, c.old_status, c.new_status,
            c.old_updated_at, c.new_updated_at
        from changed as c
        returning id, person_key
    )
    insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
    select a.id, c.salt, c.evidence_json
    from audited as a
    inner join changed as c on c.person_key = a.person_key
    where c.salt is not null;
end
$$;
comment on function scout.audit_ledger_changes() is
'One EXTERNAL_CHANGE per person whose scout is not what it was before the transaction at work, with the values from before and now; clears its notes.';

create function scout.audit_link_changes() returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    with noted as materialized (
        delete from scout.link_notes as d
        where d.noted_in = pg_current_xact_id()
        returning d.*
    ),
    before as (
        select distinct on (d.source_table, d.source_pk) d.*
        from noted as d
        order by d.source_table, d.source_pk, d.note_no
    ),
    changed as materialized (
        select
            b.*,
            k.person_key as new_person_key,
            k.match_score as new_score,
            k.confidence_level::text as new_confidence
        from before as b
        left join canon.identity_links as k
            on k.source_table = b.source_table
            and k.source_pk = b.source_pk
            and k.run_id in (select r.run_id from scout.runs as r)
        where (b.person_key, b.run_id) is distinct from (k.person_key, k.run_id)
    ),
    audited as (
        insert into ops.identity_links_backfill_audit (
            source_table, source_pk, person_key, match_method, match_confidence, match_score, action_type, actor
        )
        select
            w.source_table, w.source_pk, w.person_key, 'EXTERNAL_CHANGE', w.confidence_level, w.match_score, w.action_type,
            session_user
        from (
            select 1 as place, c.source_table, c.source_pk, c.person_key, c.confidence_level, c.match_score, 'REVERTED' as action_type
            from changed as c
            where c.person_key is not null
            union all
            select 2, c.source_table, c.source_pk, c.new_person_key, c.new_confidence, c.new_score, 'CREATED'
            from changed as c
            where c.new_person_key is not null
        ) as w
        order by w.source_table, w.source_pk, w.place
        returning id
    ),
    -- whoever points a link means what its row says now; one that comes back as it went is of what it was of
    said as (
        insert into scout.linked_rows as r (source_table, source_pk, content)
        select c.source_table, c.source_pk, min(s.content::text)::uuid
        from changed as c
        inner join scout.src_scouting_daily as s on s.source_pk = c.source_pk
        where c.source_table = 'module_ct_scouting_daily'
            and c.new_person_key is not null
            and (
                c.person_key is not null
                or c.new_person_key is distinct from (
                    select a.person_key
                    from ops.identity_links_backfill_audit as a
                    where a.source_table = c.source_table and a.source_pk = c.source_pk
                        and a.match_method = 'EXTERNAL_CHANGE'
                    order by a.id desc
                    limit 1
                )
            )
        group by c.source_table, c.source_pk
        on conflict (source_table, source_pk) do update
            set content = excluded.content
        returning r.source_pk
    )
    -- no run seals them
    insert into scout.unsealed_rows (table_name, id)
    select 'ops.identity_links_backfill_audit', a.id
    from audited as a;
end
$$;
comment on function scout.audit_link_changes() is
'Per source row whose link of ours is not what it was before the transaction at work: REVERTED for the one that went, CREATED for the one that is there now, which is of what its row says by then; clears its notes.';

create function scout.audit_changes() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from scout.open_changes as c where c.noted_in = new.noted_in and c.kind = new.kind;
    begin
        if new.kind = 'ledger' then
            perform scout.audit_ledger_changes();
        else
            perform scout.audit_link_changes();
        end if;
    exception when others then
        delete from scout.ledger_notes as n where n.noted_in = new.noted_in and new.kind = 'ledger';
        delete from scout.link_notes as n where n.noted_in = new.noted_in and new.kind = 'links';
        insert into scout.missed_changes (kind, error) values (new.kind, 'SQLSTATE ' || sqlstate);
    end;
    return null;
end
$$;
comment on function scout.audit_changes() is
'Deferred trigger, once a transaction: audits what somebody else has changed in the ledger or in links, net.';

create constraint trigger scout_audit_changes after insert on scout.open_changes
deferrable initially deferred
for each row execute function scout.audit_changes();

comment on table ops.identity_links_backfill_audit is
'One row per link that a run made, took back or could not make, and per link of a run that somebody else changed (append-only). Keys, rules and counts, no personal data.';
comment on column ops.identity_links_backfill_audit.match_method is
'The rule, or the reason why there is no link; EXTERNAL_CHANGE = somebody else took the link away (REVERTED) or pointed it to this person (CREATED), net of a transaction.';
comment on column ops.lead_ledger_scout_backfill_audit.backfill_method is
'BACKFILL_SINGLE_SCOUT_FROM_EVENTS, MANUAL_DECISION, EXTERNAL_CHANGE (written by somebody else, net of a transaction), REVERT, or ERASURE (the owner''s evidence was erased, the scout stayed).';
comment on column ops.lead_ledger_scout_backfill_audit.is_new_row is
'True when the write put the row into the ledger; of an EXTERNAL_CHANGE also where the same transaction had deleted the row before.';

-- Evidence is as old as the oldest row that said the same.
create table scout.evidence_seen (
    piece bigint primary key,
    seen_at timestamptz not null
)
with (autovacuum_vacuum_insert_scale_factor = 0.1);
comment on table scout.evidence_seen is
'One row per piece of evidence that may be asked for its age, written by settling: it names another scout than the ledger has for the person, or has no created_at. Never forgotten, as a source may be loaded in two parts. No personal data.';
comment on column scout.evidence_seen.piece is 'scout.piece_of: a hash of the person, the table, what the row says and the scout.';
comment on column scout.evidence_seen.seen_at is
'The oldest created_at of the source, or the moment when it was first settled where it has none; -infinity = was there without a created_at when we began to look.';

create function scout.piece_of(person_key uuid, source_table text, content text, scout_id integer) returns bigint
language sql immutable parallel safe
return ('x' || left(md5(person_key::text || '|' || source_table || '|' || content || '|' || scout_id), 16))::bit(64)::bigint;
comment on function scout.piece_of(uuid, text, text, integer) is
'The same for the same evidence, whatever number and created_at its row has.';

-- A ledger that is loaded again with another updated_at got its scouts no later.
create table scout.ledger_seen (
    person_key uuid not null,
    scout_id integer not null,
    updated_at timestamptz not null,
    -- serves: since when has the ledger this scout for this person
    primary key (person_key, scout_id)
);
comment on table scout.ledger_seen is
'One row per person and scout that the ledger had while evidence named another, written by settling. Counts where no audit row says when the ledger got its scout.';
comment on column scout.ledger_seen.updated_at is 'The oldest updated_at that the ledger has shown with this scout.';

alter table scout.state add column is_evidence_seen boolean not null default false;
comment on column scout.state.is_evidence_seen is
'All evidence that there was at first has its row in scout.evidence_seen; from then on what has none is new.';
