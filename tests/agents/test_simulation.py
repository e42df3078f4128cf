"""Whole runs without any I/O: the roles decide, scripted outcomes land in any order."""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents import coder, fuser, planner, repeater
from agents.role import Role
from agents.testing import recorded
from schemas.envelope import Recorded
from schemas.events import (
    CodingFailed,
    Event,
    JobQueued,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    RunFinished,
    SearchClosed,
    SolutionGraded,
)
from schemas.settings import Select
from schemas.task import Artifact
from store.projections import tree

from .examples import RECALLED, answered, executed, graded, prepared, started


class Actor:
    """A role with its state, as a worker keeps it."""

    def __init__(self, role: Role[Any]) -> None:
        self.role = role
        self.state = role.start

    def take(self, event: Recorded[Any]) -> Sequence[Event]:
        if type(event.data) in self.role.follows:
            self.state = self.role.evolve(self.state, event)
        if self.role.decide is None or type(event.data) not in self.role.consumes:
            return ()
        return self.role.decide(self.state, event)


class World:
    """One run: everything recorded, and what models, executors and the grader have still to do."""

    def __init__(self, seed: int, latency: float = 0.0) -> None:
        self.latency = latency
        self.chance = Random(seed)  # noqa: S311 - a script of outcomes, not a secret
        self.actors = [
            Actor(each) for each in (planner.role, coder.role, fuser.role, repeater.role)
        ]
        self.log: list[Event] = []
        self.open: list[Event] = []
        self.most_in_flight = 0

    @property
    def planner(self) -> planner.State:
        state: planner.State = self.actors[0].state
        return state

    def say(self, *events: Event) -> None:
        """Record events and all that is decided on them."""
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            self.log.append(event)
            self.most_in_flight = max(self.most_in_flight, len(self.planner.tree.in_flight))
            if isinstance(event, ModelAsked | JobQueued):
                self.open.append(event)
            told = recorded(event, seq=len(self.log), seconds=len(self.log) / 100)
            for actor in self.actors:
                waiting += actor.take(told)

    def run(self) -> RunFinished:
        """Let open work end, one at a time and in any order, until the run is over."""
        while not self.planner.finished:
            assert self.open, "nothing is under way and the run is not over"
            work = self.open.pop(self.chance.randrange(len(self.open)))
            self.say(*self.outcome(work))
        (end,) = self.all(RunFinished)
        assert isinstance(end, RunFinished)
        return end

    def outcome(self, work: Event) -> list[Event]:
        if isinstance(work, ModelAsked):
            node, number = work.call.split("-")
            reply = {} if self.chance.random() < 0.9 else {"reply": "no"}
            return [answered(node, int(number), seconds=self.latency, **reply)]
        assert isinstance(work, JobQueued)
        metric = None if self.chance.random() < 0.4 else round(self.chance.random(), 2)
        rows = Artifact(sha256=work.node, size=1, name="submission.csv")
        return [replace(executed(work.node), submission=rows), graded(work.node, metric)]

    def all(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.log if type(event) is kind]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    slots=st.integers(1, 8),
    lookahead=st.integers(1, 4),
    most=st.integers(1, 8),
    latency=st.floats(0.0, 20.0),
    lower=st.booleans(),
)
def test_a_run_of_200_nodes_keeps_its_limits_and_ends_with_the_best(
    *, seed: int, slots: int, lookahead: int, most: int, latency: float, lower: bool
) -> None:
    world = World(seed, latency)
    ahead = {"lookahead": lookahead, "max_lookahead": most}
    begin = started(nodes=200, slots=slots, max_coding_failures=50, closing=("fuser",), **ahead)
    world.say(begin, prepared(lower_is_better=lower), RECALLED)
    end = world.run()
    names = [each.node for each in world.all(NodeProposed)]
    assert names == [*(f"n{n}" for n in range(1, 201)), "fuse1"]
    assert len(world.all(SearchClosed)) == 1
    assert world.most_in_flight <= slots * max(lookahead, most)
    sound = [each for each in world.all(SolutionGraded) if each.metric is not None]
    metrics = [each.metric for each in sound]
    best = min(metrics) if lower else max(metrics)
    assert (end.metric, end.best) == (best, sound[metrics.index(best)].node)
    assert (end.why, end.failed, end.nodes) == ("nodes", False, 200)
    _limits_hold(world)
    _phases_part_the_grades(world)
    _statistics_add_up(world.planner.tree)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), lower=st.booleans())
def test_a_run_that_chooses_by_repeats_ends_with_one_of_the_best(*, seed: int, lower: bool) -> None:
    world = World(seed)
    select = Select(final="robust", candidates=4, repeats=2)
    begin = started(nodes=30, slots=2, closing=("fuser",), select=select)
    world.say(begin, prepared(lower_is_better=lower), RECALLED)
    end = world.run()
    metrics = {each.node: each.metric for each in world.all(SolutionGraded)}
    searched = [metrics.get(each.node) for each in world.all(NodeProposed) if not each.step]
    better = sorted((each for each in searched if each is not None), reverse=not lower)[:4]
    repeats = [each for each in world.all(NodeProposed) if each.action == "repeat"]
    assert len(repeats) == 8
    assert [each.parent for each in repeats[:4]] == [each.parent for each in repeats[4:]]
    assert end.best == "fuse1" or end.metric in better
    assert (end.metric, end.nodes) == (metrics[end.best or ""], 30)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_same_script_gives_the_same_log(seed: int) -> None:
    def log() -> list[Event]:
        world = World(seed)
        world.say(started(nodes=30, slots=2), prepared(), RECALLED)
        world.run()
        return world.log

    assert log() == log()


def _limits_hold(world: World) -> None:
    failed = {each.node for each in world.all(CodingFailed)}
    metric = {each.node: each.metric for each in world.all(SolutionGraded)}
    children: dict[str | None, int] = {}
    for each in world.all(NodeProposed):
        if each.node not in failed and not each.step:
            children[each.parent] = children.get(each.parent, 0) + 1
        if each.parent:
            assert each.action == ("debug" if metric[each.parent] is None else "improve")
    for parent, count in children.items():
        if parent:
            assert count <= (1 if metric[parent] is None else 3)


def _phases_part_the_grades(world: World) -> None:
    closed = [node for each in world.all(PhaseClosed) for node in each.nodes]
    assert [*closed, "fuse1"] == [each.node for each in world.all(SolutionGraded)]


def _statistics_add_up(grown: tree.State) -> None:
    for node in grown.nodes:
        below = grown.children(node)
        own = node.visits - sum(each.visits for each in below)
        assert own >= (node.state == "graded")
        assert grown.root.visits == grown.graded + grown.failed
