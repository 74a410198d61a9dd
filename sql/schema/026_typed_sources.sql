-- Source columns as loaders type them: numbers as double precision or numeric(38,9), dates and flags as text, keys as
-- numbers. Each function reads one kind of value; a column of the type that is meant costs nothing, as the planner puts
-- the value itself in place of the call. What cannot be read is null and never an error. The one of anyelement takes
-- every type that has none of its own, as text.

-- Keys: ids, drivers, phones, licences. A number is written without decimals that say nothing.

create function scout.read_key(raw text) returns text
language sql immutable parallel safe
return raw;
comment on function scout.read_key(text) is 'A key as text: the text itself.';

create function scout.read_key(raw smallint) returns text
language sql immutable parallel safe
return raw::text;
comment on function scout.read_key(smallint) is 'A key as text.';

create function scout.read_key(raw integer) returns text
language sql immutable parallel safe
return raw::text;
comment on function scout.read_key(integer) is 'A key as text.';

create function scout.read_key(raw bigint) returns text
language sql immutable parallel safe
return raw::text;
comment on function scout.read_key(bigint) is 'A key as text.';

create function scout.read_key(raw numeric) returns text
language sql immutable parallel safe
return trim_scale(raw)::text;
comment on function scout.read_key(numeric) is 'A key as text: 12.000000000 is 12.';

create function scout.read_key(raw double precision) returns text
language sql immutable parallel safe
return raw::text;
comment on function scout.read_key(double precision) is 'A key as text: 12.0 is 12.';

-- from a million on, PostgreSQL writes a real with an exponent, though it is exact to sixteen million
create function scout.read_key(raw real) returns text
language sql immutable parallel safe
return case when raw >= -16777215 and raw <= 16777215 and raw = trunc(raw) then raw::integer::text else raw::text end;
comment on function scout.read_key(real) is 'A key as text: 12.0 is 12.';

create function scout.read_key(raw anyelement) returns text
language sql immutable parallel safe
as $$ select raw::pg_catalog.text $$;
comment on function scout.read_key(anyelement) is 'A key as text, of a type that no other reads.';

create function scout.license_key(license anyelement) returns text
language sql immutable parallel safe
as $$ select scout.license_key(scout.read_key(license)) $$;
comment on function scout.license_key(anyelement) is 'Licence as an identifier, of a column that is not text.';

create function scout.phone_key(phone anyelement) returns text
language sql immutable parallel safe
as $$ select scout.phone_key(scout.read_key(phone)) $$;
comment on function scout.phone_key(anyelement) is 'Phone as an identifier, of a column that is not text.';

-- Row numbers

create function scout.read_row_number(raw integer) returns bigint
language sql immutable parallel safe
return raw::bigint;
comment on function scout.read_row_number(integer) is 'Number of a source row.';

create function scout.read_row_number(raw bigint) returns bigint
language sql immutable parallel safe
return raw;
comment on function scout.read_row_number(bigint) is 'Number of a source row.';

create function scout.read_row_number(raw numeric) returns bigint
language sql immutable parallel safe
return case when raw >= -999999999999999999 and raw <= 999999999999999999 and raw = trunc(raw) then raw::bigint end;
comment on function scout.read_row_number(numeric) is 'Number of a source row; null for what is no whole number of 18 digits.';

create function scout.read_row_number(raw double precision) returns bigint
language sql immutable parallel safe
return case when raw >= -9007199254740991 and raw <= 9007199254740991 and raw = trunc(raw) then raw::bigint end;
comment on function scout.read_row_number(double precision) is
'Number of a source row; null for what is no whole number or too great to be exact.';

create function scout.read_row_number(raw text) returns bigint
language sql immutable parallel safe
return case when raw ~ '^(?:0|[1-9][0-9]{0,17})$' then raw::bigint end;
comment on function scout.read_row_number(text) is 'Number of a source row; null for a text that is none, or not as the number would be written.';

-- an index calls it for whoever writes, who may look up no name of ours
create function scout.read_row_number(raw anyelement) returns bigint
language sql immutable parallel safe
as $$
    select case when raw::pg_catalog.text ~ '^(?:0|[1-9][0-9]{0,17})$' then raw::pg_catalog.text::pg_catalog.int8 end
