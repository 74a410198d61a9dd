-- name: list_hidden
select
    h.table_name,
    h.role_name,
    h.source_name
from scout.v_hidden_rows as h
order by h.table_name, h.role_name, h.source_name;
