"""Which solution is handed over, by example and by what holds for any scores."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.search.final import final
from agents.testing import history
from schemas.events import Event
from schemas.settings import Select
from store.projections import tree

from .examples import graded, prepared, proposed

SCORES = st.floats(0, 1, width=16)
ROBUST = Select(final="robust")


def run(
    *solutions: Sequence[float], fused: float | None = None, lower_is_better: bool = False
) -> tree.State:
    """Return a tree of solutions n1, n2, ...: each its own score, then those of its repeats."""
    events: list[Event] = [prepared(lower_is_better=lower_is_better)]
    for at, (own, *_) in enumerate(solutions, 1):
        events += [proposed(f"n{at}"), graded(f"n{at}", own)]
    for at, (_, *repeats) in enumerate(solutions, 1):
        for number, score in enumerate(repeats, 1):
            node = f"n{at}r{number}"
            events += [proposed(node, f"n{at}", "repeat", "repeater"), graded(node, score)]
    if fused is not None:
        events += [proposed("fuse1", None, "fuse", "fuser"), graded("fuse1", fused)]
    state = tree.START
    for event in history(*events):
        state = tree.apply(state, event)
    return state


def chosen(state: tree.State, select: Select = ROBUST) -> str | None:
    found = final(state, select)
    return found.name if found else None


LUCKY, STEADY = (0.9, 0.6, 0.6), (0.8, 0.8, 0.79)


@pytest.mark.parametrize(
    ("found", "robust", "best"),
    [
        (run(), None, None),
        (run((0.5,), (0.6,)), "n2", "n2"),
        (run(LUCKY, STEADY), "n2", "n1"),
        # One that was not repeated says nothing of its spread.
        (run((0.95,), LUCKY, STEADY), "n3", "n1"),
        # All the same: the own score decides, and then the age.
        (run((0.7, 0.7), (0.7, 0.7)), "n1", "n1"),
        (run((0.1, 0.4, 0.4), (0.2, 0.2, 0.21), lower_is_better=True), "n2", "n1"),
        # A fused one has its own score alone: that is compared with the other's own.
        (run(LUCKY, STEADY, fused=0.8), "n2", "n1"),
        (run(LUCKY, STEADY, fused=0.81), "fuse1", "n1"),
        (run(LUCKY, STEADY, fused=0.91), "fuse1", "fuse1"),
    ],
)
def test_what_is_handed_over(found: tree.State, robust: str | None, best: str | None) -> None:
    assert chosen(found) == robust
    assert chosen(found, Select()) == best


def test_the_spread_weighs_as_much_as_is_set() -> None:
    found = run((0.9, 0.7), (0.79, 0.78))
    assert chosen(found, Select(final="robust", spread_weight=0.0)) == "n1"
    assert chosen(found, Select(final="robust", spread_weight=1.0)) == "n2"


@given(
    solutions=st.lists(st.lists(SCORES, min_size=2, max_size=4), min_size=1, max_size=5),
    lower=st.booleans(),
)
def test_what_is_worse_in_all_its_scores_is_not_chosen_for_its_mean(
    *, solutions: list[list[float]], lower: bool
) -> None:
    select = Select(final="robust", spread_weight=0.0)
    name = chosen(run(*solutions, lower_is_better=lower), select)
    scores = solutions[int((name or "n1")[1:]) - 1]
    for others in solutions:
        assert min(scores) <= max(others) if lower else max(scores) >= min(others)
