"""Lists as files from the API: the rows of the list, masked, streamed, and kept who took them."""

import csv
import hashlib
import io
import json
import threading
import time

import pytest

from api import exports
from scout_core.access.permissions import Actor
from scout_core.attribution import settle
from scout_core.errors import DatabaseReadOnly
from scout_core.export import delivery
from scout_core.export.lists import LISTS
from tests.api.test_problems import problem
from tests.support import xlsx
from tests.support.looking import rows, value, write
from ui.parts.text import catalogue

AUDIT = (
    "select actor, role, via, list_name, filters, format, is_clear, reason, row_count, byte_count,"
    " sha256, is_complete from scout.export_audit order by id desc limit 1"
)


def path_of(name, form="csv"):
    return f"{LISTS[name].address.removeprefix('/')}.{form}"


def read(answer, delimiter=";"):
    text = io.StringIO(answer.content.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(text, delimiter=delimiter))


@pytest.mark.parametrize("name", LISTS)
def test_file_is_the_whole_list_and_is_kept(demo, name):
    answer = demo.be("viewer").get(path_of(name))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{name}-')
    found = read(answer)
    assert found
    if name != "audit":
        listed = demo.get(path_of(name).removesuffix(".csv")).json()
        assert len(found) == listed["pagination"]["total"]
    filters = {"table": "ledger"} if name == "audit" else {}
    (kept,) = rows(demo.database, AUDIT)
    assert kept == (
        "viewer of the tests", "viewer", "api", name, filters, "csv", False, None, len(found),
        len(answer.content), hashlib.sha256(answer.content).hexdigest(), True,
    )  # fmt: skip


def test_file_takes_filter_form_and_language(demo):
    answer = demo.get(path_of("backlog"), category="D", delimiter=",", raw=True, sort="oldest")
    assert {row["category"] for row in read(answer, ",")} == {"D"}
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    (kept,) = rows(demo.database, AUDIT)
    assert kept[4] == {"category": "D"}
    answer = demo.get(path_of("conflicts", "xlsx"), text="f")
    assert len(xlsx.sheets(answer.content)[0]) - 1 == rows(demo.database, AUDIT)[0][8]
    # what somebody typed may be anything
    assert rows(demo.database, AUDIT)[0][4] == {"text": True}


def test_every_column_of_a_file_has_words(demo):
    words = catalogue()
    for name, listed in LISTS.items():
        assert set(exports.LISTS[name].row_class.__dataclass_fields__) == {
            column
            for column in listed.row_class.__dataclass_fields__
            if f"lists.col_{column}" in words
        }


def test_identifiers_are_masked_unless_an_analyst_says_why(demo):
    query = (
        "select e.driver_phone from ops.v_scout_attribution_raw as e"
        " join ops.v_scout_attribution_conflicts as c on c.person_key = e.person_key"
        " where length(e.driver_phone) > 8 order by e.driver_phone limit 1"
    )
    phone = value(demo.database, query)
    path, reason = path_of("conflicts"), "calls to the drivers of the week"
    before = value(demo.database, "select count(*) from scout.export_audit")
    assert phone not in demo.be("analyst").get(path, raw=True).text
    for odd in ("short", " " * 20, "x" * 1001, "a reason with \0 in it", "ten and half \\ud800"):
        body = f'{{"reason": {json.dumps(odd)}}}'.replace("\\\\ud800", "\\ud800")
        sent = {"content": body, "headers": {"content-type": "application/json"}}
        problem(demo.post(path, **sent), 422)
    problem(demo.post(path), 422)
    problem(demo.be("viewer").post(path, json={"reason": reason}), 403)
    problem(demo.be("operator").post(path, json={"reason": reason}), 403)
    answer = demo.be("analyst").client.post(f"/v1/{path}?raw=true", json={"reason": reason})
    assert phone in answer.text
    assert rows(demo.database, AUDIT)[0][6:8] == (True, reason)
    assert value(demo.database, "select count(*) from scout.export_audit") == before + 2


def test_file_that_cannot_be_is_refused_before_it_begins(demo):
    before = value(demo.database, "select count(*) from scout.export_audit")
    for given in ({"delimiter": "|"}, {"category": "Z"}, {"page": 1}, {"text": "\0"}):
        problem(demo.get(path_of("backlog"), **given), 422)
    problem(demo.get("scouts/attribution/persons.csv"), 404)
    assert value(demo.database, "select count(*) from scout.export_audit") == before


def test_memory_is_flat_and_a_reader_who_leaves_is_kept_as_that(db):
    write(
        db,
        "insert into canon.identity_registry (person_key, confidence_level)"
        " select md5(n::text)::uuid, 'HIGH' from generate_series(1, 60000) as n",
    )
    settle.settle(db)
    written = []
    pipe_write = exports._Pipe.write

    def counted(self, data):
        written.append(len(data))
        pipe_write(self, data)

    exports._Pipe.write, kept = counted, exports._Pipe.write
    try:
        chunks = exports.streamed(
            lambda out: delivery.export_to(
                db,
                db,
                "backlog",
                None,
                out,
                exports.writer.Form(),
                actor=Actor("a", "viewer"),
                via="api",
                now=exports.services.now(),
            )
        )
        written.clear()
        next(chunks)
        time.sleep(0.5)
        waiting = len(written)
        chunks.close()
    finally:
        exports._Pipe.write = kept
    assert waiting <= exports.WAITING_CHUNKS + 2
    until = time.monotonic() + 10
    while any(thread.name == "export" for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.05)
    last = rows(db, AUDIT)[0]
    assert (last[8], last[10], last[11]) == (None, None, False)
    assert last[9] > 0


def test_nothing_leaves_where_it_could_not_be_kept(demo, db, db_url):
    write(db, "select set_config('search_path', '', true)")
    name = db_url.rpartition("/")[2].partition("?")[0]
    write(db, f"alter database {name} set default_transaction_read_only = on")
    db.dispose()
    out = io.BytesIO()
    with pytest.raises(DatabaseReadOnly):
        delivery.export_to(
            db, db, "runs", None, out, exports.writer.Form(), actor=Actor("a", "viewer"),
            via="cli", now=exports.services.now(),
        )  # fmt: skip
    assert out.getvalue() == b""
