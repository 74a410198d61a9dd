-- Whether a run works is what its lock says: it goes with the process, while the row stays RUNNING until the next start.
-- (stable, as all that reads: who may see runs may ask; locks are read as they are at each call)
create function scout.is_at_work(job_type text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from pg_locks as l
        where l.locktype = 'advisory'
            and l.database = (select d.oid from pg_database as d where d.datname = current_database())
            and l.classid = 5036417
            and l.objid = case job_type
                when 'scout_attribution_refresh' then 0
                when 'scout_attribution_undo' then 1
                else 2
            end
            and l.objsubid = 2
            and l.granted
    )
$$;
comment on function scout.is_at_work(text) is
'Whether somebody holds the lock of this kind of run (scout_core/run_lock.py has its numbers). Takes no lock.';

create function scout.is_lost(job_type text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
    -- a standby shows no locks of its primary: there nothing is known to be lost
    if pg_is_in_recovery() or scout.is_at_work(job_type) then
        return false;
    end if;
    -- between two batches a run has no lock for a moment
    perform pg_sleep(0.3);
    return not scout.is_at_work(job_type);
end
$$;
comment on function scout.is_lost(text) is
'For a run that is RUNNING: whether nobody works on it, so that its process is gone and the next start closes it.';

-- where these are now
comment on column scout.decisions.reason_code is
'One of scout_core/decide/reasons.py; UNDONE when an undo wrote the row.';
comment on column scout.quality_results.check_name is 'A file of sql/health/source_checks.';
