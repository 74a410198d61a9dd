"""Roles are cluster-wide: these tests have a server of their own, in which none of ours is left."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scout_core import embedded
from scout_core.db.database import JOB, LOOK
from scout_core.errors import InstallError
from scout_core.install import doctor
from scout_core.install.tree import SQL_ROOT, table_objects
from scout_core.install.uninstall import uninstall
from tests.support import databases, server
from tests.support.catalog import definitions, difference
from tests.support.installing import (
    ROLES,
    as_login,
    column,
    connection,
    init,
    opened,
    run,
    settings,
    value,
)

SCHEMAS = ("canon", "observational", "ops", "public")
LABELS = (
    "alter type public.jobtype add value 'scout_attribution_refresh'",
    "alter type public.jobtype add value 'scout_attribution_undo'",
    "alter type public.jobtype add value 'scout_attribution_decision'",
)


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    started = embedded.start(folder / "data", options=server.OPTIONS)
    yield started.url_of("postgres")
    embedded.stop(folder / "data")


@pytest.fixture
def url(admin_url: str) -> Iterator[str]:
    """The owner's tables as the superuser has them; afterwards no role of ours or of a test."""
    template = databases.source_schema_template(admin_url)
    with databases.clone(admin_url, template) as cloned:
        yield cloned
    logins = "select rolname::text from pg_roles where rolname ~ '^(test|scout)_'"
    for login in column(admin_url, logins):
        run(admin_url, f"drop owned by {login} cascade", f"drop role {login}")


def make_owner_login(url: str, options: str = "") -> str:
    """URL of a login that is no superuser and owns the source tables."""
    name = url.partition("?")[0].rpartition("/")[2]
    with connection(url) as conn:
        conn.exec_driver_sql(f"create role test_login login password 'test_login' {options}")
        conn.exec_driver_sql(
            f"grant create, temporary on database {name} to test_login with grant option"
        )
        for schema in SCHEMAS:
            conn.exec_driver_sql(f"alter schema {schema} owner to test_login")
        for kind, name in conn.exec_driver_sql(
            "select case relkind when 'v' then 'view' else 'table' end, oid::regclass::text"
            " from pg_class where relkind in ('r', 'v')"
            " and relnamespace::regnamespace::text in ('canon', 'observational', 'ops', 'public')"
        ):
            conn.exec_driver_sql(f"alter {kind} {name} owner to test_login")
        conn.exec_driver_sql("alter type jobtype owner to test_login")
    return as_login(url, "test_login")


def make_guest_login(url: str) -> str:
    """URL of a login that owns nothing and has been given just what reading and writing needs."""
    name = url.partition("?")[0].rpartition("/")[2]
    with connection(url) as conn:
        conn.exec_driver_sql("create role test_guest login password 'test_guest'")
        conn.exec_driver_sql(f"grant create on database {name} to test_guest")
        conn.exec_driver_sql("grant create on schema ops to test_guest")
        for schema in SCHEMAS:
            conn.exec_driver_sql(f"grant usage on schema {schema} to test_guest")
            conn.exec_driver_sql(
                f"grant select, insert, update on all tables in schema {schema} to test_guest"
            )
    return as_login(url, "test_guest")


def owner_of(url: str, relation: str) -> str:
    return value(
        url,
        f"select pg_get_userbyid(relowner)::text from pg_class where oid = '{relation}'::regclass",
    )


def findings(url: str) -> dict[tuple[str, str], doctor.Finding]:
    with opened(url) as db:
        return {(f.layer, f.name): f for f in doctor.examine(db, settings())}


def test_a_superuser_keeps_owner_writer_and_reader_apart(url: str) -> None:
    report = init(url)
    assert report.has_separate_roles
    assert report.lost == ()
    query = "select rolname::text from pg_roles where rolname ~ '^scout_' and not rolcanlogin"
    assert set(column(url, query)) == set(ROLES)
    assert owner_of(url, "ops.v_scout_attribution") == "scout_owner"


