-- One row per identity link, with what its row said when a rule of ours or a reviewer made it. content null = a link
-- of somebody else, which holds whatever the row says. A link is evidence where scout.is_same_content(content, what
-- the row says now).
create or replace view scout.v_row_links as
select
    l.id as link_id,
    l.person_key,
    l.source_table,
    l.source_pk,
    c.content
from canon.identity_links as l
left join scout.linked_rows as c
    on c.source_table = l.source_table
    and c.source_pk = l.source_pk
    -- cast first: a dump writes an `in` over varchar in other words than it reads
    and l.match_rule::text in (
        'BACKFILL_LICENSE_MATCH', 'BACKFILL_PHONE_MATCH', 'BACKFILL_NEW_PERSON',
        'REVIEW_LINK', 'REVIEW_NEW_PERSON', 'REVIEW_MOVE'
    );
