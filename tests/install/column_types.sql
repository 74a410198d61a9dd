insert into public.module_ct_scouts_list (scout_id, raw_name, name, is_active, created_at, updated_at) values
    (11, 'SCOUT UNO', 'Scout Uno', true, '2025-01-01 10:00', '2025-01-02 10:00'),
    (12, 'SCOUT DOS', 'Scout Dos', true, '2025-01-01 10:00', '2025-01-02 10:00'),
    (13, 'SCOUT TRES', 'Scout Tres', true, '2025-01-01 10:00', '2025-01-02 10:00'),
    (14, 'SCOUT CUATRO', 'Scout Cuatro', false, '2025-01-01 10:00', null);
insert into canon.identity_registry (person_key, confidence_level, primary_phone, primary_license)
select ('00000000-0000-0000-0000-0000000000a' || g)::uuid, 'HIGH', '90011100' || g, '7000000' || g
from generate_series(1, 6) as g;
insert into canon.drivers_index (driver_id, phone_norm, license_norm, snapshot_date)
select '100' || g, '90011100' || g, '7000000' || g, '2025-01-01' from generate_series(1, 6) as g;
insert into canon.identity_links
    (person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level)
select ('00000000-0000-0000-0000-0000000000a' || g)::uuid, 'drivers', '100' || g, now(), 'R1', 95, 'HIGH'
from generate_series(1, 6) as g;
insert into public.module_ct_scouting_daily
    (scout_id, driver_phone, driver_license, registration_date, acquisition_method, created_at) values
    (11, '900111001', '70000001', '2025-03-01', 'calle', '2025-03-01 10:00'),
    (12, '900111002', '70000002', '2025-03-02', 'calle', '2025-03-02 10:00'),
    (13, '900111003', null, '2025-03-03', 'calle', '2025-03-03 10:00'),
    (14, null, '70000004', null, 'calle', '2025-03-04 10:00'),
    (12, '900111009', '70000009', '2025-03-04', 'feria', '2025-03-04 10:00');
insert into observational.lead_events
    (source_table, source_pk, event_date, person_key, scout_id, payload_json, created_at) values
    ('module_ct_scouting_daily', '1', '2025-03-01', '00000000-0000-0000-0000-0000000000a1', 11,
        '{"origin_tag": "cabinet"}', '2025-03-01 12:00-05'),
    ('module_ct_scouting_daily', '2', '2025-03-02', '00000000-0000-0000-0000-0000000000a2', null,
        '{"origin_tag": "cabinet", "scout_id": "12"}', '2025-03-02 12:00-05'),
    ('module_ct_cabinet_leads', '3', '2025-03-03', '00000000-0000-0000-0000-0000000000a3', 14, '{}',
        '2025-03-03 12:00-05'),
    ('module_ct_cabinet_leads', '5', '2025-03-05', '00000000-0000-0000-0000-0000000000a5', null, null,
        '2025-03-05 12:00-05'),
    ('module_ct_cabinet_leads', '6', '2025-03-05', null, 12, '{}', '2025-03-05 12:00-05');
insert into public.module_ct_migrations (driver_id, scout_id, hire_date, created_at) values
    ('1006', 14, '2025-02-01', '2025-02-01 09:30'),
    ('1005', null, null, '2025-02-01 09:30');
insert into public.module_ct_cabinet_payments
    (date, scout_id, trip_1, trip_5, trip_25, driver_id, person_key, created_at) values
    ('2025-03-10', 11, true, true, false, '1001', '00000000-0000-0000-0000-0000000000a1', '2025-03-10 08:00'),
    ('2025-03-11', 12, true, false, false, '1002', null, '2025-03-11 08:00');
insert into public.module_ct_cabinet_leads (external_id, lead_created_at) values
    ('300', '2025-03-03 09:00'), ('500', '2025-03-05 09:00');
create table ops.scout_payment_rules (origin_tag text, milestone_value integer, amount numeric(12, 2), is_active boolean);
insert into ops.scout_payment_rules values
    ('cabinet', 5, 50.00, true), (null, 25, 80.00, true), (null, 5, 70.00, false);
create table ops.scout_liquidation_ledger
    (person_key uuid, scout_id integer, milestone_value integer, amount numeric(12, 2), paid_at timestamptz);
insert into ops.scout_liquidation_ledger values
    ('00000000-0000-0000-0000-0000000000a2', 12, 1, 25.00, '2025-04-01 12:00-05');
insert into public.peer_claims (driver_id, person_key, milestone_value, lead_date, expected_amount, paid, payment_key,
    pay_date, reason_code, match_confidence, identity_status, suggested_driver_id) values
    ('1001', '00000000-0000-0000-0000-0000000000a1', 1, '2025-03-01', 25, false, null, null, 'r', 'high', 'confirmed', '1001'),
    ('1001', null, 5, '2025-03-01', 35, false, 'k1', null, 'r', 'high', 'confirmed', null),
    ('1002', '00000000-0000-0000-0000-0000000000a2', 1, '2025-03-02', 25, true, 'k2', '2025-03-20', 'r', 'low', 'confirmed', null),
    ('1004', '00000000-0000-0000-0000-0000000000a4', 25, '2025-03-04', 100, false, 'k3', null, 'r', 'high', 'confirmed', null);
