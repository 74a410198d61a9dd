-- Keys, constraints and indexes of the owner's tables, under the owner's names.
alter table ops.ingestion_runs add primary key (id);
alter table canon.identity_registry add primary key (person_key);
alter table canon.identity_links add primary key (id);
alter table canon.identity_unmatched add primary key (id);
alter table canon.drivers_index add primary key (driver_id);
alter table observational.lead_events add primary key (id);
alter table observational.lead_ledger add primary key (person_key);
alter table observational.scouting_match_candidates add primary key (id);
alter table ops.alerts add primary key (id);
alter table public.drivers add primary key (driver_id);
alter table public.module_ct_scouting_daily add primary key (id);
alter table public.module_ct_migrations add primary key (id);
alter table public.module_ct_cabinet_leads add primary key (id);
alter table public.module_ct_cabinet_payments add primary key (id);
alter table canon.identity_links
add constraint uq_identity_links_source unique (source_table, source_pk);
create index idx_identity_links_run_id on canon.identity_links (run_id);
alter table canon.identity_unmatched
add constraint uq_identity_unmatched_source unique (source_table, source_pk);
create index idx_identity_unmatched_run_id on canon.identity_unmatched (run_id);
create index idx_drivers_index_park_phone on canon.drivers_index (park_id, phone_norm);
create index idx_drivers_index_park_license on canon.drivers_index (park_id, license_norm);
create index idx_drivers_index_park_plate on canon.drivers_index (park_id, plate_norm);
create index idx_drivers_index_park_brand_model
on canon.drivers_index (park_id, brand_norm, model_norm);
create index idx_drivers_index_phone on canon.drivers_index (phone_norm);
create index idx_drivers_index_license on canon.drivers_index (license_norm);
alter table observational.lead_events
add constraint uq_lead_events_source unique (source_table, source_pk);
create index idx_lead_events_person_key on observational.lead_events (person_key);
create index idx_lead_events_event_date on observational.lead_events (event_date);
create index idx_lead_events_scout_id on observational.lead_events (scout_id);
create index idx_lead_events_source_table_pk
on observational.lead_events (source_table, source_pk);
create index idx_lead_ledger_decision_status on observational.lead_ledger (decision_status);
create index idx_lead_ledger_scout_id on observational.lead_ledger (attributed_scout_id);
create index idx_scouting_match_week_label on observational.scouting_match_candidates (week_label);
create index idx_scouting_match_scouting_row_id
on observational.scouting_match_candidates (scouting_row_id);
create index idx_scouting_match_person_key
on observational.scouting_match_candidates (person_key_candidate)
where person_key_candidate is not null;
create index idx_scouting_match_scouting_date
on observational.scouting_match_candidates (scouting_date);
create index idx_alerts_week_label on ops.alerts (week_label);
create index idx_alerts_acknowledged on ops.alerts (acknowledged_at) where acknowledged_at is null;
create unique index idx_cabinet_leads_external_id_unique
on public.module_ct_cabinet_leads (external_id)
where external_id is not null;
create index idx_cabinet_payments_driver_id
on public.module_ct_cabinet_payments (driver_id)
where driver_id is not null;
create index idx_cabinet_payments_person_key
on public.module_ct_cabinet_payments (person_key)
where person_key is not null;
create unique index peer_claims_driver_id_milestone_value_idx
on public.peer_claims (driver_id, milestone_value);
alter table canon.identity_links add foreign key (person_key) references canon.identity_registry;
alter table canon.identity_links
add constraint fk_identity_links_run_id foreign key (run_id) references ops.ingestion_runs;
alter table canon.identity_unmatched
add constraint fk_identity_unmatched_run_id foreign key (run_id) references ops.ingestion_runs;
alter table observational.lead_events
add foreign key (person_key) references canon.identity_registry;
alter table observational.lead_ledger
add foreign key (person_key) references canon.identity_registry;
alter table observational.scouting_match_candidates
add foreign key (person_key_candidate) references canon.identity_registry;
alter table observational.scouting_match_candidates
add foreign key (run_id) references ops.ingestion_runs;
alter table ops.alerts add foreign key (run_id) references ops.ingestion_runs;
alter table ops.scout_payment_rules add primary key (id);
alter table ops.scout_liquidation_ledger add primary key (id);
