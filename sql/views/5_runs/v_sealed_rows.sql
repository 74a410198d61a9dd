-- One row per row that seals of form 2 cover, with the text that is hashed. What stands here is never changed, or old
-- seals break: another table without a run may be added, everything else needs a form 3. The columns are named one by
-- one, so that one that a later version adds does not change what older seals cover.
create or replace view scout.v_sealed_rows as
select
    'ops.identity_links_backfill_audit' as table_name,
    l.id::bigint as id,
    l.ingestion_run_id as run_id,
    row(
        l.id, l.source_table, l.source_pk, l.person_key, l.driver_id, l.match_method, l.match_confidence, l.match_score,
        l.evidence_json, l.action_type, l.backfill_timestamp, l.ingestion_run_id, l.actor, l.notes
    )::text as row_text
from ops.identity_links_backfill_audit as l
union all
select
    'ops.lead_ledger_scout_backfill_audit',
    g.id::bigint,
    g.ingestion_run_id,
    row(
        g.id, g.person_key, g.old_attributed_scout_id, g.new_attributed_scout_id, g.attribution_rule_old,
        g.attribution_rule_new, g.attribution_confidence_old, g.attribution_confidence_new, g.evidence_json_old,
        g.evidence_json_new, g.backfill_method, g.backfill_timestamp, g.ingestion_run_id, g.actor, g.notes,
        g.is_new_row, g.attributed_source_old, g.attributed_source_new, g.attribution_score_old,
        g.attribution_score_new, g.decision_status_old, g.decision_status_new, g.updated_at_old, g.updated_at_new
    )::text
from ops.lead_ledger_scout_backfill_audit as g
union all
select
    'ops.lead_events_scout_backfill_audit',
    e.id::bigint,
    e.ingestion_run_id,
    row(
        e.id, e.lead_event_id, e.person_key, e.old_scout_id, e.new_scout_id, e.source_table, e.source_pk,
        e.backfill_method, e.backfill_timestamp, e.ingestion_run_id, e.actor, e.notes
    )::text
from ops.lead_events_scout_backfill_audit as e
union all
select
    'ops.job_runs_audit',
    j.id::bigint,
    j.ingestion_run_id,
    row(j.id, j.ingestion_run_id, j.event, j.step, j.details, j.actor, j.recorded_at)::text
from ops.job_runs_audit as j
union all
-- the owner's table: how a run of ours ended
select
    'ops.ingestion_runs',
    i.id::bigint,
    i.id,
    row(i.id, i.job_type, i.status, i.started_at, i.completed_at, i.stats, i.error_message)::text
from ops.ingestion_runs as i
inner join scout.runs as o on o.run_id = i.id
union all
select
    'scout.runs',
    u.run_id::bigint,
    u.run_id,
    row(
        u.run_id, u.kind, u.trigger, u.actor, u.reason, u.request_id, u.is_forced, u.host, u.process_id, u.version,
        u.requested_at
    )::text
from scout.runs as u
union all
select
    'scout.decisions',
    d.decision_id,
    d.run_id,
    row(
        d.decision_id, d.person_key, d.outcome, d.scout_id, d.considered_scout_ids, d.reason_code, d.note, d.actor,
        d.run_id, d.ledger_scout_id_before, d.decided_at
    )::text
from scout.decisions as d
union all
select
    'scout.erased_persons',
    z.id,
    z.run_id,
    row(z.id, z.run_id, z.person_key, z.erased_at)::text
from scout.erased_persons as z
union all
select
    'scout.alert_events',
    a.event_id,
    a.run_id,
    row(
        a.event_id, a.alert_id, a.event, a.status, a.severity, a.actor, a.reason, a.muted_until, a.run_id, a.request_id,
        a.at
    )::text
from scout.alert_events as a
union all
select
    'scout.health_changes',
    h.id,
    h.run_id,
    row(h.id, h.indicator, h.from_status, h.to_status, h.changed_at, h.value, h.run_id, h.previous_id)::text
from scout.health_changes as h
union all
select
    'scout.outbox',
    m.message_id,
    m.run_id,
    row(m.message_id, m.run_id, m.status, m.opened, m.reopened, m.resolved, m.samples, m.created_at)::text
from scout.outbox as m
union all
select
    'scout.delivery_log',
    y.id,
    null,
    row(
        y.id, y.delivery_id, y.channel, y.is_ok, y.outcome, y.http_status, y.took_ms, y.actor, y.recorded_at
    )::text
from scout.delivery_log as y
union all
-- its run is the one after which the check ran
select
    'scout.quality_results',
    q.id,
    null,
    row(
        q.id, q.check_name, q.severity, q.state, q.row_count, q.appeared_count, q.gone_count, q.error, q.lima_date,
        q.ran_at, q.took_ms, q.run_id, q.actor, q.recorded_at
    )::text
from scout.quality_results as q
union all
select
    'scout.denials',
    n.id,
    null,
    row(n.id, n.actor, n.role, n.action, n.via, n.recorded_at)::text
from scout.denials as n
union all
select
    'scout.export_audit',
    x.id,
    null,
    row(
        x.id, x.actor, x.role, x.via, x.list_name, x.filters, x.sort, x.format, x.is_raw, x.is_clear, x.reason,
        x.row_count, x.byte_count, x.sha256, x.is_complete, x.recorded_at
    )::text
from scout.export_audit as x
union all
select
    'scout.token_events',
    t.event_id,
    null,
    row(
        t.event_id, t.token_id, t.event, t.name, t.role, t.actions, encode(t.secret_hash, 'hex'), t.expires_at, t.actor,
        t.at
    )::text
from scout.token_events as t;
