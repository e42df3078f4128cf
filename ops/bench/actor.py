"""One do-nothing role as a process of its own: `python -m ops.bench.actor NAME SLOTS`.

The server's address with the role's login is in FLOWSTONE_NATS_URL. Talks to the bus only.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import anyio

from agents.role import Role
from bus.connection import connect
from bus.permissions import inbox
from ops import configuration, logs
from ops.actors.toolbox import Doors
from ops.bench.idle_roles import ROLES
from ops.processes.asked import until_asked
from ops.worker import Actor, Worker, actor_name


async def act(role: Role[Any], url: str, home: Path, slots: int) -> None:
    """Run *role* until asked to stop, as `flowstone actor` runs a real one."""
    settings = configuration.load().settings
    async with connect(url, name=role.name, inbox=inbox(role.name), wait=15.0) as bus:
        actor = Actor(
            name=actor_name(role.name),
            host=socket.gethostname(),
            version="bench",
            slots=slots,
            claim_seconds=settings.bus.claim_seconds,
            max_deliveries=settings.bus.max_deliveries,
        )
        await until_asked(Worker(role, bus, actor, Doors(actor.name, slots, home, bus)).run)


def main(name: str, slots: int) -> None:
    """Run the role called *name*."""
    home = configuration.home()
    logs.configure(actor_name(name), home, configuration.load().settings.log_level)
    anyio.run(act, ROLES[name], os.environ["FLOWSTONE_NATS_URL"], home, slots)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
