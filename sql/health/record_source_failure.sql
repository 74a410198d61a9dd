-- Keeps that a check of the sources could not be run, and why.
insert into scout.quality_results (
    check_name, severity, state, error, lima_date, ran_at, took_ms, run_id, actor
)
values (:check_name, :severity, 'FAILED', :error, :lima_date, :ran_at, :took_ms, :run_id, :actor);
