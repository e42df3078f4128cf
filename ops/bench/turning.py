"""What one full turn of the loop costs: proposed, written, run, graded, all durable and recorded.

Server, recorder and four roles that do nothing are processes, as in a real run.
"""

import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import anyio

from bus.connection import Bus, connect, ensure_streams
from bus.permissions import Declaration, of_role
from bus.server import ADMINISTRATOR_LOGIN, EmbeddedServer
from bus.subjects import filters
from bus.work import follow
from ops.bench.figure import Figure
from ops.bench.idle_roles import ROLES, proposed
from ops.processes.supervisor import Program, Supervisor
from schemas.envelope import wrap
from schemas.events import SolutionGraded

RUN = "bench"
_MANY = 64
_STAGE_SECONDS = 600.0


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield the turn's length with one node in flight, early and late, and the turns a second."""
    some, all_ = (20, 200) if quick else (100, 10_000)
    times = anyio.run(_run, home, some, all_)
    early, late = _intervals(times[1 : some + 1]), _intervals(times[all_ - some :])
    yield Figure(
        name="turn: one node in flight", value=1000 * median(early), unit="ms", target=10.0
    )
    yield Figure(
        name=f"turn: at {all_} nodes, times that of the first {some}",
        value=median(late) / median(early),
        unit="x",
        target=1.1,
    )
    middle = times[some + _MANY : all_ - some - _MANY]
    yield Figure(
        name=f"turn: {_MANY} nodes in flight",
        value=(len(middle) - 1) / (middle[-1] - middle[0]),
        unit="/s",
        target=150.0,
        bound="at least",
    )
    yield Figure(
        name=f"turn: {_MANY} in flight, last fifth's rate, times the first's",
        value=_last_against_first(middle),
        unit="x",
        target=0.9,
        bound="at least",
    )


async def _run(home: Path, some: int, all_: int) -> list[float]:
    """Let nodes pass: first one after the other, then many at once, then one by one again.

    Return when each was graded, in order.
    """
    graded: list[float] = []
    async with _system(home) as bus:
        stages = ((1, some + 1, 1), (some + 2, all_ - some, _MANY), (all_ - some + 1, all_ + 1, 1))
        for first, last, lanes in stages:
            for number in range(first, min(first + lanes, last + 1)):
                await _propose(bus, number, lanes, last)
            with anyio.fail_after(_STAGE_SECONDS):
                await _graded(bus, graded, last)
    return graded


async def _propose(bus: Bus, number: int, lanes: int, last: int) -> None:
    event = proposed(number, lanes, last)
    await bus.publish(
        wrap(event, run=RUN, source="flowstone://bench", time=datetime.now(UTC), cause=None)
    )


async def _graded(bus: Bus, times: list[float], count: int) -> None:
    """Add to *times* until there are *count*; an event's own time is when it was said."""
    ahead = len(times)
    async for _, event in follow(bus, filters([SolutionGraded], run=RUN)):
        if ahead:
            ahead -= 1
            continue
        times.append(event.time.timestamp())
        if len(times) == count:
            return


def _intervals(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def _last_against_first(times: Sequence[float]) -> float:
    part = len(times) // 5
    return (times[part] - times[0]) / (times[-1] - times[-1 - part])


@asynccontextmanager
async def _system(home: Path) -> AsyncIterator[Bus]:
    """Yield a connection to a server with a recorder and an actor for each role."""
    server = EmbeddedServer(home / "nats")
    declared = [Declaration(name=role.name, emits=role.emits) for role in ROLES.values()]
    access = server.prepare({each.name: of_role(each, declared) for each in declared})

    def program(name: str, login: str, command: Sequence[str]) -> Program:
        environment = {
            **os.environ,
            "FLOWSTONE_HOME": str(home),
            "FLOWSTONE_NATS_URL": access.url(login),
        }
        output = home / "logs" / f"{name}.log"
        return Program(name=name, command=command, output=output, environment=environment)

    python = [sys.executable, "-m"]
    async with anyio.create_task_group() as tasks:
        supervisor = Supervisor(tasks, _notice)
        try:
            await supervisor.keep(program("nats-server", ADMINISTRATOR_LOGIN, server.command()))
            async with connect(access.url(), name="bench", wait=15.0) as bus:
                await ensure_streams(bus)
                for name in ROLES:
                    command = [*python, "ops.bench.actor", name, str(_MANY)]
                    await supervisor.keep(program(name, name, command))
                recorder = program("recorder", ADMINISTRATOR_LOGIN, [*python, "ops", "recorder"])
                await supervisor.keep(recorder)
                yield bus
        finally:
            with anyio.CancelScope(shield=True):
                await supervisor.stop(last=("recorder", "nats-server"))


async def _notice(text: str) -> None:
    raise RuntimeError(text)
