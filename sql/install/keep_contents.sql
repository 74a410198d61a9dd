-- Writes down what the rows say now of our links, of holds, of what was set aside and of alerts that somebody answered,
-- where nothing of it is kept: older versions kept none. One row: how many.
with said as (
    insert into scout.linked_rows (source_table, source_pk, content)
    select
        l.source_table,
        l.source_pk,
        s.content
    from canon.identity_links as l
    inner join scout.src_scouting_daily as s on s.source_pk = l.source_pk
    where l.source_table = 'module_ct_scouting_daily'
        and l.run_id in (select r.run_id from scout.runs as r)
    on conflict (source_table, source_pk) do nothing
    returning source_pk
),

ignored as (
    insert into scout.ignored_rows (source_table, source_pk, content)
    select
        u.source_table,
        u.source_pk,
        s.content
    from canon.identity_unmatched as u
    inner join scout.src_scouting_daily as s on s.source_pk = u.source_pk
    where u.source_table = 'module_ct_scouting_daily' and u.status = 'IGNORED'
    on conflict (source_table, source_pk) do nothing
    returning source_pk
),

held as (
    update scout.holds as h
    set held_content = s.content
    from scout.src_scouting_daily as s
    where h.source_table = 'module_ct_scouting_daily'
        and h.source_pk = s.source_pk
        and h.released_at is null
        and h.held_content is null
    returning h.hold_id
),

answered as (
    update scout.alerts as a
    set answered_content = scout.content_of_subject(a.subject)
    where a.status in ('ACKNOWLEDGED', 'MUTED')
        and a.answered_content is null
        and scout.content_of_subject(a.subject) is not null
    returning a.alert_id
)

select
    (select count(*) from said) + (select count(*) from ignored) + (select count(*) from held)
    + (select count(*) from answered) as row_count;
