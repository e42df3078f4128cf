"""Being a process that others start and stop: works until SIGINT or SIGTERM asks it to end."""

import signal
from collections.abc import Awaitable, Callable
from typing import TypeVarTuple, Unpack

import anyio

Arguments = TypeVarTuple("Arguments")


async def until_asked(
    work: Callable[[Unpack[Arguments]], Awaitable[None]], *arguments: *Arguments
) -> None:
    """Run *work* until it returns, or cancel it at the first SIGINT or SIGTERM."""
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    tasks.cancel_scope.cancel()

        tasks.start_soon(listen)
        await work(*arguments)
        tasks.cancel_scope.cancel()
