"""What any closing step knows of its run, and what it says to have a program run. Pure.

A step decides when the search closes, on the tree as it is then, so that a decision that is made
again comes out the same, whatever has been recorded meanwhile.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents.jobs import job
from schemas.envelope import Recorded
from schemas.events import (
    Action,
    CodingFailed,
    JobQueued,
    NodeProposed,
    RunResumed,
    RunStarted,
    SearchClosed,
    Selection,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    WorkAbandoned,
)
from schemas.settings import Settings
from schemas.task import Artifact
from store.projections import tree

Tree = tree.State
Followed = tree.Followed | RunResumed | SearchClosed
Landed = SolutionGraded | CodingFailed | WorkAbandoned
"""What may be the end of a node."""

_NOTHING = Selection(visits=0, reward=0.0, exploration=0.0, value=None)


class State(Struct, frozen=True, kw_only=True):
    """The run so far; `found` is the tree as the search left it, None while it goes on."""

    tree: Tree = tree.START
    settings: Settings = Settings()
    ends: datetime | None = None
    prepared: TaskPrepared | None = None
    found: Tree | None = None


class Attempt(Struct, frozen=True, kw_only=True):
    """A node beside the search: whose it is, and the program, which finds `files` in ./files."""

    node: str
    step: str
    action: Action
    phase: int
    parent: str | None = None
    plan: str
    code: str
    job_class: str = "cpu"
    files: dict[str, Artifact] = {}


def evolve(state: State, event: Recorded[Followed]) -> State:
    """Fold *event* into *state*."""
    anything: Recorded[Any] = event
    if type(event.data) in tree.projection.follows:
        state = replace(state, tree=tree.apply(state.tree, anything))
    match event.data:
        case RunStarted(settings=settings, budget=budget):
            ends = event.time + timedelta(minutes=budget.minutes)
            return replace(state, settings=settings, ends=ends)
        case RunResumed(minutes=minutes) if state.ends:
            return replace(state, ends=state.ends + timedelta(minutes=minutes))
        case TaskPrepared() as prepared:
            return replace(state, prepared=prepared)
        case SearchClosed():
            return replace(state, found=state.tree)
        case _:
            return state


def ranked(found: Tree) -> list[tree.Node]:
    """Return the search's sound nodes, the best first and of equals the oldest."""
    sign = 1.0 if found.lower_is_better else -1.0

    def rank(node: tree.Node) -> tuple[float, int]:
        return sign * (node.metric or 0.0), node.order

    sound = (node for node in found.nodes if node.state == "graded" and not node.defective)
    return sorted((node for node in sound if not node.step), key=rank)


def names(found: Tree, beginning: str) -> Iterator[str]:
    """Yield names for new nodes, numbered from 1, that no node has."""
    number = 0
    while number := number + 1:
        if f"{beginning}{number}" not in found.orders:
            yield f"{beginning}{number}"


def over(state: State, step: str, landed: Landed) -> bool:
    """Return whether *landed* is about the last node of *step* that was in flight."""
    about = landed.about if isinstance(landed, WorkAbandoned) else landed.node
    if state.tree.step_of(tree.node_of(about)) != step:
        return False
    return not any(state.tree.step_of(name) == step for name in state.tree.in_flight)


def attempted(
    state: State, prepared: TaskPrepared, now: datetime, attempt: Attempt
) -> tuple[NodeProposed, SolutionWritten, JobQueued]:
    """Return what is to be said to have an attempt run and graded like any node."""
    left = (state.ends - now).total_seconds() if state.ends else 0.0
    return (
        NodeProposed(
            node=attempt.node,
            parent=attempt.parent,
            action=attempt.action,
            phase=attempt.phase,
            instruction=attempt.plan,
            selection=_NOTHING,
            job_class=attempt.job_class,
            step=attempt.step,
        ),
        SolutionWritten(node=attempt.node, plan=attempt.plan, code=attempt.code),
        job(
            attempt.node,
            attempt.code,
            prepared=prepared,
            limits=state.settings.executor,
            seconds_left=left,
            job_class=attempt.job_class,
            files=attempt.files,
        ),
    )
