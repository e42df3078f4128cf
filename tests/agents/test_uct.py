"""UCT's figures and choices, after the specification's numbered items."""

from math import inf

import pytest

from agents.search import uct, upper_confidence
from agents.search.policy import Horizon, PolicyUnknown, policy
from agents.testing import history
from schemas.events import Event
from store.projections import tree

from .examples import graded, prepared, proposed, started


def grown(*events: Event, **search: int) -> tree.State:
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
