-- One row per source row that could not be linked: why, and between whom. Of the candidates only person
-- keys are shown: rows of before may hold names and phones.
create or replace view scout.src_unmatched as
select
    u.id::bigint as unmatched_id,
    u.source_table::text as source_table,
    u.source_pk::text as source_pk,
    u.reason_code::text as reason_code,
    u.status::text as status,
    array(
        select distinct c.candidate::uuid
        from jsonb_array_elements_text(
            case when jsonb_typeof(u.candidates_preview) = 'array' then u.candidates_preview else '[]' end
        ) as c (candidate)
        where c.candidate ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        order by c.candidate::uuid
    ) as candidate_person_keys,
    u.run_id,
    scout.sane_timestamp(u.created_at) as created_at,
    scout.sane_timestamp(u.resolved_at) as resolved_at
from canon.identity_unmatched as u;
comment on column scout.src_unmatched.status is 'OPEN, RESOLVED (linked since) or IGNORED (a person left it so).';
