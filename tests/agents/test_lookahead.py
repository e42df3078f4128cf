"""How many nodes are kept in flight for each slot, by example and by law."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.search.lookahead import REMEMBERED, Average, Pace, ahead
from schemas.settings import Search

SECONDS = st.floats(0.0, 10_000.0)
DEFAULT = Search()


def average(*values: float) -> Average:
    result = Average()
    for value in values:
        result = result.taking(value)
    return result


@pytest.mark.parametrize(
    ("writing", "executing", "expected"),
    [
        (0.03, 2.0, 2),  # the rehearsal model
        (3.0, 4.0, 2),
        (3.1, 4.0, 3),
        (4.0, 3.0, 3),
        (60.0, 30.0, 4),
        (300.0, 60.0, 7),
        (300.0, 5.0, 8),  # no more than max_lookahead
        (3.0, 0.0, 8),
        (0.0, 0.0, 8),
    ],
)
def test_as_many_as_keep_a_slot_busy(writing: float, executing: float, expected: int) -> None:
    assert ahead(Pace(average(writing), average(executing)), DEFAULT) == expected


@pytest.mark.parametrize(("writing", "executing"), [((), ()), ((9.0,), ()), ((), (1.0,))])
def test_the_least_until_both_were_measured(
    writing: tuple[float, ...], executing: tuple[float, ...]
) -> None:
    assert ahead(Pace(average(*writing), average(*executing)), DEFAULT) == DEFAULT.lookahead


def test_the_least_counts_where_it_is_more_than_the_most() -> None:
    assert ahead(Pace(average(9.0), average(1.0)), Search(lookahead=3, max_lookahead=1)) == 3


@given(writing=SECONDS, executing=SECONDS, least=st.integers(1, 9), most=st.integers(1, 9))
def test_within_its_bounds_and_enough_unless_it_is_the_most(
    *, writing: float, executing: float, least: int, most: int
) -> None:
    kept = ahead(
        Pace(average(writing), average(executing)), Search(lookahead=least, max_lookahead=most)
    )
    assert least <= kept <= max(least, most)
    if kept < most:  # while one is run, the others are written
        assert (kept - 1) * executing >= writing


@given(writing=SECONDS, executing=SECONDS, more=SECONDS)
def test_slower_models_want_more_and_slower_solutions_less(
    writing: float, executing: float, more: float
) -> None:
    kept = ahead(Pace(average(writing), average(executing)), DEFAULT)
    assert ahead(Pace(average(writing + more), average(executing)), DEFAULT) >= kept
    assert ahead(Pace(average(writing), average(executing + more)), DEFAULT) <= kept


def test_a_node_that_is_asked_for_twice_counts_once_with_both_answers() -> None:
    asked = Pace().answered("n1", 3.0).answered("n2", 7.0).answered("n1", 2.0)
    coded = asked.coded("n1").coded("n3")
    assert coded == Pace(writing=Average(5.0, 1), asked={"n2": 7.0})


@given(st.lists(SECONDS, min_size=1, max_size=REMEMBERED))
def test_the_first_values_weigh_the_same(values: list[float]) -> None:
    assert average(*values).seconds == pytest.approx(sum(values) / len(values))


def test_later_values_displace_earlier_ones() -> None:
    changed = average(*[1.0] * 100, *[5.0] * 50)
    assert 4.5 < changed.seconds < 5.0
    assert changed.count == REMEMBERED


@given(st.lists(st.floats(allow_nan=False)))
def test_no_clock_can_break_an_average(values: list[float]) -> None:
    result = average(*values)
    assert isfinite(result.seconds)
    assert result.seconds >= 0
