"""One actor process: a role at work until it is asked to stop. Does I/O."""

import socket
from importlib.metadata import version
from pathlib import Path

import anyio

from agents.role import Role, discover
from bus.connection import connect
from bus.permissions import inbox
from ops import configuration
from ops.actors.toolbox import Doors
from ops.errors import USAGE, Problem
from ops.processes.asked import until_asked
from ops.worker import Actor, Worker, actor_name
from schemas.events import ModelAsked
from schemas.settings import Settings


def find(name: str) -> Role[object]:
    """Return the role called *name*; raises Problem naming those there are."""
    roles = {role.name: role for role in discover()}
    if name not in roles:
        raise Problem(f"there is no role {name!r}", remedy=f"one of: {', '.join(sorted(roles))}")
    return roles[name]


async def act(
    name: str, url: str, home: Path, settings: Settings, slots: int | None = None
) -> None:
    """Run the role *name* on the server at *url* until SIGINT or SIGTERM.

    Raises BusUnavailable when the server cannot be reached.
    """
    role = find(name)
    if slots is not None and slots < 1:
        raise Problem(f"--slots {slots}", remedy="give at least 1", status=USAGE)
    if ModelAsked in role.requests:
        configuration.required_endpoint()
    places = slots or places_of(name, settings)
    async with connect(url, name=name, inbox=inbox(name), wait=15.0) as bus:
        actor = Actor(
            name=actor_name(name),
            host=socket.gethostname(),
            version=version("flowstone"),
            slots=places,
            claim_seconds=settings.bus.claim_seconds,
            max_deliveries=settings.bus.max_deliveries,
        )
        doors = Doors(actor.name, places, home, bus)
        await until_asked(_work, Worker(role, bus, actor, doors), doors)


def places_of(name: str, settings: Settings) -> int:
    """Return how many requests a process of the role *name* answers at once."""
    return {"coder": settings.coder.calls, "executor": settings.executor.slots}.get(name, 4)


async def _work(worker: Worker[object], doors: Doors) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(doors.lend)
        if ModelAsked in worker.role.requests and worker.role.replicas == "many":
            # Where many copies ask a model, the run waits for them from its first node on.
            tasks.start_soon(doors.model.preload)
        await worker.run()
