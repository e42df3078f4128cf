"""What is written down without a model: scores, changes, errors, and what a program says of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import mechanical, program
from agents.testing import history
from schemas.events import CodingFailed, SolutionWritten
from store.projections import experience

from .examples import executed, graded, prepared, proposed

TASK = prepared().task
FOREST = '''
"""Fit a forest.

And more."""
import json
import numpy as np
from sklearn.ensemble import RandomForestClassifier as Forest
model = Forest(n_estimators=10)
model.fit(np.zeros((2, 2)), [0, 1])
json.dumps(Path("x"))
'''


def tried() -> experience.State:
    state = experience.START
    events = history(
        proposed("n1"),
        SolutionWritten(node="n1", plan="a forest", code="trees = 10\nfit()"),
        executed("n1"),
        graded("n1", 0.5),
        proposed("n2", "n1", "improve"),
        SolutionWritten(node="n2", plan="more trees\nof course", code="trees = 20\nfit()"),
        graded("n2", 0.75),
        proposed("n3", "n2", "improve"),
        SolutionWritten(node="n3", plan="fewer", code="trees = 5\nfit()"),
        graded("n3", 0.5),
        proposed("n4", "n2", "improve"),
        graded("n4", 0.75),
        proposed("n5"),
        CodingFailed(node="n5", why="the model refused\nat length"),
    )
    for event in events:
        state = experience.apply(state, event)
    return state


def test_scores_what_changed_and_errors_are_kept() -> None:
    known = tried()
    assert mechanical.summary([*known.traces.values()], known, TASK).splitlines() == [
        "accuracy of 4 of 5 solutions that worked:",
        "- n1: 0.5: a forest",
        "- n2: 0.75, 0.25 better than n1: more trees",
        "- n3: 0.5, 0.25 worse than n2: fewer",
        "- n4: 0.75, as good as n2: ",
        "What n2 changed:",
        "-trees = 10",
        "+trees = 20",
        "What failed:",
        "- n5: the model refused",
    ]


def test_of_a_run_the_best_program_is_told_as_well() -> None:
    known = tried()
    told = mechanical.of_a_run([*known.traces.values()], known, TASK)
    assert told.endswith("The program of n1:\nIt fits:\n- fit()")
    assert mechanical.of_a_run([], known, TASK) == "accuracy of 0 of 0 solutions that worked:"


def test_a_program_says_what_it_imports_makes_and_fits() -> None:
    assert program.told(FOREST).splitlines() == [
        "Fit a forest.",
        "It imports numpy, sklearn.",
        "It makes:",
        "- Forest(n_estimators=10)",
        "It fits:",
        "- model.fit(np.zeros((2, 2)), [0, 1])",
    ]


@pytest.mark.parametrize("code", ["def f(:", "(" * 5000, "a" + ".b()" * 20_000, "x = '\\d'", "\0"])
def test_of_what_cannot_be_understood_the_beginning_is_told(code: str) -> None:
    assert program.told(code) == f"It begins:\n{code.strip()[:800]}"


@given(st.text() | st.lists(st.sampled_from(FOREST.split(" "))).map(" ".join))
def test_any_text_is_told(code: str) -> None:
    assert program.told(code)


@given(before=st.text(), after=st.text(), most=st.integers(0, 9))
def test_a_difference_is_as_long_as_is_wanted(before: str, after: str, most: int) -> None:
    told = program.difference(before, after, most).splitlines()
    assert program.difference(before, before, most) == ""
    assert len(told) <= most
