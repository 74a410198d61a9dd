"""The product against the model: dense random input, runs in between, everything compared."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.model.harness import Harness

CHANCE = st.randoms(use_true_random=True)
EVERYTHING = HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much
SHORT = settings(
    max_examples=60,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=EVERYTHING,
    print_blob=True,
)
LONG = settings(SHORT, max_examples=1000, derandomize=False)


@pytest.fixture
def harness(db_url: str) -> Iterator[Harness]:
    made = Harness(db_url)
    yield made
    made.close()


def machine_of(harness: Harness) -> type[RuleBasedStateMachine]:
    """The machine that works on one database, emptied before each example."""

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            harness.reset()
            self.is_fresh = False

        @initialize(chance=CHANCE)
        def start(self, chance: Random) -> None:
            harness.start(chance)

        @rule(chance=CHANCE, pieces=st.integers(1, 4))
        def add_evidence(self, chance: Random, pieces: int) -> None:
            for _ in range(pieces):
                harness.generator.step(chance)
            self.is_fresh = False

        @rule(chance=CHANCE, rows=st.integers(3, 8))
        def add_scouting_rows(self, chance: Random, rows: int) -> None:
            for _ in range(rows):
                harness.generator.scouting(chance)
            self.is_fresh = False

        @rule(max_rows=st.sampled_from([10_000, 1, 2]))
        def refresh(self, max_rows: int) -> None:
            harness.refresh(max_rows)
            self.is_fresh = True

        @rule()
        def plan_then_refresh(self) -> None:
            harness.plan()
            harness.refresh()
            self.is_fresh = True

        @precondition(lambda self: self.is_fresh)
        @rule()
        def refresh_again(self) -> None:
            harness.refresh_again()

        @invariant()
        def the_model_agrees(self) -> None:
            harness.compare()

    return Machine


def test_product_and_model_agree(harness: Harness) -> None:
    """A short, fixed selection of examples for every run of the suite."""
    run_state_machine_as_test(machine_of(harness), settings=SHORT)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_product_and_model_agree_at_length(harness: Harness) -> None:
    """A thousand examples, other ones each time."""
    run_state_machine_as_test(machine_of(harness), settings=LONG)
