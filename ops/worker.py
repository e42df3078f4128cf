"""The loop of any one role: claim, fold, decide or perform, publish once, acknowledge.

A claim is acknowledged only when its answers are in the stream. Whatever goes wrong before that
brings it back, to this actor or another; the stream refuses what is recorded already.
"""

import os
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

import anyio
import structlog
from anyio.abc import TaskGroup

from agents.role import Role
from agents.tools import Tools
from bus.connection import Bus, last_sequence
from bus.permissions import deciding, performing
from bus.subjects import SYSTEM, filters, strip_route
from bus.work import Claim, claims, follow
from ops.history import History
from schemas.envelope import Envelope, Recorded, Vocabulary, subject_of, wrap
from schemas.events import (
    ONCE,
    ActorStarted,
    ActorStopped,
    Event,
    RunFinished,
    RunImported,
    WorkAbandoned,
)

State = TypeVar("State")
log = structlog.get_logger()

_DECISIONS_AT_ONCE = 64
_RUNS_REMEMBERED = 16


class Toolbox(Protocol):
    """Makes the tools with which one request is answered."""

    def __call__(self, slot: int, record: Callable[[Event], Any]) -> Tools[Any]:
        """Return tools for *slot* whose `record` publishes an event caused by the request."""
        ...


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who this process is: the name of its events' source, and how much it does at once."""

    name: str
    host: str
    version: str
    slots: int = 4
    job_class: str = "cpu"
    claim_seconds: float = 5.0
    max_deliveries: int = 5

    @property
    def source(self) -> str:
        """The CloudEvents source."""
        return f"flowstone://{self.host}/{self.name}"


def actor_name(role: str) -> str:
    """Return a name for a process of *role* that no other running process has."""
    return f"{role}-{socket.gethostname().replace('.', '-')}-{os.getpid()}"


