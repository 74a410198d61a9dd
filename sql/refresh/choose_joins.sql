-- With many rows to judge, nested loops are switched off for the plan: how many rows a step of it gives
-- cannot be estimated, and a nested loop where thousands meet thousands takes hours.
select set_config(
    'enable_nestloop',
    case
        when (
            (select count(*) from scout.src_scouting_daily)
            - (
                select count(*) from canon.identity_links as l
                where l.source_table = 'module_ct_scouting_daily'
            )
        ) > 2000 then 'off'
        else 'on'
    end,
    true
) as enable_nestloop;