$$;
comment on function scout.read_row_number(anyelement) is 'Number of a source row, of a type that no other reads.';

-- of the type of the column, so that its index is used
create function scout.read_event_number(raw integer) returns integer
language sql immutable parallel safe
return raw;
comment on function scout.read_event_number(integer) is 'Number of an event.';

create function scout.read_event_number(raw smallint) returns integer
language sql immutable parallel safe
return raw::integer;
comment on function scout.read_event_number(smallint) is 'Number of an event.';

create function scout.read_event_number(raw bigint) returns bigint
language sql immutable parallel safe
return raw;
comment on function scout.read_event_number(bigint) is 'Number of an event.';

create function scout.read_event_number(raw anyelement) returns bigint
language sql immutable parallel safe
as $$ select scout.read_row_number(raw) $$;
comment on function scout.read_event_number(anyelement) is 'Number of an event, of a column that holds no whole numbers.';

-- Scouts. A number column shows 12 as 12.0 or 12.000000000; in a text that is no scout number. A real is exact up to
-- 16777215 only: what is above may be another number.

create or replace function scout.parse_scout_id(raw numeric) returns integer
language sql immutable parallel safe
return case when raw >= 1 and raw <= 2147483647 and raw = trunc(raw) then raw::integer end;
comment on function scout.parse_scout_id(numeric) is 'Scout number of a numeric column: a whole number within 1..2147483647.';

create function scout.parse_scout_id(raw double precision) returns integer
language sql immutable parallel safe
return case when raw >= 1 and raw <= 2147483647 and raw = trunc(raw) then raw::integer end;
comment on function scout.parse_scout_id(double precision) is
'Scout number of a floating point column: a whole number within 1..2147483647.';

create function scout.parse_scout_id(raw real) returns integer
language sql immutable parallel safe
return case when raw >= 1 and raw <= 16777215 and raw = trunc(raw) then raw::integer end;
comment on function scout.parse_scout_id(real) is
'Scout number of a column of single precision: a whole number within 1..16777215, above which it is not exact.';

create function scout.parse_scout_id(raw anyelement) returns integer
language sql immutable parallel safe
as $$ select scout.parse_scout_id(raw::pg_catalog.text) $$;
comment on function scout.parse_scout_id(anyelement) is 'Scout number of a type that no other reads, by its text.';

create or replace function scout.is_unreadable_scout(raw numeric) returns boolean
language sql immutable parallel safe
return raw is not null and scout.parse_scout_id(raw) is null;
comment on function scout.is_unreadable_scout(numeric) is 'True for a numeric value that is no scout number.';

create function scout.is_unreadable_scout(raw double precision) returns boolean
language sql immutable parallel safe
return raw is not null and scout.parse_scout_id(raw) is null;
comment on function scout.is_unreadable_scout(double precision) is 'True for a floating point value that is no scout number.';

create function scout.is_unreadable_scout(raw real) returns boolean
language sql immutable parallel safe
return raw is not null and scout.parse_scout_id(raw) is null;
comment on function scout.is_unreadable_scout(real) is 'True for a value of single precision that is no scout number.';

create function scout.is_unreadable_scout(raw anyelement) returns boolean
language sql immutable parallel safe
as $$ select scout.is_unreadable_scout(raw::pg_catalog.text) $$;
comment on function scout.is_unreadable_scout(anyelement) is 'True for a value of another type whose text is no scout number.';

-- Days and moments. Of texts those of ISO 8601, with - or / between year, month and day; 01/03/2025 is none, as nobody
-- can tell what is the day there.

-- Beneath an index, which calls it for whoever writes: its body is read as the writer, who may look up no name of ours.
create function scout.read_moment(moment text, source_zone text) returns timestamptz
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
    parts text[] := regexp_match(
        moment,
        '^\s*([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})'
        '(?:[T ]\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?\s*(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?)?\s*$',
        'i'
    );
    written timestamp;
    zone text;
    instant timestamptz;
