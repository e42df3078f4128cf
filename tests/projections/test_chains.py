"""The profile `code`: figures are carried upwards where a chain is left, and only there."""

from typing import Any

import pytest

from agents.testing import history
from schemas.events import (
    CodingFailed,
    Event,
    NodeProposed,
    RunStarted,
    Selection,
    SolutionGraded,
    WorkAbandoned,
)
from schemas.settings import Budget, Search, Settings
from store.projections import tree

Try = tuple[str | None, float | None]
"""The parent of a node and its score, None where it is broken."""


def proposed(node: str, parent: str | None, skipped: tuple[str, ...] = ()) -> NodeProposed:
    selection = Selection(visits=0, reward=0.0, exploration=1.0, value=None, skipped=skipped)
    return NodeProposed(
        node=node, parent=parent, action="draft", phase=1, instruction="", selection=selection
    )


def graded(node: str, metric: float | None, **more: Any) -> SolutionGraded:
    marks = {"valid": metric is not None, "buggy": metric is None} | more
    return SolutionGraded(node=node, metric=metric, obtained=None, analysis="", **marks)


def grown(*events: Event, profile: str = "code", **search: Any) -> tree.State:
    settings = Settings(search=Search(profile=profile, **search))  # type: ignore[arg-type]
    begin = RunStarted(
        task="t", folder="/t", settings=settings, budget=Budget(), seed=1, versions={}
    )
    state = tree.START
    for event in history(begin, *events):
        state = tree.apply(state, event)
    return state


def tried(*tries: Try) -> list[Event]:
    """Return what happens to n1, n2 and so on, one after the other."""
    return [
        event
        for number, (parent, metric) in enumerate(tries, 1)
        for event in (proposed(f"n{number}", parent), graded(f"n{number}", metric))
    ]


def figures(state: tree.State) -> list[tuple[int, float]]:
    """Return visits and reward of the root and every node."""
    return [(node.visits, node.reward) for node in state.nodes]


DRAFT: Try = (None, 0.5)
BROKEN: Try = (None, None)
SIX = [
    *tried(DRAFT, ("n1", 0.4), ("n2", None), ("n3", None)),
    proposed("n5", None),
    graded("n5", 0.3),
    proposed("n6", "n4"),
]
"""A sound draft, an improvement that failed, and two broken ones below; another draft beside."""


def flags(state: tree.State, name: str) -> str:
    """Return a node's flags: those of debug success, continued improving and an end."""
    node = state.node(name)
    told = {
        "success": node.is_debug_success,
        "improving": node.continue_improve,
        "end": node.terminal,
        f"{node.improve_failures} failures": node.improve_failures,
    }
    return " ".join(name for name, holds in told.items() if holds)


NAMES = [f"n{number}" for number in range(1, 7)]

REWARDS = [
    ("a broken draft", [BROKEN], -1, -1, None),
    ("a sound draft, the best so far", [DRAFT], 2, 1, None),
    ("a sound draft, not the best", [DRAFT, (None, 0.4)], 1, 0, None),
    ("a repair that works, the best so far", [BROKEN, ("n1", 0.5)], 3, 2, 1),
    ("a repair that works, not the best", [DRAFT, BROKEN, ("n2", 0.4)], 2, 1, 1),
    ("a repair that fails", [BROKEN, ("n1", None)], -1, -1, None),
    ("an improvement", [DRAFT, ("n1", 0.6)], 2, 1, None),
    ("an improvement that fails", [DRAFT, ("n1", 0.4)], 1, 0, None),
    ("a score of zero", [DRAFT, (None, 0.0)], 1, 0, 1),
    (
        "the fourth failure",
        [DRAFT, ("n1", 0.4), ("n2", 0.4), ("n3", 0.4), ("n4", 0.4)],
        1,
        1,
        1,
    ),
    (
        "a fourth failure that repairs and is the best",
        [DRAFT, ("n1", 0.5), ("n2", 0.5), ("n3", 0.5), ("n4", None), ("n5", 0.50005)],
        3,
        3,
        1,
    ),
    (
        "the third repair in vain",
        [BROKEN, ("n1", None), ("n2", None), ("n3", None)],
        -1,
        -1,
        -1,
    ),
]


