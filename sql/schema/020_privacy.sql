-- Personal data in as few places as can be, and each of them erasable: what the audit keeps of evidence, whom somebody
-- had erased, and scouting rows without a link, which keep no phone or licence of their own.

-- The one list of what an audit row of the ledger keeps of evidence_json: what runs of ours wrote there. All else is
-- the owner's, and may be anything.
create function scout.is_audit_evidence(evidence jsonb) returns boolean
language sql immutable parallel safe
as $$
    select case
        when evidence is null or jsonb_typeof(evidence) = 'null' then true
        when jsonb_typeof(evidence) <> 'object' or evidence - '{scout_backfill,scout_decision}'::text[] <> '{}' then false
        else case
            when not evidence ? 'scout_backfill' then true
            when jsonb_typeof(evidence -> 'scout_backfill') <> 'object' then false
            else (evidence -> 'scout_backfill') - '{rule,run_id,lead_events,module_ct_migrations,module_ct_scouting_daily,module_ct_cabinet_payments,first_date,last_date}'::text[] = '{}'
        end and case
            when not evidence ? 'scout_decision' then true
            when jsonb_typeof(evidence -> 'scout_decision') <> 'object' then false
            else (evidence -> 'scout_decision') - '{run_id,outcome,reason_code,considered_scout_ids}'::text[] = '{}'
        end
    end
$$;
comment on function scout.is_audit_evidence(jsonb) is
'Whether a ledger''s evidence_json holds nothing but what runs of ours write: the one list of keys that audit rows keep.';

create function scout.evidence_hash(evidence jsonb, salt uuid) returns text
language sql stable parallel safe
as $$ select encode(sha256(convert_to(salt::text || evidence::text, 'UTF8')), 'hex') $$;
comment on function scout.evidence_hash(jsonb, uuid) is
'sha256 over a random salt and the text of evidence. Who has not the salt cannot find a short value by trying.';

-- One expression, so that the planner puts it into the statement: called for each row it took most of the step.
create function scout.audited_evidence(evidence jsonb, salt uuid) returns jsonb
language sql stable parallel safe
as $$
    select case
        when scout.is_audit_evidence(evidence) then evidence
        else case
            when jsonb_typeof(evidence) = 'object' and evidence ? 'scout_backfill'
                and scout.is_audit_evidence(jsonb_set('{}', '{scout_backfill}', evidence -> 'scout_backfill'))
                then jsonb_set('{}', '{scout_backfill}', evidence -> 'scout_backfill')
            else '{}'
        end || case
            when jsonb_typeof(evidence) = 'object' and evidence ? 'scout_decision'
                and scout.is_audit_evidence(jsonb_set('{}', '{scout_decision}', evidence -> 'scout_decision'))
                then jsonb_set('{}', '{scout_decision}', evidence -> 'scout_decision')
            else '{}'
        end || ('{"left_out_sha256": "' || scout.evidence_hash(evidence, salt) || '"}')::jsonb
    end
$$;
comment on function scout.audited_evidence(jsonb, uuid) is
'What an audit row keeps of a ledger''s evidence_json: the keys of ours, and left_out_sha256 of the whole where there is more.';

create function scout.is_as_audited(evidence jsonb, audited jsonb, salt uuid) returns boolean
language sql stable parallel safe
as $$
    select case
        when audited ? 'left_out_sha256' then coalesce(scout.evidence_hash(evidence, salt) = audited ->> 'left_out_sha256', false)
        else coalesce(evidence, 'null') = coalesce(audited, 'null')
    end
$$;
comment on function scout.is_as_audited(jsonb, jsonb, uuid) is
'Whether this is the evidence that an audit row tells of. False where the salt is gone: then nobody can say.';

create function scout.audited_link_evidence(evidence jsonb) returns jsonb
language sql immutable parallel safe
as $$
    select case
        when jsonb_typeof(evidence) = 'object' then (
            select coalesce(jsonb_object_agg(e.key, e.value), '{}')
            from jsonb_each(evidence) as e
            where e.key = any('{has_license,has_phone,driver_id,license_persons,phone_persons,set_aside_by_run}'::text[])
        )
    end
