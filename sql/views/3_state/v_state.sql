-- The one row: how persons are read now, and from when the values are.
create or replace view scout.v_state as
select
    s.mode,
    r.reading,
    case r.reading
        when 'SETTLED' then
            case
                when s.mode = 'REBUILT' then s.built_at
                -- settled values were true until the oldest note, or what could not be noted
                else (
                    select min(n.noted_at)
                    from (
                        select p.noted_at from scout.pending_persons as p
                        union all
                        select q.noted_at from scout.rebuild_requests as q
                    ) as n
                )
            end
        else now()
    end as as_of,
    r.reading <> 'SETTLED' as is_exact,
    (
        select count(*)
        from (select from scout.pending_persons limit scout.pending_limit() + 1) as p
    ) as pending_count,
    s.built_at
from scout.state as s
cross join lateral (select scout.reading() as reading) as r;
comment on column scout.v_state.mode is 'LIVE = no state built, TRACKED = triggers note what changes, REBUILT = built anew by each run, no triggers.';
comment on column scout.v_state.reading is 'EXACT = settled and pending rows, SETTLED = settled only, true as of as_of; LIVE = recomputed.';
comment on column scout.v_state.pending_count is 'Touched source rows that wait to be settled, counted up to one more than scout.pending_limit().';
