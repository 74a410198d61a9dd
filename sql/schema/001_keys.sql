-- Readings of raw values: keys, scout numbers, dates. Simple expressions, so that the planner inlines
-- them and the indexes on the same expressions are used. All ASCII on purpose: the outcome must not
-- depend on the collation of the database.

create function scout.source_timezone() returns text
language sql immutable parallel safe
return 'America/Lima';
comment on function scout.source_timezone() is
'Zone of the timestamps without zone in the source tables (SCOUT_SOURCE_TIMEZONE); rewritten by init.';

-- The second replacement empties what is too short or has no digit; a look-ahead takes twice as long.
create function scout.license_key(license text) returns text
language sql immutable parallel safe
as $$
    select nullif(
        regexp_replace(
            regexp_replace(upper(license collate "C"), '[^A-Z0-9]', '', 'g'),
            '^(?:[A-Z]*|.{1,5})$', ''
        ), ''
    )
$$;
comment on function scout.license_key(text) is
'Licence as an identifier: upper case letters and digits, at least six with a digit; else null.';

-- What is shorter than nine digits is filled with zeros and so falls, like what starts with 0 to 8, below
-- 900000000; no second regular expression, which would double the time.
create function scout.phone_key(phone text) returns text
language sql immutable parallel safe
as $$
    select nullif(nullif(nullif(
        greatest(lpad(right(regexp_replace(phone collate "C", '[^0-9]', '', 'g'), 9), 9, '0'), '899999999'),
        '899999999'
    ), '999999999'), '987654321')
$$;
comment on function scout.phone_key(text) is
'Phone as an identifier: the last nine digits when they start with 9 and are no stop number; else null.';

create function scout.scouting_md5_key(scout_id text, phone text, license text, registered_on date) returns text
language sql immutable parallel safe
as $$
    select md5(
        coalesce(scout_id, '') || '|'
        || case when length(translate(phone, ' -()+', '')) >= 8 then translate(phone, ' -()+', '') else '' end || '|'
        || coalesce(upper(translate(license, ' -', '') collate "C"), '') || '|'
        || coalesce(
            lpad(extract(year from registered_on)::text, 4, '0') || '-'
            || lpad(extract(month from registered_on)::text, 2, '0') || '-'
            || lpad(extract(day from registered_on)::text, 2, '0'),
            ''
        )
    )
$$;
comment on function scout.scouting_md5_key(text, text, text, date) is
'The older key under which a scouting row may have been linked: md5 of scout|phone|licence|date.';

create function scout.parse_scout_id(raw text) returns integer
language sql immutable parallel safe
as $$
    select case
        when btrim(raw collate "C", E' \t\r\n') ~ '^[0-9]{1,10}$'
            then case
                when btrim(raw, E' \t\r\n')::bigint between 1 and 2147483647
                    then btrim(raw, E' \t\r\n')::bigint::integer
            end
    end
$$;
comment on function scout.parse_scout_id(text) is
'Scout number of a raw value: one to ten digits within 1..2147483647, blanks around them allowed; else null.';

create function scout.parse_scout_id(raw integer) returns integer
language sql immutable parallel safe
as $$ select case when raw >= 1 then raw end $$;
comment on function scout.parse_scout_id(integer) is 'Scout number of an integer; null below 1.';

create function scout.parse_scout_id(raw smallint) returns integer
language sql immutable parallel safe
as $$ select scout.parse_scout_id(raw::integer) $$;
comment on function scout.parse_scout_id(smallint) is 'Scout number of a small integer; null below 1.';

create function scout.parse_scout_id(raw bigint) returns integer
language sql immutable parallel safe
as $$ select case when raw between 1 and 2147483647 then raw::integer end $$;
comment on function scout.parse_scout_id(bigint) is 'Scout number of a whole number; null outside 1..2147483647.';

