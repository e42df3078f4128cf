"""Greedy search: drafts, then repairs by lot, else the best is improved."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from agents.search import greedy
from agents.search.policy import Choice, Horizon, policy
from agents.testing import history
from schemas.envelope import Recorded
from schemas.events import Event
from store.projections import tree
from tests.strategies import logs

from .examples import graded, prepared, proposed, started

SOUND = [proposed("n1"), graded("n1", 0.5), proposed("n2"), graded("n2", 0.7)]
BROKEN = [proposed("n3"), graded("n3")]


def grown(*past: Event, **search: Any) -> tree.State:
    state = tree.START
    for event in history(started(**search), prepared(), *past):
        state = tree.apply(state, event)
    return state


def chosen(state: tree.State) -> tuple[str, str | None] | None:
    choice = greedy.choose(state, Horizon(nodes=100))
    return None if choice is None else (choice.action, choice.parent)


def test_it_is_found_by_its_name() -> None:
    assert policy("greedy") is greedy.choose


def test_drafts_come_first_and_those_in_flight_count() -> None:
    assert chosen(grown(*SOUND, drafts=3)) == ("draft", None)
    assert chosen(grown(*SOUND, proposed("n3"), drafts=3)) == ("improve", "n2")


@pytest.mark.parametrize(
    ("probability", "expected"), [(0.0, ("improve", "n2")), (1.0, ("debug", "n3"))]
)
def test_the_best_is_improved_unless_the_lot_falls_on_a_repair(
    probability: float, expected: tuple[str, str]
) -> None:
    assert chosen(grown(*SOUND, *BROKEN, drafts=3, debug_probability=probability)) == expected


def test_half_of_the_lots_fall_on_a_repair() -> None:
    state = grown(*SOUND, *BROKEN, drafts=3)
    actions = Counter[str]()
    for number in range(4, 404):
        choice = greedy.choose(state, Horizon(nodes=1000))
        assert choice is not None
        actions[choice.action] += 1
        for event in history(proposed(f"n{number}", "n2", "improve"), graded(f"n{number}", 0.6)):
            state = tree.apply(state, event)
    assert 160 < actions["debug"] < 240


def test_where_nothing_is_sound_it_repairs_waits_or_drafts_again() -> None:
    assert chosen(grown(*BROKEN, drafts=1, debug_probability=0.0)) == ("debug", "n3")
    assert chosen(grown(proposed("n1"), drafts=1)) is None
    spent = grown(*BROKEN, drafts=1, return_debug_depth=0)
    assert chosen(spent) == ("draft", None)


@settings(max_examples=60, deadline=None)
@given(log=logs(kinds=tree.projection.follows))
def test_whatever_happened_its_choice_is_one_that_can_be_made(log: list[Recorded[Any]]) -> None:
    state = tree.START
    for event in log:
        state = tree.apply(state, event)
    choice = greedy.choose(state, Horizon(nodes=100))
    assert choice == greedy.choose(state, Horizon(nodes=100))
    if isinstance(choice, Choice) and choice.parent is not None:
        node = state.node(choice.parent)
        assert choice.action == ("debug" if node.defective else "improve")
