"""Logins that are not the product's, to try what they can reach."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.installing import as_login, run

_numbers = itertools.count(1)


@contextmanager
def stranger(url: str, *grants: str) -> Iterator[str]:
    """URL of a new plain login, with these rights (`select on t`, or the name of a role); gone at
    the end with all that it owns in this database."""
    name = f"test_stranger_{os.getpid()}_{next(_numbers)}"
    run(
        url,
        f"create role {name} login password '{name}'",
        *(f"grant {grant} to {name}" for grant in grants),
    )
    try:
        yield as_login(url, name)
    finally:
        run(url, f"drop owned by {name} cascade", f"drop role {name}")
