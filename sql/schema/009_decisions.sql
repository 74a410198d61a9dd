-- What decisions, undo and identity review need beside the tables that are there: which row an audit row takes
-- back, which run released a hold, and how a person that a run founded goes again.

create function scout.reverted_id(notes text) returns bigint
language sql immutable parallel safe
as $$ select substring(notes from '^reverts (?:audit row|decision) ([0-9]{1,18})')::bigint $$;
comment on function scout.reverted_id(text) is
'Id of the audit row or decision that a REVERT or REVERTED row, or a decision of reason UNDONE, takes back; null for other notes.';

-- serves: was this audit row taken back, and by which run; what is taken back is named in one fixed sentence
create index if not exists scout_lead_ledger_audit_reverts on ops.lead_ledger_scout_backfill_audit (notes)
where backfill_method = 'REVERT';
create index if not exists scout_identity_links_audit_reverts on ops.identity_links_backfill_audit (notes)
where action_type = 'REVERTED';
-- serves: what a run decided
create index decisions_run on scout.decisions (run_id);
-- serves: the work list of identity review, oldest first
create index holds_open on scout.holds (hold_id) where released_at is null;

alter table scout.holds add column release_run_id integer;
comment on column scout.holds.run_id is 'The undo that held it; null when somebody held it with SQL.';
comment on column scout.holds.release_run_id is 'The run that released it; null while it is held.';
comment on column scout.decisions.reason_code is 'One of scout_core/reasons.py; UNDONE when an undo wrote the row.';

create function scout.persons_of_claims(person_keys uuid[]) returns setof uuid
language plpgsql stable set search_path = pg_catalog rows 100
as $$
declare
    found uuid[];
begin
    begin
        select array_agg(distinct c.person_key) into found
        from scout.src_claims as c
        where c.person_key = any(person_keys);
    exception when others then
        found := person_keys;
    end;
    return query select k.person_key from unnest(found) as k (person_key);
end
$$;
comment on function scout.persons_of_claims(uuid[]) is
'Those of these persons whom a claim names; all of them where the owner''s claims view raises, as then nobody can tell.';

create function scout.removable_persons(founding_run_id integer) returns setof uuid
language plpgsql stable set search_path = pg_catalog rows 1000
as $$
declare
    unreferred uuid[];
begin
    select array_agg(f.person_key) into unreferred
    from scout.v_founded_persons as f
    where f.run_id = founding_run_id and f.is_there and not f.is_changed and not f.is_referred;
    return query
    select k.person_key
    from unnest(unreferred) as k (person_key)
    where k.person_key not in (select c.person_key from scout.persons_of_claims(unreferred) as c (person_key));
end
$$;
comment on function scout.removable_persons(integer) is
'Persons that this run founded, who are as it made them, and to whom nothing refers but what the run itself wrote.';

create function scout.remove_persons(person_keys uuid[]) returns setof uuid
language plpgsql set search_path = pg_catalog rows 1000
as $$
declare
    removed uuid[];
    one uuid;
begin
    -- a table that we do not know may refer to a person: its foreign key says so, and the person stays
    begin
        with gone as (
            delete from canon.identity_registry as r
            where r.person_key = any(person_keys)
            returning r.person_key
        )
        select array_agg(g.person_key) into removed from gone as g;
    exception when foreign_key_violation then
        removed := '{}';
        foreach one in array person_keys loop
            begin
                delete from canon.identity_registry as r where r.person_key = one;
                removed := removed || one;
            exception when foreign_key_violation then
                null;
            end;
        end loop;
    end;
    return query select k.person_key from unnest(removed) as k (person_key);
end
$$;
comment on function scout.remove_persons(uuid[]) is 'Removes those of these persons to whom no foreign key refers, and says which.';