def test_a_login_that_may_create_roles_becomes_their_member(url: str) -> None:
    login = make_owner_login(url, "createrole")
    report = init(login)
    assert (report.has_separate_roles, report.lost) == (True, ())
    with opened(login) as db:
        for profile, role in ((JOB, "scout_writer"), (LOOK, "scout_reader")):
            with db.transaction(profile) as conn:
                assert conn.exec_driver_sql("select current_user").scalar_one() == role
    assert init(login).is_nothing
    assert not [f for f in findings(login).values() if f.state == "FAIL"]


def test_a_login_that_may_not_create_roles_owns_everything_and_is_told(url: str) -> None:
    login = make_owner_login(url)
    report = init(login)
    assert not report.has_separate_roles
    assert len(report.lost) == 1
    assert report.lost[0].startswith(
        "Separate privileges are lost: role scout_owner does not exist"
    )
    assert column(url, "select 1 from pg_roles where rolname ~ '^scout_'") == []
    assert owner_of(url, "ops.v_scout_attribution") == "test_login"
    with opened(login) as db, db.transaction(JOB) as conn:
        assert conn.exec_driver_sql("select current_user").scalar_one() == "test_login"
        assert (
            conn.exec_driver_sql("select count(*) from ops.v_scout_attribution").scalar_one() == 0
        )
    assert init(login).is_nothing
    found = findings(login)
    assert found["login", "separate roles"].state == "WARN"
    assert not [f for f in found.values() if f.state == "FAIL"]


def test_roles_of_another_database_are_not_taken_without_membership(url: str) -> None:
    for role in ROLES:
        run(url, f"create role {role} nologin")
    login = make_owner_login(url)
    report = init(login)
    assert "test_login is not a member of scout_owner" in report.lost[0]


def test_a_login_with_more_rights_later_gives_everything_to_the_owner_role(url: str) -> None:
    login = make_owner_login(url)
    init(login)
    report = init(url)
    assert report.has_separate_roles
    foreign = column(
        url,
        "select oid::regclass::text from pg_class where relnamespace = 'scout'::regnamespace"
        " and pg_get_userbyid(relowner) <> 'scout_owner' and relkind in ('r', 'v', 'S')"
        " union all select oid::regprocedure::text from pg_proc"
        " where pronamespace = 'scout'::regnamespace"
        " and pg_get_userbyid(proowner) <> 'scout_owner'",
    )
    assert foreign == []
    assert owner_of(url, "ops.job_runs_audit") == "scout_owner"
    assert init(url).is_nothing


def test_a_login_without_the_roles_cannot_touch_an_installation_that_has_them(url: str) -> None:
    init(url)
    login = make_owner_login(url)
    with pytest.raises(
        InstallError, match="grant scout_owner, scout_writer, scout_reader to test_login"
    ):
        init(login)
    assert findings(login)["login", "membership"].state == "FAIL"


def test_a_login_that_owns_nothing_goes_without_indexes_and_triggers(url: str) -> None:
    login = make_guest_login(url)
    for label in LABELS:
        run(url, label)
    report = init(login)
    wanted = table_objects(SQL_ROOT, "indexes") + table_objects(SQL_ROOT, "triggers")
    for thing in wanted:
        assert [line for line in report.lost if thing.name in line], thing.name
    again = init(login)
    assert again.is_nothing
    assert again.lost == report.lost
    found = findings(login)
    assert found["triggers", "scout_track_update"].state == "WARN"
    assert found["indexes", "scout_registry_phone"].state == "WARN"
    assert not [f for f in found.values() if f.state == "FAIL"]
    assert value(login, "select count(*) from ops.v_scout_attribution") == 0


def test_one_source_that_cannot_be_tracked_is_enough_to_say_numbers_are_as_of_the_run(
    url: str,
) -> None:
    login = make_owner_login(url)
    run(
        url,
        "alter table public.module_ct_migrations owner to current_user",
        "grant select on public.module_ct_migrations to test_login",
    )
    report = init(login)
    assert [line for line in report.lost if line.startswith("Not every change")]
    assert value(login, "select mode from scout.v_state") == "REBUILT"
    run(url, "alter table public.module_ct_migrations owner to test_login")
    init(login)
    assert value(login, "select mode from scout.v_state") == "TRACKED"


