-- The roles of the product may not write claims, collection or payments (I16)
select
    c.role_name,
    c.table_name,
    c.allowed
from scout.v_rights_on_claims as c
where c.role_name in ('scout_writer', 'scout_reader');
