"""The doors that actors use while they perform, made when they are first needed. Does I/O."""

import os
import socket
from collections.abc import Awaitable, Callable
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agents.tools import Artifacts, Grading, Library, Model, Sandbox, Tools
from bus import objects
from bus.connection import Bus
from ops import configuration
from ops.recording.client import LogLibrary
from ops.recording.shared_artifacts import SharedArtifacts
from schemas.envelope import subject_of
from schemas.events import ONCE, Event, RunStarted
from store.artifacts import ArtifactStore

if TYPE_CHECKING:
    from agents.tools.grading.service import TaskGrading
    from agents.tools.model import OpenAIModel


class Doors:
    """What one process can reach; one object for all its requests."""

    def __init__(self, actor: str, slots: int, home: Path, bus: Bus) -> None:
        self._actor = actor
        self._slots = slots
        self._home = home
        self._bus = bus
        self._store = ArtifactStore(home / "artifacts")
        self.artifacts: Artifacts = SharedArtifacts(self._store, bus)
        self._sandboxes: dict[int, Sandbox] = {}

    @cached_property
    def model(self) -> "OpenAIModel":
        """The model behind the endpoint that the environment names."""
        from agents.tools.model import OpenAIModel  # noqa: PLC0415 - openai takes a second

        endpoint = configuration.required_endpoint()
        return OpenAIModel(base_url=endpoint.url, api_key=endpoint.key)

    @cached_property
    def grading(self) -> "TaskGrading":
        """Trusted code with the answers."""
        from agents.tools.grading.service import TaskGrading  # noqa: PLC0415 - graders alone need it

        return TaskGrading(self._home, self.artifacts, self._started)

    @cached_property
    def library(self) -> Library:
        """What earlier runs left in the log."""
        return LogLibrary(self._bus)

    def sandbox(self, slot: int) -> Sandbox:
        """Return the sandbox of a slot."""
        from agents.tools.sandbox import ProcessSandbox  # noqa: PLC0415 - executors alone need it

        if slot not in self._sandboxes:
            self._sandboxes[slot] = ProcessSandbox(
                root=self._home / "work" / f"{self._actor}-{slot}",
                artifacts=self.artifacts,
                slot=slot,
                threads=max(1, len(os.sched_getaffinity(0)) // self._slots),
            )
        return self._sandboxes[slot]

    async def lend(self) -> None:
        """Let other machines have this one's artifacts until cancelled."""
        home = sha256(str(self._home).encode() + socket.gethostname().encode()).hexdigest()
        await objects.lend(self._bus, home, self._store.find)

    async def _started(self, run: str) -> RunStarted:
        """Return how a run began, for a grader that takes over from another machine's."""
        found = await self._bus.recorded(subject_of(RunStarted, run, ONCE))
        if found is None:
            raise KeyError(f"{run}: the stream holds no beginning of it")
        return msgspec.json.decode(found[1].data, type=RunStarted)

    def __call__(self, slot: int, record: Callable[[Event], Awaitable[bool]]) -> Tools[Any]:
        """Return the tools for one request in *slot*."""
        return _Tools(self, slot, record)


class _Tools:
    """The doors as one request sees them."""

    def __init__(self, doors: Doors, slot: int, record: Callable[[Event], Awaitable[bool]]) -> None:
        self._doors = doors
        self._slot = slot
        self._record = record

    async def record(self, event: Event) -> bool:
        return await self._record(event)

    @property
    def model(self) -> Model:
        return self._doors.model

    @property
    def sandbox(self) -> Sandbox:
        return self._doors.sandbox(self._slot)

    @property
    def grading(self) -> Grading:
        return self._doors.grading

    @property
    def library(self) -> Library:
        return self._doors.library

    @property
    def artifacts(self) -> Artifacts:
        return self._doors.artifacts
