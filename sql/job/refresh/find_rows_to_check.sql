-- One row: whether a source row was touched since a run looked for bad values.
select exists (select from scout.rows_to_check) or exists (select from scout.pending_persons) as is_anything;