$$;
comment on function scout.audited_link_evidence(jsonb) is
'What an audit row keeps of a link''s evidence that somebody may have changed since a run of ours wrote it.';

create table scout.ledger_evidence_kept (
    audit_id bigint primary key,
    salt uuid not null,
    evidence jsonb
);
comment on table scout.ledger_evidence_kept is
'One row per audit row of the ledger whose evidence_json held more than keys of ours. Personal data: what an undo gives back; an erasure deletes it, no seal covers it, the hash in the audit row proves it.';
comment on column scout.ledger_evidence_kept.audit_id is 'Row of ops.lead_ledger_scout_backfill_audit.';
comment on column scout.ledger_evidence_kept.salt is 'Random; part of left_out_sha256 of both sides of the audit row. Without it the hash says nothing.';
comment on column scout.ledger_evidence_kept.evidence is 'The whole evidence_json from before the change; null when the ledger had none.';

create table scout.erased_persons (
    id bigint generated always as identity primary key,
    run_id integer not null,
    person_key uuid not null,
    erased_at timestamptz not null default now(),
    -- serves: an erasure is of one person
    unique (run_id, person_key)
);
-- serves: was this person erased
create index erased_persons_person on scout.erased_persons (person_key);
comment on table scout.erased_persons is
'One row per person and erasure (append-only). Views give no phone, licence or name of these persons, whatever the sources hold.';
comment on column scout.erased_persons.run_id is 'The run that erased; scout.runs says who asked and why, its steps in ops.job_runs_audit what went.';

create trigger scout_append_only before update or delete or truncate on scout.erased_persons
for each statement execute function scout.refuse_change();
alter table scout.erased_persons enable always trigger scout_append_only;

alter table scout.runs drop constraint runs_kind_check;
alter table scout.runs add constraint runs_kind_check check (kind in ('refresh', 'undo', 'decision', 'review', 'erase'));
comment on column ops.lead_ledger_scout_backfill_audit.backfill_method is
'BACKFILL_SINGLE_SCOUT_FROM_EVENTS, MANUAL_DECISION, EXTERNAL_CHANGE (written by somebody else, noted by trigger), REVERT, or ERASURE (the owner''s evidence was erased, the scout stayed).';
comment on column ops.lead_ledger_scout_backfill_audit.evidence_json_old is
'Keys, rules and counts of ours; left_out_sha256 = salted sha256 of the whole value where it held more (see scout.ledger_evidence_kept). Rows from before schema file 020 hold it whole.';
comment on column ops.lead_ledger_scout_backfill_audit.evidence_json_new is 'As evidence_json_old, after the change.';

create function scout.erase_registry_row(erased_key uuid) returns integer
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    columns text[];
    known_license text;
    known_phone text;
    erased integer;
begin
    select scout.license_key(r.primary_license), scout.phone_key(r.primary_phone) into known_license, known_phone
    from canon.identity_registry as r
    where r.person_key = erased_key;
    -- an older registry lacks some of these columns
    select array_agg(a.attname) into columns
    from pg_attribute as a
    where a.attrelid = 'canon.identity_registry'::regclass
        and a.attname in ('primary_phone', 'primary_license', 'primary_document', 'primary_full_name')
        and not a.attisdropped;
    execute (
        select format(
            'update canon.identity_registry set updated_at = now(), %s where person_key = $1 and coalesce(%s) is not null',
            string_agg(format('%I = null', c.name), ', '),
            string_agg(format('%I', c.name), ', ')
        )
        from unnest(columns) as c (name)
    ) using erased_key;
    get diagnostics erased = row_count;
    -- the tracking trigger has noted them for the next run; what hangs on them is held, and so noted by its own keys
    delete from scout.touched_keys as t
    where t.license_key = known_license or t.phone_key = known_phone;
    return erased;
end
$$;
comment on function scout.erase_registry_row(uuid) is
'Empties phone, licence, document and name of a person in canon.identity_registry; the row stays as a key. How many rows changed.';

