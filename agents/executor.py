"""Executor: runs a solution in a sandbox, one numbered attempt at a time. Pure but for its tools."""

from agents.role import Role
from agents.tools import Tools
from schemas.envelope import Recorded
from schemas.events import ExecutionFinished, ExecutionStarted, JobQueued


async def perform(
    request: Recorded[JobQueued], tools: Tools[ExecutionStarted]
) -> ExecutionFinished:
    """Run the job under the first attempt number that nobody took, or call it lost."""
    job = request.data
    attempt = await _announced(job, tools)
    if attempt is None:
        return ExecutionFinished(
            node=job.node,
            attempt=job.max_attempts,
            outcome="lost",
            why=f"none of {job.max_attempts} attempts came to an end",
            head="",
            tail="",
            seconds=0.0,
        )
    return await tools.sandbox.run(job, attempt)


async def _announced(job: JobQueued, tools: Tools[ExecutionStarted]) -> int | None:
    """Announce the next attempt and return its number; None when all were used up."""
    sandbox = tools.sandbox
    for attempt in range(1, job.max_attempts + 1):
        started = ExecutionStarted(
            node=job.node,
            attempt=attempt,
            host=sandbox.host,
            slot=sandbox.slot,
            sandbox=sandbox.name,
            protections=sandbox.protections,
        )
        if await tools.record(started):
            return attempt
    return None


role = Role(name="executor", replicas="many", start=None, perform=perform)
