"""What the tests of the list pages look for on a page."""

import pandas as pd
from streamlit.testing.v1 import AppTest


def listed(page: AppTest, column: str) -> pd.DataFrame:
    """The table that has this column."""
    return next(d.value for d in page.dataframe if column in d.value)


def at(page: AppTest, **filters: str) -> AppTest:
    """The same page at another address: cheaper than opening it anew."""
    for name in list(page.query_params):
        del page.query_params[name]
    for name, value in filters.items():
        page.query_params[name] = value
    return page.run()


def captions(page: AppTest) -> str:
    """Every caption, the head's among them."""
    return "\n".join(caption.value for caption in page.caption)


def button_labels(page: AppTest) -> str:
    """What stands on popovers and buttons."""
    popovers = [block.proto.popover.label for block in _blocks(page.main)]
    return "\n".join([*popovers, *(button.label for button in page.button)])


def amount(text: str) -> float | None:
    """The soles of a cell; null for a dash."""
    digits = "".join(char for char in text if char in "0123456789.")
    return float(digits) if digits else None


def _blocks(block: object) -> list:  # type: ignore[type-arg]
    found = []
    for node in getattr(block, "children", {}).values():
        proto = getattr(node, "proto", None)
        if hasattr(proto, "popover"):
            found.append(node)
        found += _blocks(node)
    return found
