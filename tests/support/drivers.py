"""What the sources say of drivers and nobody may read by chance: names, phones, licences."""

from scout_core.db.database import Database
from tests.support.looking import rows

# every column of the sources that says who a driver is; scouts are staff, and named
COLUMNS = """
select c.table_schema, c.table_name, c.column_name
from information_schema.columns as c
where c.table_schema in ('public', 'canon', 'observational', 'raw')
    and c.column_name ~ '(name|phone|license|document|email)'
    and c.column_name !~ '^(scout|park|source|raw)_' and c.table_name not like '%scouts_list%'
"""
SCOUTS = "select unnest(array[raw_name, name]) from public.module_ct_scouts_list"


def values(database: Database) -> set[str]:
    """Values of those columns that are long enough not to be met by chance."""
    found: set[str] = set()
    for schema, table, column in rows(database, COLUMNS):
        query = f'select distinct "{column}"::text from {schema}.{table}'
        found |= {value for (value,) in rows(database, query) if value and len(value) >= 8}
    return found - {value for (value,) in rows(database, SCOUTS)}
