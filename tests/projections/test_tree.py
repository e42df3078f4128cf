"""The search tree's rules: states, rewards, chains and their ends."""

import pytest

from agents.testing import history
from schemas.events import (
    Action,
    CodingFailed,
    Event,
    ExecutionFinished,
    ExecutionStarted,
    NodeProposed,
    RunFinished,
    RunStarted,
    Selection,
    SolutionGraded,
    SolutionWritten,
    WorkAbandoned,
)
from schemas.settings import Budget, Search, Settings
from store.projections import tree


def started(**search: float) -> RunStarted:
    settings = Settings(search=Search(**search))  # type: ignore[arg-type]
    return RunStarted(
        task="t", folder="/t", settings=settings, budget=Budget(), seed=1, versions={}
    )


def proposed(
    node: str, parent: str | None = None, step: str = "", action: Action = "draft"
) -> NodeProposed:
    selection = Selection(visits=0, reward=0.0, exploration=1.0, value=None)
    return NodeProposed(
        node=node,
        parent=parent,
        action=action,
        phase=1,
        instruction="",
        selection=selection,
        step=step,
    )


def graded(node: str, metric: float | None, *, valid: bool = True) -> SolutionGraded:
    return SolutionGraded(
        node=node,
        metric=metric,
        obtained=None,
        valid=valid and metric is not None,
        buggy=metric is None,
        analysis="",
    )


def grown(*events: Event) -> tree.State:
    state = tree.START
    for event in history(*events):
        state = tree.apply(state, event)
    return state


def tried(node: str, parent: str | None, metric: float | None) -> list[Event]:
    return [proposed(node, parent), graded(node, metric)]


def test_a_node_goes_through_its_states() -> None:
    done = ExecutionFinished(
        node="n1", attempt=1, outcome="ok", why="", head="", tail="", seconds=3.0
    )
    begun = ExecutionStarted(
        node="n1", attempt=1, host="h", slot=0, sandbox="process", protections=()
    )
    steps: list[Event] = [
        proposed("n1"),
        SolutionWritten(node="n1", plan="p", code="c"),
        begun,
        done,
        graded("n1", 0.5),
    ]
    states = [grown(*steps[:n]).node("n1").state for n in range(1, 6)]
    assert states == ["proposed", "written", "running", "executed", "graded"]
    assert grown(*steps).node("n1").seconds == 3.0
    assert len(grown(*steps[:4]).in_flight) == 1
    assert len(grown(*steps).in_flight) == 0


@pytest.mark.parametrize(
    ("events", "node", "reward"),
    [
        (tried("n1", None, None), "n1", -1.0),
        (tried("n1", None, 0.0), "n1", 2.0),
        ([*tried("n1", None, 0.5), *tried("n2", None, 0.4)], "n2", 1.0),
        ([*tried("n1", None, None), *tried("n2", "n1", 0.4)], "n2", 3.0),
        ([proposed("n1"), graded("n1", 0.5, valid=False)], "n1", -1.0),
    ],
)
def test_rewards(events: list[Event], node: str, reward: float) -> None:
    state = grown(started(), *events)
    assert state.node(node).reward == reward


FAILED_THRICE = [
    *tried("n1", None, 0.5),
    *tried("n2", "n1", 0.5),
    *tried("n3", "n2", 0.5),
    *tried("n4", "n3", 0.5),
]


@pytest.mark.parametrize(
    ("events", "node", "reward"),
    [
        (tried("n1", None, None), "n1", -1.0),
        (tried("n1", None, 0.5), "n1", 1.0),
        ([*tried("n1", None, 0.5), *tried("n2", None, 0.4)], "n2", 0.0),
        ([*tried("n1", None, None), *tried("n2", "n1", 0.4)], "n2", 2.0),
        ([*FAILED_THRICE, *tried("n5", "n4", 0.4)], "n5", 1.0),
        ([*FAILED_THRICE, *tried("n5", "n4", 0.5005)], "n5", 2.0),
        ([*FAILED_THRICE, *tried("n5", "n4", None), *tried("n6", "n5", 0.5005)], "n6", 3.0),
    ],
)
def test_rewards_of_the_paper(events: list[Event], node: str, reward: float) -> None:
    paper = RunStarted(
        task="t",
        folder="/t",
        settings=Settings(search=Search(profile="paper")),
        budget=Budget(),
        seed=1,
        versions={},
    )
    assert grown(paper, *events).node(node).reward == reward


def test_a_profile_brings_its_own_threshold_and_schedule() -> None:
    paper, fixed = Search(profile="paper"), Search()
    assert (paper.threshold, paper.schedule) == (0.001, "constant")
    assert (fixed.threshold, fixed.schedule) == (0.0001, "piecewise")
    own = Search(profile="paper", improvement_threshold=0.0, exploration_schedule="linear")
    assert (own.threshold, own.schedule) == (0.0, "linear")


def test_a_reward_reaches_every_ancestor_once() -> None:
    state = grown(*tried("n1", None, 0.5), *tried("n2", "n1", 0.6), *tried("n3", "n2", None))
    figures = [(each.visits, each.reward) for each in state.nodes]
    assert figures == [(3, 3.0), (3, 3.0), (2, 1.0), (1, -1.0)]


def test_ties_keep_the_earlier_and_invalid_nodes_are_never_best() -> None:
    state = grown(*tried("n1", None, 0.5), *tried("n2", None, 0.5))
    assert state.best == state.node("n1")
    state = grown(proposed("n1"), graded("n1", 0.9, valid=False), *tried("n2", None, 0.1))
    assert state.best is not None
    assert state.best.name == "n2"


