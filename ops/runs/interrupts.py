"""Ctrl-C, heard from the first moment of a command to its last. Reads signals, nothing else.

A cancel scope keeps cancelling until everything has ended, where the loop's own handling of Ctrl-C
cancels once, which a library on the way can swallow.
"""

import signal
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus


class Interrupts:
    """What SIGINT and SIGTERM do: the first asks, where there is something to ask; the next leaves."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._ask: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.heard = 0

    def within(self, tasks: TaskGroup, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """From now on, let the first signal start *ask* in *tasks*, and the next end all of these."""
        self._tasks, self._ask = tasks, ask

    async def listen(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Act on signals until cancelled."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for _ in signals:
                self.heard += 1
                if self._ask is not None and self.heard == 1:
                    self._tasks.start_soon(self._ask)
                else:
                    self._tasks.cancel_scope.cancel()
