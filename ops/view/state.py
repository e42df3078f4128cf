"""What the terminal view knows of a run: a pure fold of its events, on top of the store's folds."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas import events as said
from schemas.envelope import Recorded
from store.projections import actors as actors_fold
from store.projections import ledger as ledger_fold
from store.projections import tree as tree_fold

STAGES = ("writing", "waiting", "running", "grading", "good", "buggy", "unwritten")
"""A node's life in the words that people are shown; the last three are its ends."""

_SHOWN = {"proposed": "writing", "written": "waiting", "running": "running", "executed": "grading"}


class Best(Struct, frozen=True, kw_only=True):
    """A new best score, and when it was reached."""

    time: datetime
    node: str
    metric: float


class Doing(Struct, frozen=True, kw_only=True):
    """Something under way: which role does what since when."""

    role: str
    what: str
    since: datetime


class State(Struct, frozen=True, kw_only=True):
    """A run as people watch it."""

    tree: tree_fold.State = tree_fold.START
    ledger: ledger_fold.State = ledger_fold.START
    actors: actors_fold.State = actors_fold.START
    started: Recorded[said.RunStarted] | None = None
    prepared: said.TaskPrepared | None = None
    finished: Recorded[said.RunFinished] | None = None
    closing: bool = False
    paused: bool = False
    bests: tuple[Best, ...] = ()
    doing: Mapping[str, Doing] = {}

    @property
    def best(self) -> Best | None:
        """The best graded node so far."""
        return self.bests[-1] if self.bests else None

    @property
    def priced(self) -> bool:
        """Whether any answer of a model had a known price."""
        return any(each.calls > each.unpriced for each in self.ledger.accounts.values())

    def improves(self, metric: float, than: float | None) -> bool:
        """Return whether *metric* is better than another, or the first."""
        if than is None:
            return True
        return tree_fold.gain(metric, than, lower_is_better=self.tree.lower_is_better) > 0

    def is_record(self, node: str, metric: float) -> bool:
        """Return whether *node* is the best so far with that score; a repeat is no solution."""
        order = self.tree.orders.get(node)
        repeat = order is not None and self.tree.nodes[order].action == "repeat"
        return not repeat and self.improves(metric, self.best.metric if self.best else None)

    def counts(self) -> Mapping[str, int]:
        """Return how many nodes are in each stage."""
        under_way = Counter(_SHOWN[each.state] for each in self.tree.in_flight.values())
        ends = {
            "good": self.tree.graded - self.tree.buggy,
            "buggy": self.tree.buggy,
            "unwritten": self.tree.failed,
        }
        return {stage: ends.get(stage, under_way[stage]) for stage in STAGES}

    def above(self, node: str) -> tree_fold.Node | None:
        """Return the node that *node* was made from; None for a draft."""
        parent = self.tree.node(node).parent
        return self.tree.node(parent) if parent else None

    def has_stopped(self, role: str) -> bool:
        """Return whether a process of *role* has ended."""
        return any(each.stopped for each in self._of(role))

    def is_away(self, role: str) -> bool:
        """Return whether every process of *role* has ended."""
        return self.has_stopped(role) and all(each.stopped for each in self._of(role))

    def _of(self, role: str) -> list[actors_fold.Actor]:
        return [each for each in self.actors.actors.values() if each.role == role]


def apply(state: State, event: Recorded[Any]) -> State:
    """Return *state* after *event*."""
    state = _scored(_work(_run(state, event), event), event)
    kind = type(event.data)
    if kind in tree_fold.projection.follows:
        state = replace(state, tree=tree_fold.apply(state.tree, event))
    if kind in ledger_fold.projection.follows:
        state = replace(state, ledger=ledger_fold.apply(state.ledger, event))
    if kind in actors_fold.projection.follows:
        state = replace(state, actors=actors_fold.apply(state.actors, event))
    return state


def _run(state: State, event: Recorded[Any]) -> State:
    match event.data:
        case said.RunStarted():
            return replace(state, started=event)
        case said.TaskPrepared() as prepared:
            return replace(state, prepared=prepared)
        case said.RunPaused():
            return replace(state, paused=True)
        case said.RunResumed():
            return replace(state, paused=False)
        case said.SearchClosed():
            return replace(state, closing=True)
        case said.RunFinished():
            return replace(state, finished=event, doing={})
        case _:
            return state


def _scored(state: State, event: Recorded[Any]) -> State:
    match event.data:
        case said.SolutionGraded(node=node, metric=float(metric), valid=True, buggy=False):
            if state.is_record(node, metric):
                return _with_best(state, event.time, node, metric)
            return state
        case said.RunFinished(best=str(node), metric=float(metric)):
            # Not always the best score is handed over.
            chosen = state.best is not None and state.best.node == node
            return state if chosen else _with_best(state, event.time, node, metric)
        case _:
            return state


def _with_best(state: State, time: datetime, node: str, metric: float) -> State:
    return replace(state, bests=(*state.bests, Best(time=time, node=node, metric=metric)))


def _work(state: State, event: Recorded[Any]) -> State:
    match event.data:
        case said.RunStarted():
            return _begin(state, "task", "grader", "prepares the task", event.time)
        case said.TaskPrepared() | said.TaskRefused():
            return _end(state, "task")
        case said.ModelAsked(role=role, call=call, purpose=purpose, subject=subject):
            return _begin(state, f"{role}.{call}", role, f"{purpose} {subject}", event.time)
        case said.ModelAnswered(role=role, call=call):
            return _end(state, f"{role}.{call}")
        case said.ExecutionStarted(node=node, attempt=attempt):
            again = f" (attempt {attempt})" if attempt > 1 else ""
            return _begin(state, f"run.{node}", "executor", f"runs {node}{again}", event.time)
        case said.ExecutionFinished(node=node):
            ended = _end(state, f"run.{node}")
            return _begin(ended, f"grade.{node}", "grader", f"grades {node}", event.time)
        case said.SolutionGraded(node=node):
            return _end(state, f"grade.{node}")
        case _:
            return state


def _begin(state: State, key: str, role: str, what: str, since: datetime) -> State:
    return replace(state, doing={**state.doing, key: Doing(role=role, what=what, since=since)})


def _end(state: State, key: str) -> State:
    return replace(state, doing={name: it for name, it in state.doing.items() if name != key})
