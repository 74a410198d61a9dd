-- Empties what identifies the person in the registry; its row stays as a key. One row: how many rows changed.
select scout.erase_registry_row(cast(:person_key as uuid)) as registry_rows;
