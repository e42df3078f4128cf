"""The job of a node: all that an executor needs to run its program within the run's limits. Pure."""

from collections.abc import Mapping

from schemas.events import JobQueued, TaskPrepared
from schemas.settings import Executor
from schemas.task import Artifact

LEAST_SECONDS = 10.0
"""What a job may take at least, however little is left of the run."""


def job(
    node: str,
    code: str,
    *,
    prepared: TaskPrepared,
    limits: Executor,
    seconds_left: float,
    job_class: str = "cpu",
    files: Mapping[str, Artifact] | None = None,
) -> JobQueued:
    """Return the job that runs *code* for *node*, with no more time than is left."""
    return JobQueued(
        node=node,
        job_class=job_class,
        code=code,
        data=prepared.data,
        seconds=min(limits.seconds, max(LEAST_SECONDS, seconds_left)),
        grace_seconds=limits.grace_seconds,
        memory_mb=limits.memory_mb,
        processes=limits.processes,
        file_mb=limits.file_mb,
        output_kb=limits.output_kb,
        max_attempts=limits.max_attempts,
        files=dict(files or {}),
    )
