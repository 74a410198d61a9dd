-- name: list_hidden
select
    h.hidden_table as table_name,
    h.role_name,
    h.source_name
from scout.v_hidden_rows as h
order by h.hidden_table, h.role_name, h.source_name;
