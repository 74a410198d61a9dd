"""The exception tree: messages, facts, exit codes."""

import inspect
import re

import pytest

from scout_core import errors
from scout_core.errors import ScoutError

CODES = {
    "ScoutError": 1,
    "SettingsError": 2,
    "BadInput": 2,
    "CannotBeKept": 2,
    "KeyReused": 3,
    "Refused": 3,
    "GuardStopped": 3,
    "PermissionDenied": 3,
    "ChangedMeanwhile": 3,
    "NothingToUndo": 3,
    "RowsHidden": 3,
    "SourcesChanged": 3,
    "DemoRefused": 3,
    "Unavailable": 75,
    "DatabaseAway": 75,
    "DatabaseReadOnly": 75,
    "RunBusy": 75,
    "Stopped": 75,
    "DatabaseError": 1,
    "WrongDatabase": 1,
    "InstallError": 1,
    "MissingTables": 1,
    "SchemaFileChanged": 1,
    "ForeignObject": 1,
    "NotInstalled": 1,
    "NotFound": 1,
    "RunFailed": 1,
    "ScheduleError": 1,
    "ServerError": 1,
}
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, ScoutError)
}


def test_each_error_has_the_exit_code_that_is_documented():
    """Cron and monitors decide by these whether to try again."""
    assert {name: kind.exit_code for name, kind in CLASSES.items()} == CODES


def test_the_drawing_of_the_tree_names_each_error():
    """The docstring of the module is where a reader looks first."""
    assert set(CLASSES) - set(re.findall(r"\w+", errors.__doc__)) == set()


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_class_docstring_is_the_default_message(kind):
    """One sentence or two on one line, whatever the line length of the source."""
    message = kind().message
    assert message == " ".join(kind.__doc__.split())
    assert message.endswith(".")


def test_facts_become_attributes_and_the_message_stays():
    """A caller reads facts, never the text."""
    error = errors.RunBusy("Run 7 is at work.", run_id=7)
    assert (error.run_id, error.facts, str(error)) == (7, {"run_id": 7}, "Run 7 is at work.")
    assert errors.RunBusy().run_id is None
