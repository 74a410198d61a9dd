-- Change tracking: one trigger per event, each with the transition tables that it may have. scout_track_* see to the
-- audit of what others do to the ledger and to links of ours, scout_note_* tell which persons are to be settled anew.

-- name: scout_track_insert on observational.lead_ledger
-- a scout that somebody else sets with a new row is an EXTERNAL_CHANGE
create or replace trigger scout_track_insert after insert on observational.lead_ledger
referencing new table as new_rows
for each statement execute function scout.record_external_change();

-- name: scout_track_update on observational.lead_ledger
-- so is one that is set, changed or erased in a row that was there
create or replace trigger scout_track_update after update on observational.lead_ledger
referencing old table as old_rows new table as new_rows
for each statement execute function scout.record_external_change();

-- name: scout_track_truncate on observational.lead_ledger
-- emptying the ledger erases every scout in it; before, while they can still be read
create or replace trigger scout_track_truncate before truncate on observational.lead_ledger
for each statement execute function scout.record_external_change();

-- name: scout_track_delete on observational.lead_ledger
-- and one that goes with its row
create or replace trigger scout_track_delete after delete on observational.lead_ledger
referencing old table as old_rows
for each statement execute function scout.record_external_change();

-- name: scout_track_links_insert on canon.identity_links
-- a link of ours that somebody else takes away and brings back has not changed
create or replace trigger scout_track_links_insert after insert on canon.identity_links
referencing new table as new_rows
for each statement execute function scout.track_links();

-- name: scout_track_links_update on canon.identity_links
-- one that is pointed to somebody else has
create or replace trigger scout_track_links_update after update on canon.identity_links
referencing old table as old_rows new table as new_rows
for each statement execute function scout.track_links();

-- name: scout_track_links_delete on canon.identity_links
-- and so has one that goes
create or replace trigger scout_track_links_delete after delete on canon.identity_links
referencing old table as old_rows
for each statement execute function scout.track_links();

-- name: scout_track_links_truncate on canon.identity_links
-- before, while the rows can still be read
create or replace trigger scout_track_links_truncate before truncate on canon.identity_links
for each statement execute function scout.track_links();

-- name: scout_note_registry_insert on canon.identity_registry
-- persons that come, go or change
create or replace trigger scout_note_registry_insert after insert on canon.identity_registry
referencing new table as new_rows
for each statement execute function scout.note_registry();

-- name: scout_note_registry_update on canon.identity_registry
-- persons that come, go or change
create or replace trigger scout_note_registry_update after update on canon.identity_registry
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_registry();

-- name: scout_note_registry_delete on canon.identity_registry
-- persons that come, go or change
create or replace trigger scout_note_registry_delete after delete on canon.identity_registry
referencing old table as old_rows
for each statement execute function scout.note_registry();

-- name: scout_note_registry_truncate on canon.identity_registry
-- before, while the rows can still be read
create or replace trigger scout_note_registry_truncate before truncate on canon.identity_registry
for each statement execute function scout.note_registry();

-- name: scout_note_links_insert on canon.identity_links
-- links that come, go or change
create or replace trigger scout_note_links_insert after insert on canon.identity_links
referencing new table as new_rows
for each statement execute function scout.note_links();

-- name: scout_note_links_update on canon.identity_links
-- links that come, go or change
create or replace trigger scout_note_links_update after update on canon.identity_links
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_links();

-- name: scout_note_links_delete on canon.identity_links
-- links that come, go or change
create or replace trigger scout_note_links_delete after delete on canon.identity_links
referencing old table as old_rows
for each statement execute function scout.note_links();

-- name: scout_note_links_truncate on canon.identity_links
-- before, while the rows can still be read
create or replace trigger scout_note_links_truncate before truncate on canon.identity_links
for each statement execute function scout.note_links();

