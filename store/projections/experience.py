"""Experience (L1): what the search tried and what came of it, node by node. Pure.

Traces of nodes under way are kept apart from those with a verdict: only the latter teach. What
closing steps make of solutions, blends and repeats, teaches nothing about the task.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from schemas.envelope import Fact
from schemas.events import (
    Action,
    CodingFailed,
    Event,
    ExecutionFinished,
    NodeProposed,
    Outcome,
    SolutionGraded,
    SolutionWritten,
)
from store.projections.growing import Growing
from store.projections.projection import Projection

Followed = SolutionWritten | ExecutionFinished | SolutionGraded | NodeProposed | CodingFailed


class Trace(Struct, frozen=True, kw_only=True, gc=False):
    """One node's plan, program, output and verdict; seconds are those of the execution."""

    node: str
    parent: str | None
    action: Action
    phase: int
    instruction: str
    job_class: str
    plan: str = ""
    code: str = ""
    outcome: Outcome | None = None
    why: str = ""
    head: str = ""
    tail: str = ""
    seconds: float = 0.0
    metric: float | None = None
    valid: bool = False
    buggy: bool = False
    analysis: str = ""

    @property
    def defective(self) -> bool:
        """Whether it gave nothing that can be handed in."""
        return self.buggy or not self.valid or self.metric is None


class State(Struct, frozen=True, kw_only=True, gc=False):
    """All traces: those of nodes under way, and the judged ones in the order of their verdicts."""

    under_way: Mapping[str, Trace] = {}
    traces: "Growing[str, Trace]" = field(default_factory=Growing)

    def trace(self, node: str) -> Trace | None:
        """Return the trace of *node*, judged or not."""
        return self.traces.get(node) or self.under_way.get(node)

    def children(self, parent: str | None) -> Iterator[Trace]:
        """Yield the judged traces of the nodes made from *parent* (None for drafts), newest first."""
        return (each for each in reversed([*self.traces.values()]) if each.parent == parent)


START = State()


def apply(state: State, event: Fact[Followed]) -> State:
    """Return the experience after *event*."""
    fact = event.data
    kind = type(fact)
    if isinstance(fact, NodeProposed):
        return _begin(state, fact)
    trace = state.under_way.get(fact.node)
    if trace is None:
        return state
    trace = _TOLD[kind](trace, fact)
    if kind is SolutionGraded or kind is CodingFailed:
        return _judge(state, trace)
    return replace(state, under_way={**state.under_way, trace.node: trace})


def rows(state: State) -> Mapping[str, Struct]:
    """Return every trace by its node."""
    return {**state.traces, **state.under_way}


def _written(trace: Trace, written: SolutionWritten) -> Trace:
    return replace(trace, plan=written.plan, code=written.code)


def _executed(trace: Trace, finished: ExecutionFinished) -> Trace:
    return replace(
        trace,
        outcome=finished.outcome,
        why=finished.why,
        head=finished.head,
        tail=finished.tail,
        seconds=finished.seconds,
    )


def _unwritten(trace: Trace, failed: CodingFailed) -> Trace:
    return replace(trace, why=failed.why, buggy=True)


def _graded(trace: Trace, graded: SolutionGraded) -> Trace:
    return replace(
        trace,
        metric=graded.metric,
        valid=graded.valid,
        buggy=graded.buggy,
        analysis=graded.analysis,
    )


_TOLD: Mapping[type[Event], Callable[[Trace, Any], Trace]] = {
    SolutionWritten: _written,
    ExecutionFinished: _executed,
    CodingFailed: _unwritten,
    SolutionGraded: _graded,
}


def _begin(state: State, fact: NodeProposed) -> State:
    if fact.step or fact.node in state.traces or fact.node in state.under_way:
        return state
    trace = Trace(
        node=fact.node,
        parent=fact.parent,
        action=fact.action,
        phase=fact.phase,
        instruction=fact.instruction,
        job_class=fact.job_class,
    )
    return replace(state, under_way={**state.under_way, fact.node: trace})


def _judge(state: State, trace: Trace) -> State:
    under_way = {**state.under_way}
    del under_way[trace.node]
    return State(under_way=under_way, traces=state.traces.added(trace.node, trace))


projection: Projection[Any] = Projection("experience", START, apply, rows)
