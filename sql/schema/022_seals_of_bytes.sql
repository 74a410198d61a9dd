-- A seal covers bytes. In a database in SQL_ASCII a text may hold bytes that are no UTF-8, and to make UTF-8 of it is an
-- error, which would stop every run that copied such a text into the audit. There the bytes are taken as they are: for
-- all that is UTF-8 they are the same ones, so older seals hold.

create function scout.utf8_bytes(content text) returns bytea
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select convert_to(content, case getdatabaseencoding() when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end) $$;
comment on function scout.utf8_bytes(text) is
'The text in UTF-8, as seals hash it; in a database in SQL_ASCII its bytes as they are.';

-- Rewritten as it stands, whichever file wrote it last: only how a row becomes bytes is another.
do $$
declare
    definition text := pg_get_functiondef('scout.audit_content(integer[], bigint[])'::regprocedure);
begin
    execute regexp_replace(
        replace(definition, 'sha256(convert_to(row(', 'sha256(scout.utf8_bytes(row('), '\)::text, ''UTF8''\)', ')::text)', 'g'
    );
end
$$;