def test_the_fourth_failure_to_improve_ends_the_branch_and_opens_its_ancestors() -> None:
    events = tried("n1", None, 0.5)
    for n in range(2, 5):
        events += tried(f"n{n}", f"n{n - 1}", 0.5)
    before = grown(started(), *events)
    assert before.node("n1").improve_failures == 3
    assert before.node("n4").continue_improve
    after = grown(started(), *events, *tried("n5", "n4", 0.4))
    assert after.node("n5").terminal
    assert after.node("n1").improve_failures == 0
    assert not after.node("n1").continue_improve
    assert after.node("n5").local_best == "n1"


def test_a_gain_above_the_threshold_makes_a_new_local_best() -> None:
    events = [*tried("n1", None, 0.5), *tried("n2", "n1", 0.5002), *tried("n3", "n2", 0.50025)]
    state = grown(started(improvement_threshold=0.0001), *events)
    assert state.node("n2").local_best == "n2"
    assert state.node("n3").local_best == "n2"
    assert state.node("n2").improve_failures == 1


def test_a_chain_of_repairs_is_terminal_at_its_greatest_depth() -> None:
    events = tried("n1", None, None)
    for n in range(2, 5):
        events += tried(f"n{n}", f"n{n - 1}", None)
    state = grown(started(max_debug_depth=3), *events)
    assert [state.node(f"n{n}").debug_depth for n in range(1, 5)] == [0, 1, 2, 3]
    assert state.node("n4").terminal
    assert state.node("n1").exhausted


def test_a_repair_that_works_is_remembered_by_the_broken_above_it() -> None:
    events = [*tried("n1", None, None), *tried("n2", "n1", None), *tried("n3", "n2", 0.5)]
    state = grown(*events)
    assert state.node("n1").is_debug_success
    assert state.node("n2").is_debug_success
    assert not state.root.is_debug_success


@pytest.mark.parametrize(
    "end",
    [
        CodingFailed(node="n2", why="no"),
        WorkAbandoned(role="coder", event="ModelAsked", about="coder.n2-3", why="no"),
        WorkAbandoned(role="executor", event="JobQueued", about="cpu.n2", why="no"),
    ],
)
def test_a_node_that_was_never_written_leaves_its_place_free(end: Event) -> None:
    state = grown(*tried("n1", None, None), proposed("n2", "n1"), end)
    assert state.node("n2").state == "failed"
    assert state.node("n1").children == ()
    assert state.node("n1").order in state.chains
    assert (state.root.visits, state.root.reward) == (2, -1.0)
    assert len(state.in_flight) == 0


def test_a_second_grade_changes_nothing() -> None:
    once = grown(*tried("n1", None, 0.5))
    assert grown(*tried("n1", None, 0.5), graded("n1", 0.9)) == once


@pytest.mark.parametrize("metric", [0.6, 0.4, None])
def test_a_node_beside_the_search_changes_nothing_but_the_best(metric: float | None) -> None:
    before = grown(started(), *tried("n1", None, 0.5), *tried("n2", "n1", None))
    after = grown(
        *(started(), *tried("n1", None, 0.5), *tried("n2", "n1", None)),
        *(proposed("p1", "n1", step="polisher"), graded("p1", metric)),
    )
    assert [*after.nodes][:-1] == [*before.nodes]
    assert (after.proposed, after.graded, after.buggy) == (2, 2, 1)
    assert (after.chains, len(after.in_flight)) == (before.chains, 0)
    assert (after.node("p1").state, after.node("p1").parent) == ("graded", "n1")
    assert (after.step_of("p1"), after.step_of("n1"), after.step_of("n9")) == ("polisher", "", "")
    assert after.best
    assert after.best.name == ("p1" if metric == 0.6 else "n1")


def test_a_node_beside_the_search_that_comes_to_nothing_is_no_longer_in_flight() -> None:
    lost = WorkAbandoned(role="executor", event="JobQueued", about="cpu.p1", why="no")
    state = grown(*tried("n1", None, 0.5), proposed("p1", None, step="polisher"), lost)
    assert (state.node("p1").state, state.failed, len(state.in_flight)) == ("failed", 0, 0)
    assert state.root.children == ("n1",)
    assert (state.root.visits, state.root.reward) == (1, 2.0)


def test_the_scores_of_repeats_are_kept_at_the_solution_and_are_none_of_their_own() -> None:
    repeats = [proposed(f"n1r{n}", "n1", "repeater", "repeat") for n in (1, 2, 3)]
    landed = [graded("n1r1", 0.9), graded("n1r2", None), graded("n1r3", 0.4)]
    before = grown(*tried("n1", None, 0.5))
    after = grown(*tried("n1", None, 0.5), *repeats, *landed)
    assert after.node("n1").repeats == (0.9, 0.4)
    assert after.best
    assert (after.best.name, after.best.metric) == ("n1", 0.5)
    assert after.node("n1").visits == before.node("n1").visits
    assert after.node("n1").children == ()
    assert (after.proposed, after.graded, after.buggy) == (1, 1, 0)


def test_what_was_handed_over_is_the_best_in_the_end() -> None:
    end = RunFinished(best="n2", metric=0.4, why="nodes", failed=False, nodes=2, buggy=0)
    state = grown(*tried("n1", None, 0.5), *tried("n2", None, 0.4), end)
    assert state.best == state.node("n2")
    failed = RunFinished(best=None, metric=None, why="time", failed=True, nodes=1, buggy=1)
    assert grown(*tried("n1", None, None), failed).best is None