@pytest.mark.parametrize(
    ("tries", "fixed", "paper", "code"),
    [each[1:] for each in REWARDS],
    ids=[each[0] for each in REWARDS],
)
def test_the_reward_of_a_verdict_in_each_profile(
    tries: list[Try], fixed: float, paper: float, code: float | None
) -> None:
    last = f"n{len(tries)}"
    assert grown(*tried(*tries), profile="fixed").node(last).reward == fixed
    assert grown(*tried(*tries), profile="paper").node(last).reward == paper
    node = grown(*tried(*tries)).node(last)
    assert (node.visits, node.reward) == ((0, 0.0) if code is None else (1, code))


@pytest.mark.parametrize(
    ("tries", "goes_on"),
    [
        ([DRAFT], True),
        ([DRAFT, ("n1", 0.6)], True),
        ([DRAFT, ("n1", 0.4)], True),
        ([BROKEN], True),
        ([BROKEN, ("n1", None), ("n2", None)], True),
        ([BROKEN, ("n1", None), ("n2", None), ("n3", None)], False),
        ([BROKEN, ("n1", 0.5)], False),
        ([(None, 0.0)], False),
        ([(None, 0.5), ("n1", 0.0)], False),
    ],
)
def test_whoever_made_a_node_stays_with_it_or_leaves(tries: list[Try], *, goes_on: bool) -> None:
    state = grown(*tried(*tries))
    last = state.node(f"n{len(tries)}")
    assert (last.order in state.chains) == goes_on
    assert not last.terminal
    way = [last, *state.ancestors(last)]
    assert {each.visits for each in way} == {0 if goes_on else 1}


def test_ordinary_improvements_visit_nobody() -> None:
    tries: list[Try] = [DRAFT, ("n1", 0.6), ("n2", 0.7), ("n3", 0.65), ("n4", 0.8)]
    state = grown(*tried(*tries))
    assert figures(state) == [(0, 0.0)] * 6
    assert state.chains == {5}
    assert [state.node(f"n{n}").local_best for n in range(1, 6)] == ["n1", "n2", "n3", "n3", "n5"]
    assert state.node("n3").improve_failures == 1


def test_a_gain_of_the_threshold_is_one_and_less_is_a_failure() -> None:
    enough = grown(*tried((None, 1.0), ("n1", 1.5)), improvement_threshold=0.5)
    assert enough.node("n2").local_best == "n2"
    short = grown(*tried((None, 1.0), ("n1", 1.25)), improvement_threshold=0.5)
    assert short.node("n2").local_best == "n1"
    assert short.node("n1").improve_failures == 1


FAILED_THRICE: list[Try] = [DRAFT, ("n1", 0.4), ("n2", 0.5), ("n3", 0.50005)]


def test_the_fourth_failure_of_the_same_best_is_an_end_and_rewarded_once() -> None:
    before = grown(*tried(*FAILED_THRICE))
    assert before.node("n1").improve_failures == 3
    assert [before.node(f"n{n}").continue_improve for n in (1, 2, 3, 4)] == [True] * 4
    assert figures(before) == [(0, 0.0)] * 5
    assert before.chains == {4}

    after = grown(*tried(*FAILED_THRICE, ("n4", 0.3)))
    assert after.node("n5").terminal
    assert figures(after) == [(1, 1.0)] * 6
    assert [node.improve_failures for node in after.nodes] == [0] * 6
    assert [node.continue_improve for node in after.nodes] == [False] * 6
    assert not after.chains
    assert after.node("n5").local_best == "n1"


def test_a_failure_is_counted_on_the_best_however_far_above_it_is() -> None:
    other: list[Event] = [proposed("m1", None), graded("m1", 0.9)]
    state = grown(*other, *tried(*FAILED_THRICE[:3]))
    assert state.node("n1").improve_failures == 2
    assert state.node("m1").improve_failures == 0


