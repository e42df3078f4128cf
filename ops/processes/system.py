"""A whole system on this machine: server, recorder and actors as processes. Starts and ends them."""

import fcntl
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from agents.role import Role, discover
from bus.connection import Bus, connect
from bus.permissions import Declaration, of_role
from bus.server import ADMINISTRATOR_LOGIN, EmbeddedServer, free_port
from ops.configuration import Endpoint
from ops.errors import Problem
from ops.processes.supervisor import Notice, Program, Supervisor
from ops.recording.client import recorder_answers
from ops.recording.refill import LOG, ready_streams
from schemas.events import ClosingStepDone, ModelAsked
from schemas.settings import Settings

SERVER = "nats-server"
RECORDER = "recorder"
REHEARSAL = "rehearsal"
NATS_URL = "FLOWSTONE_NATS_URL"

_OWN_SERVER_SECONDS = 10.0
_OTHER_SERVER_SECONDS = 4.0
_RECORDER_SECONDS = 60.0
_MODEL_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_KEY")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to run here. Without an endpoint, the rehearsal model is started as well.

    `url` names a server that is up already; then only what it lacks is started here. Of the roles
    that close runs, only those among `steps` are started; all of them where that is None.
    """

    home: Path
    settings: Settings
    endpoint: Endpoint | None
    assignments: Sequence[str] = ()
    recording: Path | None = None
    url: str | None = None
    actors: bool = True
    steps: Sequence[str] | None = None

    def starts(self, role: Role[object]) -> int:
        """Return how many actors of *role* are to be started."""
        wanted = self.steps is None or role.name in self.steps
        if not self.actors or (ClosingStepDone in role.emits and not wanted):
            return 0
        return int(getattr(self.settings.actors, role.name, 1))


@asynccontextmanager
async def running(plan: Plan, notice: Notice) -> AsyncIterator[Bus]:
    """Yield a connection to the system, which is up as long as the block takes.

    Raises Problem when the home is in use, and BusUnavailable when a server does not answer.
    """
    roles = list(discover())
    with _lock(plan.home):
        async with anyio.create_task_group() as tasks:
            supervisor = Supervisor(tasks, notice)
            try:
                urls = await _start_server(plan, roles, supervisor)
                patience = _OWN_SERVER_SECONDS if plan.url is None else _OTHER_SERVER_SECONDS
                async with connect(urls[ADMINISTRATOR_LOGIN], name="command", wait=patience) as bus:
                    broken = _set_aside(plan.home)
                    await _start_rest(plan, roles, urls, supervisor, bus)
                    for each in _set_aside(plan.home) - broken:
                        await notice(f"the log could not be read: {each} keeps it; restored")
                    yield bus
            finally:
                with anyio.CancelScope(shield=True):
                    await supervisor.stop(last=(RECORDER, SERVER))


async def _start_server(
    plan: Plan, roles: Sequence[Role[object]], supervisor: Supervisor
) -> Mapping[str, str]:
    """Start the embedded server unless another is named; return the address for each login."""
    if plan.url is not None:
        return dict.fromkeys([ADMINISTRATOR_LOGIN, *(role.name for role in roles)], plan.url)
    server = EmbeddedServer(plan.home / "nats")
    declared = [Declaration(name=role.name, emits=role.emits) for role in roles]
    access = server.prepare({each.name: of_role(each, declared) for each in declared})
    await supervisor.keep(
        Program(
            name=SERVER,
            command=server.command(),
            output=plan.home / "logs" / f"{SERVER}.log",
            environment={"PATH": os.environ.get("PATH", "")},
        )
    )
    return {login: access.url(login) for login in access.passwords}


async def _start_rest(
    plan: Plan,
    roles: Sequence[Role[object]],
    urls: Mapping[str, str],
    supervisor: Supervisor,
    bus: Bus,
) -> None:
    endpoint = plan.endpoint
    if plan.actors and endpoint is None:
        port = free_port()
        endpoint = Endpoint(url=f"http://127.0.0.1:{port}/v1", key="rehearsal")
        recording = ["--recording", str(plan.recording)] if plan.recording else []
        command = [REHEARSAL, "--port", str(port), *recording]
        await supervisor.keep(_program(plan, REHEARSAL, command, {}))
    await ready_streams(bus, plan.home)
    if plan.url is None or not await recorder_answers(bus):
        url = {NATS_URL: urls[ADMINISTRATOR_LOGIN]}
        await supervisor.keep(_program(plan, RECORDER, [RECORDER], url))
    for role in roles:
        environment = {NATS_URL: urls[role.name]}
        if endpoint and ModelAsked in role.requests:
            environment |= dict(zip(_MODEL_VARIABLES, (endpoint.url, endpoint.key), strict=True))
        for number in range(1, plan.starts(role) + 1):
            name = f"{role.name}-{number}"
            await supervisor.keep(_program(plan, name, ["actor", role.name], environment))
    if not await recorder_answers(bus, wait=_RECORDER_SECONDS):
        where = str(plan.home / "logs" / f"{RECORDER}.log")
        raise Problem("the recorder does not answer", where=where, remedy="see what it says there")


def _set_aside(home: Path) -> set[Path]:
    """Return the logs that were too broken to go on with."""
    return set(home.glob(f"{LOG}.broken-*"))


def _program(
    plan: Plan, name: str, command: Sequence[str], environment: Mapping[str, str]
) -> Program:
    """Return one of our own commands as a program; it sees only the secrets that it needs."""
    inherited = {
        variable: value
        for variable, value in os.environ.items()
        if variable not in _MODEL_VARIABLES
    }
    settings = [part for each in plan.assignments for part in ("--set", each)]
    return Program(
        name=name,
        command=[sys.executable, "-m", "ops", *command, *(settings if name != REHEARSAL else [])],
        output=plan.home / "logs" / f"{name}.log",
        environment={**inherited, **environment, "FLOWSTONE_HOME": str(plan.home)},
    )


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Hold the home for this process alone."""
    path = home / "lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Problem(
                f"in use by process {file.read().strip() or '?'}",
                where=str(home),
                remedy="wait for it, stop it, or set FLOWSTONE_HOME to another directory",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
