-- Scouting rows that name a scout = linked + to be judged + left + held + ignored (I12)
select
    u.source_pk,
    u.scout_id
from scout.v_unlinked_rows as u
where u.source_pk not in (select j.source_pk from scout.v_rows_to_judge as j)
    and not exists (
        select from canon.identity_unmatched as k
        where k.source_table = 'module_ct_scouting_daily' and k.source_pk = u.source_pk and k.status = 'OPEN'
    )
    and not exists (
        select from scout.v_ignored_rows as i
        where i.source_table = 'module_ct_scouting_daily' and i.source_pk = u.source_pk
    )
    and not exists (
        select from scout.v_held_rows as h
        where h.source_table = 'module_ct_scouting_daily' and h.source_pk = u.source_pk
    );
