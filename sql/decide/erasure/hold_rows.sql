-- Holds the scouting rows without a link that show a licence or phone of a person about to be erased: once nobody is
-- known under it, the next run would register their values anew. Before the registry is emptied. One row: how many.
with held as (
    insert into scout.holds (subject, source_table, source_pk, held_content, reason, actor, run_id)
    select
        'source_row',
        'module_ct_scouting_daily',
        s.source_pk,
        scout.content_of_row('module_ct_scouting_daily', s.source_pk),
        'shows a licence or phone of a person who was erased',
        :actor,
        :run_id
    from scout.v_person_source_rows as s
    where s.person_key = cast(:person_key as uuid)
        and s.tie = 'SAME_KEY'
        and not exists (
            select from scout.v_held_rows as h
            where h.source_table = 'module_ct_scouting_daily' and h.source_pk = s.source_pk
        )
    returning hold_id
)

select count(*) as held_rows from held;