-- name: scout_note_ledger_insert on observational.lead_ledger
-- ledger rows that come, go or change
create or replace trigger scout_note_ledger_insert after insert on observational.lead_ledger
referencing new table as new_rows
for each statement execute function scout.note_ledger();

-- name: scout_note_ledger_update on observational.lead_ledger
-- ledger rows that come, go or change
create or replace trigger scout_note_ledger_update after update on observational.lead_ledger
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_ledger();

-- name: scout_note_ledger_delete on observational.lead_ledger
-- ledger rows that come, go or change
create or replace trigger scout_note_ledger_delete after delete on observational.lead_ledger
referencing old table as old_rows
for each statement execute function scout.note_ledger();

-- name: scout_note_ledger_truncate on observational.lead_ledger
-- before, while the rows can still be read
create or replace trigger scout_note_ledger_truncate before truncate on observational.lead_ledger
for each statement execute function scout.note_ledger();

-- name: scout_note_events_insert on observational.lead_events
-- events that come, go or change
create or replace trigger scout_note_events_insert after insert on observational.lead_events
referencing new table as new_rows
for each statement execute function scout.note_events();

-- name: scout_note_events_update on observational.lead_events
-- events that come, go or change
create or replace trigger scout_note_events_update after update on observational.lead_events
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_events();

-- name: scout_note_events_delete on observational.lead_events
-- events that come, go or change
create or replace trigger scout_note_events_delete after delete on observational.lead_events
referencing old table as old_rows
for each statement execute function scout.note_events();

-- name: scout_note_events_truncate on observational.lead_events
-- before, while the rows can still be read
create or replace trigger scout_note_events_truncate before truncate on observational.lead_events
for each statement execute function scout.note_events();

-- name: scout_note_migrations_insert on public.module_ct_migrations
-- migrations that come, go or change
create or replace trigger scout_note_migrations_insert after insert on public.module_ct_migrations
referencing new table as new_rows
for each statement execute function scout.note_migrations();

-- name: scout_note_migrations_update on public.module_ct_migrations
-- migrations that come, go or change
create or replace trigger scout_note_migrations_update after update on public.module_ct_migrations
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_migrations();

-- name: scout_note_migrations_delete on public.module_ct_migrations
-- migrations that come, go or change
create or replace trigger scout_note_migrations_delete after delete on public.module_ct_migrations
referencing old table as old_rows
for each statement execute function scout.note_migrations();

-- name: scout_note_migrations_truncate on public.module_ct_migrations
-- before, while the rows can still be read
create or replace trigger scout_note_migrations_truncate before truncate on public.module_ct_migrations
for each statement execute function scout.note_migrations();

-- name: scout_note_scouting_insert on public.module_ct_scouting_daily
-- scouting rows that come, go or change
create or replace trigger scout_note_scouting_insert after insert on public.module_ct_scouting_daily
referencing new table as new_rows
for each statement execute function scout.note_scouting();

-- name: scout_note_scouting_update on public.module_ct_scouting_daily
-- scouting rows that come, go or change
create or replace trigger scout_note_scouting_update after update on public.module_ct_scouting_daily
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_scouting();

-- name: scout_note_scouting_delete on public.module_ct_scouting_daily
-- scouting rows that come, go or change
create or replace trigger scout_note_scouting_delete after delete on public.module_ct_scouting_daily
referencing old table as old_rows
for each statement execute function scout.note_scouting();

-- name: scout_note_scouting_truncate on public.module_ct_scouting_daily
-- before, while the rows can still be read
create or replace trigger scout_note_scouting_truncate before truncate on public.module_ct_scouting_daily
for each statement execute function scout.note_scouting();

-- name: scout_note_payments_insert on public.module_ct_cabinet_payments
-- cabinet payment rows that come, go or change
create or replace trigger scout_note_payments_insert after insert on public.module_ct_cabinet_payments
referencing new table as new_rows
for each statement execute function scout.note_payments();

