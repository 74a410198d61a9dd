-- The link of a source row is the one that its newest audit row made, or took away (I14)
select
    n.source_table,
    n.source_pk,
    n.action_type,
    n.person_key as audited_person_key,
    k.person_key as linked_person_key
from scout.v_newest_link_audit as n
left join canon.identity_links as k
    on k.source_table = n.source_table
    and k.source_pk = n.source_pk
    -- a link that somebody else made since is theirs
    and k.run_id in (select r.run_id from scout.runs as r)
where k.person_key is distinct from case when n.action_type = 'CREATED' then n.person_key end;
