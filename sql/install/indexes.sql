-- Indexes of ours on the owner's tables, built concurrently. Skipped where the table is absent.
-- Whoever writes may look up no name of ours: expressions call functions whose bodies have none, or that are bound.
-- Keys are collated "C", as the views compare them: other collations sort several times slower.

-- name: scout_one_refresh_running on ops.ingestion_runs
-- backstop of the run protocol: two refreshes are never RUNNING at once
create unique index concurrently scout_one_refresh_running on ops.ingestion_runs (job_type)
-- the operators of the catalog by name: behind a pooler the session that builds it searches public
where status operator(pg_catalog.=) 'RUNNING' and job_type operator(pg_catalog.=) 'scout_attribution_refresh';

-- name: scout_identity_links_person on canon.identity_links
-- serves: the source rows of a person, of each kind (also before anybody has counted how the rows are spread); who is a lead
create index concurrently scout_identity_links_person on canon.identity_links (person_key, source_table);

-- name: scout_registry_license on canon.identity_registry
-- serves: linking by licence
create index concurrently scout_registry_license on canon.identity_registry (
    (scout.license_key(scout.read_key(primary_license)) collate "C")
);

-- name: scout_registry_phone on canon.identity_registry
-- serves: linking by phone
create index concurrently scout_registry_phone on canon.identity_registry (
    (scout.phone_key(scout.read_key(primary_phone)) collate "C")
);

-- name: scout_lead_events_scout on observational.lead_events
-- serves: the scouts that the events of a person name
create index concurrently scout_lead_events_scout on observational.lead_events (person_key, scout_id)
where scout_id is not null;

-- name: scout_scouting_text_id on public.module_ct_scouting_daily
-- serves: the scouting row that a link names
create index concurrently scout_scouting_text_id on public.module_ct_scouting_daily ((id::text));

-- name: scout_scouting_md5 on public.module_ct_scouting_daily
-- serves: the scouting row that a link of the older kind names
create index concurrently scout_scouting_md5 on public.module_ct_scouting_daily (
    scout.scouting_md5_key(
        scout.read_key(scout_id), scout.read_key(driver_phone), scout.read_key(driver_license), scout.read_day(registration_date)
    )
);

-- name: scout_migrations_text_id on public.module_ct_migrations
-- serves: the migration that a link names
create index concurrently scout_migrations_text_id on public.module_ct_migrations ((id::text));

-- name: scout_migrations_driver on public.module_ct_migrations
-- serves: the migrations of a driver's person
create index concurrently scout_migrations_driver on public.module_ct_migrations (driver_id);

-- name: scout_drivers_index_license on canon.drivers_index
-- serves: linking by licence through a driver
create index concurrently scout_drivers_index_license on canon.drivers_index (
    (scout.license_key(scout.read_key(license_norm)) collate "C")
);

-- name: scout_drivers_index_phone on canon.drivers_index
-- serves: linking by phone through a driver
create index concurrently scout_drivers_index_phone on canon.drivers_index (
    (scout.phone_key(scout.read_key(phone_norm)) collate "C")
);

-- name: scout_scouting_license on public.module_ct_scouting_daily
-- serves: linking by licence through a linked scouting row
create index concurrently scout_scouting_license on public.module_ct_scouting_daily (
    (scout.license_key(scout.read_key(driver_license)) collate "C")
);

-- name: scout_scouting_phone on public.module_ct_scouting_daily
-- serves: linking by phone through a linked scouting row; the licences that rows show with a phone
create index concurrently scout_scouting_phone on public.module_ct_scouting_daily (
    (scout.phone_key(scout.read_key(driver_phone)) collate "C")
);

-- name: scout_payments_text_id on public.module_ct_cabinet_payments
-- serves: the cabinet payment row that was touched
create index concurrently scout_payments_text_id on public.module_ct_cabinet_payments ((id::text));

-- name: scout_cabinet_leads_text_id on public.module_ct_cabinet_leads
-- serves: the cabinet lead that was touched
create index concurrently scout_cabinet_leads_text_id on public.module_ct_cabinet_leads ((scout.read_row_number(id)::text));
