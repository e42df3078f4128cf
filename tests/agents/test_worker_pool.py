"""Pools of workers under the profile `code`: what holds whatever comes of the nodes, in any order."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.search import released
from agents.search.policy import Horizon
from schemas.events import (
    CodingFailed,
    Event,
    NodeProposed,
    SolutionGraded,
    SolutionWritten,
    WorkAbandoned,
)
from store.projections import tree
from store.projections.tree import State

from .pool import Pool, mostly_broken
from .released_model import Model, figures

SEEDS = st.integers(0, 2**32)


def branches(state: State) -> list[int]:
    """Return the drafts below which there is a node in flight, once for each such node."""
    return [state.nodes[progress.order].branch for progress in state.in_flight.values()]


def selects(state: State, proposal: NodeProposed) -> bool:
    """Return whether a worker came down from the root for *proposal*, past the drafting."""
    stays = proposal.parent and state.orders[proposal.parent] in state.chains
    return proposal.parent is not None and not stays


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    workers=st.integers(1, 8),
    nodes=st.integers(1, 120),
    failing=st.sampled_from([0.0, 0.1, 0.5]),
    refused=st.sampled_from([0.0, 0.2]),
)
def test_the_limits_hold_whatever_fails(
    seed: int, workers: int, nodes: int, failing: float, refused: float
) -> None:
    pool = Pool(seed, nodes=nodes, workers=workers, failing=failing, refused=refused)
    for before, event in pool.run():
        if isinstance(event, NodeProposed):
            _one_more_is_within_the_limits(before, event, nodes)
        assert len(pool.tree.in_flight) <= workers
        below = branches(pool.tree)
        assert len(below) == len(set(below)), "two work below one draft"
        taken = released._taken(pool.tree)
        held = {pool.tree.nodes[order].branch for order in pool.tree.chains}
        assert taken == set(below) | held, "a draft is taken and nobody works below it"
    assert len(pool.proposals) == nodes == pool.end.nodes
    assert pool.end.why == "nodes"
    assert not pool.tree.in_flight


def _one_more_is_within_the_limits(before: State, proposal: NodeProposed, nodes: int) -> None:
    if proposal.parent is None:
        most = len(before.root.children) < 5
        stuck = not before.in_flight and released.select(before, Horizon(nodes=nodes)) is None
        assert most or stuck, "a sixth draft, though something else could be done"
        assert proposal.action == "draft"
        return
    parent = before.node(proposal.parent)
    assert parent.state == "graded"
    assert not parent.terminal
    assert proposal.action == ("debug" if parent.buggy else "improve")
    assert len(parent.children) < (1 if parent.buggy else 3)


@pytest.mark.parametrize(("workers", "at_once"), [(None, 3), (1, 1), (5, 5), (8, 5)])
def test_as_many_begin_as_there_are_workers_and_drafts(workers: int | None, at_once: int) -> None:
    pool = Pool(1, nodes=20, workers=workers)
    begun = (pool.tree for _, event in pool.run() if isinstance(event, SolutionWritten))
    assert len(next(begun).in_flight) == at_once


@pytest.mark.parametrize("failing", [0.0, 0.2])
def test_five_drafts_come_before_any_revisit_in_a_hundred_orders(failing: float) -> None:
    revisits = 0
    for seed in range(100):
        pool = Pool(seed, nodes=60, failing=failing)
        for before, event in pool.run():
            if isinstance(event, NodeProposed) and selects(before, event):
                assert len(before.root.children) == 5
                revisits += 1
        assert Counter(each.parent for each in pool.proposals)[None] >= 5
    assert revisits > 100


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    workers=st.integers(1, 8),
    failing=st.sampled_from([0.0, 0.1, 0.3]),
    lower=st.booleans(),
    broken=st.sampled_from([0.2, 0.57, 0.9]),
    refused=st.sampled_from([0.0, 0.2]),
)
def test_every_figure_and_every_choice_is_that_of_the_released_code(
    *, seed: int, workers: int, failing: float, lower: bool, broken: float, refused: float
) -> None:
    pool = Pool(
        seed,
        nodes=120,
        workers=workers,
        failing=failing,
        refused=refused,
        lower_is_better=lower,
        outcome=lambda chance: None if chance.random() < broken else round(chance.random(), 1),
    )
    model = Model(lower_is_better=lower)
    for before, event in pool.run():
        if isinstance(event, NodeProposed):
            if event.parent is None and len(before.root.children) >= 5:
                break  # nothing but ends is left, where the released code looks for ever
            _chooses_alike(model, before, event)
        _follow(model, event)
        for node in pool.tree.nodes:
            if node.state == "graded" or not node.order:
                assert figures(node) == model.figures(node.name), (event, node.name)


def _chooses_alike(model: Model, before: State, proposal: NodeProposed) -> None:
    parent, skipped = proposal.parent or "root", proposal.selection.skipped
    if model.chains:
        assert (parent, skipped) == (model.chains[0], ())
        assert before.orders[parent] == min(before.chains)
        return
    assert model.select(proposal.selection.exploration) == (parent, skipped)


def _follow(model: Model, event: Event) -> None:
    match event:
        case NodeProposed(node=node, parent=parent):
            model.begin(node, parent or "root")
        case SolutionWritten(node=node):
            model.write(node)
        case SolutionGraded(node=node, metric=metric):
            model.land(node, metric)
        case CodingFailed(node=node):
            model.roll_back(node)
        case WorkAbandoned(about=about):
            model.roll_back(tree.node_of(about))
        case _:
            pass


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, workers=st.integers(1, 8), failing=st.sampled_from([0.0, 0.2]))
def test_figures_change_only_where_a_chain_is_left_or_an_end_is_chosen(
    seed: int, workers: int, failing: float
) -> None:
    pool = Pool(seed, nodes=80, workers=workers, failing=failing)
    for before, event in pool.run():
        visits = [after.visits - node.visits for node, after in zip(before.nodes, pool.tree.nodes)]  # noqa: B905 - nodes may be added
        if isinstance(event, SolutionGraded):
            node = pool.tree.node(event.node)
            left = node.order not in pool.tree.chains
            way = {node.order, *(each.order for each in pool.tree.ancestors(node))}
            expected = [int(left and order in way) for order in range(len(visits))]
            assert visits == expected
        elif isinstance(event, NodeProposed):
            assert visits[0] == len(event.selection.skipped)
        else:
            assert not any(visits)


@pytest.mark.parametrize("profile", ["code", "fixed", "paper"])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, failing=st.sampled_from([0.0, 0.1]))
def test_a_score_to_be_lowered_is_searched_like_its_negative(
    profile: str, seed: int, failing: float
) -> None:
    def searched(*, lower: bool) -> Pool:
        sign = -1 if lower else 1
        pool = Pool(
            seed,
            nodes=80,
            profile=profile,
            failing=failing,
            lower_is_better=lower,
            outcome=lambda chance: _signed(mostly_broken(chance), sign),
        ).finished()
        assert not pool.tree.in_flight
        return pool

    higher, lower = searched(lower=False), searched(lower=True)
    assert higher.proposals == lower.proposals
    for node, other in zip(higher.tree.nodes, lower.tree.nodes, strict=True):
        assert (figures(node), node.exhausted) == (figures(other), other.exhausted)
        assert node.metric == _signed(other.metric, -1)
    assert higher.end.best == lower.end.best
    scores = [each.metric for each in lower.tree.nodes if each.metric is not None]
    assert lower.end.metric == min(scores, default=None)


def _signed(metric: float | None, sign: int) -> float | None:
    return None if metric is None else sign * metric
