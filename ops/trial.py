"""A task prepared as a run would, before or without one. Reads the task's folder, keeps nothing."""

from pathlib import Path
from tempfile import TemporaryDirectory

from agents.tools.grading.prepare import prepare
from agents.tools.packages import PREFIX, materialise
from schemas.events import RunStarted, TaskPrepared
from schemas.settings import Settings


def prepared(task: str, settings: Settings) -> TaskPrepared:
    """Return what a run with *settings* would understand of *task*, a folder or `package:NAME`.

    Raises TaskProblem.
    """
    with TemporaryDirectory(prefix="flowstone-check-") as made:
        folder = materialise(task, Path(made, "tasks")) if task.startswith(PREFIX) else Path(task)
        started = RunStarted(
            task=folder.name,
            folder=str(folder),
            settings=settings,
            budget=settings.budget,
            seed=0,
            versions={},
        )
        staging = Path(made, "staging")
        staging.mkdir()
        understood, _, _ = prepare(started, staging)
        return understood
