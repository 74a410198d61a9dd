"""`alerts` as typed: what it prints, and its exit codes."""

from tests.decide.test_decide_verbs import verb  # noqa: F401 - a fixture
from tests.support.job import refresh, story

WHY = ("--reason", "the supervisor has the list")


def test_circle_of_list_ack_mute_and_unmute(db, db_url, verb):  # noqa: F811
    assert verb("alerts", "list")[1]["alerts"] == []
    story(db_url)
    refresh(db)
    code, told = verb("alerts", "list", "--sort", "oldest")
    assert (code, told["total"]) == (0, len(told["alerts"]))
    first, second, *_ = (a["alert_id"] for a in told["alerts"])
    assert verb("alerts", "ack", str(first), *WHY)[1]["done"][0]["status"] == "ACKNOWLEDGED"
    assert verb("alerts", "ack", str(first), *WHY)[0] == 3
    code, done = verb("alerts", "ack", str(first), str(second), *WHY)
    assert (code, [d["alert_id"] for d in done["done"]]) == (0, [second])
    assert "was acknowledged by" in done["skipped"][str(first)]
    assert verb("alerts", "mute", str(first), "--days", "3", *WHY)[0] == 0
    assert verb("alerts", "list", "--status", "MUTED")[1]["alerts"][0]["alert_id"] == first
    life = verb("alerts", "list", str(first))[1]["events"]
    assert [e["event"] for e in life] == ["MUTED", "ACKNOWLEDGED", "OPENED"]
    assert verb("alerts", "unmute", str(first), *WHY)[1]["done"][0]["status"] == "OPEN"


def test_what_cannot_be_is_told_and_changes_nothing(db, db_url, verb):  # noqa: F811
    story(db_url)
    refresh(db)
    number = str(verb("alerts", "list")[1]["alerts"][0]["alert_id"])
    assert verb("alerts", "mute", number, *WHY)[0] == 2
    assert verb("alerts", "mute", number, "--until", "2020-01-01", *WHY)[0] == 2
    assert verb("alerts", "ack", number, "--reason", "short")[0] == 2
    assert verb("alerts", "ack", "999999", *WHY)[0] == 1
    assert len(verb("alerts", "list", number)[1]["events"]) == 1