def test_without_the_labels_a_login_that_may_not_add_them_is_told_the_command(url: str) -> None:
    login = make_guest_login(url)
    with pytest.raises(InstallError) as caught:
        init(login)
    assert "add value if not exists 'scout_attribution_refresh';" in caught.value.message
    assert "Only postgres may add to public.jobtype" in caught.value.message


def test_without_the_right_to_create_a_schema_the_command_is_told(url: str) -> None:
    login = make_guest_login(url)
    name = url.partition("?")[0].rpartition("/")[2]
    run(url, f"revoke create on database {name} from test_guest")
    with pytest.raises(InstallError, match="create schema scout authorization test_guest;"):
        init(login)
    run(url, "create schema scout authorization test_guest", *LABELS)
    assert not init(login).is_nothing


def test_an_empty_schema_made_beforehand_is_given_to_the_owner_role(url: str) -> None:
    run(url, "create schema scout")
    assert init(url).has_separate_roles
    assert value(
        url, "select nspowner::regrole::text from pg_namespace where nspname = 'scout'"
    ) == ("scout_owner")


def test_two_databases_of_one_cluster_installed_at_once_share_the_roles(
    url: str, admin_url: str
) -> None:
    failures: list[BaseException] = []

    def install_at(target: str) -> None:
        try:
            init(target)
        except BaseException as exc:  # noqa: BLE001 - shown below
            failures.append(exc)

    template = databases.source_schema_template(admin_url)
    with databases.clone(admin_url, template) as other:
        threads = [threading.Thread(target=install_at, args=(u,)) for u in (url, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert init(url).is_nothing
        assert init(other).is_nothing
        with opened(url) as db:
            report = uninstall(db, report=lambda _: None)
        assert len([line for line in report.lost if line.startswith("Role scout_")]) == 4
        assert set(column(url, "select rolname::text from pg_roles")) >= set(ROLES)
        assert (
            value(other, "select count(*) from ops.v_scout_attribution", role="scout_reader") == 0
        )


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", ["superuser", "createrole", "plain", "guest"])
def test_uninstall_leaves_the_database_as_it_was_but_for_audit_and_labels(
    url: str, kind: str
) -> None:
    login = {
        "superuser": lambda: url,
        "createrole": lambda: make_owner_login(url, "createrole"),
        "plain": lambda: make_owner_login(url),
        "guest": lambda: make_guest_login(url),
    }[kind]()
    for label in LABELS:
        run(url, label)
    with connection(url) as conn:
        before = definitions(conn)
    init(login)
    with opened(login) as db:
        report = uninstall(db, report=lambda _: None)
        assert not report.is_nothing
        assert uninstall(db, report=lambda _: None).is_nothing
    with connection(url) as conn:
        left = difference(before, definitions(conn))
    assert {name.split()[1].split(".")[1] for name in left} <= {
        "identity_links_backfill_audit",
        "identity_links_backfill_audit_id_seq",
        "identity_links_backfill_audit_pkey",
        "lead_ledger_scout_backfill_audit",
        "lead_ledger_scout_backfill_audit_id_seq",
        "lead_ledger_scout_backfill_audit_pkey",
        "lead_events_scout_backfill_audit",
        "lead_events_scout_backfill_audit_id_seq",
        "lead_events_scout_backfill_audit_pkey",
        "job_runs_audit",
        "job_runs_audit_id_seq",
        "job_runs_audit_pkey",
        "scout_identity_links_audit_run",
        "scout_identity_links_audit_reverts",
        "scout_identity_links_audit_row",
        "scout_identity_links_audit_person",
        "scout_lead_ledger_audit_person",
        "scout_lead_ledger_audit_run",
        "scout_lead_ledger_audit_external",
        "scout_lead_ledger_audit_reverts",
        "scout_lead_events_audit_run",
        "scout_job_runs_audit_run",
        "scout_job_runs_audit_batches",
    }
    assert column(url, "select 1 from pg_roles where rolname ~ '^scout_'") == []
    assert owner_of(url, "ops.job_runs_audit") == value(login, "select session_user::text")


def test_owner_of_the_tables_sees_every_row_unless_row_security_is_forced(url: str) -> None:
    login = make_owner_login(url)
    init(login)
    table = "public.module_ct_migrations"
    run(url, f"alter table {table} enable row level security")
    assert findings(login)["sources", table].state == "OK"
    run(url, f"alter table {table} force row level security")
    found = findings(login)["sources", table]
    assert found.state == "FAIL"
    assert "from test_login" in found.what


def test_a_guard_that_is_gone_gives_the_job_no_right_to_change_the_audit(url: str) -> None:
    init(url)
    run(url, "drop trigger scout_append_only on ops.job_runs_audit")
    init(url)
    for role in ("scout_writer", "scout_reader"):
        changes = "'ops.job_runs_audit', 'update, delete, truncate'"
        assert not value(url, f"select has_table_privilege('{role}', {changes})")


def test_each_role_may_do_exactly_what_it_is_for(url: str) -> None:
    init(url)
    writes = column(
        url,
        "select r || ' ' || lower(p) || ' ' || c.oid::regclass::text"
        " from pg_class as c, unnest(array['scout_writer', 'scout_reader']) as r,"
        " unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p"
        " where c.relkind in ('r', 'v') and has_table_privilege(r, c.oid, p)"
        " and c.relnamespace::regnamespace::text in ('canon', 'observational', 'ops', 'public')",
    )
    assert set(writes) == {
        "scout_writer insert canon.identity_registry",
        "scout_writer delete canon.identity_registry",
        "scout_writer insert canon.identity_links",
        "scout_writer delete canon.identity_links",
        "scout_writer insert canon.identity_unmatched",
        "scout_writer update canon.identity_unmatched",
        "scout_writer insert observational.lead_ledger",
        "scout_writer update observational.lead_ledger",
        "scout_writer delete observational.lead_ledger",
        "scout_writer insert ops.ingestion_runs",
        "scout_writer update ops.ingestion_runs",
    }
    # of the audit tables it fills the columns that it may, not when and under which number
    filled = column(
        url,
        "select distinct c.relname::text from pg_class as c"
        " where c.relkind = 'r' and c.relnamespace = 'ops'::regnamespace"
        " and has_any_column_privilege('scout_writer', c.oid, 'INSERT')",
    )
    assert set(filled) == {
        "ingestion_runs",
        "identity_links_backfill_audit",
        "lead_ledger_scout_backfill_audit",
        "lead_events_scout_backfill_audit",
        "job_runs_audit",
    }
    in_scout = column(
        url,
        "select r || ' ' || lower(p) || ' ' || c.relname"
        " from pg_class as c, unnest(array['scout_writer', 'scout_reader']) as r,"
        " unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as p"
        " where c.relkind in ('r', 'v') and c.relnamespace = 'scout'::regnamespace"
        " and has_table_privilege(r, c.oid, p)",
    )
    assert not [line for line in in_scout if line.startswith("scout_reader")]
    assert not [
        line for line in in_scout if line.endswith((" seals", " decisions", " runs", "_files"))
    ]
    assert not [line for line in in_scout if " truncate " in line]
    state = (
        "alerts_to_check attribution_days attribution_scouts attribution_totals"
        " ignored_rows ledger_evidence_kept linked_rows missed_changes moved_links pending_persons"
        " person_attribution planned_links quality_rows rebuild_requests request_keys rows_to_check"
        " session_ends sign_ins source_changes touched_keys unlinked_rows unsealed_rows"
    )
    assert sorted(line for line in in_scout if " delete " in line) == [
        f"scout_writer delete {table}" for table in state.split()
    ]
