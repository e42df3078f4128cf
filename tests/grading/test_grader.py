"""The grader's verdict, and the score that a solution prints of itself."""

import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.grader import role, verdict
from agents.tools import Scored
from agents.tools.printed import printed_score
from schemas import events
from schemas.events import ExecutionFinished, Outcome
from schemas.task import Artifact
from tests.grading.folders import finished

FILE = Artifact(sha256="a" * 64, size=1, name="submission.csv")
REAL = Artifact(sha256="b" * 64, size=1, name="submission.csv")
GOOD = Scored(valid=True, message="", metric=0.5, obtained="held-out", submission=REAL)
WRONG = Scored(
    valid=False, message="line 2: y is empty", metric=None, obtained=None, submission=None
)
SILENT = Scored(
    valid=True, message="no score was printed", metric=None, obtained="reported", submission=REAL
)
TRACE = (
    "Traceback (most recent call last):\n  File \"solution.py\", line 7, in f\nKeyError: 'age'\n"
)


def ending(outcome: Outcome, why: str = "", tail: str = "") -> ExecutionFinished:
    return replace(finished(None, tail=tail), outcome=outcome, why=why)


def test_a_good_solution_keeps_its_metric_and_rows() -> None:
    graded = verdict(finished(FILE), GOOD)
    assert (graded.metric, graded.obtained, graded.valid, graded.buggy) == (
        0.5,
        "held-out",
        True,
        False,
    )
    assert graded.submission == REAL
    assert graded.analysis == "held-out score 0.5 in 1 s"


@pytest.mark.parametrize("metric", [0.0, -1.0, 1e300])
def test_a_score_of_zero_is_one_and_so_is_any_other_number(metric: float) -> None:
    graded = verdict(finished(FILE), replace(GOOD, metric=metric))
    assert (graded.metric, graded.valid, graded.buggy) == (metric, True, False)


@pytest.mark.parametrize(
    ("happened", "scored", "marks", "analysis"),
    [
        (ending("error", "exit 1", TRACE), None, {"buggy"}, "KeyError: 'age' (line 7)"),
        (ending("error", "exit 1"), None, {"buggy"}, "error: exit 1"),
        (ending("timeout", "600 s"), None, {"buggy"}, "timeout: 600 s"),
        (ending("memory", "6144 MiB"), None, {"buggy"}, "memory: 6144 MiB"),
        (ending("lost", "its executor died"), None, {"buggy"}, "lost: its executor died"),
        (ending("error", "exit 1"), GOOD, {"buggy"}, "error: exit 1"),
        (ending("ok"), WRONG, {"buggy"}, "line 2"),
        (finished(FILE), WRONG, set(), "invalid: line 2: y is empty"),
        (finished(FILE), SILENT, {"valid", "buggy"}, "no metric: no score was printed"),
    ],
)
def test_everything_else_keeps_no_metric(
    happened: ExecutionFinished, scored: Scored | None, marks: set[str], analysis: str
) -> None:
    graded = verdict(happened, scored)
    assert {mark for mark in ("valid", "buggy") if getattr(graded, mark)} == marks
    assert graded.metric is None
    assert (graded.submission is None) == ("valid" not in marks)
    assert analysis in graded.analysis


class Grading:
    """A door that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def score(self, run: str, finished: ExecutionFinished) -> Scored:
        self.asked.append(f"{run} {finished.node}")
        return GOOD


class Doors:
    """Tools with the one door that a grader uses."""

    def __init__(self) -> None:
        self.grading = Grading()


async def test_only_what_ended_well_is_scored() -> None:
    from agents.testing import recorded  # noqa: PLC0415

    doors = Doors()
    assert role.perform
    for happened in (ending("error", "exit 1"), finished(FILE)):
        answer = await role.perform(recorded(happened), cast("Any", doors))
        assert isinstance(answer, events.SolutionGraded)
    assert doors.grading.asked == ["run n1"]


def test_the_role_declares_what_it_answers() -> None:
    assert role.requests == {events.RunStarted, events.ExecutionFinished, events.RunFinished}
    assert role.emits == {
        events.TaskPrepared,
        events.TaskRefused,
        events.SolutionGraded,
        events.SubmissionGraded,
    }


@pytest.mark.parametrize(
    ("tail", "score"),
    [
        ("Final validation score: 0.87", 0.87),
        ("Validation accuracy = 0.87", 0.87),
        ("val_rmse: 1", 1.0),
        ("val_rmse: 0", 0.0),
        ("Final validation score: -0.0", 0.0),
        ("Final validation score: null", None),
        ("Final score: nan", None),
        ("validation score: inf", None),
        ("epoch 3 val loss: 0.5 val acc: 0.9\n", 0.9),
        ("5-fold CV AUC (mean): 0.7123 +/- 0.01", 0.7123),
        ("Validation RMSLE (mean column-wise): 6.12e-2.", 0.0612),
        ("Final validation score: 0.3\nvalidation score of fold 5: 0.9", 0.3),
        ("validation score: 0.1\nvalidation score: 0.2", 0.2),
        ("Validation accuracy: 87%", None),
        ("interval: 3", None),
        ("", None),
    ],
)
def test_the_printed_score_is_found(tail: str, score: float | None) -> None:
    assert printed_score("", tail) == score
    assert printed_score(tail, "") == score


@given(st.text(), st.text())
def test_any_output_is_read(head: str, tail: str) -> None:
    score = printed_score(head, tail)
    assert score is None or isinstance(score, float)


def test_hostile_output_is_read_quickly() -> None:
    began = time.perf_counter()
    printed_score("val-" * 50_000, "final " * 50_000 + ": " * 10_000)
    assert time.perf_counter() - began < 2
