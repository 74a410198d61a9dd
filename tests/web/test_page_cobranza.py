"""The page of the collection: soles and counts are the sums of the rows that they open."""

from decimal import Decimal

from tests.support import web
from tests.support.looking import look
from tests.web.lists import amount, at, button_labels, captions, listed


def claims(database, holds=lambda row: True):
    rows = look(database).views["v_yango_collection_with_scout"]
    return [row for row in rows if holds(row)]


def soles(rows) -> Decimal:
    return sum((row["expected_amount"] for row in rows), Decimal(0))


def is_unpaid(row) -> bool:
    return row["yango_payment_status"] != "PAID"


CARDS = {
    "unpaid": ("Por cobrar", is_unpaid),
    "missing": ("Por cobrar sin scout", lambda r: is_unpaid(r) and not r["is_scout_resolved"]),
    "conflict": ("Por cobrar en conflicto", lambda r: is_unpaid(r) and r["is_conflict"]),
    "overdue": (
        "Vencido más de 30 días",
        lambda r: is_unpaid(r) and r["overdue_bucket_yango"] == "4_30_plus",
    ),
}


def test_card_is_the_sum_of_the_rows_that_it_opens(full):
    page = web.open_page("cobranza")
    for name, (label, holds) in CARDS.items():
        rows = claims(full, holds)
        at(page)
        (card,) = [metric for metric in page.metric if metric.label == label]
        assert (amount(card.value) or 0) == float(soles(rows))
        page.button(key=f"cobranza_{name}").click().run()
        assert f"{len(rows)} claim" in captions(page)
        if rows:
            assert len(listed(page, "milestone")) == min(len(rows), 50)
            assert "Pagado" not in set(listed(page, "milestone")["status"])


def test_origins_add_up_to_all_claims(full):
    rows = claims(full)
    page = web.open_page("cobranza")
    table = listed(page, "expected")
    *parts, total = table.to_dict("records")
    assert int(total["claims"]) == len(rows) == sum(int(part["claims"]) for part in parts)
    assert amount(total["expected"]) == float(soles(rows))
    assert sum(amount(part["unpaid"]) or 0 for part in parts) == amount(total["unpaid"])
    assert amount(total["unpaid"]) == float(soles([row for row in rows if is_unpaid(row)]))
    assert f"Exportar {len(rows)} filas" in button_labels(page)


FILTERS = [
    ({"missing": "1"}, lambda r: not r["is_scout_resolved"]),
    ({"bucket": "MIGRATIONS_ONLY"}, lambda r: r["scout_priority"] == 3),
    ({"overdue": "4_30_plus"}, lambda r: r["overdue_bucket_yango"] == "4_30_plus"),
    ({"status": "PAID"}, lambda r: not is_unpaid(r)),
    ({"conflicts": "1"}, lambda r: r["is_conflict"]),
]


def test_filter_of_the_address_gives_its_rows_and_their_soles(full):
    page = web.open_page("cobranza")
    for filters, holds in FILTERS:
        rows = claims(full, holds)
        said = captions(at(page, **filters))
        assert f"{len(rows)} claim" in said
        if rows:
            shown = said.split(" esperados")[0].split("·")[-1]
            assert amount(shown) == float(soles(rows))


def test_filter_without_rows_names_itself(full):
    page = web.open_page("cobranza", q="%", unpaid="1")
    assert "Ninguna fila con por cobrar y conductor que empieza con" in web.words(page)


def test_hostile_driver_stays_text(full):
    assert not web.open_page("cobranza", q="<script>alert(1)</script>").exception
    assert not web.open_page("cobranza", q="[a](javascript:alert(1)) :red[x] $x$").exception


BAD = [{"bucket": "Z"}, {"overdue": "Z"}, {"status": "Z"}, {"missing": "yes"}, {"scout": "x"}]


def test_bad_address_never_fails(full):
    page = web.open_page("cobranza")
    for filters in BAD:
        assert not at(page, **filters).exception, filters


def test_no_claims_at_all_is_said(empty):
    page = web.open_page("cobranza")
    assert "Ningún claim por mostrar." in web.words(page)
    assert not page.metric


def test_last_rows_stay_when_the_database_goes_away(full):
    page = web.open_page("cobranza")
    before = listed(page, "milestone").to_dict()
    web.cut_off()
    page.run()
    assert listed(page, "milestone").to_dict() == before
    assert "La base no responde desde" in web.words(page)
