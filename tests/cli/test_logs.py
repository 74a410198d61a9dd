"""Log lines: JSON on stderr, the run on each, nothing personal."""

import json

import pytest
import structlog

from scout_core import logs


@pytest.fixture(autouse=True)
def _own_log():
    yield
    logs.bind_run(None)
    structlog.reset_defaults()


def lines(capsys) -> list[dict]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_lines_are_json_on_stderr_when_it_is_no_terminal(capsys):
    logs.configure("INFO")
    logs.get_logger("refresh").info("step done", changed=3)
    (line,) = lines(capsys)
    assert line["event"] == "step done"
    assert (line["topic"], line["level"], line["changed"]) == ("refresh", "info", 3)
    assert line["timestamp"].endswith("Z")


def test_lines_are_plain_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    logs.configure("INFO")
    logs.get_logger("refresh").info("step done", changed=3)
    err = capsys.readouterr().err
    assert "step done" in err
    assert not err.startswith("{")
    assert "\x1b" not in err


def test_level_is_the_least_that_is_written(capsys):
    logs.configure("WARNING", json=True)
    logger = logs.get_logger("x")
    logger.info("quiet")
    logger.warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_run_is_on_each_line_until_it_ends(capsys):
    logs.configure("INFO", json=True)
    logger = logs.get_logger("refresh")
    logs.bind_run(41)
    logger.info("inside")
    logs.bind_run(None)
    logger.info("after")
    inside, after = lines(capsys)
    assert inside["run_id"] == 41
    assert "run_id" not in after


def test_personal_data_under_its_name_is_masked_and_the_rest_is_not(capsys):
    logs.configure("INFO", json=True)
    logs.get_logger("x").info(
        "row", driver_phone="999888777", license_key="Q1234567", name="Ana", dni="1", midnight=2
    )
    (line,) = lines(capsys)
    assert [line[key] for key in ("driver_phone", "license_key", "name", "dni")] == ["***"] * 4
    assert line["midnight"] == 2


def test_exception_is_one_line_without_local_values(capsys):
    logs.configure("INFO", json=True)
    secret = "999888777"
    try:
        raise ValueError("bad row")
    except ValueError:
        logs.get_logger("x").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: bad row" in line["exception"]
    assert secret not in line["exception"].replace('secret = "999888777"', "")
