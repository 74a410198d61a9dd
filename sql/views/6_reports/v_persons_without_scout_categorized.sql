-- One row per person without a scout in the ledger, in exactly one category, with the reason and what to do.
create or replace view ops.v_persons_without_scout_categorized as
select
    p.person_key,
    p.category,
    case p.category
        when 'A' then 'EVENTOS_SIN_SCOUT'
        when 'C' then 'LEGACY'
        when 'D' then 'SCOUT_EN_EVENTOS_NO_PROPAGADO'
    end as category_label,
    case when p.event_scout_min = p.event_scout_max then p.event_scout_min end as scout_id,
    p.event_source_tables as source_tables,
    p.event_origin_tags as origin_tags,
    p.first_event_date,
    p.last_event_date,
    p.event_count,
    p.reason_code,
    p.conflict_kind is not null as is_conflict,
    p.is_lead,
    case
        when p.conflict_kind is not null then 'Decidir el conflicto'
        when p.reason_code = 'DECIDED_NO_SCOUT' then 'Ninguna: una persona decidió que no tiene scout'
        when p.reason_code = 'HELD_AFTER_UNDO' then 'Liberar la retención cuando se aclare el caso'
        when p.reason_code = 'UNREADABLE_SCOUT' then 'Corregir en la fuente el valor que no se puede leer'
        when p.reason_code = 'UNKNOWN_SCOUT' then 'Agregar el scout a la lista o corregir el evento'
        when p.reason_code = 'WAITING_FOR_NEXT_RUN' then 'Ninguna: la próxima corrida lo asigna'
        when p.reason_code = 'SCOUT_ONLY_IN_OTHER_SOURCE' then 'Revisar la otra fuente y asignar a mano'
        when p.reason_code = 'EVENTS_WITHOUT_SCOUT' then 'Completar el scout en el evento de origen'
        when p.reason_code = 'NO_EVENTS' then 'Ninguna: conductor anterior, sin eventos'
    end as next_action
from scout.v_person_attribution as p
where p.category is not null;
comment on column ops.v_persons_without_scout_categorized.category is
'A events name no scout, C no events (legacy), D events name a scout that the ledger lacks. A + C + D = persons missing a scout.';
comment on column ops.v_persons_without_scout_categorized.scout_id is 'The scout of the events, when they name exactly one.';
comment on column ops.v_persons_without_scout_categorized.source_tables is 'Where the person''s events come from (lead_events.source_table).';
