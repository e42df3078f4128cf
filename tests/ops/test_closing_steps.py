"""Which roles that close a run are started with it, and what becomes of a step that none takes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.role import Role
from ops.errors import USAGE, Problem
from ops.processes.system import Plan
from ops.runs.solo import check_steps
from schemas.envelope import Recorded
from schemas.events import ClosingStepDone, GuidanceGiven, SearchClosed
from schemas.settings import Actors, Closing, Settings


def _close(state: object, event: Recorded[SearchClosed]) -> list[ClosingStepDone]:
    del state, event
    return [ClosingStepDone(step="packer")]


def _listen(state: object, event: Recorded[GuidanceGiven]) -> list[GuidanceGiven]:
    del state, event
    return []


CLOSER = Role[object](name="packer", start=None, decide=_close)
OTHER = Role[object](name="coder", start=None, decide=_listen)


@pytest.mark.parametrize(
    ("role", "steps", "count"),
    [
        (CLOSER, ("packer",), 1),
        (CLOSER, ("fuser",), 0),
        (CLOSER, (), 0),
        (CLOSER, None, 1),
        (OTHER, (), 3),
        (OTHER, None, 3),
    ],
)
def test_of_the_roles_that_close_runs_only_those_that_will_be_asked_are_started(
    role: Role[object], steps: Sequence[str] | None, count: int
) -> None:
    settings = Settings(actors=Actors(coder=3))
    plan = Plan(home=Path(), settings=settings, endpoint=None, steps=steps)
    assert plan.starts(role) == count


def test_without_actors_none_is_started() -> None:
    plan = Plan(home=Path(), settings=Settings(), endpoint=None, actors=False)
    assert plan.starts(CLOSER) == 0


def test_a_step_that_no_role_takes_is_refused() -> None:
    with pytest.raises(Problem, match=r"closing\.steps: no role 'coder' closes runs") as caught:
        check_steps(Settings(closing=Closing(steps=("coder",))))
    assert caught.value.status == USAGE
    check_steps(Settings(closing=Closing(steps=())))
