"""The executor numbers its attempts, and gives up a job that keeps killing executors."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from agents.executor import perform, role
from agents.role import fold
from agents.testing import recorded
from agents.tools import Tools
from schemas.events import Event, ExecutionFinished, ExecutionStarted, JobQueued
from schemas.task import Artifact

JOB = JobQueued(
    node="n1",
    job_class="cpu",
    code="print(1)",
    data=Artifact(sha256="0", size=0, name="data.tar"),
    seconds=1.0,
    grace_seconds=1.0,
    memory_mb=1,
    processes=1,
    file_mb=1,
    output_kb=1,
    max_attempts=3,
)


class EchoSandbox:
    host, slot, name, protections = "here", 2, "process", ("own user",)

    async def run(self, job: JobQueued, attempt: int) -> ExecutionFinished:
        return ExecutionFinished(
            node=job.node, attempt=attempt, outcome="ok", why="", head="1", tail="", seconds=0.1
        )


@dataclass
class RecordingTools:
    taken: set[str]
    said: list[Event] = field(default_factory=list)
    sandbox: EchoSandbox = field(default_factory=EchoSandbox)

    async def record(self, event: Event) -> bool:
        if event.key in self.taken:
            return False
        self.said.append(event)
        return True


async def executed(tools: RecordingTools) -> ExecutionFinished:
    return await perform(recorded(JOB), cast("Tools[ExecutionStarted]", tools))


@pytest.mark.parametrize("earlier", [0, 1, 2])
async def test_an_attempt_takes_the_next_free_number(earlier: int) -> None:
    tools = RecordingTools(taken={f"n1.{n}" for n in range(1, earlier + 1)})

    finished = await executed(tools)

    assert finished.attempt == earlier + 1
    assert finished.outcome == "ok"
    assert tools.said == [
        ExecutionStarted(
            node="n1",
            attempt=earlier + 1,
            host="here",
            slot=2,
            sandbox="process",
            protections=("own user",),
        )
    ]


async def test_a_job_whose_attempts_are_used_up_is_lost() -> None:
    tools = RecordingTools(taken={"n1.1", "n1.2", "n1.3"})

    finished = await executed(tools)

    assert finished.outcome == "lost"
    assert "3 attempts" in finished.why
    assert tools.said == []


def test_the_declaration() -> None:
    assert role.requests == {JobQueued}
    assert role.emits == {ExecutionStarted, ExecutionFinished}
    assert role.consumes == frozenset()
    nothing: list[Any] = []
    assert fold(role, nothing) is None
