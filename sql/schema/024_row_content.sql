-- What a source row says, beside its number: loaders give numbers anew, and mend rows in place.

-- Licences and phones are few enough to try them all, and what is kept of them outlives an erasure: each installation
-- hashes them with a secret of its own.
create table scout.content_key (
    is_only boolean primary key default true check (is_only),
    secret uuid not null default gen_random_uuid()
);
insert into scout.content_key default values;
comment on table scout.content_key is
'One row: the secret of this installation that hashes of what rows say are made with. Nobody but runs reads it; with another one no kept hash fits any row.';
comment on column scout.content_key.secret is 'Made once, by chance. Goes with a dump.';

create function scout.words_of_keys(license_key text, phone_key text) returns text
language sql immutable parallel safe
return nullif(coalesce(license_key, '') || '|' || coalesce(phone_key, ''), '|');
comment on function scout.words_of_keys(text, text) is 'Licence and phone, as keys, in one text; null without either.';

create function scout.content_of_keys(license_key text, phone_key text, secret uuid) returns uuid
language sql immutable parallel safe
return md5(secret::text || '|' || scout.words_of_keys(license_key, phone_key))::uuid;
comment on function scout.content_of_keys(text, text, uuid) is
'What a scouting row with this licence and phone, as keys, says of who the driver is, as a hash with the secret of scout.content_key; null without either.';

create function scout.row_content(license text, phone text, md5_key text, secret uuid) returns uuid
language sql immutable parallel safe
return md5(
    secret::text || '|' || coalesce(
        scout.words_of_keys(scout.license_key(license), scout.phone_key(phone)),
        md5_key || '|' || coalesce(license, '') || '|' || coalesce(phone, '')
    )
)::uuid;
comment on function scout.row_content(text, text, text, uuid) is
'What a scouting row says of who the driver is, as a hash with the secret of scout.content_key: its licence and phone as keys; without either, licence, phone, scout and date as they stand (md5_key is of all four). Neither name nor number.';

create function scout.is_same_content(kept uuid, shown uuid) returns boolean
language sql immutable parallel safe
return kept is null or kept = shown;
comment on function scout.is_same_content(uuid, uuid) is
'Whether something that was said of a row''s content (null = of its number) holds for what the row shows now.';

create table scout.linked_rows (
    source_table text not null,
    source_pk text not null,
    content uuid not null,
    -- serves: what did this row say when it was linked
    primary key (source_table, source_pk)
)
with (autovacuum_vacuum_scale_factor = 0.02);
-- serves: whose row was this, under whatever number
create index linked_rows_content on scout.linked_rows (content);
comment on table scout.linked_rows is
'One row per source row that a rule of ours or a reviewer linked: what it said then. Counts for a link of ours on that row only; read scout.v_row_links.';
comment on column scout.linked_rows.content is 'As scout.row_content gives it: a hash, neither licence nor phone.';

create table scout.moved_links (
    run_id integer not null,
    source_table text not null,
    source_pk text not null,
    person_key uuid not null,
    snapshot_date timestamptz not null,
    match_rule text not null,
    match_score integer not null,
    confidence_level text not null,
    evidence jsonb,
    linked_at timestamptz not null,
    link_run_id integer,
    content uuid,
    -- serves: what an undo of the run gives back
    primary key (run_id, source_table, source_pk)
);
-- serves: what an erasure of the person takes away
create index moved_links_person on scout.moved_links (person_key);
comment on table scout.moved_links is
'One row per link that a run moved: the link as it was before. An undo gives it back, an erasure deletes it.';
comment on column scout.moved_links.run_id is 'The run that moved it.';
comment on column scout.moved_links.link_run_id is 'The run that had made it; null for a link of the owner''s.';
comment on column scout.moved_links.content is 'What scout.linked_rows had of it; null for a link of the owner''s.';

alter table scout.planned_links
add column moved_from_person_key uuid,
add column rule_reason_code text;
comment on column scout.planned_links.moved_from_person_key is
'Person of the link that the row has and that is out of date; null for a row without a link.';
comment on column scout.planned_links.rule_reason_code is 'What the rules say of a row left as KEYS_MOVED; else as reason_code.';

create function scout.content_of_row(source_table text, source_pk text) returns uuid
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
    return case source_table
        when 'module_ct_scouting_daily' then (
            select min(s.content::text)::uuid from scout.src_scouting_daily as s
            where s.source_pk = content_of_row.source_pk
        )
        when 'module_ct_migrations' then (
            select min(md5(coalesce(m.driver_id, '')))::uuid from scout.src_migrations as m
            where m.source_pk = content_of_row.source_pk
        )
        when 'module_ct_cabinet_leads' then (
            select min(md5(coalesce(c.external_id, '') || '|' || coalesce(extract(epoch from c.lead_created_at)::text, '')))::uuid
            from scout.src_cabinet_leads as c
            where c.cabinet_lead_id::text = content_of_row.source_pk
        )
    end;
end
$$;
comment on function scout.content_of_row(text, text) is
'What a scouting row, a migration (its driver) or a cabinet lead (its external id and time) says now, as a hash; null for other rows and for one that is gone.';

create function scout.content_of_subject(subject text) returns uuid
language sql stable
return scout.content_of_row(
    substring(subject from '^(?:public\.)?([a-z_]+)/'), substr(subject, strpos(subject, '/') + 1)
);
comment on function scout.content_of_subject(text) is
'As scout.content_of_row, of the row that an alert is about; null for other subjects.';

alter table scout.holds
add column held_content uuid;
-- serves: holds on what a row says, whatever number it has by now
create index holds_content on scout.holds (held_content) where released_at is null and held_content is not null;
comment on column scout.holds.held_content is
'What the source row said when it was held, as scout.content_of_row gives it: the hold is of that. Null = of the number. Read scout.v_held_rows.';

alter table scout.alerts
add column answered_content uuid;
comment on column scout.alerts.answered_content is
'What the source row said when somebody acknowledged or muted its alert: that is what they meant. Null for other alerts.';

create table scout.ignored_rows (
    source_table text not null,
    source_pk text not null,
    content uuid not null,
    -- serves: what did this row say when it was set aside
    primary key (source_table, source_pk)
);
comment on table scout.ignored_rows is
'One row per source row that a person set aside (IGNORED in canon.identity_unmatched): what it said then. Read scout.v_ignored_rows.';
comment on column scout.ignored_rows.content is 'As scout.content_of_row gives it: a hash.';
