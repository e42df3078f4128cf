"""`flowstone up` and `flowstone start` from the inside: a system that waits for runs, and a run on one."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from bus.connection import Bus
from bus.server import EmbeddedServer
from ops import configuration, logs, signals
from ops.past import runs
from ops.past.access import records
from ops.processes.system import Plan, running
from ops.runs import conduct, solo
from ops.runs.clock import Clock
from schemas.envelope import Recorded
from schemas.events import RunResumed
from schemas.settings import Settings

_EVENTS_WAITING = 10_000


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for; with `wait` the run is shown until it ends."""

    task: str
    name: str | None
    assignments: Sequence[str]
    url: str | None
    wait: bool


def stay(assignments: Sequence[str], *, actors: bool) -> None:
    """Keep a system up until Ctrl-C; raises Problem when the home is in use."""
    settings = configuration.load(assignments).settings
    home = configuration.home()
    logs.configure("command", home, settings.log_level)
    plan = Plan(
        home=home,
        settings=settings,
        endpoint=configuration.endpoint(),
        assignments=assignments,
        actors=actors,
    )
    signals.run(_stay, plan)


def begin(wish: Wish) -> int:
    """Start a run on a system that is up and return the exit status; raises Problem."""
    settings = configuration.load(wish.assignments).settings
    solo.check_steps(settings)
    home = configuration.home()
    return signals.run(_begin, wish, settings, home)


async def _stay(plan: Plan) -> None:
    async with running(plan, _notice) as bus:
        access = EmbeddedServer(plan.home / "nats").access()
        _tell(f"home   {plan.home}")
        _tell(f"nats   {access.url() if access else '?'}")
        await _go_on(bus, plan.home)
        _tell("up     flowstone start TASK begins a run, flowstone status shows all; Ctrl-C ends")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Clock(bus, partial(conduct.say, bus)).keep)
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    break
            tasks.cancel_scope.cancel()
        _tell("stopping; runs that are under way go on with the next `flowstone up`")


async def _go_on(bus: Bus, home: Path) -> None:
    """Let runs that were interrupted go on: the time in between is not theirs."""
    await conduct.log_complete(bus)
    async with records(home) as log:
        known = await runs.runs(log)
    now = datetime.now(UTC).timestamp()
    for run in known:
        if run.finished is None and run.paused_at is None:
            away = max(0.0, (now - run.newest) / 60)
            await conduct.say(bus, run.run, RunResumed(n=run.last, minutes=away))
            _tell(f"goes on  {run.run}")


async def _begin(wish: Wish, settings: Settings, home: Path) -> int:
    async with records(home, wish.url) as log:
        bus = log.running("starting a run")
        folder = await anyio.to_thread.run_sync(solo.folder_of, wish.task, home)
        run = wish.name or conduct.new_name(folder.name)
        await solo.start(bus, run, folder, settings)
        _tell(run)
        if not wish.wait:
            return 0
        ending = await _until_end(bus, run, home)
        await conduct.log_complete(bus)
    return solo.close(run, ending, home, interrupted=False)


async def _until_end(bus: Bus, run: str, home: Path) -> conduct.Ending:
    """Show the run until it ends; whoever looks away leaves it at work."""
    from ops.view import show  # noqa: PLC0415 - slow to import

    send, receive = anyio.create_memory_object_stream[Recorded[Any]](_EVENTS_WAITING)
    async with receive, anyio.create_task_group() as tasks:
        tasks.start_soon(show, receive)
        ending = await conduct.Conductor(bus, run, home, send).until_end()
        tasks.cancel_scope.cancel()
    return ending


async def _notice(text: str) -> None:
    _tell(f"! {text}")


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
