-- A small invented world: six persons, four scouts, who is paid for whom.
insert into public.module_ct_scouts_list(scout_id, raw_name, name, is_active) values
 (11,'SCOUT UNO','Scout Uno',true),(12,'SCOUT DOS','Scout Dos',true),(13,'SCOUT TRES','Scout Tres',true),(14,'SCOUT CUATRO','Scout Cuatro',true);
insert into canon.identity_registry(person_key, confidence_level, primary_phone, primary_license, primary_full_name) values
 ('00000000-0000-0000-0000-000000000001','HIGH','900111001','Q70000001','PERSONA UNO'),
 ('00000000-0000-0000-0000-000000000002','HIGH','900111002','Q70000002','PERSONA DOS'),
 ('00000000-0000-0000-0000-000000000003','HIGH','900111003','Q70000003','PERSONA TRES'),
 ('00000000-0000-0000-0000-000000000004','HIGH','900111004','Q70000004','PERSONA CUATRO'),
 ('00000000-0000-0000-0000-000000000005','HIGH','900111005','Q70000005','PERSONA CINCO'),
 ('00000000-0000-0000-0000-000000000006','HIGH','900111006','Q70000006','PERSONA SEIS');
insert into canon.drivers_index(driver_id, phone_norm, license_norm, snapshot_date) values
 ('D1','900111001','Q70000001','2025-01-01'),('D2','900111002','Q70000002','2025-01-01'),('D3','900111003','Q70000003','2025-01-01'),
 ('D4','900111004','Q70000004','2025-01-01'),('D5','900111005','Q70000005','2025-01-01'),('D6','900111006','Q70000006','2025-01-01');
insert into canon.identity_links(person_key, source_table, source_pk, snapshot_date, match_rule, match_score, confidence_level)
 select ('00000000-0000-0000-0000-00000000000'||g)::uuid, 'drivers', 'D'||g, now(), 'R1', 95, 'HIGH' from generate_series(1,6) g;
insert into public.drivers(driver_id, phone, license_number, full_name) select 'D'||g, '90011100'||g, 'Q7000000'||g, 'PERSONA '||g from generate_series(1,6) g;
insert into public.module_ct_scouting_daily(scout_id, driver_name, driver_phone, driver_license, registration_date, acquisition_method, created_at) values
 (11,'PERSONA UNO','900111001','Q70000001','2025-03-01','calle','2025-03-01 10:00'),
 (12,'PERSONA DOS','900111002','Q70000002','2025-03-02','calle','2025-03-02 10:00'),
 (13,'PERSONA TRES','900111003','Q70000003','2025-03-03','calle','2025-03-03 10:00'),
 (14,'PERSONA CUATRO','900111004','Q70000004','2025-03-04','calle','2025-03-04 10:00');
insert into observational.lead_events(source_table, source_pk, event_date, person_key, scout_id, payload_json, created_at) values
 ('module_ct_scouting_daily','1','2025-03-01','00000000-0000-0000-0000-000000000001',11,'{"origin_tag":"cabinet"}','2025-03-01 12:00-05'),
 ('module_ct_scouting_daily','2','2025-03-02','00000000-0000-0000-0000-000000000002',12,'{"origin_tag":"cabinet"}','2025-03-02 12:00-05'),
 ('module_ct_cabinet_leads','3','2025-03-03','00000000-0000-0000-0000-000000000003',null,'{}','2025-03-03 12:00-05'),
 ('module_ct_cabinet_leads','5','2025-03-05','00000000-0000-0000-0000-000000000005',null,'{}','2025-03-05 12:00-05');
insert into public.module_ct_migrations(driver_id, driver_name, scout_id, scout_name, hire_date) values ('D6','PERSONA SEIS',14,'SCOUT CUATRO','2025-02-01');
insert into public.module_ct_cabinet_payments(date, scout_id, driver, trip_1, trip_5, trip_25, driver_id, person_key) values
 ('2025-03-10',11,'PERSONA UNO',true,true,false,'D1','00000000-0000-0000-0000-000000000001');
insert into public.module_ct_cabinet_leads(external_id, lead_created_at, last_name, first_name) values ('L3','2025-03-03 09:00','TRES','PERSONA'),('L5','2025-03-05 09:00','CINCO','PERSONA');
insert into public.peer_claims(driver_id, person_key, driver_name, milestone_value, lead_date, expected_amount, paid, reason_code, match_rule, match_confidence, identity_status) values
 ('D1','00000000-0000-0000-0000-000000000001','PERSONA UNO',1,'2025-03-01',25,false,null,'r','high','confirmed'),
 ('D1','00000000-0000-0000-0000-000000000001','PERSONA UNO',5,'2025-03-01',35,false,null,'r','high','confirmed'),
 ('D2','00000000-0000-0000-0000-000000000002','PERSONA DOS',1,'2025-03-02',25,true,null,'r','high','confirmed'),
 ('D4','00000000-0000-0000-0000-000000000004','PERSONA CUATRO',25,'2025-03-04',100,false,null,'r','high','confirmed');