create function scout.parse_scout_id(raw numeric) returns integer
language sql immutable parallel safe
as $$ select scout.parse_scout_id(raw::text) $$;
comment on function scout.parse_scout_id(numeric) is 'Scout number of a numeric column, read as its text.';

create function scout.is_unreadable_scout(raw text) returns boolean
language sql immutable parallel safe
as $$
    select coalesce(btrim(raw, E' \t\r\n') <> '' and scout.parse_scout_id(raw) is null, false)
$$;
comment on function scout.is_unreadable_scout(text) is
'True for a value that is there and is no scout number. Absent (null, empty, blanks) is not unreadable.';

create function scout.is_unreadable_scout(raw integer) returns boolean
language sql immutable parallel safe
as $$ select coalesce(raw < 1, false) $$;
comment on function scout.is_unreadable_scout(integer) is 'True for an integer that is no scout number.';

create function scout.is_unreadable_scout(raw smallint) returns boolean
language sql immutable parallel safe
as $$ select scout.is_unreadable_scout(raw::integer) $$;
comment on function scout.is_unreadable_scout(smallint) is 'True for a small integer that is no scout number.';

create function scout.is_unreadable_scout(raw bigint) returns boolean
language sql immutable parallel safe
as $$ select coalesce(raw not between 1 and 2147483647, false) $$;
comment on function scout.is_unreadable_scout(bigint) is 'True for a whole number that is no scout number.';

create function scout.is_unreadable_scout(raw numeric) returns boolean
language sql immutable parallel safe
as $$ select scout.is_unreadable_scout(raw::text) $$;
comment on function scout.is_unreadable_scout(numeric) is 'True for a numeric value that is no scout number.';

create function scout.is_oversized_payload(payload jsonb) returns boolean
language sql stable parallel safe
as $$
    select coalesce(
        (pg_column_size(payload) > 8192 or pg_column_compression(payload) is not null)
        and octet_length(payload::text) > 65536,
        false
    )
$$;
comment on function scout.is_oversized_payload(jsonb) is
'True for a payload of more than 64 kB of text, which is not searched for a scout. Small ones are told by their stored size.';

create function scout.sane_date(day date) returns date
language sql immutable parallel safe
as $$ select case when day between date '1900-01-01' and date '2199-12-31' then day end $$;
comment on function scout.sane_date(date) is 'The date, or null outside 1900..2199 (infinity and BC among them).';

create function scout.sane_timestamp(moment timestamptz) returns timestamptz
language sql immutable parallel safe
as $$
    select case
        when moment >= timestamptz '1900-01-01 00:00:00+00' and moment < timestamptz '2200-01-01 00:00:00+00'
            then moment
    end
$$;
comment on function scout.sane_timestamp(timestamptz) is 'The instant, or null outside 1900..2199.';

create function scout.source_timestamp(moment timestamp) returns timestamptz
language sql immutable parallel safe
as $$
    select case
        when moment >= timestamp '1900-01-01' and moment < timestamp '2200-01-01'
            then moment at time zone scout.source_timezone()
    end
$$;
comment on function scout.source_timestamp(timestamp) is
'Instant of a source timestamp without zone, read in the source zone; null outside 1900..2199.';

create function scout.source_timestamp(moment timestamptz) returns timestamptz
language sql immutable parallel safe
as $$ select scout.sane_timestamp(moment) $$;
comment on function scout.source_timestamp(timestamptz) is 'The instant itself; null outside 1900..2199.';

create function scout.source_timestamp(day date) returns timestamptz
language sql immutable parallel safe
as $$ select scout.sane_date(day)::timestamp at time zone scout.source_timezone() $$;
comment on function scout.source_timestamp(date) is 'Midnight of the day in the source zone; null outside 1900..2199.';

create function scout.lima_date(moment timestamptz) returns date
language sql immutable parallel safe
as $$ select (moment at time zone 'America/Lima')::date $$;
comment on function scout.lima_date(timestamptz) is 'Day of the instant in Lima.';
