"""A pool of workers without any I/O: the planner proposes, scripted outcomes land in any order."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from msgspec.structs import replace

from agents import planner
from agents.testing import history, recorded
from schemas.events import (
    CodingFailed,
    Event,
    NodeProposed,
    RunFinished,
    SolutionWritten,
    WorkAbandoned,
)
from store.projections import tree
from store.projections.tree import State

from .examples import RECALLED, graded, prepared, started

Outcome = Callable[[Random], float | None]
"""Draws the score of a program; None where it is broken."""


def mostly_broken(chance: Random) -> float | None:
    """Draw an outcome as often broken as in the real runs of ML-Master 1.0, now and then zero."""
    if chance.random() < 0.57:
        return None
    return 0.0 if chance.random() < 0.03 else round(chance.random(), 3)


class Pool:
    """One run of the profile `code`, unless another is set: what is in flight ends by lot.

    With *failing* as the probability, work is given up: by the model, a coder or an executor; with
    *refused*, the submission of a program that ran is not valid.
    """

    def __init__(
        self,
        seed: int,
        *,
        nodes: int,
        outcome: Outcome = mostly_broken,
        failing: float = 0.0,
        refused: float = 0.0,
        lower_is_better: bool = False,
        **search: Any,
    ) -> None:
        self.log: list[Event] = []
        self._chance = Random(seed)  # noqa: S311 - a script of outcomes, not a secret
        self._outcome, self._failing, self._refused = outcome, failing, refused
        settings: dict[str, Any] = {"profile": "code", "max_coding_failures": 10**6} | search
        self._begin: list[Event] = [
            started(nodes=nodes, **settings),
            prepared(lower_is_better=lower_is_better),
            RECALLED,
        ]
        self._state = planner.State()

    @property
    def tree(self) -> State:
        return self._state.tree

    @property
    def end(self) -> RunFinished:
        last = self.log[-1]
        assert isinstance(last, RunFinished)
        return last

    @property
    def proposals(self) -> list[NodeProposed]:
        return [each for each in self.log if isinstance(each, NodeProposed)]

    def run(self) -> Iterator[tuple[State, Event]]:
        """Yield every event with the tree before it, until the run is over."""
        for event in self._begin:
            yield from self._say(event)
        while not self._state.finished:
            assert self.tree.in_flight, "nothing is under way and the run is not over"
            under_way = sorted(self.tree.in_flight, key=self.tree.orders.__getitem__)
            yield from self._say(self._next(self._chance.choice(under_way)))

    def finished(self) -> "Pool":
        """Run to the end."""
        for _ in self.run():
            pass
        return self

    def _say(self, event: Event) -> Iterator[tuple[State, Event]]:
        """Record an event and what is decided on it."""
        waiting = [event]
        while waiting:
            event = waiting.pop(0)
            self.log.append(event)
            told = recorded(event, seq=len(self.log), seconds=len(self.log) / 100)
            before = self.tree
            self._state = planner.evolve(self._state, told)
            if type(event) in planner.role.consumes:
                waiting += planner.decide(self._state, told)
            yield before, event

    def _next(self, node: str) -> Event:
        """Return what happens to a node in flight: it is written, then it lands, or is given up."""
        written = self.tree.node(node).state == "written"
        if self._chance.random() < self._failing:
            if written:
                return WorkAbandoned(
                    role="executor", event="JobQueued", about=f"cpu.{node}", why=""
                )
            if self._chance.random() < 0.5:
                return WorkAbandoned(role="coder", event="NodeProposed", about=node, why="")
            return CodingFailed(node=node, why="")
        if not written:
            return SolutionWritten(node=node, plan="", code="")
        if self._chance.random() < self._refused:
            return replace(graded(node), buggy=False)
        return graded(node, self._outcome(self._chance))


def grown(*events: Event, **search: Any) -> State:
    """Return the tree of the profile `code`, unless another is set, after *events*."""
    settings: dict[str, Any] = {"profile": "code"} | search
    state = tree.START
    for event in history(started(**settings), prepared(), *events):
        state = tree.apply(state, event)
    return state
