"""The clock of runs: says when the time for searching is up, and when all is. Talks to the bus only.

Pauses do not count: a paused run is never over time, and the minutes that it was paused are given
back when it goes on (see ops/runs/steer.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from msgspec import Struct
from msgspec.structs import replace

from bus.connection import Bus
from bus.subjects import filters
from bus.work import follow
from schemas.envelope import Recorded, Vocabulary
from schemas.events import (
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SearchClosed,
    SearchTimeUp,
    TimeUp,
)

FOLLOWED = (
    RunStarted,
    RunPaused,
    RunResumed,
    SearchTimeUp,
    SearchClosed,
    TimeUp,
    RunFinished,
)
EVERY_RUN = "*"

Word = SearchTimeUp | TimeUp
Tell = Callable[[str, Word], Awaitable[object]]
"""Records that a run's time is up, or that for searching."""


class Times(Struct, frozen=True, kw_only=True):
    """One run's time: until when it may work, how often it was resumed, how often it was told.

    `reserve` is kept for the closing of the run, which takes `closing` at the most.
    """

    deadline: datetime | None = None
    reserve: timedelta = timedelta()
    closing: timedelta = timedelta()
    resumed: int = 0
    warned: int = 0
    told: int = 0
    closed: bool = False
    paused: bool = False
    finished: bool = False

    @property
    def next(self) -> tuple[datetime, Word] | None:
        """What the run has to be told next, and when; None while there is nothing."""
        if self.deadline is None or self.paused or self.finished or self.told > self.resumed:
            return None
        if self.reserve and not self.closed and self.warned <= self.resumed:
            return self.deadline - self.reserve, SearchTimeUp(n=self.resumed + 1)
        return self.deadline, TimeUp(n=self.resumed + 1)


def apply(times: Times, event: Recorded[Any]) -> Times:
    """Return the times after *event*."""
    match event.data:
        case RunStarted(budget=budget, settings=settings):
            return replace(
                times,
                deadline=event.time + timedelta(minutes=budget.minutes),
                reserve=timedelta(minutes=settings.reserve(budget.minutes)),
                closing=timedelta(minutes=settings.closing.minutes),
            )
        case RunResumed(minutes=minutes) if times.deadline:
            later = times.deadline + timedelta(minutes=minutes)
            return replace(times, deadline=later, resumed=times.resumed + 1, paused=False)
        case RunPaused():
            return replace(times, paused=True)
        case SearchClosed() if times.deadline:
            latest = event.time + times.closing
            return replace(times, deadline=min(times.deadline, latest), closed=True)
        case SearchTimeUp() | TimeUp() as said:
            return heard(times, said)
        case RunFinished():
            return replace(times, finished=True)
        case _:
            return times


def heard(times: Times, said: Word) -> Times:
    """Return the times once the run was told."""
    if isinstance(said, TimeUp):
        return replace(times, told=max(said.n, times.told))
    return replace(times, warned=max(said.n, times.warned))


@dataclass
class Clock:
    """Keeps the time of one run, or of every run."""

    bus: Bus
    tell: Tell
    run: str = EVERY_RUN
    _times: dict[str, Times] = field(init=False, default_factory=dict)
    _read: int = field(init=False, default=0)
    _news: anyio.Event = field(init=False, default_factory=anyio.Event)

    async def keep(self) -> None:
        """Tell runs whose time is up, until cancelled."""
        head = await self._head()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._follow)
            while True:
                news = self._news = anyio.Event()
                wait = await self._tell() if self._read >= head else None
                with anyio.move_on_after(wait):
                    await news.wait()

    async def _head(self) -> int:
        """Return the newest event there is: before it is read, what was said last is not known."""
        found = [await self.bus.recorded(subject) for subject in filters(FOLLOWED, run=self.run)]
        return max((newest[0] for newest in found if newest), default=0)

    async def _follow(self) -> None:
        vocabulary = Vocabulary()
        async for seq, envelope in follow(self.bus, filters(FOLLOWED, run=self.run)):
            event = vocabulary.read(envelope, seq)
            self._times[event.run] = apply(self._times.get(event.run, Times()), event)
            self._read = seq
            self._news.set()

    async def _tell(self) -> float | None:
        """Tell every run that is due; return the seconds until the next will be."""
        now = datetime.now(UTC)
        for run, times in list(self._times.items()):
            if times.next and times.next[0] <= now:
                _, said = times.next
                await self.tell(run, said)
                self._times[run] = heard(self._times[run], said)
        waiting = [times.next[0] for times in self._times.values() if times.next]
        return (min(waiting) - now).total_seconds() if waiting else None
