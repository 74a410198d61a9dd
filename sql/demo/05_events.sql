-- Lead events of scouting rows, migrations and leads. What they say of the scout is written in
-- every way that occurs: in the column, in the payload, in both, unreadable, under another key.
insert into observational.lead_events (
    id,
    source_table,
    source_pk,
    event_date,
    person_key,
    scout_id,
    payload_json,
    created_at
)
with
events as (
    select
        'module_ct_scouting_daily' as source_table,
        id::text as source_pk,
        'scout_registration' as origin_tag,
        event,
        person_key,
        scout_id,
        other_scout_id,
        draw,
        abs(n) as position,
        happened_at
    from demo_scouting
    where event is not null
    union all
    select
        'module_ct_migrations',
        id::text,
        'migration',
        event,
        person_key,
        scout_id,
        other_scout_id,
        draw,
        abs(n) as position,
        happened_at
    from demo_migrations
    where event is not null
    union all
    select
        'module_ct_cabinet_leads',
        coalesce(external_id, id::text),
        'cabinet_lead',
        event,
        person_key,
        scout_id,
        other_scout_id,
        draw,
        abs(n) as position,
        happened_at
    from demo_leads
    where event is not null
),

formed as (
    select
        source_table,
        source_pk,
        origin_tag,
        person_key,
        scout_id,
        other_scout_id,
        draw,
        happened_at,
        case
            when event <> 'named' then event
            when pg_temp.share(draw, 'event') < 0.5 then 'column'
            when pg_temp.share(draw, 'event') < 0.75 then 'payload'
            else 'both'
        end as form,
        position
    from events
),

written as (
    select
        *,
        case form
            when 'payload' then (
                array[
                    to_jsonb(scout_id),
                    to_jsonb(scout_id::text),
                    to_jsonb(' ' || scout_id || ' '),
                    to_jsonb('00' || scout_id),
                    to_jsonb(scout_id || E'\n')
                ]
            )[1 + (position % 5)::integer]
            when 'both' then to_jsonb(scout_id::text)
            when 'disagree' then to_jsonb(other_scout_id)
            -- a database in another encoding than UTF-8 cannot hold the digits of other scripts
            when 'unreadable' then replace((
                array[
                    '"S-12"', '-5', '"+12"', '12.0', '2147483648', '"1.2e1"', 'true', '[12]',
                    '{"id": 12}', '"abc"', '0', '"NaN"', '"12; drop table x"',
                    '"12345678901234567890"', '"0x0c"', '"1_2"', '"\u0661\u0662"', '"\uff11\uff12"',
                    '"\u00a012"'
                ]
            )[1 + (position % 19)::integer], case when current_setting('server_encoding') = 'UTF8' then '' else '\u' end, 'u')::jsonb
            when 'bare' then (array[null, '""', '"   "', 'null'])[1 + (position % 4)::integer]::jsonb
        end as payload_scout
    from formed
)

select
    row_number() over (order by happened_at, source_table, source_pk),
    source_table,
    source_pk,
    happened_at::date,
    person_key,
    case when form in ('column', 'both', 'disagree') then scout_id end,
    case
        when form = 'shape'
            then (array['[{"scout_id": 3}]', '"scout 3"', 'null', '3'])[1 + (position % 4)::integer]::jsonb
        when form = 'similar key'
            then jsonb_build_object(
                'origin_tag', origin_tag, (array['Scout_ID', 'scoutId'])[1 + (position % 2)::integer], scout_id
            )
        when payload_scout is null then jsonb_build_object('origin_tag', origin_tag)
        else jsonb_build_object('origin_tag', origin_tag, 'scout_id', payload_scout)
    end,
    happened_at + interval '40 minutes'
from written;
