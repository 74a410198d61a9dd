-- The next id of each table follows the last one that was loaded.
select
    setval('ops.ingestion_runs_id_seq', (select max(id) from ops.ingestion_runs)),
    setval('canon.identity_links_id_seq', (select max(id) from canon.identity_links)),
    setval('observational.lead_events_id_seq', (select max(id) from observational.lead_events)),
    setval(
        'public.module_ct_scouting_daily_id_seq',
        (select max(id) from public.module_ct_scouting_daily)
    ),
    setval('public.module_ct_migrations_id_seq', (select max(id) from public.module_ct_migrations)),
    setval(
        'public.module_ct_cabinet_leads_id_seq', (select max(id) from public.module_ct_cabinet_leads)
    ),
    setval(
        'public.module_ct_cabinet_payments_id_seq',
        (select max(id) from public.module_ct_cabinet_payments)
    ),
    setval(
        'ops.scout_liquidation_ledger_id_seq', (select max(id) from ops.scout_liquidation_ledger)
    );
