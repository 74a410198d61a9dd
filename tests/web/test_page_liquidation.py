"""The page of the liquidation: states add up, what is blocked says why, unknown is a dash."""

from decimal import Decimal

import pytest

from tests.support import web
from tests.support.looking import look
from tests.web.lists import amount, at, button_labels, captions, listed


def base(database, **values):
    return look(database).rows_of("v_scout_payment_base", **values)


def soles(rows) -> Decimal | None:
    known = [row["amount_payable"] for row in rows if row["amount_payable"] is not None]
    return sum(known, Decimal(0)) if known else None


def test_states_add_up_to_the_base(full):
    rows = base(full)
    page = web.open_page("liquidation")
    *parts, total = listed(page, "why").to_dict("records")
    assert int(total["persons"]) == len(rows) == sum(int(part["persons"]) for part in parts)
    assert amount(total["amount"]) == float(soles(rows) or 0)
    assert int(total["unknown"]) == sum(row["amount_payable"] is None for row in rows)
    assert f"Exportar {len(rows)} filas" in button_labels(page)
    assert all(part["why"] for part in parts)


def test_status_shows_its_rows_alone_with_their_soles(full):
    page = web.open_page("liquidation")
    for status in ("ELIGIBLE", "PENDING", "BLOCKED", "PAID"):
        rows = base(full, payment_status=status)
        said = captions(at(page, status=status))
        assert f"{len(rows)} persona" in said
        if rows:
            known = soles(rows)
            shown = said.split(" con regla")[0].split("·")[-1]
            assert amount(shown) == (None if known is None else float(known))
            assert len(set(listed(page, "attributed")["person"])) == min(len(rows), 50)


@pytest.mark.parametrize("block", ["CONFLICT", "NO_IDENTITY"])
def test_blocked_rows_say_why(full, block):
    rows = base(full, payment_status="BLOCKED", block_reason=block)
    page = web.open_page("liquidation", status="BLOCKED", block=block)
    assert rows
    assert sorted(listed(page, "attributed")["person"]) == sorted(
        str(row["person_key"])[:8] for row in rows[:50]
    )
    words = {"CONFLICT": "Conflicto abierto", "NO_IDENTITY": "Sin identidad enlazada"}[block]
    assert set(listed(page, "attributed")["status"]) == {f"Bloqueado · {words}"}


def test_unknown_amount_is_a_dash_and_never_zero(full):
    rows = {str(row["person_key"])[:8]: row for row in base(full)}
    for shown in listed(web.open_page("liquidation"), "attributed").to_dict("records"):
        row = rows[shown["person"]]
        assert (shown["amount"] == "—") == (row["amount_payable"] is None)
        assert (shown["within"] == "—") == (row["eligible_7d"] is None)
        assert (shown["milestone"] == "—") == (row["milestone_reached"] is None)


def test_filter_without_rows_names_itself(full):
    page = web.open_page("liquidation", status="PAID", q="zz")
    assert "Ninguna fila con estado Pagado y clave que empieza con zz" in web.words(page)


BAD = [{"status": "Z"}, {"block": "Z"}, {"days": "x_y"}]


def test_bad_address_never_fails(full):
    page = web.open_page("liquidation")
    for filters in BAD:
        assert not at(page, **filters).exception, filters


def test_nobody_with_a_scout_is_said(empty):
    assert "Ninguna persona con scout." in web.words(web.open_page("liquidation"))


def test_last_rows_stay_when_the_database_goes_away(full):
    page = web.open_page("liquidation")
    before = listed(page, "attributed").to_dict()
    web.cut_off()
    page.run()
    assert listed(page, "attributed").to_dict() == before
    assert "La base no responde desde" in web.words(page)