begin
    if parts is null or parts[1]::integer not between 1900 and 2199 or parts[2]::integer not between 1 and 12
        or parts[3]::integer not between 1
            and extract(day from make_date(parts[1]::integer, parts[2]::integer, 1) + interval '1 month' - interval '1 day')
        or parts[4]::integer > 23 or parts[5]::integer > 59 or parts[6]::numeric >= 60
    then
        return null;
    end if;
    written := make_timestamp(
        parts[1]::integer, parts[2]::integer, parts[3]::integer,
        coalesce(parts[4]::integer, 0), coalesce(parts[5]::integer, 0), coalesce(parts[6]::double precision, 0)
    );
    zone := upper(parts[7]);
    if zone is null then
        return written at time zone source_zone;
    elsif zone in ('Z', 'UTC') then
        instant := written at time zone 'UTC';
    else
        zone := rpad(translate(zone, ':', ''), 5, '0');
        if substr(zone, 2, 2)::integer > 15 or substr(zone, 4)::integer > 59 then
            return null;
        end if;
        instant := (written at time zone 'UTC')
            - (left(zone, 1) || '1')::integer
            * make_interval(hours => substr(zone, 2, 2)::integer, mins => substr(zone, 4)::integer);
    end if;
    return case
        when instant >= timestamptz '1900-01-01 00:00:00+00' and instant < timestamptz '2200-01-01 00:00:00+00' then instant
    end;
end
$$;
comment on function scout.read_moment(text, text) is
'Instant of an ISO 8601 text, without a zone in the zone given; null for any other text and outside 1900..2199.';

create function scout.source_timestamp(moment text) returns timestamptz
language sql immutable parallel safe
return scout.read_moment(moment, scout.source_timezone());
comment on function scout.source_timestamp(text) is
'Instant of an ISO 8601 text, without a zone in the source zone; null for any other text and outside 1900..2199.';

create function scout.source_timestamp(moment anyelement) returns timestamptz
language sql stable parallel safe
as $$ select scout.source_timestamp(moment::pg_catalog.text) $$;
comment on function scout.source_timestamp(anyelement) is 'Instant of a type that no other reads, by its text.';

create function scout.read_day(raw date) returns date
language sql immutable parallel safe
return raw;
comment on function scout.read_day(date) is 'The day itself.';

create function scout.read_day(raw timestamp) returns date
language sql immutable parallel safe
return raw::date;
comment on function scout.read_day(timestamp) is 'Day of a date that was loaded as a timestamp.';

-- a loader writes a date as midnight in UTC
create function scout.read_day(raw timestamptz) returns date
language sql immutable parallel safe
return case
    when raw at time zone 'UTC' = date_trunc('day', raw at time zone 'UTC') then (raw at time zone 'UTC')::date
    else (raw at time zone 'America/Lima')::date
end;
comment on function scout.read_day(timestamptz) is
'Day of a date that was loaded as an instant: midnight in UTC is that day, any other instant falls on its Lima day.';

create function scout.read_day(raw text) returns date
language sql immutable parallel safe
return case
    when raw ~* '(?:Z|UTC|:[0-9.]+\s*[+-][0-9:]+)\s*$' then scout.read_day(scout.source_timestamp(raw))
    else (scout.source_timestamp(raw) at time zone scout.source_timezone())::date
end;
comment on function scout.read_day(text) is 'Day of an ISO 8601 text, as read of a date, timestamp or instant; null for any other text.';

-- as loaders type a column without any day
create function scout.read_day(raw smallint) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(smallint) is 'Null: a number is no day.';

create function scout.read_day(raw integer) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(integer) is 'Null: a number is no day.';

create function scout.read_day(raw bigint) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(bigint) is 'Null: a number is no day.';

create function scout.read_day(raw numeric) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(numeric) is 'Null: a number is no day.';

create function scout.read_day(raw real) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(real) is 'Null: a number is no day.';

create function scout.read_day(raw double precision) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(double precision) is 'Null: a number is no day.';

create function scout.read_day(raw boolean) returns date
language sql immutable parallel safe
return null::date;
comment on function scout.read_day(boolean) is 'Null: a flag is no day.';

