-- One row per source that can be counted: its rows at the last run and now, and what statements noted since. Counted where
-- rows were written, a note was made, or counting is cheap; else it has as many as before.
create or replace view scout.v_source_rows_now as
with changes as materialized (
    select
        n.source_name,
        count(*) as statement_count,
        coalesce(sum(n.row_change), 0)::bigint as row_change,
        coalesce(sum(n.written_count), 0)::bigint as written_count,
        coalesce(sum(n.row_change) filter (where n.is_ours), 0)::bigint as our_change
    from scout.source_changes as n
    group by n.source_name
),

sources as materialized (
    select
        s.source_name,
        s.is_tracked,
        k.row_count as former_count,
        k.kept_count,
        k.newest_id as former_newest_id,
        k.write_limit + coalesce(c.written_count, 0) as write_limit,
        coalesce(c.statement_count, 0) as statement_count,
        coalesce(c.row_change, 0) as row_change,
        coalesce(c.our_change, 0) as our_change,
        w.write_count,
        r.relfilenode::bigint as file_node,
        k.row_count is null
        or coalesce(r.relkind, 'v') <> 'r'
        or k.row_count < 20000
        or c.source_name is not null
        or coalesce(k.file_node, 0) <> coalesce(r.relfilenode::bigint, 0)
        or k.write_count <> w.write_count as is_due
    from scout.installed_sources as s
    left join pg_namespace as n on n.nspname = split_part(s.source_name, '.', 1)
    left join pg_class as r on r.relnamespace = n.oid and r.relname = split_part(s.source_name, '.', 2)
    cross join lateral (
        select coalesce(
            pg_stat_get_tuples_inserted(r.oid) + pg_stat_get_tuples_updated(r.oid) + pg_stat_get_tuples_deleted(r.oid), 0
        ) as write_count
    ) as w
    left join scout.source_rows as k on k.source_name = s.source_name
    left join changes as c on c.source_name = s.source_name
),

due as materialized (
    select d.source_name from sources as d
    where d.is_due
),

counted as materialized (
    select
        'canon.identity_registry' as source_name,
        (select count(*) from canon.identity_registry as t) as row_count,
        null::text as newest_id
    where 'canon.identity_registry' in (select d.source_name from due as d)
    union all
    select
        'canon.identity_links' as source_name,
        (select count(*) from canon.identity_links as t) as row_count,
        (select max(t.id)::text from canon.identity_links as t) as newest_id
    where 'canon.identity_links' in (select d.source_name from due as d)
    union all
    select
        'observational.lead_events' as source_name,
        (select count(*) from scout.src_lead_events as t) as row_count,
        (select max(t.event_id)::text from scout.src_lead_events as t) as newest_id
    where 'observational.lead_events' in (select d.source_name from due as d)
    union all
    select
        'observational.lead_ledger' as source_name,
        (select count(*) from observational.lead_ledger as t) as row_count,
        null::text as newest_id
    where 'observational.lead_ledger' in (select d.source_name from due as d)
    union all
    select
        'canon.drivers_index' as source_name,
        (select count(*) from scout.src_drivers_index as t) as row_count,
        null::text as newest_id
    where 'canon.drivers_index' in (select d.source_name from due as d)
    union all
    select
        'public.module_ct_scouting_daily' as source_name,
        (select count(*) from scout.src_scouting_daily as t) as row_count,
        (select max(t.row_id)::text from scout.src_scouting_daily as t) as newest_id
    where 'public.module_ct_scouting_daily' in (select d.source_name from due as d)
    union all
    select
        'public.module_ct_migrations' as source_name,
        (select count(*) from scout.src_migrations as t) as row_count,
        (select max(t.row_id)::text from scout.src_migrations as t) as newest_id
    where 'public.module_ct_migrations' in (select d.source_name from due as d)
    union all
    select
        'public.module_ct_scouts_list' as source_name,
        (select count(*) from scout.src_scouts_list as t) as row_count,
        null::text as newest_id
    where 'public.module_ct_scouts_list' in (select d.source_name from due as d)
    union all
    select
        'public.module_ct_cabinet_payments' as source_name,
        (select count(*) from scout.src_cabinet_payments as t) as row_count,
        (select max(t.row_id)::text from scout.src_cabinet_payments as t) as newest_id
    where 'public.module_ct_cabinet_payments' in (select d.source_name from due as d)
    union all
    select
        'public.module_ct_cabinet_leads' as source_name,
        (select count(*) from scout.src_cabinet_leads as t) as row_count,
        (select max(t.cabinet_lead_id)::text from scout.src_cabinet_leads as t) as newest_id
    where 'public.module_ct_cabinet_leads' in (select d.source_name from due as d)
    union all
    select
        'ops.scout_payment_rules' as source_name,
        (select count(*) from scout.src_payment_rules as t) as row_count,
        null::text as newest_id
    where 'ops.scout_payment_rules' in (select d.source_name from due as d)
    union all
    select
        'ops.scout_liquidation_ledger' as source_name,
        (select count(*) from scout.src_liquidation_ledger as t) as row_count,
        null::text as newest_id
    where 'ops.scout_liquidation_ledger' in (select d.source_name from due as d)
)

select
    s.source_name,
    s.former_count,
    coalesce(c.row_count, s.former_count) as row_count,
    case when c.source_name is null then s.former_newest_id else c.newest_id end as newest_id,
    s.write_count,
    -- rows that are there at first were written, whatever the server has counted by now
    greatest(s.write_limit, s.write_count, case when s.former_count is null then c.row_count end) as write_limit,
    s.file_node,
    s.kept_count + s.our_change as kept_count,
    s.kept_count + s.our_change > 0
    and coalesce(c.row_count, s.former_count) * 2 < s.kept_count + s.our_change as is_vanished,
    s.is_tracked
    -- the list of scouts is joined at read
    and s.source_name <> 'public.module_ct_scouts_list'
    and s.former_count is not null
    and c.source_name is not null
    and (
        c.row_count <> s.former_count + s.row_change
        or (s.statement_count = 0 and c.newest_id is distinct from s.former_newest_id)
        -- more rows were written than were noted. The server counts late, and what was rolled back too: runs of ours
        -- roll back, so not where they write
        or (
            s.write_count > s.write_limit
            and s.source_name not in ('canon.identity_registry', 'canon.identity_links', 'observational.lead_ledger')
        )
    ) as is_unnoted
from sources as s
left join counted as c on c.source_name = s.source_name
where c.source_name is not null or s.former_count is not null;
comment on column scout.v_source_rows_now.former_count is 'Rows at the last run; null = no run has counted them.';
comment on column scout.v_source_rows_now.kept_count is 'Rows by which a loss is measured, less what runs of ours took away.';
comment on column scout.v_source_rows_now.is_vanished is 'It has none of these rows, or less than half.';
comment on column scout.v_source_rows_now.is_unnoted is 'Rows came or went without a note: triggers were off, or rows came by replication.';
