"""What the repeater decides, by example."""

import pytest

from agents import repeater
from agents.role import fold
from agents.testing import Spec, history
from schemas.events import (
    ClosingStepDone,
    Event,
    JobQueued,
    NodeProposed,
    SearchClosed,
    SolutionWritten,
    WorkAbandoned,
)
from schemas.settings import Select

from .examples import RECALLED, executed, graded, prepared, proposed, started

CLOSED = SearchClosed(why="nodes", phase=2, steps=("fuser", "repeater"))
DONE = ClosingStepDone(step="repeater")


def tried(node: str, metric: float | None) -> list[Event]:
    program = SolutionWritten(node=node, plan="", code=f"{node} = fit(seed=1)")
    return [proposed(node), program, executed(node), graded(node, metric)]


def searched(*tries: tuple[str, float | None], **select: int) -> list[Event]:
    """Return a run whose search is over."""
    begun: list[Event] = [started(select=Select(final="robust", **select)), prepared(), RECALLED]
    return begun + [event for each in tries for event in tried(*each)]


THREE = (("n1", 0.6), ("n2", 0.9), ("n3", None), ("n4", 0.7))


def test_the_best_are_run_again_each_once_before_any_twice() -> None:
    spec = Spec(repeater.role).given(*searched(*THREE, candidates=2, repeats=2)).when(CLOSED)
    proposals = [each for each in spec.decided if isinstance(each, NodeProposed)]
    assert [(each.node, each.parent) for each in proposals] == [
        ("n2r1", "n2"),
        ("n4r1", "n4"),
        ("n2r2", "n2"),
        ("n4r2", "n4"),
    ]
    assert {(each.action, each.step, each.phase) for each in proposals} == {
        ("repeat", "repeater", 2)
    }
    programs = [each.code for each in spec.decided if isinstance(each, SolutionWritten)]
    assert programs == [f"{n} = fit(seed={seed})" for seed in (1001, 2001) for n in ("n2", "n4")]
    assert [each.code for each in spec.decided if isinstance(each, JobQueued)] == programs


@pytest.mark.parametrize(
    "past",
    [
        searched(),
        searched(("n1", None)),
        searched(*THREE, repeats=0),
        searched(*THREE, candidates=0),
    ],
)
def test_with_nothing_to_run_again_it_is_done_at_once(past: list[Event]) -> None:
    (done,) = Spec(repeater.role).given(*past).when(CLOSED).decided
    assert isinstance(done, ClosingStepDone)
    assert (done.step, bool(done.why)) == ("repeater", True)


def test_however_many_are_asked_for_it_comes_to_an_end() -> None:
    past = searched(*THREE, repeats=300, candidates=10**9)
    spec = Spec(repeater.role).given(*past).when(CLOSED)
    assert len(spec.decided) == 3 * 3 * 300
    past = searched(*THREE, repeats=10**9)
    assert len(Spec(repeater.role).given(*past).when(CLOSED).decided) == 3 * repeater.MOST


def test_it_waits_until_it_is_named() -> None:
    others = SearchClosed(why="nodes", phase=1, steps=("fuser",))
    Spec(repeater.role).given(*searched(*THREE)).when(others).then()


def test_it_is_done_when_its_last_node_has_come_to_its_end() -> None:
    again = [proposed(f"n2r{n}", "n2", "repeat", step="repeater") for n in (1, 2)]
    past = [*searched(*THREE), CLOSED, *again, proposed("fuse1", None, "fuse", step="fuser")]
    Spec(repeater.role).given(*past).when(graded("n2r1", 0.8)).then()
    lost = WorkAbandoned(role="executor", event="JobQueued", about="cpu.n2r2", why="no")
    Spec(repeater.role).given(*past, graded("n2r1", 0.8)).when(lost).then(DONE)
    Spec(repeater.role).given(*past, graded("n2r2", 0.8)).when(graded("n2r1", 0.8)).then(DONE)
    Spec(repeater.role).given(*past).when(graded("fuse1", 0.8)).then()


def test_a_decision_that_is_made_again_is_the_same_whatever_has_been_said_since() -> None:
    past = [*searched(*THREE), CLOSED]
    since = history(*past, proposed("n2r1", "n2", "repeat", step="repeater"), graded("n2r1", 0.5))
    closed = since[len(past) - 1]
    first = repeater.decide(fold(repeater.role, history(*past)), closed)
    assert len(first) == 27
    assert repeater.decide(fold(repeater.role, since), closed) == first
