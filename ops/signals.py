"""Signals from a process's first moment on: what parents left is undone, and no Ctrl-C is lost.

Python raises KeyboardInterrupt wherever it happens to be, and some modules swallow it while they are
being imported. It is remembered, and raised again before any work begins.
"""

import signal
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TypeVar, TypeVarTuple

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_heard: list[int] = []


def begin() -> None:
    """Hear signals that the parent ignored or blocked: here, these never end a process.

    SIGINT and SIGHUP stay ignored where they are: so a shell starts what shall outlive it.
    """
    for each in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def run(function: Callable[[*Arguments], Awaitable[Result]], *arguments: *Arguments) -> Result:
    """Run *function* in an event loop, now that all is loaded; Ctrl-C is the loop's from here on.

    Raises KeyboardInterrupt when it was heard before and came to nothing.
    """
    import anyio  # noqa: PLC0415 - slow to import

    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if _heard:
        raise KeyboardInterrupt
    return anyio.run(function, *arguments)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _heard.append(number)
    raise KeyboardInterrupt
