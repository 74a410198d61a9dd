-- One row per piece of evidence that names a scout, from every source, none hidden by another.
-- person_key null = the source row leads to nobody. An event whose column and payload disagree is two pieces.
create or replace view ops.v_scout_attribution_raw as
select
    f.person_key,
    f.driver_id,
    f.driver_license,
    f.driver_phone,
    s.scout_id,
    f.origin_tag,
    f.acquisition_method,
    f.source_table,
    f.source_pk,
    f.attribution_date,
    f.created_at,
    f.priority
from scout.v_facts as f
cross join lateral (values (f.scout_a), (f.scout_b)) as s (scout_id)
where s.scout_id is not null;
comment on column ops.v_scout_attribution_raw.priority is '1 ledger, 2 events, 3 migrations, 4 scouting, 5 cabinet payments; the lowest number is canonical.';
comment on column ops.v_scout_attribution_raw.attribution_date is 'Lima day that the source gives; null outside 1900..2199.';
comment on column ops.v_scout_attribution_raw.source_pk is 'Id of the source row; of the ledger the person_key.';
