"""The clock: a run is told once that its time is up, and pauses do not count."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio
import pytest

from agents.testing import BEGINNING, history
from bus.connection import Bus
from bus.work import follow
from ops.runs import conduct
from ops.runs.clock import Clock, Times, apply
from schemas.envelope import wrap
from schemas.events import Event, RunFinished, RunPaused, RunResumed, RunStarted, TimeUp
from schemas.settings import Budget, Settings

STARTED = RunStarted(
    task="t", folder="f", settings=Settings(), budget=Budget(minutes=10), seed=1, versions={}
)
FINISHED = RunFinished(best=None, metric=None, why="", failed=True, nodes=0, buggy=0)


def _due(*events: Event) -> float | None:
    """Return the minute at which a run that began at the first second is due."""
    times = Times()
    for event in history(*events):
        times = apply(times, event)
    if times.due is None:
        return None
    return (times.due - BEGINNING - timedelta(seconds=1)).total_seconds() / 60


@pytest.mark.parametrize(
    ("events", "minute"),
    [
        ([], None),
        ([STARTED], 10),
        ([STARTED, RunPaused(n=1)], None),
        ([STARTED, RunPaused(n=1), RunResumed(n=2, minutes=3)], 13),
        ([STARTED, TimeUp(n=1)], None),
        ([STARTED, TimeUp(n=1), RunResumed(n=2, minutes=5)], 15),
        ([STARTED, RunResumed(n=2, minutes=5), TimeUp(n=2)], None),
        ([STARTED, FINISHED], None),
        ([RunResumed(n=1, minutes=5)], None),
    ],
)
def test_when_a_run_is_due(events: list[Event], minute: float | None) -> None:
    assert _due(*events) == minute


async def _say(bus: Bus, run: str, event: Event, *, ago: float) -> None:
    time = datetime.now(UTC) - timedelta(minutes=ago)
    await bus.publish(wrap(event, run=run, source="test", time=time, cause=None))


async def _told(bus: Bus, run: str) -> AsyncIterator[str]:
    async for _, event in follow(bus, [f"flowstone.{run}.TimeUp.>"]):
        yield f"{event.run} {event.key}"


async def test_every_run_is_told_once_and_only_when_it_is_due(bus: Bus) -> None:
    await _say(bus, "over", STARTED, ago=11)
    await _say(bus, "resumed", STARTED, ago=60)
    await _say(bus, "resumed", RunResumed(n=2, minutes=55), ago=1)
    await _say(bus, "paused", STARTED, ago=11)
    await _say(bus, "paused", RunPaused(n=4), ago=5)
    await _say(bus, "told", STARTED, ago=11)
    await _say(bus, "told", TimeUp(n=1), ago=1)
    with anyio.fail_after(15):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Clock(bus, partial(conduct.say, bus)).keep)
            told = _told(bus, "*")
            assert {await anext(told), await anext(told)} == {"told 1", "over 1"}
            # What happens while it looks on is told, too.
            await _say(bus, "paused", RunResumed(n=9, minutes=0), ago=0)
            assert await anext(told) == "paused 2"
            await _say(bus, "soon", STARTED, ago=10 - 0.5 / 60)
            assert await anext(told) == "soon 1"
            tasks.cancel_scope.cancel()