-- What waits without a link is told by its row; licence and phone are read from the source when they are looked at.
-- The views that showed them here are made anew by init.
drop view if exists scout.v_planned_scouts, scout.v_identity_candidates, scout.v_rows_to_judge, scout.v_unlinked_rows;
alter table scout.unlinked_rows drop column license_key, drop column phone_key;
comment on table scout.unlinked_rows is
'One row per settled scouting row that names a scout and has no link; no personal data. Read scout.v_unlinked_rows, which is exact.';
comment on table scout.touched_keys is
'One row per licence, phone, person or scouting row about which something changed since a run judged what hangs on it; all null = everything. Personal data, in clear until the next refresh.';

create or replace function scout.unlinked_of(source_pks text[]) returns setof scout.unlinked_rows
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set max_parallel_workers_per_gather = 0 rows 100
as $$
begin
    if cardinality(source_pks) > 0 then
        return query
        select l.source_pk, l.row_id, l.scout_id
        from scout.v_unlinked_rows_live as l
        where l.source_pk = any(source_pks);
    end if;
end
$$;

create or replace function scout.identity_ties(kind text, key text) returns table (other_kind text, other_key text)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set max_parallel_workers_per_gather = 0 rows 10
as $$
begin
    if kind = 'person' then
        return query
        select v.kind, v.key
        from (
            select scout.license_key(r.primary_license) as license_key, scout.phone_key(r.primary_phone) as phone_key
            from canon.identity_registry as r
            where r.person_key = identity_ties.key::uuid
            union all
            select d.license_key, d.phone_key
            from canon.identity_links as l
            inner join scout.src_drivers_index as d on d.driver_id = l.source_pk
            where l.person_key = identity_ties.key::uuid and l.source_table = 'drivers'
            union all
            select s.license_key, s.phone_key
            from scout.v_scouting_persons as s
            where s.person_key = identity_ties.key::uuid
        ) as k
        cross join lateral (values ('license', k.license_key), ('phone', k.phone_key)) as v (kind, key)
        where v.key is not null;
    elsif kind = 'license' then
        return query
        select 'person', r.person_key::text from canon.identity_registry as r
        where scout.license_key(r.primary_license) collate "C" = identity_ties.key
        union all
        select 'person', l.person_key::text
        from scout.src_drivers_index as d
        inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
        where d.license_key = identity_ties.key
        union all
        select 'person', s.person_key::text from scout.v_scouting_persons as s
        where s.license_key = identity_ties.key
        union all
        select 'phone', s.phone_key from scout.src_scouting_daily as s
        where s.license_key = identity_ties.key
            and s.phone_key is not null
            and exists (select from scout.v_unlinked_rows as u where u.source_pk = s.source_pk);
    else
        return query
        select 'person', r.person_key::text from canon.identity_registry as r
        where scout.phone_key(r.primary_phone) collate "C" = identity_ties.key
        union all
        select 'person', l.person_key::text
        from scout.src_drivers_index as d
        inner join canon.identity_links as l on l.source_table = 'drivers' and l.source_pk = d.driver_id
        where d.phone_key = identity_ties.key
        union all
        select 'person', s.person_key::text from scout.v_scouting_persons as s
        where s.phone_key = identity_ties.key
        union all
        select 'license', s.license_key from scout.src_scouting_daily as s
        where s.phone_key = identity_ties.key
            and s.license_key is not null
            and exists (select from scout.v_unlinked_rows as u where u.source_pk = s.source_pk);
    end if;
end
$$;

