"""Repeater: runs the best solutions again with other seeds when the search is over. Pure.

The best of many noisy scores is too good to be true; how much a solution's score moves with its
seeds says by how much. The tree keeps the scores with the solution, and the planner chooses.
"""

from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents.closing import step
from agents.closing.reseed import reseeded
from agents.closing.step import Landed
from agents.role import Role
from schemas.envelope import Recorded
from schemas.events import (
    ClosingStepDone,
    JobQueued,
    NodeProposed,
    SearchClosed,
    SolutionWritten,
)
from store.projections import experience

NAME = "repeater"
APART = 1000
"""So far is one repeat's seeds from the next one's: programs count up from a seed."""
MOST = 1000
"""As many programs are run again, at the most."""

Emitted = NodeProposed | SolutionWritten | JobQueued | ClosingStepDone


class State(Struct, frozen=True, kw_only=True):
    """The run, and what was tried in it."""

    run: step.State = step.State()
    tried: experience.State = experience.START


def evolve(state: State, event: Recorded[step.Followed]) -> State:
    """Fold *event* into *state*."""
    anything: Recorded[Any] = event
    run, tried = step.evolve(state.run, event), state.tried
    if type(event.data) in experience.projection.follows:
        tried = experience.apply(tried, anything)
    return replace(state, run=run, tried=tried)


def decide(state: State, event: Recorded[SearchClosed | Landed]) -> list[Emitted]:
    """Have the best solutions run again, each once before any twice, and say when that is done."""
    closed, found, prepared = event.data, state.run.found, state.run.prepared
    if not isinstance(closed, SearchClosed):
        return [ClosingStepDone(step=NAME)] if step.over(state.run, NAME, closed) else []
    if NAME not in closed.steps:
        return []
    select = state.run.settings.select
    candidates = step.ranked(found)[: select.candidates] if found else []
    if found is None or prepared is None or not candidates or not select.repeats:
        return [ClosingStepDone(step=NAME, why="there is nothing to run again")]
    names = {each.name: step.names(found, f"{each.name}r") for each in candidates}
    said: list[Emitted] = []
    wanted = ((n, each) for n in range(1, select.repeats + 1) for each in candidates)
    for number, each in islice(wanted, MOST):
        trace = state.tried.trace(each.name)
        attempt = step.Attempt(
            node=next(names[each.name]),
            step=NAME,
            action="repeat",
            phase=closed.phase,
            parent=each.name,
            plan=f"Run {each.name} again with other seeds.",
            code=reseeded(trace.code, APART * number) if trace else "",
            job_class=trace.job_class if trace else "cpu",
        )
        said += step.attempted(state.run, prepared, event.time, attempt)
    return said


role = Role(name=NAME, replicas="one", start=State(), evolve=evolve, decide=decide)
