"""The product against the model: dense random input, runs in between, everything compared."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.model.generator import Generator
from tests.model.harness import Harness
from tests.model.observe import observe
from tests.model.twin import Twin

CHANCE = st.randoms(use_true_random=True)
EVERYTHING = HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much
SHORT = settings(
    max_examples=16,
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


class Rules(RuleBasedStateMachine):
    """What may happen to a database and its model; they are compared after each step."""

    harness: ClassVar[Harness]

    def __init__(self) -> None:
        super().__init__()
        self.harness.reset()

    @initialize(chance=CHANCE)
    def start(self, chance: Random) -> None:
        self.harness.start(chance)

    @rule(chance=CHANCE, pieces=st.integers(1, 4))
    def add_evidence(self, chance: Random, pieces: int) -> None:
        for _ in range(pieces):
            self.harness.generator.step(chance)

    @rule(chance=CHANCE)
    def add_scouting_rows(self, chance: Random) -> None:
        self.harness.generator.crowd(chance)
        self.harness.generator.tangle(chance)

    @rule(chance=CHANCE, how=st.sampled_from(["mend", "mend", "reload"]))
    def mend_or_reload_scouting_rows(self, chance: Random, how: str) -> None:
        getattr(self.harness.generator, how)(chance)

    @rule(chance=CHANCE, how=st.sampled_from(["decision", "decision", "review", "undo", "undo"]))
    def decide_or_undo(self, chance: Random, how: str) -> None:
        getattr(self.harness.generator, how)(chance)

    @rule(max_rows=st.sampled_from([10_000, 1, 2]), planned=st.booleans(), twice=st.booleans())
    def refresh(self, max_rows: int, planned: bool, twice: bool) -> None:
        if planned:
            self.harness.plan()
        self.harness.refresh(max_rows)
        if twice:
            self.harness.compare()
            self.harness.refresh_again()

    @rule(batch_rows=st.sampled_from([0, 1, 3, 5_000]), max_batches=st.sampled_from([1, None]))
    def settle(self, batch_rows: int, max_batches: int | None) -> None:
        self.harness.settle(batch_rows, max_batches)

    @rule(
        chance=CHANCE,
        batches=st.lists(st.sampled_from([0, 1, 3, 5_000]), min_size=2, max_size=3),
        pieces=st.integers(0, 4),
        is_cut=st.booleans(),
    )
    def settle_at_once(self, chance: Random, batches: list[int], pieces: int, is_cut: bool) -> None:
        self.harness.settle_at_once(batches, lambda: self.add_evidence(chance, pieces), is_cut)

    def teardown(self) -> None:
        self.harness.verify()

    @invariant()
    def the_model_agrees(self) -> None:
        self.harness.compare()


def machine_of(harness: Harness) -> type[RuleBasedStateMachine]:
    """The machine that works on one database, emptied before each example."""
    return type("Machine", (Rules,), {"harness": harness})


def test_product_and_model_agree(harness: Harness) -> None:
    """A short, fixed selection of examples for every run of the suite."""
    run_state_machine_as_test(machine_of(harness), settings=SHORT)


@pytest.mark.parametrize("seed", range(1, 5))
def test_order_and_batches_make_no_difference(harness: Harness, seed: int) -> None:
    """The same rows in any order, in one commit or in many, end in the same state (I10)."""
    drawn, rng = Generator(Twin()), Random(seed)
    drawn.start(rng)
    for change in (drawn.event, drawn.scouting, drawn.migration, drawn.payment, drawn.person) * 4:
        change(rng)
    drawn.crowd(rng)
    drawn.tangle(rng)
    endings = []
    for max_rows in (10_000, 1, 2, 3):
        harness.load(drawn.twin.world, rng)
        harness.refresh(max_rows)
        harness.compare()
        shown = observe(harness.query)
        endings.append({name: shown[name] for name in ("registry", "links", "unmatched", "ledger",
                                                       "conflicts", "backlog")})  # fmt: skip
    assert endings == [endings[0]] * 4
    assert any(row[3].startswith("BACKFILL") for row in endings[0]["links"])


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_product_and_model_agree_at_length(harness: Harness) -> None:
    """A thousand examples, other ones each time."""
    run_state_machine_as_test(machine_of(harness), settings=LONG)
