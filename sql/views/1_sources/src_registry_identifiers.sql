-- One row per registered person: what identifies it, as the registry has it. Personal data.
-- A column that the table lacks reads as null: the bare name then finds the stand-in beside it.
create or replace view scout.src_registry_identifiers as
select
    r.person_key,
    scout.read_key(r.primary_phone) as phone,
    scout.read_key(r.primary_license) as license,
    n.primary_document::text as document,
    n.primary_full_name::text as full_name,
    scout.license_key(r.primary_license) collate "C" as license_key,
    scout.phone_key(r.primary_phone) collate "C" as phone_key
from canon.identity_registry as r
cross join (values (null::text, null::text)) as stand_in (primary_document, primary_full_name)
cross join lateral (
    select
        primary_document,
        primary_full_name
    from (select r.*) as own
) as n;
