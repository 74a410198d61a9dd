-- name: record
insert into scout.denials (actor, role, action, via)
values (:actor, :role, :action, :via);
