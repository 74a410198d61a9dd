-- Every completed run of ours has its seal, and no audit row names a run that is not there (I13)
select
    r.id as run_id,
    'completed without a seal' as problem
from ops.ingestion_runs as r
inner join scout.runs as u on u.run_id = r.id
where r.status = 'COMPLETED' and not exists (select from scout.seals as s where s.run_id = r.id)
union all
select
    s.run_id,
    'sealed without a completed run' as problem
from scout.seals as s
where not exists (select from ops.ingestion_runs as r where r.id = s.run_id and r.status = 'COMPLETED');
