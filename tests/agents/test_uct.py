"""UCT's figures and choices, after the specification's numbered items."""

from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.search import exploration, uct, upper_confidence
from agents.search.policy import Horizon, PolicyUnknown, policy
from agents.testing import history
from schemas.events import Event
from store.projections import tree

from .examples import graded, prepared, proposed, started


def grown(*events: Event, **search: Any) -> tree.State:
    state = tree.START
    for event in history(started(**search), prepared(), *events):
        state = tree.apply(state, event)
    return state


def test_the_value_of_a_node() -> None:
    figures = upper_confidence.value(reward=1, visits=2, parent_visits=5, exploration=1.414)
    assert figures == pytest.approx(1.7684, abs=1e-4)
    assert upper_confidence.value(reward=0, visits=0, parent_visits=5, exploration=1.414) == inf


def test_drafts_come_before_any_other_choice() -> None:
    some = [proposed("n1"), graded("n1"), proposed("n2"), graded("n2", 0.5)]
    chosen = uct.choose(grown(*some), Horizon(nodes=500))
    assert chosen is not None
    assert (chosen.action, chosen.parent) == ("draft", None)


def test_the_better_of_two_branches_is_taken() -> None:
    both = [proposed("n1"), proposed("n2"), graded("n1", 0.5), graded("n2", 0.6)]
    chosen = uct.choose(grown(*both, drafts=2), Horizon(nodes=500))
    assert chosen is not None
    assert (chosen.parent, chosen.action) == ("n1", "improve"), "equal rewards: the older one"
    worse = [proposed("n1"), proposed("n2"), graded("n1", 0.6), graded("n2", 0.5)]
    chosen = uct.choose(grown(*worse, drafts=2), Horizon(nodes=500))
    assert chosen is not None
    assert chosen.parent == "n1", "its reward holds one more for the best score so far"


def test_a_node_in_flight_turns_the_next_choice_elsewhere() -> None:
    both = [proposed("n1"), proposed("n2"), graded("n1", 0.5), graded("n2", 0.6)]
    one = grown(*both, proposed("n3", "n1", "improve"), drafts=2)
    chosen = uct.choose(one, Horizon(nodes=500))
    assert chosen is not None
    assert chosen.parent == "n2"


def test_where_all_is_in_flight_there_is_nothing_to_choose() -> None:
    assert uct.choose(grown(proposed("n1"), drafts=1), Horizon(nodes=500)) is None


def test_a_new_draft_is_written_when_every_branch_is_at_its_end() -> None:
    chosen = uct.choose(
        grown(proposed("n1"), graded("n1"), drafts=1, max_debug_depth=0), Horizon(nodes=500)
    )
    assert chosen is not None
    assert chosen.action == "draft"


def test_a_chain_of_repairs_is_followed_to_its_depth_then_left_to_uct() -> None:
    chain: list[Event] = [proposed("n1"), graded("n1"), proposed("n2"), graded("n2", 0.5)]
    for n, parent in ((3, 1), (4, 3), (5, 4)):
        chosen = uct.choose(grown(*chain, drafts=2), Horizon(nodes=500))
        assert chosen is not None
        assert (chosen.parent, chosen.action) == (f"n{parent}", "debug")
        chain += [proposed(f"n{n}", f"n{parent}", "debug"), graded(f"n{n}")]
    chosen = uct.choose(grown(*chain, drafts=2), Horizon(nodes=500))
    assert chosen is not None
    assert chosen.parent == "n2"


def test_policies_are_found_by_name() -> None:
    assert policy("uct") is uct.choose
    with pytest.raises(PolicyUnknown, match="known are greedy, research, uct"):
        policy("policy")


def test_the_best_nodes_anywhere_are_expanded_side_by_side() -> None:
    """Below a poor draft lies the best node of all, and each choice lowers what it chose."""
    history: list[Event] = []
    for name, parent, metric in (
        ("n1", None, 0.5),
        ("n2", None, 0.4),
        ("n3", "n1", 0.6),
        ("n4", "n3", 0.7),
        ("n5", "n4", 0.8),
    ):
        history += [
            proposed(name, parent, "improve" if parent else "draft"),
            graded(name, metric),
        ]
    state = grown(*history, drafts=2, parallel="top-k")
    values = {
        node.name: upper_confidence.value(
            reward=node.reward,
            visits=node.visits,
            parent_visits=state.nodes[node.above].visits,
            exploration=1.414,
        )
        for node in state.nodes
        if node.order
    }
    chosen = []
    for number in range(6, 9):
        choice = uct.choose(state, Horizon(nodes=500))
        assert choice is not None
        chosen.append(choice.parent)
        event = proposed(f"n{number}", choice.parent, choice.action)
        state = tree.propose(state, event)
    assert chosen[0] == max(values, key=lambda name: values[name])
    assert len({*chosen}) == 3


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), slots=st.integers(1, 8))
def test_what_is_chosen_anywhere_has_the_highest_value_that_is_open(
    *, seed: int, slots: int
) -> None:
    lots, horizon = Random(seed), Horizon(nodes=500)  # noqa: S311 - no secret is drawn
    state = grown(parallel="top-k")
    for number in range(1, 81):
        choice = uct.choose(state, horizon)
        if choice and choice.selection.value is not None:
            assert choice.selection.value == pytest.approx(max(_open_values(state, horizon)))
        if choice:
            state = tree.propose(state, proposed(f"n{number}", choice.parent, choice.action))
        while state.in_flight and (choice is None or len(state.in_flight) >= slots):
            name = lots.choice([*state.in_flight])
            metric = None if lots.random() < 0.3 else round(lots.random(), 2)
            state = tree.grade(state, graded(name, metric))
            break


def _open_values(state: tree.State, horizon: Horizon) -> list[float]:
    """Return the values of all nodes that may have a child, by a walk over the whole tree."""
    under_way = [
        each.order
        for progress in state.in_flight.values()
        for each in state.ancestors(state.nodes[progress.order])
    ]
    constant = exploration.constant(state.graded + 1, horizon, state.search)
    return [
        upper_confidence.value(
            reward=node.reward - under_way.count(node.order),
            visits=node.visits + under_way.count(node.order),
            parent_visits=state.nodes[node.above].visits + under_way.count(node.above),
            exploration=constant,
        )
        for node in state.nodes
        if node.order
        and node.name not in state.in_flight
        and not node.exhausted
        and not tree.full(node, state.search)
    ]


def test_the_papers_workers_keep_apart_while_there_are_other_drafts() -> None:
    drafts: list[Event] = []
    for name, metric in (("n1", 0.9), ("n2", 0.5), ("n3", 0.4)):
        drafts += [proposed(name), graded(name, metric)]
    state = grown(*drafts, drafts=3, profile="paper")
    parents = []
    for number in range(4, 8):
        choice = uct.choose(state, Horizon(nodes=500))
        assert choice is not None
        parents.append(choice.parent)
        state = tree.propose(state, proposed(f"n{number}", choice.parent, choice.action))
    assert {*parents[:3]} == {"n1", "n2", "n3"}
    assert parents[3] in {"n1", "n2", "n3"}, "then they share"
