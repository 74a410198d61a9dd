"""What the list pages call a scout."""

import pytest

from ui.parts import lists


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("M.  Huamán", "14 M. Huamán"),
        ("Scout 15", "14 Scout 15"),
        ("Scout 014", "14"),
        ("SCOUT-14", "14"),
        ("14", "14"),
        ("", "14"),
        (None, "14"),
        ("\u202eolleh", "14 olleh"),
    ],
)
def test_scout_is_called_by_number_and_by_a_name_that_says_more(raw, shown):
    assert lists.scout_label(14, {14: raw}) == shown


def test_no_scout_has_no_label_and_a_scout_off_the_list_its_number():
    assert lists.scout_label(None, {}) == ""
    assert lists.scout_label(9, {14: "M. Huamán"}) == "9"
