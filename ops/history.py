"""One run's events folded for one role, exactly as far as the work at hand needs. Reads the bus."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import anyio

from agents.role import Role
from schemas.envelope import Envelope, Recorded, Vocabulary

State = TypeVar("State")

Follow = Callable[[str], AsyncGenerator[tuple[int, Envelope], None]]
"""From a run to its events in order, for ever."""


class History(Generic[State]):
    """The state of a role in one run.

    Events are folded only up to the newest one that was asked for, so that a role which takes
    events strictly in order decides on exactly what had happened then, also after a restart.
    """

    def __init__(self, role: Role[State], vocabulary: Vocabulary) -> None:
        self._evolve = role.evolve
        self._follows = role.follows
        self._vocabulary = vocabulary
        self._state = role.start
        self._seen = 0
        self._waiting: deque[Recorded[Any]] = deque()
        self._received = 0
        self._more = anyio.Event()

    async def run(self, events: AsyncGenerator[tuple[int, Envelope], None]) -> None:
        """Receive *events* until cancelled."""
        async with aclosing(events) as following:
            async for seq, event in following:
                self._waiting.append(self._vocabulary.read(event, seq))
                self._received = seq
                self._more.set()

    async def at(self, seq: int) -> tuple[State, int]:
        """Return the state after the event *seq*, and the sequence number it is folded up to.

        That number is higher than *seq* when later events were asked for before.
        """
        while self._received < seq:
            if self._more.is_set():
                self._more = anyio.Event()
            await self._more.wait()
        while self._waiting and self._waiting[0].seq <= seq:
            event = self._waiting.popleft()
            self._seen = event.seq
            if type(event.data) in self._follows:
                self._state = self._evolve(self._state, event)
        return self._state, self._seen
