"""The page of conflicts: its rows and totals are the view's, each scout has its own evidence."""

from scout_core.attribution import conflicts
from scout_core.db.database import LOOK
from tests.support import web
from tests.support.looking import look
from tests.web.lists import at, button_labels, captions, listed


def rows_of(database, **filters):
    with database.transaction(LOOK) as conn:
        return conflicts.list_open(conn, conflicts.ConflictFilters(**filters), page_size=50).rows


def test_rows_and_head_are_those_of_the_view(full):
    view = look(full).views["v_scout_attribution_conflicts"]
    page = web.open_page("conflicts")
    table = listed(page, "stake")
    assert list(table["person"]) == [row.person_key[:8] for row in rows_of(full)]
    assert sorted(table["person"]) == sorted(str(row["person_key"])[:8] for row in view)
    assert f"{len(view)} abierto" in captions(page)
    assert f"Exportar {len(view)} filas" in button_labels(page)
    assert "Elige una fila" in captions(page)


def test_kind_is_a_filter_in_the_address(full):
    page = web.open_page("conflicts")
    for kind in conflicts.KINDS:
        expected = rows_of(full, conflict_kind=kind)
        at(page, kind=kind)
        if expected:
            assert list(listed(page, "stake")["person"]) == [r.person_key[:8] for r in expected]
        else:
            assert "Ninguna fila con tipo" in web.words(page)
        assert f"{len(expected)} abierto" in captions(page)


def test_filters_together_and_the_other_order(full):
    row = rows_of(full)[0]
    scout, source = row.scout_ids[0], row.sources[0]
    page = web.open_page(
        "conflicts", scout=str(scout), source=source.partition(".")[2], q=row.person_key[:6],
        sort="stake",
    )  # fmt: skip
    assert list(listed(page, "stake")["person"]) == [row.person_key[:8]]


def test_filter_without_rows_names_itself_and_can_be_taken_away(full):
    page = web.open_page("conflicts", q="zz", scout="2147483647")
    said = web.words(page)
    assert "Ninguna fila con scout 2147483647 y clave que empieza con zz" in said
    assert "0 abiertos" in captions(page)
    page.button(key="clear_filters").click().run()
    assert "q" not in page.query_params
    assert len(listed(page, "stake")) == len(rows_of(full))


def test_person_of_the_address_is_shown_scout_by_scout(full):
    row = rows_of(full)[-1]
    page = web.open_page("conflicts", persona=row.person_key)
    headings = [heading.value for heading in page.subheader]
    assert f"Persona {row.person_key[:8]}" in headings
    for scout in row.scout_ids:
        assert any(heading.startswith(f"Scout {scout}") for heading in headings)
    assert len(page.table) == len(row.scout_ids)
    pieces = sum(len(table.value) for table in page.table)
    assert pieces == row.total_sources
    assert "El job no la toca:" in web.words(page)


def test_person_who_is_in_no_conflict_is_said_plainly(full):
    page = web.open_page("conflicts")
    for key in ("00000000-0000-4000-8000-00000000000a", "x", "%", "[a](b)"):
        at(page, persona=key)
        assert not page.exception
        assert "ya no está en conflicto" in web.words(page)
        assert len(listed(page, "stake")) == len(rows_of(full))


def test_hostile_names_stay_text(odd):
    page = web.open_page("conflicts")
    for row in rows_of(odd):
        at(page, persona=row.person_key)
        assert not page.exception
        headings = "\n".join(heading.value for heading in page.subheader)
        assert "](http" not in headings
        assert "<script>" not in headings


BAD = [
    {"scout": "0"}, {"scout": "٣"}, {"scout": "9" * 40}, {"scout": "1; drop table x"},
    {"kind": "Z"}, {"source": "pg_class"}, {"days": "2026-13-01_x"}, {"sort": "moon"},
    {"q": "\u202e%_\\'\""}, {"q": "a\0b"},
]  # fmt: skip


def test_bad_address_never_fails(full):
    page = web.open_page("conflicts")
    for filters in BAD:
        assert not at(page, **filters).exception, filters


def test_cursor_of_nothing_is_a_bad_link(full):
    page = web.open_page("conflicts", after="abc")
    assert "El enlace no se puede leer" in web.words(page)


def test_nothing_in_conflict_is_good_news(empty):
    page = web.open_page("conflicts")
    assert "Ningún conflicto abierto." in web.words(page)
    assert "0 abiertos" in captions(page)


def test_last_rows_stay_when_the_database_goes_away(full):
    page = web.open_page("conflicts")
    before = list(listed(page, "stake")["person"])
    web.cut_off()
    page.run()
    assert list(listed(page, "stake")["person"]) == before
    assert "La base no responde desde" in web.words(page)
