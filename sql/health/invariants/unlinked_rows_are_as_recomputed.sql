-- Scouting rows without a link, settled and pending, are what the source says (I20)
select
    'shown, and not so' as problem,
    n.source_pk,
    n.scout_id
from (
    select * from scout.v_unlinked_rows
    except
    select * from scout.v_unlinked_rows_live
) as n
union all
select
    'so, and not shown' as problem,
    n.source_pk,
    n.scout_id
from (
    select * from scout.v_unlinked_rows_live
    except
    select * from scout.v_unlinked_rows
) as n;