-- not inlined, and so not indexed: an index would look up the name as whoever writes
create function scout.read_day(raw anyelement) returns date
language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select scout.read_day(raw::pg_catalog.text) $$;
comment on function scout.read_day(anyelement) is 'Day of a type that no other reads, by its text.';

create function scout.read_hire_day(raw date) returns date
language sql immutable parallel safe
return scout.sane_date(raw);
comment on function scout.read_hire_day(date) is 'Lima day of a hire date; null outside 1900..2199.';

create function scout.read_hire_day(raw timestamp) returns date
language sql immutable parallel safe
return scout.lima_date(scout.source_timestamp(raw));
comment on function scout.read_hire_day(timestamp) is 'Lima day of a hire date; null outside 1900..2199.';

create function scout.read_hire_day(raw timestamptz) returns date
language sql immutable parallel safe
return scout.sane_date(scout.read_day(raw));
comment on function scout.read_hire_day(timestamptz) is
'Day of a hire date: midnight in UTC is that day, any other instant falls on its Lima day; null outside 1900..2199.';

create function scout.read_hire_day(raw anyelement) returns date
language sql stable parallel safe
as $$ select scout.read_day(raw::pg_catalog.text) $$;
comment on function scout.read_hire_day(anyelement) is 'Day of a hire date of any other type, by its text.';

-- the owner's claims say when something is due as a date or as a timestamp; it stays what it is
create function scout.read_due(raw date) returns date
language sql immutable parallel safe
return scout.sane_date(raw);
comment on function scout.read_due(date) is 'When a claim is due; null outside 1900..2199.';

create function scout.read_due(raw timestamp) returns timestamp
language sql immutable parallel safe
return case when raw >= timestamp '1900-01-01' and raw < timestamp '2200-01-01' then raw end;
comment on function scout.read_due(timestamp) is 'When a claim is due; null outside 1900..2199.';

create function scout.read_due(raw timestamptz) returns timestamptz
language sql immutable parallel safe
return scout.sane_timestamp(raw);
comment on function scout.read_due(timestamptz) is 'When a claim is due; null outside 1900..2199.';

create function scout.read_due(raw anyelement) returns timestamp
language sql stable parallel safe
as $$ select pg_catalog.timezone(scout.source_timezone(), scout.source_timestamp(raw::pg_catalog.text)) $$;
comment on function scout.read_due(anyelement) is 'When a claim is due, of any other type, by its text.';

-- Whole numbers, flags, amounts

create function scout.read_whole(raw integer) returns integer
language sql immutable parallel safe
return raw;
comment on function scout.read_whole(integer) is 'A whole number.';

create function scout.read_whole(raw numeric) returns integer
language sql immutable parallel safe
return case when raw >= -2147483648 and raw <= 2147483647 and raw = trunc(raw) then raw::integer end;
comment on function scout.read_whole(numeric) is 'A whole number; null for what is none.';

create function scout.read_whole(raw double precision) returns integer
language sql immutable parallel safe
return case when raw >= -2147483648 and raw <= 2147483647 and raw = trunc(raw) then raw::integer end;
comment on function scout.read_whole(double precision) is 'A whole number; null for what is none.';

create function scout.read_whole(raw text) returns integer
language sql immutable parallel safe
return case when btrim(raw, E' \t\r\n') ~ '^-?[0-9]{1,10}(?:\.0+)?$' then scout.read_whole(btrim(raw, E' \t\r\n')::numeric) end;
comment on function scout.read_whole(text) is 'A whole number of a text; null for what is none.';

create function scout.read_whole(raw anyelement) returns integer
language sql immutable parallel safe
as $$ select scout.read_whole(raw::pg_catalog.text) $$;
comment on function scout.read_whole(anyelement) is 'A whole number of a type that no other reads, by its text.';

create function scout.read_flag(raw boolean) returns boolean
language sql immutable parallel safe
return raw;
comment on function scout.read_flag(boolean) is 'The flag itself.';

