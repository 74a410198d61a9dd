-- Change tracking of the ledger: one trigger per event, each with the transition tables it may have.

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
