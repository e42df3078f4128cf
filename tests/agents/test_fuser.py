"""What the fuser decides, by example."""

from typing import Any

import pytest
from msgspec.structs import replace

from agents import fuser
from agents.closing import blend
from agents.jobs import LEAST_SECONDS
from agents.role import fold
from agents.testing import Spec, history
from schemas.events import (
    ClosingStepDone,
    CodingFailed,
    Event,
    ExecutionFinished,
    JobQueued,
    NodeProposed,
    SearchClosed,
    SolutionWritten,
    WorkAbandoned,
)
from schemas.task import Artifact

from .examples import RECALLED, executed, graded, prepared, proposed, started

DONE = ClosingStepDone(step="fuser")
CLOSED = SearchClosed(why="nodes", phase=3, steps=("fuser", "packer"))
FUSED = proposed("fuse1", None, "fuse", step="fuser")


def artifact(content: str) -> Artifact:
    return Artifact(sha256=content, size=1, name="submission.csv")


def wrote(node: str, content: str = "") -> ExecutionFinished:
    return replace(executed(node), submission=artifact(content or f"rows of {node}"))


def tried(node: str, metric: float | None, content: str = "") -> list[Event]:
    return [proposed(node), wrote(node, content), graded(node, metric)]


def searched(*tries: tuple[str, float | None], metric: str = "auc", **task: Any) -> list[Event]:
    """Return a run whose search is over."""
    begun: list[Event] = [started(closing=("fuser",)), prepared(metric=metric, **task), RECALLED]
    return begun + [event for each in tries for event in tried(*each)]


FOUR = (("n1", 0.6), ("n2", 0.9), ("n3", None), ("n4", 0.7), ("n5", 0.8))


def fused(spec: Spec) -> tuple[NodeProposed, SolutionWritten, JobQueued]:
    proposal, solution, job = spec.decided
    assert isinstance(proposal, NodeProposed)
    assert isinstance(solution, SolutionWritten)
    assert isinstance(job, JobQueued)
    return proposal, solution, job


def test_the_best_three_are_blended() -> None:
    proposal, solution, job = fused(Spec(fuser.role).given(*searched(*FOUR)).when(CLOSED))
    assert (proposal.node, proposal.parent, proposal.action) == ("fuse1", None, "fuse")
    assert (proposal.step, proposal.phase) == ("fuser", 3)
    assert "n2 (0.9), n5 (0.8) and n4 (0.7)" in solution.plan
    assert "main(['n2', 'n5', 'n4'], 'ranks', 'id', ['id', 'target'])" in solution.code
    assert (job.key, job.code) == ("light.fuse1", solution.code)
    assert job.files == {f"{node}.csv": artifact(f"rows of {node}") for node in ("n2", "n5", "n4")}
    compile(solution.code, "solution.py", "exec")


def test_where_lower_is_better_the_lowest_are_blended() -> None:
    past = searched(*FOUR, metric="log-loss", lower_is_better=True)
    _, solution, _ = fused(Spec(fuser.role).given(*past).when(CLOSED))
    assert "main(['n1', 'n4', 'n5'], 'means'," in solution.code


@pytest.mark.parametrize(
    ("metric", "task", "way"),
    [
        ("auc", {}, "ranks"),
        ("average-precision", {}, "ranks"),
        ("spearman", {}, "ranks"),
        ("log-loss", {}, "means"),
        ("rmse", {}, "means"),
        ("accuracy", {}, "votes"),
        ("quadratic-weighted-kappa", {}, "votes"),
        # One column for each class of a label: probabilities that sum to one.
        ("auc", {"targets": ("a", "b")}, "means"),
        ("accuracy", {"targets": ("a", "b")}, "means"),
        # Several columns of their own.
        ("auc", {"targets": ("a", "b"), "label": None}, "ranks"),
        ("accuracy", {"targets": ("a", "b"), "label": None}, "votes"),
    ],
)
def test_the_metric_says_how(metric: str, task: dict[str, Any], way: str) -> None:
    given = prepared().task
    changed = replace(given, metric=metric, **task)
    assert fuser.way_of(changed) == way
    assert way in blend.WAYS


def test_the_same_predictions_are_blended_once() -> None:
    past = [
        *searched(("n1", 0.6), ("n2", 0.5)),
        *tried("n3", 0.9, "rows of n1"),
        *tried("n4", 0.7),
    ]
    _, solution, _ = fused(Spec(fuser.role).given(*past).when(CLOSED))
    assert "main(['n3', 'n4', 'n2']," in solution.code


@pytest.mark.parametrize(
    ("past", "why"),
    [
        (searched(("n1", 0.5), ("n2", None)), "1 different solutions, 2 are needed"),
        (searched(("n1", 0.5), ("n2", 0.6), metric="accuracy"), "2 different solutions, 3 are"),
        ([*searched(("n1", 0.5)), *tried("n2", 0.6, "rows of n1")], "1 different solutions"),
        ([started()], "there is no task"),
    ],
)
def test_with_too_little_it_is_done_at_once(past: list[Event], why: str) -> None:
    (done,) = Spec(fuser.role).given(*past).when(CLOSED).decided
    assert isinstance(done, ClosingStepDone)
    assert done.step == "fuser"
    assert why in done.why


def test_scores_that_solutions_report_cannot_be_had_of_a_blend() -> None:
    past = searched(*FOUR)
    past[1] = replace(prepared(metric="auc"), evaluation="reported")
    (done,) = Spec(fuser.role).given(*past).when(CLOSED).decided
    assert isinstance(done, ClosingStepDone)


def test_it_waits_until_it_is_named() -> None:
    others = SearchClosed(why="nodes", phase=1, steps=("packer",))
    Spec(fuser.role).given(*searched(*FOUR)).when(others).then()
    Spec(fuser.role).given(*searched(*FOUR[:4])).when(graded("n5", 0.5)).then()


@pytest.mark.parametrize(
    "end",
    [
        graded("fuse1", 0.95),
        graded("fuse1"),
        CodingFailed(node="fuse1", why="no"),
        WorkAbandoned(role="executor", event="JobQueued", about="cpu.fuse1", why="no"),
    ],
)
def test_it_is_done_when_its_node_has_come_to_its_end(end: Event) -> None:
    past = [*searched(*FOUR), proposed("n6"), CLOSED, FUSED]
    Spec(fuser.role).given(*past).when(graded("n6", 0.5)).then()
    Spec(fuser.role).given(*past).when(end).then(DONE)


def test_a_taken_name_is_left_alone() -> None:
    past = [*searched(*FOUR), *tried("fuse1", 0.1)]
    proposal, _, _ = fused(Spec(fuser.role).given(*past).when(CLOSED))
    assert proposal.node == "fuse2"


def test_a_decision_that_is_made_again_is_the_same_whatever_has_been_said_since() -> None:
    past = [*searched(*FOUR), proposed("n6"), wrote("n6"), CLOSED]
    since = history(*past, FUSED, graded("n6", 0.99))
    closed = since[len(past) - 1]
    first = fuser.decide(fold(fuser.role, history(*past)), closed)
    assert len(first) == 3
    assert fuser.decide(fold(fuser.role, since), closed) == first


def test_its_job_gets_the_time_that_is_left_but_some() -> None:
    given = Spec(fuser.role).given(*searched(*FOUR))
    for left, expected in ((100.0, 100.0), (1.0, LEAST_SECONDS)):
        _, _, job = fused(given.when(CLOSED, seconds=3601 - left))
        assert job.seconds == expected
