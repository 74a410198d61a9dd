"""Step of the installation that makes the views, changing only what differs."""

from sqlalchemy import Connection, text

from scout_core.errors import ForeignObject, InstallError
from scout_core.install.session import (
    DEPENDENT_OBJECTS,
    INVALID_TABLE_DEFINITION,
    UNDEFINED_COLUMN,
    Installer,
    StatementRefused,
    ask,
    run_formatted,
    run_script,
)
from scout_core.install.tree import ViewFile, view_files


def refresh_views(installer: Installer, usable_sources: frozenset[str]) -> None:
    """All views as the SQL tree has them, in one transaction; what is as it should be stays."""
    wanted = view_files(installer.sql_root, usable_sources)
    changes = _Changes(installer, wanted)
    with installer.as_owner() as conn:
        changes.apply(conn)
    for line in changes.done:
        installer.did(line)


def recorded(conn: Connection, kind: str) -> dict[str, tuple[str, str | None]]:
    """Checksum and definition hash of each installed object of a kind."""
    rows = conn.execute(
        text(
            "select name, checksum, definition_hash from scout.installed_objects where kind = :kind"
        ),
        {"kind": kind},
    )
    return {row.name: (row.checksum, row.definition_hash) for row in rows}


def differing(conn: Connection, wanted: list[ViewFile]) -> list[ViewFile]:
    """Views that are missing, or not as their file or as init left them."""
    known = recorded(conn, "view")
    there = definition_hashes(conn, [view.name for view in wanted])
    return [v for v in wanted if known.get(v.name) != (v.checksum, there.get(v.name))]


def definition_hashes(conn: Connection, names: list[str]) -> dict[str, str]:
    """md5 of each view that exists, as the database prints it."""
    return {row.view_name: row.definition_hash for row in ask(conn, "views", view_names=names)}


def drop_views(conn: Connection, names: list[str]) -> None:
    """Drop views of ours together. ForeignObject names what else stands on them."""
    if not names:
        return
    quoted = ", ".join(["%I.%I"] * len(names))
    parts = [part for name in names for part in name.split(".")]
    try:
        with conn.begin_nested():
            run_formatted(conn, f"drop view if exists {quoted}", *parts)
    except StatementRefused as exc:
        if exc.code != DEPENDENT_OBJECTS:
            raise
        raise ForeignObject(
            f"{names[0]} must be dropped, but something that is not ours stands on it "
            f"({exc.detail}). Drop that or move it elsewhere, then run init again.",
            views=names,
        ) from exc


class _Changes:
    """The views at work in one transaction."""

    def __init__(self, installer: Installer, wanted: list[ViewFile]) -> None:
        self.installer = installer
        self.wanted = wanted
        self.names = {view.name for view in wanted}
        self.done: list[str] = []
        self.grants: dict[str, list[str]] = {}

    def apply(self, conn: Connection) -> None:
        known = recorded(conn, "view")
        pending = {view.name for view in differing(conn, self.wanted)}
        self._drop_obsolete(conn, known)
        made: set[str] = set()
        for view in self.wanted:
            # made once, `c.*` stays with the columns that there were then
            is_upon_made = ".*" in view.body and view.mentions & made
            if view.name in pending or view.name in self.grants or is_upon_made:
                self._make(conn, view)
                made.add(view.name)
        if pending:
            self.done.append(f"Made {len(pending)} of {len(self.wanted)} views.")

    def _drop_obsolete(self, conn: Connection, known: dict[str, tuple[str, str | None]]) -> None:
        obsolete = sorted(known.keys() - self.names)
        if not obsolete:
            return
        upon = {name for view in obsolete for name in self._ours_upon(conn, view)}
        self._drop(conn, obsolete + sorted(upon - set(obsolete)))
        for name in obsolete:
            self.grants.pop(name, None)
            conn.execute(
                text("delete from scout.installed_objects where kind = 'view' and name = :name"),
                {"name": name},
            )
        self.done.append(f"Dropped {', '.join(obsolete)}, no longer part of the product.")

    def _make(self, conn: Connection, view: ViewFile) -> None:
        try:
            with conn.begin_nested():
                run_script(conn, view.body)
        except StatementRefused as exc:
            if exc.code != INVALID_TABLE_DEFINITION:
                raise _refused(view, exc) from exc
            self._drop(conn, [view.name, *self._ours_upon(conn, view.name)])
            self._make_anew(conn, view)
            self.done.append(f"View {view.name} has another shape now.")
        for grant in self.grants.get(view.name, ()):
            self._grant_again(conn, grant)
        schema, name = view.name.split(".")
        if view.comment:
            run_formatted(conn, "comment on view %I.%I is %L", schema, name, view.comment)
        conn.execute(
            text(
                "insert into scout.installed_objects"
                " (kind, name, relation, checksum, definition_hash)"
                " values ('view', :name, :name, :checksum, :definition_hash)"
                " on conflict (kind, name) do update set checksum = excluded.checksum,"
                " definition_hash = excluded.definition_hash, applied_at = now()"
            ),
            {
                "name": view.name,
                "checksum": view.checksum,
                "definition_hash": definition_hashes(conn, [view.name])[view.name],
            },
        )

    def _make_anew(self, conn: Connection, view: ViewFile) -> None:
        try:
            with conn.begin_nested():
                run_script(conn, view.body)
        except StatementRefused as exc:
            raise _refused(view, exc) from exc

    def _grant_again(self, conn: Connection, grant: str) -> None:
        try:
            with conn.begin_nested():
                run_script(conn, grant)
        except StatementRefused as exc:
            if exc.code != UNDEFINED_COLUMN:
                raise
            self.done.append(f"Not given again, the column is gone: {grant}.")

    def _ours_upon(self, conn: Connection, name: str) -> list[str]:
        rows = ask(conn, "views_upon", view_name=name)
        known = self.names | recorded(conn, "view").keys()
        return [row.view_name for row in rows if row.view_name in known]

    def _drop(self, conn: Connection, names: list[str]) -> None:
        for name in names:
            grants = ask(conn, "view_grants", view_name=name)
            self.grants.setdefault(name, []).extend(row.grant_statement for row in grants)
        drop_views(conn, names)


def _refused(view: ViewFile, exc: StatementRefused) -> InstallError:
    return InstallError(
        f"View {view.name} was refused: {exc.words}. No view was changed. "
        "Mend the cause and run init again.",
        view=view.name,
    )
