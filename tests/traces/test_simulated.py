"""The profile's own runs, printed as ML-Master prints its: decided again, nothing differs."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.traces import reading, replay

from .simulated import Simulated

WAYS_THAT_PART_AT_AN_END = [100, 132, 204]
"""Seeds of runs in which one of two equal ways leads to an end, past a node that this re-opens."""


def decided(file: Path, simulated: Simulated) -> replay.Replayed:
    """Run to the end, read what was printed, and decide it again."""
    run = replay.replay(reading.read(simulated.run().write(file)))
    landed = simulated.tree.graded
    begun = simulated.tree.proposed
    assert len(run.verdicts) >= landed + begun
    assert run.after_gap == 0
    return run


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    failing=st.sampled_from([0.0, 0.1]),
    lower=st.booleans(),
)
def test_whatever_the_profile_chose_it_chooses_again(
    tmp_path_factory: pytest.TempPathFactory, *, seed: int, failing: float, lower: bool
) -> None:
    file = tmp_path_factory.mktemp("simulated") / "a.log"
    simulated = Simulated(seed, nodes=100, failing=failing, lower_is_better=lower)
    run = decided(file, simulated)
    assert [each for each in run.verdicts if each.kind == "differs"] == []


@pytest.mark.parametrize("seed", WAYS_THAT_PART_AT_AN_END)
def test_a_tie_may_hide_behind_an_end(tmp_path: Path, seed: int) -> None:
    run = decided(tmp_path / "a.json", Simulated(seed, nodes=400))
    assert [each for each in run.verdicts if each.kind == "differs"] == []
    assert run.count("tie") > 0
