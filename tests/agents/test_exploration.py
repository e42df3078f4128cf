"""The exploration constant under each schedule, after the specification's numbered items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.search import exploration
from agents.search.policy import Horizon
from schemas.settings import Schedule, Search

NODES = Horizon(nodes=500)


def constant(schedule: Schedule, step: int, horizon: Horizon = NODES) -> float:
    return exploration.constant(step, horizon, Search(exploration_schedule=schedule))


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 1.414), (44, 1.414), (45, 1.414), (100, 0.864), (136, 0.504), (137, 0.5), (351, 0.5)],
)
def test_piecewise_decays_between_two_points(step: int, expected: float) -> None:
    assert constant("piecewise", step) == pytest.approx(expected)


def test_piecewise_begins_earlier_in_a_short_run() -> None:
    short = Horizon(nodes=50)
    assert constant("piecewise", 15, short) == pytest.approx(1.414)
    assert constant("piecewise", 25, short) == pytest.approx(1.314)
    assert constant("piecewise", 36, short) == 0.5


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ("constant", 400, 1.414),
        ("linear", 0, 1.414),
        ("linear", 50, 0.914),
        ("linear", 92, 0.5),
        ("exponential", 0, 1.414),
        ("exponential", 50, 1.414 * 0.99**50),
        ("exponential", 400, 0.5),
    ],
)
def test_constant_linear_and_exponential(schedule: Schedule, step: int, expected: float) -> None:
    assert constant(schedule, step) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("step", "gone", "expected"),
    [
        (0, 0.0, 1.414),
        (50, 50.0, 1.414),  # 100 nodes can be reached: 85 are not there yet
        (90, 90.0, 1.414 - 0.01 * 5),
        (100, 100.0, 1.414 - 0.01 * 15),
        (90, 45.0, 1.414),  # twice the pace: 200 nodes can be reached
        (90, 99.0, 1.414 - 0.01 * (90 - 0.85 * (90 + 90 / 99))),
    ],
)
def test_dynamic_decays_at_the_end_of_what_the_time_allows(
    step: int, gone: float, expected: float
) -> None:
    horizon = Horizon(nodes=500, minutes=100, gone=gone)
    assert constant("dynamic", step, horizon) == pytest.approx(expected)


def test_dynamic_sees_no_further_than_the_nodes() -> None:
    quick = Horizon(nodes=100, minutes=1000, gone=1)
    assert constant("dynamic", 95, quick) == pytest.approx(1.414 - 0.01 * 10)


@pytest.mark.parametrize("schedule", ["constant", "piecewise", "dynamic"])
def test_a_constant_below_the_floor_stays_as_it_is_set(schedule: Schedule) -> None:
    low = Search(exploration=0.3, exploration_schedule=schedule)
    assert [exploration.constant(step, NODES, low) for step in (0, 100, 400)] == [0.3] * 3


@given(
    schedule=st.sampled_from(["constant", "linear", "exponential", "piecewise", "dynamic"]),
    nodes=st.integers(1, 1000),
    gone=st.floats(0, 200),
)
def test_it_never_grows_and_never_falls_below_the_floor(
    schedule: Schedule, nodes: int, gone: float
) -> None:
    horizon = Horizon(nodes=nodes, minutes=100, gone=gone)
    steps = [constant(schedule, step, horizon) for step in range(nodes + 1)]
    assert all(0.5 <= each <= 1.414 for each in steps)
    if schedule != "dynamic":  # it expects more the more has landed in the same time
        assert steps == sorted(steps, reverse=True)
