-- Takes away what a load that did not end has left: the source tables and what stands on them.
drop schema if exists ops cascade;
drop schema if exists observational cascade;
drop schema if exists canon cascade;
drop table if exists
    public.drivers,
    public.module_ct_scouting_daily,
    public.module_ct_migrations,
    public.module_ct_scouts_list,
    public.module_ct_cabinet_leads,
    public.module_ct_cabinet_payments,
    public.peer_claims;
drop type if exists
    public.confidencelevel,
    public.unmatchedstatus,
    public.runstatus,
    public.jobtype,
    public.matched_source_enum,
    public.confidence_level_obs_enum,
    public.alertseverity,
    public.attributionconfidence,
    public.decisionstatus;