-- name: scout_note_payments_update on public.module_ct_cabinet_payments
-- cabinet payment rows that come, go or change
create or replace trigger scout_note_payments_update after update on public.module_ct_cabinet_payments
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_payments();

-- name: scout_note_payments_delete on public.module_ct_cabinet_payments
-- cabinet payment rows that come, go or change
create or replace trigger scout_note_payments_delete after delete on public.module_ct_cabinet_payments
referencing old table as old_rows
for each statement execute function scout.note_payments();

-- name: scout_note_payments_truncate on public.module_ct_cabinet_payments
-- before, while the rows can still be read
create or replace trigger scout_note_payments_truncate before truncate on public.module_ct_cabinet_payments
for each statement execute function scout.note_payments();

-- name: scout_note_drivers_insert on canon.drivers_index
-- licences and phones of drivers, which link scouting rows
create or replace trigger scout_note_drivers_insert after insert on canon.drivers_index
referencing new table as new_rows
for each statement execute function scout.note_drivers();

-- name: scout_note_drivers_update on canon.drivers_index
-- licences and phones of drivers, which link scouting rows
create or replace trigger scout_note_drivers_update after update on canon.drivers_index
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_drivers();

-- name: scout_note_drivers_delete on canon.drivers_index
-- licences and phones of drivers, which link scouting rows
create or replace trigger scout_note_drivers_delete after delete on canon.drivers_index
referencing old table as old_rows
for each statement execute function scout.note_drivers();

-- name: scout_note_drivers_truncate on canon.drivers_index
-- before, while the rows can still be read
create or replace trigger scout_note_drivers_truncate before truncate on canon.drivers_index
for each statement execute function scout.note_drivers();

-- name: scout_note_unmatched_insert on canon.identity_unmatched
-- scouting rows that a person sets aside or takes up again
create or replace trigger scout_note_unmatched_insert after insert on canon.identity_unmatched
referencing new table as new_rows
for each statement execute function scout.note_unmatched();

-- name: scout_note_unmatched_update on canon.identity_unmatched
-- scouting rows that a person sets aside or takes up again
create or replace trigger scout_note_unmatched_update after update on canon.identity_unmatched
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_unmatched();

-- name: scout_note_unmatched_delete on canon.identity_unmatched
-- scouting rows that a person sets aside or takes up again
create or replace trigger scout_note_unmatched_delete after delete on canon.identity_unmatched
referencing old table as old_rows
for each statement execute function scout.note_unmatched();

-- name: scout_note_unmatched_truncate on canon.identity_unmatched
-- before, while the rows can still be read
create or replace trigger scout_note_unmatched_truncate before truncate on canon.identity_unmatched
for each statement execute function scout.note_unmatched();

-- name: scout_note_cabinet_leads_insert on public.module_ct_cabinet_leads
-- cabinet leads, looked at for bad dates
create or replace trigger scout_note_cabinet_leads_insert after insert on public.module_ct_cabinet_leads
referencing new table as new_rows
for each statement execute function scout.note_cabinet_leads();

-- name: scout_note_cabinet_leads_update on public.module_ct_cabinet_leads
-- cabinet leads, looked at for bad dates
create or replace trigger scout_note_cabinet_leads_update after update on public.module_ct_cabinet_leads
referencing old table as old_rows new table as new_rows
for each statement execute function scout.note_cabinet_leads();

-- name: scout_note_cabinet_leads_delete on public.module_ct_cabinet_leads
-- cabinet leads, looked at for bad dates
create or replace trigger scout_note_cabinet_leads_delete after delete on public.module_ct_cabinet_leads
referencing old table as old_rows
for each statement execute function scout.note_cabinet_leads();

-- name: scout_note_scouts_list on public.module_ct_scouts_list
-- which scouts are known
create or replace trigger scout_note_scouts_list after insert or update or delete or truncate on public.module_ct_scouts_list
for each statement execute function scout.note_scouts_list();