def test_a_chain_that_is_always_broken_is_left_after_three_repairs_and_ends_at_twenty() -> None:
    chain: list[Try] = [BROKEN]
    for repairs in range(1, 21):
        chain.append((f"n{repairs}", None))
        state = grown(*tried(*chain))
        last = state.node(f"n{repairs + 1}")
        assert last.debug_depth == repairs
        assert (last.order in state.chains) == (repairs < 3)
        visits = max(0, repairs - 2)
        assert (state.root.visits, state.root.reward) == (visits, -visits)
        assert last.terminal == (repairs == 20)


def test_only_who_leaves_can_be_an_end() -> None:
    state = grown(*tried(BROKEN, ("n1", None)), return_debug_depth=3, max_debug_depth=1)
    assert not state.node("n2").terminal
    assert state.node("n2").order in state.chains


def test_what_a_repair_at_the_end_of_a_chain_changes_on_its_way_up() -> None:
    before, after = grown(*SIX), grown(*SIX, graded("n6", 0.45))
    assert [flags(before, name) for name in NAMES] == [
        "improving 1 failures",
        "improving",
        "",
        "",
        "improving",
        "",
    ]
    assert [flags(after, name) for name in NAMES] == [
        "improving",  # sound: nothing was repaired in it; its failures are forgotten
        "improving",
        "success improving",
        "success improving",
        "improving",  # beside the way: as it was
        "improving",
    ]
    assert figures(before) == [(0, 0.0)] * 7
    way = [after.root.name, "n1", "n2", "n3", "n4", "n6"]
    assert {node.name for node in after.nodes if node.visits == 1} == set(way)
    assert not after.root.is_debug_success
    assert not after.root.continue_improve


def test_a_draft_is_free_again_where_its_chain_was_left() -> None:
    before, after = grown(*SIX), grown(*SIX, graded("n6", 0.45))
    assert set(before.in_flight) == {"n6"}
    assert before.chains == {5}
    assert not after.in_flight
    assert after.chains == {5}, "only the other draft's"


@pytest.mark.parametrize(
    "end",
    [
        CodingFailed(node="n6", why="no"),
        WorkAbandoned(role="coder", event="ModelAsked", about="coder.n6-3", why="no"),
        WorkAbandoned(role="executor", event="JobQueued", about="cpu.n6", why="no"),
    ],
)
def test_a_node_that_failed_frees_its_place_and_counts_as_no_visit(end: Event) -> None:
    state = grown(*SIX, end)
    assert state.node("n4").children == ()
    assert figures(state) == [(0, 0.0)] * 7
    assert [flags(state, name) for name in NAMES[:5]] == ["", "", "", "", "improving"]
    assert not state.in_flight
    assert state.chains == {5}
    assert state.failed == 1


def test_a_chosen_end_is_visited_for_nothing_and_re_opens_those_above_it() -> None:
    ended = tried(*FAILED_THRICE, ("n4", 0.3))
    before = grown(*ended)
    after = grown(*ended, proposed("n6", None, skipped=("n5", "n5", "nobody")))
    assert [node.visits - old.visits for node, old in zip(after.nodes, before.nodes)] == [2] * 6  # noqa: B905 - one was added
    assert [node.reward for node in after.nodes][:6] == [1.0] * 6
    assert after.node("n5").children == ()


@pytest.mark.parametrize("metric", [0.5, None])
def test_whoever_made_what_was_refused_stays_to_repair_it(metric: float | None) -> None:
    state = grown(proposed("n1", None), graded("n1", metric, valid=False, buggy=False))
    assert state.chains == {1}
    assert state.node("n1").defective
    assert state.best is None


def test_repairs_of_what_was_refused_with_a_score_are_no_chain() -> None:
    refused = [proposed("n1", None), graded("n1", 0.5, valid=False)]
    state = grown(*refused, proposed("n2", "n1"), graded("n2", None), proposed("n3", "n2"))
    assert [state.node(f"n{n}").debug_depth for n in (1, 2, 3)] == [0, 0, 1]


def test_what_has_no_score_is_broken() -> None:
    unscored = graded("n1", None, buggy=False)
    state = grown(proposed("n1", None), unscored, proposed("n2", "n1"))
    assert state.node("n1").buggy
    assert state.node("n2").debug_depth == 1
    assert state.buggy == 1
    assert not grown(proposed("n1", None), unscored, profile="fixed").node("n1").buggy