create function scout.read_flag(raw text) returns boolean
language sql immutable parallel safe
return case
    when lower(btrim(raw, E' \t\r\n') collate "C") in ('true', 't', '1', '1.0', 'yes', 'y', 'si', 's', 'verdadero')
        -- the i with its accent, as one letter, as two or as bytes
        or btrim(raw, E' \t\r\n') collate "C" ~ '^[sS][iI]?[^ -~]{1,2}$'
        then true
    when lower(btrim(raw, E' \t\r\n') collate "C") in ('false', 'f', '0', '0.0', 'no', 'n', 'falso') then false
end;
comment on function scout.read_flag(text) is 'A flag of a text, in English or Spanish; null for any other text.';

create function scout.read_flag(raw anyelement) returns boolean
language sql immutable parallel safe
as $$ select scout.read_flag(scout.read_key(raw)) $$;
comment on function scout.read_flag(anyelement) is 'A flag of a number, 1 or 0, or of any other type by its text.';

create function scout.sane_amount(amount numeric) returns numeric
language sql immutable parallel safe
return case when amount > -9999999999 and amount < 9999999999 then amount end;
comment on function scout.sane_amount(numeric) is 'The amount, or null from ten thousand millions on.';

-- as it is: the owner's index on it gives a list its order
create function scout.read_amount(raw numeric) returns numeric
language sql immutable parallel safe
return raw;
comment on function scout.read_amount(numeric) is 'An amount in soles.';

create function scout.read_amount(raw double precision) returns numeric
language sql immutable parallel safe
return scout.sane_amount(raw::numeric);
comment on function scout.read_amount(double precision) is 'An amount in soles; null from ten thousand millions on.';

create function scout.read_amount(raw money) returns numeric
language sql stable parallel safe
return scout.sane_amount(raw::numeric);
comment on function scout.read_amount(money) is 'An amount in soles.';

-- 1.234 and 1,234 are one or a thousand: nobody can tell
create function scout.read_amount(raw text) returns numeric
language sql immutable parallel safe
return (
    select
        case
            when a.said ~ '^-?[0-9]{1,10}$' then scout.sane_amount(a.said::numeric)
            when a.said ~ '^-?[0-9]{1,10}[.,](?:[0-9]{1,2}|[0-9]{4,15})$' then scout.sane_amount(translate(a.said, ',', '.')::numeric)
            when a.said ~ '^-?[0-9]{1,3}(?:,[0-9]{3})+[.][0-9]{1,2}$' or a.said ~ '^-?[0-9]{1,3}(?:,[0-9]{3}){2,3}$'
                then scout.sane_amount(translate(a.said, ',', '')::numeric)
            when a.said ~ '^-?[0-9]{1,3}(?:[.][0-9]{3})+,[0-9]{1,2}$' or a.said ~ '^-?[0-9]{1,3}(?:[.][0-9]{3}){2,3}$'
                then scout.sane_amount(translate(a.said, ',.', '.')::numeric)
        end
    from (select regexp_replace(raw, '^\s*(?:S/[.]?|PEN)?\s*|\s*(?:PEN|soles)?\s*$', '', 'gi') as said) as a
);
comment on function scout.read_amount(text) is
'An amount in soles of a text, with or without S/ before it; null for what is none or can be read in two ways.';

create function scout.read_amount(raw anyelement) returns numeric
language sql stable parallel safe
as $$ select scout.read_amount(raw::pg_catalog.text) $$;
comment on function scout.read_amount(anyelement) is 'An amount in soles of a type that no other reads, by its text.';

-- Keys of persons. What is there and is no key is nobody: read as null it would be absent, and another rule applied.

create function scout.read_person_key(raw uuid) returns uuid
language sql immutable parallel safe
return raw;
comment on function scout.read_person_key(uuid) is 'The key of a person itself.';

create function scout.read_person_key(raw text) returns uuid
language sql immutable parallel safe
return case
    when btrim(raw, E' \t\r\n') = '' then null
    when btrim(raw, E' \t\r\n') ~* '^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$' then btrim(raw, E' \t\r\n')::uuid
    when raw is not null then '00000000-0000-0000-0000-000000000000'
end;
comment on function scout.read_person_key(text) is
'Key of a person of a text: null for a blank one, all zeros, which nobody has, for a text that is no key.';

