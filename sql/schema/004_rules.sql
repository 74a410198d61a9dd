-- What the rules need beyond a single expression.

create function scout.first_bids(row_ids bigint[], licenses text[], persons uuid[]) returns setof bigint
language plpgsql stable rows 1000
set search_path = pg_catalog
as $$
-- Of bids (a row gives its licence a person; null = a new one) those that win when they are taken
-- in the order of row_ids: a licence is given once, a person to one licence. Each round takes the
-- bids that nothing earlier contests and drops what they defeat, which is the same and set-based.
declare
    won bigint[];
begin
    while cardinality(row_ids) > 0 loop
        with bids as materialized (
            select
                c.row_id,
                c.license,
                c.person,
                min(c.row_id) over (partition by c.license) as first_of_license,
                min(c.row_id) over (partition by coalesce(c.person::text, 'row ' || c.row_id)) as first_of_person
            from unnest(row_ids, licenses, persons) as c (row_id, license, person)
        ),
        winners as materialized (
            select w.row_id, w.license, w.person from bids as w
            where w.row_id = w.first_of_license and w.row_id = w.first_of_person
        ),
        rest as (
            select c.row_id, c.license, c.person from bids as c
            where not exists (select from winners as w where w.license = c.license)
                and not exists (select from winners as w where w.person = c.person)
        )
        select
            (select array_agg(w.row_id) from winners as w),
            (select array_agg(r.row_id order by r.row_id) from rest as r),
            (select array_agg(r.license order by r.row_id) from rest as r),
            (select array_agg(r.person order by r.row_id) from rest as r)
        into won, row_ids, licenses, persons;
        return query select unnest(won);
    end loop;
end
$$;
comment on function scout.first_bids(bigint[], text[], uuid[]) is
'Row ids of the bids that give a licence its person, taken in ascending row id; a person goes to one licence only.';

create function scout.mask_excerpt(raw text) returns text
language sql immutable parallel safe
as $$
    select left(raw, 3) || regexp_replace(substr(raw, 4, 157) collate "C", '[^ -/:-@\[-`{-~]', '*', 'g')
$$;
comment on function scout.mask_excerpt(text) is
'Start of a raw value that shows its form and no more: after the third only ASCII punctuation and blanks are not asterisks.';

create function scout.code_points(raw text) returns text
language sql immutable parallel safe
as $$
    select string_agg('U+' || lpad(upper(to_hex(ascii(c.letter))), 4, '0'), ' ' order by c.place)
    from (
        select a.letter, a.place from unnest(string_to_array(left(raw, 40), null)) with ordinality as a (letter, place)
        where ascii(a.letter) > 127 or ascii(a.letter) < 32
        limit 4
    ) as c
$$;
comment on function scout.code_points(text) is 'Code points of the first characters that are not printable ASCII; null when all are.';

create function scout.founded_person_key(row_id bigint, attempt integer) returns uuid
language sql immutable parallel safe
as $$
    select md5(
        'scout_attribution:module_ct_scouting_daily:' || row_id || case when attempt = 0 then '' else ':' || attempt end
    )::uuid
$$;
comment on function scout.founded_person_key(bigint, integer) is
'Key of the person that a scouting row founds: from the row, never from personal data. attempt 0 unless that key is taken.';

create function scout.new_person_key(row_id bigint) returns uuid
language sql stable security definer set search_path = pg_catalog
as $$
    select k.person_key
    from generate_series(0, 99) as n
    cross join lateral (values (scout.founded_person_key(row_id, n))) as k (person_key)
    where not exists (select from canon.identity_registry as r where r.person_key = k.person_key)
    order by n
    limit 1
$$;
comment on function scout.new_person_key(bigint) is 'The first key for the person that a scouting row founds that nobody has.';
