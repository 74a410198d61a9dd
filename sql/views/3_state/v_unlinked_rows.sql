-- One row per scouting row that names a scout and has no link, exactly now: settled ones, but for touched
-- rows those of the source.
create or replace view scout.v_unlinked_rows as
select
    u.source_pk,
    u.row_id,
    u.scout_id
from scout.unlinked_rows as u
where (select scout.reading()) <> 'LIVE'
    and u.source_pk not in (
        select p.source_pk from scout.v_pending_rows as p
        where (select scout.reading()) = 'EXACT'
    )
union all
select
    l.source_pk,
    l.row_id,
    l.scout_id
from scout.unlinked_of(array(
    select p.source_pk from scout.v_pending_rows as p
    where (select scout.reading()) = 'EXACT'
)) as l
union all
select
    l.source_pk,
    l.row_id,
    l.scout_id
from scout.v_unlinked_rows_live as l
where (select scout.reading()) = 'LIVE';
