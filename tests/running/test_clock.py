"""The clock: a run is told once that its time is up, and pauses do not count."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest

from agents.testing import BEGINNING, history
from bus.connection import Bus
from bus.work import follow
from ops.runs import conduct
from ops.runs.clock import Clock, Times, apply
from schemas.envelope import wrap
from schemas.events import (
    Event,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SearchClosed,
    SearchTimeUp,
    TimeUp,
)
from schemas.settings import Budget, Closing, Settings


def started(**closing: Any) -> RunStarted:
    return RunStarted(
        task="t",
        folder="f",
        settings=Settings(closing=Closing(**closing)),
        budget=Budget(minutes=10),
        seed=1,
        versions={},
    )


STARTED = started(steps=())
KEEPS_TWO = started(steps=("packer",), reserve_share=0.2, minutes=3)
CLOSED = SearchClosed(why="nodes", phase=1, steps=("packer",))
FINISHED = RunFinished(best=None, metric=None, why="", failed=True, nodes=0, buggy=0)


def _next(*events: Event) -> tuple[float, Event] | None:
    """Return the minute at which a run that began at the first second is told, and what."""
    times = Times()
    for event in history(*events):
        times = apply(times, event)
    if times.next is None:
        return None
    moment, word = times.next
    minutes = (moment - BEGINNING - timedelta(seconds=1)).total_seconds() / 60
    return round(minutes, 3), word


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], None),
        ([STARTED], (10, TimeUp(n=1))),
        ([STARTED, RunPaused(n=1)], None),
        ([STARTED, RunPaused(n=1), RunResumed(n=2, minutes=3)], (13, TimeUp(n=2))),
        ([STARTED, TimeUp(n=1)], None),
        ([STARTED, TimeUp(n=1), RunResumed(n=2, minutes=5)], (15, TimeUp(n=2))),
        ([STARTED, RunResumed(n=2, minutes=5), TimeUp(n=2)], None),
        ([STARTED, FINISHED], None),
        ([RunResumed(n=1, minutes=5)], None),
        ([KEEPS_TWO], (8, SearchTimeUp(n=1))),
        ([KEEPS_TWO, SearchTimeUp(n=1)], (10, TimeUp(n=1))),
        ([KEEPS_TWO, RunResumed(n=2, minutes=5)], (13, SearchTimeUp(n=2))),
        ([KEEPS_TWO, SearchTimeUp(n=1), RunPaused(n=2)], None),
        ([KEEPS_TWO, SearchTimeUp(n=1), RunResumed(n=2, minutes=5)], (13, SearchTimeUp(n=2))),
        ([KEEPS_TWO, SearchTimeUp(n=1), TimeUp(n=1)], None),
        ([KEEPS_TWO, FINISHED], None),
        # A closing that begins early takes no more time than closings may.
        ([KEEPS_TWO, CLOSED], (3.017, TimeUp(n=1))),
        ([KEEPS_TWO, CLOSED, RunResumed(n=2, minutes=5)], (8.017, TimeUp(n=2))),
        ([started(steps=("packer",), minutes=60), CLOSED], (10, TimeUp(n=1))),
        ([started(steps=("packer",), reserve_share=0)], (10, TimeUp(n=1))),
    ],
)
def test_when_a_run_is_told_what(events: list[Event], told: tuple[float, Event] | None) -> None:
    assert _next(*events) == told


async def _say(bus: Bus, run: str, event: Event, *, ago: float) -> None:
    time = datetime.now(UTC) - timedelta(minutes=ago)
    await bus.publish(wrap(event, run=run, source="test", time=time, cause=None))


async def _told(bus: Bus, run: str) -> AsyncIterator[str]:
    words = [f"flowstone.{run}.{word}.>" for word in ("SearchTimeUp", "TimeUp")]
    async for _, event in follow(bus, words):
        yield f"{event.run} {event.type} {event.key}"


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
            assert {await anext(told), await anext(told)} == {"told TimeUp 1", "over TimeUp 1"}
            # What happens while it looks on is told, too.
            await _say(bus, "paused", RunResumed(n=9, minutes=0), ago=0)
            assert await anext(told) == "paused TimeUp 2"
            await _say(bus, "soon", STARTED, ago=10 - 0.5 / 60)
            assert await anext(told) == "soon TimeUp 1"
            await _say(bus, "closing", KEEPS_TWO, ago=8)
            assert await anext(told) == "closing SearchTimeUp 1"
            await _say(bus, "closing", CLOSED, ago=3)
            assert await anext(told) == "closing TimeUp 1"
            tasks.cancel_scope.cancel()
