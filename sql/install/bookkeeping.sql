-- Tables in which init notes what it did; they are there before the first schema file.
comment on schema scout is
'Scout attribution: everything of the product but its contract views and audit tables, which are in ops. Made by init, taken away by uninstall.';

create table scout.schema_files (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
);
comment on table scout.schema_files is
'One row per applied schema file. checksum = sha256 of its text; a file never changes once applied.';

create table scout.installed_objects (
    kind text not null check (kind in ('view', 'index', 'trigger')),
    name text not null,
    relation text not null,
    checksum text not null,
    definition_hash text,
    applied_at timestamptz not null default now(),
    primary key (kind, name)
);
comment on table scout.installed_objects is
'One row per view, index or trigger that init made. checksum = sha256 of its text in the SQL tree.';
comment on column scout.installed_objects.relation is
'The table that an index or trigger stands on; the view itself for a view.';
comment on column scout.installed_objects.definition_hash is
'md5 of the view as the database prints it, to see changes made by hand; null for others.';