create function scout.read_person_key(raw anyelement) returns uuid
language sql immutable parallel safe
as $$ select scout.read_person_key(raw::pg_catalog.text) $$;
comment on function scout.read_person_key(anyelement) is 'Key of a person of a type that no other reads, by its text.';

-- Payloads. What is no JSON may hide a scout, as one that is too large.

create function scout.is_oversized_payload(payload text) returns boolean
language sql immutable parallel safe
return coalesce(octet_length(payload) > 65536, false);
comment on function scout.is_oversized_payload(text) is
'True for a payload of more than 64 kB of text, of a text column.';

create function scout.is_oversized_payload(payload anyelement) returns boolean
language sql immutable parallel safe
as $$ select scout.is_oversized_payload(payload::pg_catalog.text) $$;
comment on function scout.is_oversized_payload(anyelement) is
'True for a payload of more than 64 kB of text, of a column that is not jsonb.';

create function scout.read_payload(raw jsonb) returns jsonb
language sql immutable parallel safe
return raw;
comment on function scout.read_payload(jsonb) is 'The payload itself.';

-- an exception handler cannot work in parallel
create function scout.read_payload(raw text) returns jsonb
language plpgsql immutable parallel unsafe set search_path = pg_catalog, pg_temp
as $$
begin
    if octet_length(raw) > 65536 or btrim(raw, E' \t\r\n') = '' then
        return null;
    end if;
    return raw::jsonb;
exception when others then
    return null;
end
$$;
comment on function scout.read_payload(text) is 'The payload of a text; null for one that is no JSON or too large.';

create function scout.read_payload(raw anyelement) returns jsonb
language sql immutable parallel unsafe
as $$ select scout.read_payload(raw::pg_catalog.text) $$;
comment on function scout.read_payload(anyelement) is 'The payload of a json column, or of any other type by its text.';

create function scout.is_unreadable_payload(raw jsonb) returns boolean
language sql immutable parallel safe
return false;
comment on function scout.is_unreadable_payload(jsonb) is 'False: jsonb is always JSON.';

create function scout.is_unreadable_payload(raw text) returns boolean
language sql immutable parallel unsafe
return coalesce(btrim(raw, E' \t\r\n') <> '' and scout.read_payload(raw) is null, false);
comment on function scout.is_unreadable_payload(text) is 'True for a payload that is there and cannot be read as JSON.';

create function scout.is_unreadable_payload(raw anyelement) returns boolean
language sql immutable parallel unsafe
as $$ select scout.is_unreadable_payload(raw::pg_catalog.text) $$;
comment on function scout.is_unreadable_payload(anyelement) is 'True for a payload that is there and cannot be read as JSON.';

-- What issues tell of a value that was not read

create function scout.bad_value(raw text, is_read boolean) returns text
language sql immutable parallel safe
return case when not is_read and btrim(raw, E' \t\r\n') <> '' then raw end;
comment on function scout.bad_value(text, boolean) is
'The text where it is there and could not be read; null otherwise, for a blank one too.';

create function scout.bad_value(raw anyelement, is_read boolean) returns text
language sql stable parallel safe
as $$ select case when raw is not null and not is_read then scout.bad_value(raw::pg_catalog.text, is_read) end $$;
comment on function scout.bad_value(anyelement, boolean) is
'The value as text where it is there and could not be read; null otherwise.';

-- A run that cannot begin leaves no row that tells why.
create function scout.taken_run_number() returns text
language plpgsql stable security definer parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
    numbers text := pg_get_serial_sequence('ops.ingestion_runs', 'id');
    next_number bigint;
begin
    if numbers is null or not has_sequence_privilege(numbers, 'select') then
        return null;
    end if;
    execute format('select s.last_value + s.is_called::integer from %s as s', numbers) into next_number;
    if exists (select from ops.ingestion_runs as r where r.id = next_number) then
        return numbers;
    end if;
    return null;
end
$$;
comment on function scout.taken_run_number() is
'The sequence of ops.ingestion_runs when it gives a number next that a run has already; null when all is well.';
