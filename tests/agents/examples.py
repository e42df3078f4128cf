"""Events of an ordinary run, for examples."""

from typing import Any

from schemas.events import (
    ExecutionFinished,
    ModelAnswered,
    NodeProposed,
    RunStarted,
    Selection,
    SolutionGraded,
    TaskPrepared,
    WisdomRecalled,
)
from schemas.settings import Budget, Closing, Executor, Search, Select, Settings
from schemas.task import Artifact, SampleFormat, Task

ARTIFACT = Artifact(sha256="0" * 64, size=1, name="submission.csv")
REPLY = "Fit a forest.\n\n```python\nprint('fit')\n```\n"
CODE = "print('fit')\n"
RECALLED = WisdomRecalled(descriptor="a task", entries=())


def started(
    *,
    nodes: int = 10,
    slots: int = 1,
    usd: float | None = None,
    closing: Any = (),
    select: Any = None,
    **search: Any,
) -> RunStarted:
    """Return the start of a run with a pipeline of two nodes for each slot, closed by *closing*."""
    settings = Settings(
        executor=Executor(slots=slots),
        search=Search(**search),
        closing=Closing(steps=closing),
        select=select or Select(),
    )
    return RunStarted(
        task="toy",
        folder="/toy",
        settings=settings,
        budget=Budget(minutes=60, nodes=nodes, usd=usd),
        seed=1,
        versions={},
    )


def prepared(*, task: str = "toy", lower_is_better: bool = False, **more: Any) -> TaskPrepared:
    """Return a prepared task of two columns."""
    fields: dict[str, Any] = {
        "title": "Toy",
        "description": "Say which is which.",
        "metric": "accuracy",
        "kind": "tabular",
        "targets": ("target",),
    }
    return TaskPrepared(
        task=Task(
            id=task,
            lower_is_better=lower_is_better,
            id_column="id",
            label="target",
            train_file="train.csv",
            test_file="test.csv",
            sample_file="sample_submission.csv",
            **(fields | more),
        ),
        sample=SampleFormat(columns=("id", "target"), rows=10),
        evaluation="held-out",
        heldout_rows=5,
        preview="## Columns of train.csv (90 rows)\n- age: type=numeric missing=0 unique=9\n",
        data=ARTIFACT,
        hashes={},
    )


def proposed(
    node: str, parent: str | None = None, action: Any = "draft", step: str = ""
) -> NodeProposed:
    """Return a proposal."""
    return NodeProposed(
        node=node,
        parent=parent,
        action=action,
        phase=1,
        instruction=f"{action} it",
        selection=Selection(visits=0, reward=0.0, exploration=1.414, value=None),
        step=step,
    )


def executed(node: str, output: str = "done") -> ExecutionFinished:
    """Return the end of a node's execution."""
    return ExecutionFinished(
        node=node, attempt=1, outcome="ok", why="", head=output, tail=output, seconds=2.0
    )


def graded(node: str, metric: float | None = None) -> SolutionGraded:
    """Return a grade: buggy where there is no metric."""
    return SolutionGraded(
        node=node,
        metric=metric,
        obtained="held-out" if metric is not None else None,
        valid=metric is not None,
        buggy=metric is None,
        analysis="as seen",
        submission=ARTIFACT if metric is not None else None,
    )


def answered(
    node: str, number: int = 1, *, role: str = "coder", reply: str = REPLY, **more: Any
) -> ModelAnswered:
    """Return a model's answer to a coder; give `outcome` for another ending."""
    fields: dict[str, Any] = {"purpose": "draft", "outcome": "answered", "subject": node}
    return ModelAnswered(role=role, call=f"{node}-{number}", reply=reply, **(fields | more))
