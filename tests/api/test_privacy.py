"""No phone, licence or name leaves by a log line, a metric, an error or an audit row (I23)."""

from tests.support.looking import rows

PERSONAL = """
select unnest(array[driver_phone, driver_license, driver_name]) from public.module_ct_scouting_daily
union select unnest(array[primary_phone, primary_license, primary_full_name])
from canon.identity_registry
"""
LISTS = ("conflicts", "backlog", "runs")


def test_nothing_personal_is_logged_counted_said_or_kept(demo, capfd):
    values = {row[0] for row in rows(demo.database, PERSONAL) if row[0]}
    # parts of a key or count that a short one would be found in by chance
    personal = sorted(value for value in values if len(value) >= 8)
    assert len(personal) > 100
    said = []
    for value in personal[:: len(personal) // 25]:
        for path, given in (
            ("scouts/attribution/backlog", {"text": value}),
            ("scouts/attribution/backlog", {"source": value}),
            ("scouts/attribution/backlog", {"category": value}),
            ("scouts/attribution/backlog", {"sort": value, "page": value}),
            ("yango/cabinet/collection-with-scout", {"driver": value}),
            ("scouts/attribution/runs", {"actor": value}),
            ("scouts/attribution/backlog.csv", {"text": value, "source": value}),
            (f"scouts/attribution/persons/{value}", {}),
            (f"scouts/attribution/runs/{value}", {}),
            (value, {}),
        ):
            answer = demo.get(path, **given)
            said.append(str(answer.headers))
            if answer.status_code >= 400:
                said.append(answer.text)
    for path in LISTS:
        # masked for everybody who gives no reason
        said += [demo.get(f"scouts/attribution/{path}", page_size=1000).text]
        said += [demo.get(f"scouts/attribution/{path}.csv").text]
    demo.be("viewer").post("scouts/attribution/run-now")
    said.append(demo.root.get("/metrics").text)
    said.append(demo.root.get("/health").text)
    captured = capfd.readouterr()
    said += [captured.out, captured.err]
    said += [str(row) for row in rows(demo.database, "select e::text from scout.export_audit as e")]
    said += [str(row) for row in rows(demo.database, "select d::text from scout.denials as d")]
    everything = "\n".join(said)
    assert "problem" in captured.out + captured.err
    assert [value for value in personal if value in everything] == []
