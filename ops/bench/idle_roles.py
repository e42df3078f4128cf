"""Roles that do nothing but pass a node on: what is left is what the system itself costs. Pure."""

from collections.abc import Mapping
from typing import Any, Never

from agents.role import Role
from agents.tools import Tools
from schemas.envelope import Recorded
from schemas.events import (
    ExecutionFinished,
    ExecutionStarted,
    JobQueued,
    NodeProposed,
    Selection,
    SolutionGraded,
    SolutionWritten,
)
from schemas.task import Artifact

DATA = Artifact(sha256="0" * 64, size=0, name="input.tar")
NOTHING = Selection(visits=0, reward=0.0, exploration=0.0, value=None)


def proposed(number: int, lanes: int, last: int) -> NodeProposed:
    """Return the node *number*; the instruction: how many are in flight at once, up to which one."""
    return NodeProposed(
        node=f"n{number}",
        parent=None,
        action="draft",
        phase=1,
        instruction=f"{lanes} {last}",
        selection=NOTHING,
    )


def _plan(stage: tuple[int, int], event: Recorded[SolutionGraded]) -> list[NodeProposed]:
    lanes, last = stage
    following = int(event.data.node[1:]) + lanes
    return [proposed(following, lanes, last)] if following <= last else []


def _remember(stage: tuple[int, int], event: Recorded[NodeProposed]) -> tuple[int, int]:
    del stage
    lanes, last = event.data.instruction.split()
    return int(lanes), int(last)


def _write(state: None, event: Recorded[NodeProposed]) -> list[SolutionWritten | JobQueued]:
    del state
    node = event.data.node
    return [
        SolutionWritten(node=node, plan="", code="pass"),
        JobQueued(
            node=node,
            job_class="cpu",
            code="pass",
            data=DATA,
            seconds=1.0,
            grace_seconds=0.0,
            memory_mb=1,
            processes=1,
            file_mb=1,
            output_kb=1,
            max_attempts=1,
        ),
    ]


async def _execute(
    request: Recorded[JobQueued], tools: Tools[ExecutionStarted]
) -> ExecutionFinished:
    node = request.data.node
    await tools.record(
        ExecutionStarted(node=node, attempt=1, host="", slot=0, sandbox="none", protections=())
    )
    return ExecutionFinished(
        node=node, attempt=1, outcome="ok", why="", head="", tail="", seconds=0.0
    )


async def _grade(request: Recorded[ExecutionFinished], tools: Tools[Never]) -> SolutionGraded:
    del tools
    return SolutionGraded(
        node=request.data.node,
        metric=0.0,
        obtained="reported",
        valid=True,
        buggy=False,
        analysis="",
    )


ROLES: Mapping[str, Role[Any]] = {
    role.name: role
    for role in (
        Role(name="planner", replicas="one", start=(1, 0), evolve=_remember, decide=_plan),
        Role(name="coder", start=None, decide=_write),
        Role(name="executor", start=None, perform=_execute),
        Role(name="grader", start=None, perform=_grade),
    )
}
