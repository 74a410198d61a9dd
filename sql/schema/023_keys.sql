-- What is an identifier and what only looks like one. As before these are simple expressions, so that the planner
-- inlines them. Each has a short way for values that are clean already, as most are: the long one takes ten times
-- as long. No counted repetitions in the patterns that many rows meet: each step of one costs as much as a whole pattern.

create or replace function scout.license_key(license text) returns text
language sql immutable parallel safe
as $$
    select case
        -- a letter and digits, or digits alone that are not all the same
        when license collate "C" ~ '^[A-Z]?[0-9]+$' and length(license) >= 6
            and replace(license, right(license, 1), '') collate "C" ~ '[0-9]'
            then license
        else nullif(
            regexp_replace(
                regexp_replace(
                    regexp_replace(upper(license collate "C"), '\.0[ \t\r\n]*$|[^A-Z0-9]', '', 'g'),
                    -- no digit, too short, an exponent form (7.12E+07), one digit repeated, letters and zeros
                    '^([A-Z]*|.{1,5}|[0-9]+E[0-9]+|[A-Z]*0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)$', ''
                ),
                -- words of waiting; what had an accent has lost that letter
                '^.*(TRA?MITE|PENDIENTE|NINGU?N|NOTIENE|SIN|CONFIRMAR|PROCESO|FALTA|XX).*$', ''
            ), ''
        )
    end
$$;
comment on function scout.license_key(text) is
'Licence as an identifier: a trailing .0 off, upper case, letters and digits, at least six with a digit; null for an exponent form, one digit repeated, letters with nothing but zeros, and words of waiting.';

create or replace function scout.phone_key(phone text) returns text
language sql immutable parallel safe
as $$
    select case
        when phone collate "C" ~ '^9[0-9]+$' and length(phone) = 9
            then nullif(nullif(phone, '999999999'), '987654321')
        when regexp_replace(phone collate "C", '\.0[ \t\r\n]*$|[-.() \t\r\n]', '', 'g') ~ '^(\+|00)?(51)?0?9[0-9]{8}$'
            then nullif(nullif(
                right(regexp_replace(phone collate "C", '\.0[ \t\r\n]*$|[-.() \t\r\n]', '', 'g'), 9), '999999999'
            ), '987654321')
    end
$$;
comment on function scout.phone_key(text) is
'Phone as an identifier: blanks, hyphens, dots and parentheses off, then + or 00, 51, one leading 0 and a trailing .0, nine digits that start with 9 and are no stop number; else null.';

-- The views that these read are made later.
set local check_function_bodies = off;

create or replace function scout.amount_payable(milestone_reached integer, origin_tag text) returns table (amount_pen numeric)
language sql stable parallel safe rows 1
as $$
    -- a rule for the origin goes before one for any origin
    select r.amount_pen
    from scout.v_payment_amounts as r
    where r.milestone_value = amount_payable.milestone_reached
        and (r.origin_tag is null or r.origin_tag = amount_payable.origin_tag)
    order by r.origin_tag nulls last
    limit 1
$$;
comment on function scout.amount_payable(integer, text) is
'Soles that the payment rules give for a milestone and an origin; no row without a rule that fits, null where several are active.';

create function scout.payouts_to(scout_id integer, paid_scout_ids integer[], paid_milestones integer[])
returns table (milestone_paid integer, is_paid_for_any boolean, other_scout_id integer)
language sql immutable parallel safe rows 1
as $$
    -- a payment that names no scout counts for whoever is the scout: better not paid than paid twice
    select
        max(p.milestone) filter (where coalesce(p.paid_scout_id, payouts_to.scout_id) = payouts_to.scout_id),
        bool_or(p.milestone is null) filter (where coalesce(p.paid_scout_id, payouts_to.scout_id) = payouts_to.scout_id),
        min(p.paid_scout_id) filter (where p.paid_scout_id <> payouts_to.scout_id)
    from unnest(payouts_to.paid_scout_ids, payouts_to.paid_milestones) as p (paid_scout_id, milestone)
$$;
comment on function scout.payouts_to(integer, integer[], integer[]) is
'What scout.v_person_payouts means for one scout: what this one was paid (is_paid_for_any null = nothing), and another scout who was paid.';
