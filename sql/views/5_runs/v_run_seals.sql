-- One row per run that was sealed: its seal, not those of what others wrote, which the run made before it.
create or replace view scout.v_run_seals as
select
    s.run_id,
    s.seal_no,
    s.seal_hash,
    s.row_count
from scout.seals as s
where s.run_id = any(s.covered_run_ids);