@dataclass
class Worker(Generic[State]):
    """One role at work over one connection."""

    role: Role[State]
    bus: Bus
    actor: Actor
    toolbox: Toolbox
    _vocabulary: Vocabulary = field(init=False)
    _histories: "OrderedDict[str, tuple[History[State], anyio.CancelScope]]" = field(
        init=False, default_factory=OrderedDict
    )
    _held: set[Claim] = field(init=False, default_factory=set)
    _head: int = field(init=False, default=0)
    _said: dict[str, int] = field(init=False, default_factory=dict)
    _finished: dict[str, int] = field(init=False, default_factory=dict)
    _imported: dict[str, bool] = field(init=False, default_factory=dict)
    _at_work: dict[str, set[tuple[int, anyio.CancelScope]]] = field(
        init=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        self._vocabulary = Vocabulary().extended(self.role.types)

    async def run(self) -> None:
        """Work until cancelled; says at its start and its end that it is there."""
        role, actor = self.role, self.actor
        await self._announce(
            ActorStarted(
                actor=actor.name,
                role=role.name,
                host=actor.host,
                process=os.getpid(),
                slots=actor.slots,
                version=actor.version,
            )
        )
        log.info("started", role=role.name, slots=actor.slots)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_claims)
                if role.decide:
                    tasks.start_soon(self._decide_all, tasks)
                if role.perform:
                    if not role.outlives:
                        tasks.start_soon(self._watch_ends)
                    tasks.start_soon(self._perform_all, tasks)
        finally:
            with anyio.move_on_after(2, shield=True):
                await self._announce(
                    ActorStopped(actor=actor.name, role=role.name, why="asked to stop")
                )

    async def _announce(self, event: Event) -> None:
        await self.bus.publish(
            wrap(event, run=SYSTEM, source=self.actor.source, time=datetime.now(UTC), cause=None)
        )

    async def _decide_all(self, tasks: TaskGroup) -> None:
        alone = self.role.replicas == "one"
        room = _Room(1 if alone else _DECISIONS_AT_ONCE)
        subjects = filters(self.role.consumes, role=self.role.name)
        async for claim in claims(
            self.bus,
            deciding(self.role.name),
            subjects,
            room=room.free,
            claim_seconds=self.actor.claim_seconds,
            one_at_a_time=alone,
        ):
            slot = await room.enter()
            tasks.start_soon(self._work, claim, self._decide, room, slot, tasks)

    async def _perform_all(self, tasks: TaskGroup) -> None:
        # A consumer made anew, on a stream refilled from the log, hands out old requests as new.
        self._head = await last_sequence(self.bus)
        routed = any(each.routed == "class" for each in self.role.requests)
        job_class = self.actor.job_class if routed else None
        room = _Room(self.actor.slots)
        async for claim in claims(
            self.bus,
            performing(self.role.name, job_class),
            filters(self.role.requests, role=self.role.name, job_class=job_class or "*"),
            room=room.free,
            claim_seconds=self.actor.claim_seconds,
        ):
            slot = await room.enter()
            tasks.start_soon(self._work, claim, self._perform, room, slot, tasks)

    async def _work(
        self, claim: Claim, work: Callable[..., Any], room: "_Room", slot: int, tasks: TaskGroup
    ) -> None:
        """Do the work of one claim and settle it, whatever happens."""
        event = self._vocabulary.read(claim.event, claim.seq)
        structlog.contextvars.bind_contextvars(
            run=event.run,
            seq=event.seq,
            cause=str(event.id),
            node=getattr(event.data, "node", None),
        )
        try:
            self._held.add(claim)
            if not await self._is_imported(event.run):
                await work(event, claim, slot, tasks)
            await claim.done()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(1, shield=True):
                await claim.again(0)
            raise
        except Exception as error:  # noqa: BLE001 - a failing handler must not end the actor
            await self._failed(claim, event, error)
        finally:
            self._held.discard(claim)
            room.leave(slot)

    async def _is_imported(self, run: str) -> bool:
        """Return whether *run* happened elsewhere: that is said before anything else of it."""
        if run not in self._imported:
            said = await self.bus.recorded(subject_of(RunImported, run, ONCE))
            self._imported[run] = said is not None
        return self._imported[run]

    async def _failed(self, claim: Claim, event: Recorded[Event], error: Exception) -> None:
        """Put the work back for later, or give it up after the last attempt."""
        log.error("failed", event_type=event.type, key=event.key, exc_info=error)
        if claim.deliveries < self.actor.max_deliveries:
            await claim.again(min(0.5 * 2**claim.deliveries, 30.0))
            return
        if not isinstance(event.data, WorkAbandoned):  # saying that of itself would have no end
            await self._publish(self._abandoned(event, error), event)
        await claim.abandon()

    def _abandoned(self, event: Recorded[Event], error: Exception) -> WorkAbandoned:
        leaf: BaseException = error
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        why = f"{type(leaf).__name__}: {leaf}"[:500]
        return WorkAbandoned(role=self.role.name, event=event.type, about=event.key, why=why)

    async def _decide(
        self, event: Recorded[Event], claim: Claim, slot: int, tasks: TaskGroup
    ) -> None:
        del claim, slot
        assert self.role.decide is not None  # noqa: S101 - for the type checker
        history = await self._history(event.run, tasks)
        state, seen = await history.at(max(event.seq, self._said.get(event.run, 0)))
        decided = self.role.decide(state, event)
        await self._publish_all(decided, event, seen)
        for each in decided:
            log.info("decided", event_type=type(each).__name__, key=each.key)

    async def _perform(
        self, request: Recorded[Event], claim: Claim, slot: int, tasks: TaskGroup
    ) -> None:
        del tasks
        assert self.role.perform is not None  # noqa: S101 - for the type checker
        if self._finished.get(request.run, 0) > request.seq:
            return
        again = claim.deliveries > 1 or claim.seq <= self._head
        if again and await self._answered(request):
            return

        async def record(event: Event) -> bool:
            return await self._publish(event, request)

        scope = anyio.CancelScope()
        entry = (request.seq, scope)
        self._at_work.setdefault(request.run, set()).add(entry)
        try:
            with scope:
                answer = await self.role.perform(request, self.toolbox(slot, record))
                fresh = await self._publish(answer, request)
                log.info("answered", event_type=type(answer).__name__, key=answer.key, fresh=fresh)
        finally:
            self._at_work[request.run].discard(entry)

    async def _answered(self, request: Recorded[Event]) -> bool:
        """Return whether a request has its answer, which stands under the request's own key."""
        key = strip_route(type(request.data), request.key)
        for answer in self.role.emits:
            wanted = request.key if answer.routed == "role" else key
            subject = subject_of(answer, request.run, wanted, private=answer.private)
            found = None if answer.private else await self.bus.recorded(subject)
            if found and found[1].cause == request.id:
                return True
        return False

    async def _watch_ends(self) -> None:
        """Stop what still runs for a run that has finished."""
        async for seq, event in follow(self.bus, filters([RunFinished])):
            self._finished[event.run] = seq
            for requested, scope in self._at_work.get(event.run, ()):
                if requested < seq:
                    scope.cancel()

    async def _history(self, run: str, tasks: TaskGroup) -> History[State]:
        if run in self._histories:
            self._histories.move_to_end(run)
            return self._histories[run][0]
        role = self.role
        if role.replicas == "one":
            self._said[run] = await self._last_said(run)
        history, scope = History(role, self._vocabulary), anyio.CancelScope()
        self._histories[run] = history, scope
        subjects = filters(role.follows, run=run) + filters(
            role.consumes - role.follows, role=role.name, run=run
        )

        async def receive() -> None:
            with scope:
                await history.run(follow(self.bus, subjects))

        tasks.start_soon(receive)
        if len(self._histories) > _RUNS_REMEMBERED:
            _, (_, oldest) = self._histories.popitem(last=False)
            oldest.cancel()
        return history

    async def _last_said(self, run: str) -> int:
        """Return where the newest event of this role's own lies that its state is made of."""
        newest = 0
        for subject in filters(self.role.emits & self.role.follows, role=self.role.name, run=run):
            found = await self.bus.recorded(subject)
            newest = max(newest, found[0] if found else 0)
        return newest

    async def _publish_all(
        self, events: Sequence[Event], cause: Recorded[Event], seen: int
    ) -> None:
        """Publish in order; the answers of the stream are awaited together.

        What a role that decides alone has said is in its state when it decides again.
        """
        remembered = self.role.follows if self.role.replicas == "one" else frozenset()

        async def publish(event: Event) -> None:
            seq = (await self.bus.publish(self._wrapped(event, cause, seen))).seq
            if type(event) in remembered:
                self._said[cause.run] = max(seq, self._said.get(cause.run, 0))

        if len(events) == 1:
            await publish(events[0])
            return
        async with anyio.create_task_group() as publishing:
            for event in events:
                publishing.start_soon(publish, event)

    async def _publish(self, event: Event, cause: Recorded[Event]) -> bool:
        return (await self.bus.publish(self._wrapped(event, cause, 0))).fresh

    def _wrapped(self, event: Event, cause: Recorded[Event], seen: int) -> Envelope:
        allowed = self.role.emits | {WorkAbandoned}
        if type(event) not in allowed:
            raise TypeError(f"{self.role.name} does not declare {type(event).__name__}")
        return wrap(
            event,
            run=cause.run,
            source=self.actor.source,
            time=datetime.now(UTC),
            cause=cause.id,
            seen=seen,
        )

    async def _keep_claims(self) -> None:
        """Extend the claims that are being worked on, for as long as that takes."""
        while True:
            await anyio.sleep(self.actor.claim_seconds / 3)
            for claim in list(self._held):
                await claim.extend()


class _Room:
    """Numbered places for work; says how many are free, and waits while none is."""

    def __init__(self, places: int) -> None:
        self._free = list(range(places))
        self._left = anyio.Event()

    async def free(self) -> int:
        """Wait until there is a free place, and return how many there are."""
        while not self._free:
            if self._left.is_set():
                self._left = anyio.Event()
            await self._left.wait()
        return len(self._free)

    async def enter(self) -> int:
        """Take a place and return its number."""
        await self.free()
        return self._free.pop(0)

    def leave(self, place: int) -> None:
        """Give a place back."""
        self._free.append(place)
        self._left.set()
