"""Fuser: blends the best solutions' predictions into one more solution when the search is over. Pure.

Every solution predicts the rows that were set aside as well, so that the blend is run and graded
like any other, and becomes the best only if it is better.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from agents.closing import blend, step
from agents.closing.step import Landed
from agents.role import Role
from schemas.envelope import Recorded
from schemas.events import (
    LIGHT,
    ClosingStepDone,
    ExecutionFinished,
    JobQueued,
    NodeProposed,
    SearchClosed,
    SolutionWritten,
    TaskPrepared,
)
from schemas.metrics import KNOWN
from schemas.task import Artifact, Task
from store.projections import tree
from store.projections.growing import Growing

NAME = "fuser"
PROGRAM = inspect.getsource(blend)

Way = Literal["means", "ranks", "votes"]
Emitted = NodeProposed | SolutionWritten | JobQueued | ClosingStepDone

_ORDERS = frozenset({"auc", "average-precision", "spearman"})
"""The metrics that look at the order of predictions alone."""
_FEWEST = {"means": 2, "ranks": 2, "votes": 3}
"""Of two who vote, the first is always right."""
_IN_WORDS = {
    "means": "the mean of the predictions",
    "ranks": "the mean of the predictions' ranks",
    "votes": "the label that most of them predict, and the first one's where none has most",
}


class State(Struct, frozen=True, kw_only=True):
    """The run, and what each program wrote: all rows, before the grader took those set aside."""

    run: step.State = step.State()
    written: "Growing[str, Artifact]" = field(default_factory=Growing)


def evolve(state: State, event: Recorded[step.Followed]) -> State:
    """Fold *event* into *state*."""
    state = replace(state, run=step.evolve(state.run, event))
    match event.data:
        case ExecutionFinished(node=node, submission=Artifact() as submission):
            known = node in state.written
            return state if known else replace(state, written=state.written.added(node, submission))
        case _:
            return state


def decide(state: State, event: Recorded[SearchClosed | Landed]) -> list[Emitted]:
    """Have the best solutions blended, and say when that is done or cannot be."""
    closed, prepared = event.data, state.run.prepared
    if not isinstance(closed, SearchClosed):
        return [ClosingStepDone(step=NAME)] if step.over(state.run, NAME, closed) else []
    if NAME not in closed.steps:
        return []
    found = state.run.found
    if found is None or prepared is None:
        return [ClosingStepDone(step=NAME, why="there is no task")]
    if prepared.evaluation == "reported":
        return [ClosingStepDone(step=NAME, why="a blend has no score of its own to report")]
    way = way_of(prepared.task)
    members = [*_best(state, found)]
    if len(members) < _FEWEST[way]:
        why = f"{len(members)} different solutions, {_FEWEST[way]} are needed"
        return [ClosingStepDone(step=NAME, why=why)]
    attempt = step.Attempt(
        node=next(step.names(found, "fuse")),
        step=NAME,
        action="fuse",
        phase=closed.phase,
        plan=_plan(members, way),
        code=program([member.name for member in members], way, prepared),
        job_class=LIGHT,
        files={f"{member.name}.csv": state.written[member.name] for member in members},
    )
    return [*step.attempted(state.run, prepared, event.time, attempt)]


def way_of(task: Task) -> Way:
    """Return how predictions are blended, by what the metric looks at.

    Several columns that are the classes of one label hold probabilities, whatever the metric.
    """
    metric = KNOWN.get(task.metric)
    classes = len(task.targets) > 1 and task.label is not None
    if metric is None or classes:
        return "means"
    if metric.needs == "labels":
        return "votes"
    return "ranks" if metric.name in _ORDERS else "means"


def program(members: Sequence[str], way: Way, prepared: TaskPrepared) -> str:
    """Return the program that blends the submissions of *members*, the best first."""
    task, columns = prepared.task, [*prepared.sample.columns]
    return f"{PROGRAM}\n\nmain({[*members]!r}, {way!r}, {task.id_column!r}, {columns!r})\n"


def _best(state: State, found: tree.State) -> Iterator[tree.Node]:
    """Yield the best solutions that differ in what they wrote, as many as are to be blended."""
    seen = set[str]()
    for node in step.ranked(found):
        if len(seen) == state.run.settings.closing.fuse_best:
            return
        written = state.written.get(node.name)
        if written is not None and written.sha256 not in seen:
            seen.add(written.sha256)
            yield node


def _plan(members: Sequence[tree.Node], way: Way) -> str:
    named = [f"{member.name} ({member.metric:.5g})" for member in members]
    all_ = f"{', '.join(named[:-1])} and {named[-1]}"
    return f"Blend {all_}, each with the same weight: {_IN_WORDS[way]}."


role = Role(name=NAME, replicas="one", start=State(), evolve=evolve, decide=decide)