create or replace function scout.record_external_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    -- A run of ours writes its own audit row, in the statement that writes the ledger. That it is ours is told
    -- by its role too, for anybody can set the variable.
    if coalesce(current_setting('scout.run_id', true), '') <> ''
        and (
            current_setting('role') = 'scout_writer'
            or pg_has_role(
                coalesce(nullif(current_setting('role'), 'none'), session_user),
                (select n.nspowner from pg_namespace as n where n.nspname = 'scout'),
                'MEMBER'
            )
        )
    then
        return null;
    end if;
    if tg_op = 'INSERT' then
        insert into ops.lead_ledger_scout_backfill_audit (
            person_key, new_attributed_scout_id, attribution_rule_new, attribution_confidence_new,
            backfill_method, actor, is_new_row, attributed_source_new, attribution_score_new, decision_status_new, updated_at_new
        )
        select
            n.person_key, n.attributed_scout_id, n.attribution_rule, n.confidence_level::text,
            'EXTERNAL_CHANGE', session_user, true, n.attributed_source, n.attribution_score, n.decision_status::text, n.updated_at
        from new_rows as n
        where n.attributed_scout_id is not null;
    elsif tg_op = 'TRUNCATE' then
        with gone as materialized (
            select
                l.*,
                case when not scout.is_audit_evidence(l.evidence_json::jsonb) then gen_random_uuid() end as salt
            from observational.lead_ledger as l
            where l.attributed_scout_id is not null
        ),
        audited as (
            insert into ops.lead_ledger_scout_backfill_audit (
                person_key, old_attributed_scout_id, attribution_rule_old, attribution_confidence_old, evidence_json_old,
                backfill_method, actor, is_new_row, attributed_source_old, attribution_score_old, decision_status_old, updated_at_old
            )
            select
                g.person_key, g.attributed_scout_id, g.attribution_rule, g.confidence_level::text,
                scout.audited_evidence(g.evidence_json::jsonb, g.salt), 'EXTERNAL_CHANGE', session_user, false,
                g.attributed_source, g.attribution_score, g.decision_status::text, g.updated_at
            from gone as g
            returning id, person_key
        )
        insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
        select a.id, g.salt, g.evidence_json
        from audited as a
        inner join gone as g on g.person_key = a.person_key
        where g.salt is not null;
    elsif tg_op = 'DELETE' then
        with gone as materialized (
            select
                o.*,
                case when not scout.is_audit_evidence(o.evidence_json::jsonb) then gen_random_uuid() end as salt
            from old_rows as o
            where o.attributed_scout_id is not null
        ),
        audited as (
            insert into ops.lead_ledger_scout_backfill_audit (
                person_key, old_attributed_scout_id, attribution_rule_old, attribution_confidence_old, evidence_json_old,
                backfill_method, actor, is_new_row, attributed_source_old, attribution_score_old, decision_status_old, updated_at_old
            )
            select
                g.person_key, g.attributed_scout_id, g.attribution_rule, g.confidence_level::text,
                scout.audited_evidence(g.evidence_json::jsonb, g.salt), 'EXTERNAL_CHANGE', session_user, false,
                g.attributed_source, g.attribution_score, g.decision_status::text, g.updated_at
            from gone as g
            returning id, person_key
        )
        insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
        select a.id, g.salt, g.evidence_json
        from audited as a
        inner join gone as g on g.person_key = a.person_key
        where g.salt is not null;
    else
        with changed as materialized (
            select
                coalesce(n.person_key, o.person_key) as person_key,
                o.person_key is null as is_new_row,
                o.attributed_scout_id as old_scout_id,
                n.attributed_scout_id as new_scout_id,
                o.attribution_rule as old_rule,
                n.attribution_rule as new_rule,
                o.confidence_level::text as old_confidence,
                n.confidence_level::text as new_confidence,
                o.evidence_json::jsonb as evidence_json,
                case when not scout.is_audit_evidence(o.evidence_json::jsonb) then gen_random_uuid() end as salt,
                o.attributed_source as old_source,
                n.attributed_source as new_source,
                o.attribution_score as old_score,
                n.attribution_score as new_score,
                o.decision_status::text as old_status,
                n.decision_status::text as new_status,
                o.updated_at as old_updated_at,
                n.updated_at as new_updated_at
            from old_rows as o
            full join new_rows as n using (person_key)
            where o.attributed_scout_id is distinct from n.attributed_scout_id
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
                c.person_key, c.old_scout_id, c.new_scout_id, c.old_rule, c.new_rule, c.old_confidence, c.new_confidence,
                scout.audited_evidence(c.evidence_json, c.salt), 'EXTERNAL_CHANGE', session_user, c.is_new_row,
                c.old_source, c.new_source, c.old_score, c.new_score, c.old_status, c.new_status, c.old_updated_at, c.new_updated_at
            from changed as c
            returning id, person_key
        )
        insert into scout.ledger_evidence_kept (audit_id, salt, evidence)
        select a.id, c.salt, c.evidence_json
        from audited as a
        inner join changed as c on c.person_key = a.person_key
        where c.salt is not null;
    end if;
    return null;
end
$$;
