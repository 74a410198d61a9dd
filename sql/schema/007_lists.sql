-- Indexes that pages read by, and rules that a view and a list share.

-- serves: the links that runs made or could not make for a person
create index if not exists scout_identity_links_audit_person on ops.identity_links_backfill_audit (person_key);
-- serves: the bad values of a person's rows
create index data_quality_issues_person on scout.data_quality_issues (person_key) where person_key is not null;
-- serves: the open issues of a rule, page by page
create index data_quality_issues_rule on scout.data_quality_issues (rule, issue_id) where closed_at is null;
-- serves: the holds of a person, released ones too
create index holds_of_person on scout.holds (person_key) where person_key is not null;

-- Functions of one query that the planner puts into the query that calls them, as it does with a view. The views
-- that they read are made later.
set local check_function_bodies = off;

create function scout.unlisted(scout_id integer) returns table (is_unlisted boolean)
language sql stable parallel safe rows 1
as $$
    select
        (select count(*) from scout.v_known_scouts) > 0
        and unlisted.scout_id not in (select k.scout_id from scout.v_known_scouts as k)
$$;
comment on function scout.unlisted(integer) is 'Whether the list of scouts lacks this one. An empty list lacks nobody.';

create function scout.reason_now(settled_reason text, scout_id integer) returns table (reason_code text)
language sql stable parallel safe rows 1
as $$
    select
        case
            when reason_now.settled_reason = 'WAITING_FOR_NEXT_RUN' and u.is_unlisted then 'UNKNOWN_SCOUT'
            else reason_now.settled_reason
        end
    from scout.unlisted(reason_now.scout_id) as u
$$;
comment on function scout.reason_now(text, integer) is
'The reason of a person in the backlog: the settled one, with the list of scouts joined to it.';

create function scout.amount_payable(milestone_reached integer, origin_tag text) returns table (amount_pen numeric)
language sql stable parallel safe rows 1
as $$
    -- a rule for the origin goes before one for any origin
    select r.amount_pen
    from scout.src_payment_rules as r
    where r.milestone_value = amount_payable.milestone_reached
        and (r.origin_tag is null or r.origin_tag = amount_payable.origin_tag)
    order by r.origin_tag nulls last, r.amount_pen
    limit 1
$$;
comment on function scout.amount_payable(integer, text) is
'Soles that the payment rules give for a milestone and an origin; no row without a rule that fits.';

create function scout.payment_of(
    attribution_date date, conflict_kind text, has_identity_link boolean, milestone_reached integer, milestone_date date,
    milestone_paid integer, is_paid_for_any boolean
) returns table (eligible_7d boolean, payment_status text, block_reason text)
language sql immutable parallel safe rows 1
as $$
    select
        d.is_in_time,
        case
            -- paid for this milestone or a higher one; a lower one paid leaves the higher one to pay
            when payment_of.is_paid_for_any is not null and (
                payment_of.is_paid_for_any
                or payment_of.milestone_reached is null
                or payment_of.milestone_paid >= payment_of.milestone_reached
            ) then 'PAID'
            when d.block is not null then 'BLOCKED'
            when payment_of.milestone_reached is not null and coalesce(d.is_in_time, true) then 'ELIGIBLE'
            else 'PENDING'
        end,
        d.block
    from (
        select
            payment_of.milestone_date between payment_of.attribution_date and payment_of.attribution_date + 7 as is_in_time,
            case
                when payment_of.conflict_kind is not null then 'CONFLICT'
                when not payment_of.has_identity_link then 'NO_IDENTITY'
            end as block
    ) as d
$$;
comment on function scout.payment_of(date, text, boolean, integer, date, integer, boolean) is
'What the liquidation says of a person with a scout. is_paid_for_any null = the liquidation ledger has nothing of the person.';
