-- Looks for ids that several rows of a source have. One row: how many are new or gone.
select scout.find_repeated_ids() as changed_count;
