-- name: record
insert into scout.export_audit (
    actor, role, via, list_name, filters, sort, format, is_raw, is_clear, reason, row_count, byte_count, sha256,
    is_complete
)
values (
    :actor, :role, :via, :list_name, cast(:filters as jsonb), :sort, :format, :is_raw, :is_clear, :reason,
    :row_count, :byte_count, :sha256, :is_complete
);

-- name: can_keep
-- What the record will hold is sent before the file: a letter that the database cannot keep is refused here.
select
    current_setting('transaction_read_only') = 'on' as is_read_only,
    cast(:reason as text) as reason;
