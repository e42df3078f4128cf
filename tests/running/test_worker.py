"""The loop of any role, over a real server: exactly once whatever happens to an actor."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Never

import anyio
import pytest

from agents.role import Role
from agents.tools import Tools
from bus.connection import Bus
from bus.work import follow
from ops.worker import Actor, Worker
from schemas.envelope import Envelope, Recorded, Vocabulary, wrap
from schemas.events import (
    CodingFailed,
    Event,
    GuidanceGiven,
    RunFinished,
    RunImported,
    SolutionGraded,
    TimeUp,
    WorkAbandoned,
)

ACTOR = Actor(name="tester", host="here", version="0", claim_seconds=0.6, max_deliveries=2)


class Record:
    """The tools of a role that may only record."""

    def __init__(self, slot: int, record: Callable[[Event], Awaitable[bool]]) -> None:
        self.slot = slot
        self.record = record


@asynccontextmanager
async def working(bus: Bus, role: Role[Any], actor: Actor = ACTOR) -> AsyncIterator[None]:
    """Have an actor of *role* at work during the block."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Worker(role, bus, actor, Record).run)  # type: ignore[arg-type]
        yield
        tasks.cancel_scope.cancel()


async def say(bus: Bus, event: Event, run: str = "run") -> Envelope:
    said = wrap(event, run=run, source="test", time=datetime.now(UTC), cause=None)
    await bus.publish(said)
    return said


async def hear(bus: Bus, kind: type[Event], count: int = 1, run: str = "run") -> list[Envelope]:
    """Return the first *count* events of a type."""
    heard: list[Envelope] = []
    events = follow(bus, [f"flowstone.{run}.{kind.__name__}.>"])
    with anyio.fail_after(15):
        async for _, event in events:
            heard.append(event)
            if len(heard) == count:
                break
    await events.aclose()
    return heard


def data(envelope: Envelope) -> Any:
    return Vocabulary().read(envelope, 1).data


def count(state: int, event: Recorded[TimeUp]) -> int:
    return state + event.data.n


def report(state: int, event: Recorded[TimeUp]) -> list[CodingFailed]:
    return [CodingFailed(node=f"n{event.data.n}", why=f"sum {state}")]


SUMMER = Role(name="summer", replicas="one", start=0, evolve=count, decide=report)


async def test_a_decision_knows_what_happened_up_to_its_event_and_nothing_later(bus: Bus) -> None:
    for n in (1, 2, 3):
        await say(bus, TimeUp(n=n))

    async with working(bus, SUMMER):
        decided = await hear(bus, CodingFailed, 3)

    assert [data(each).why for each in decided] == ["sum 1", "sum 3", "sum 6"]
    assert [each.seen for each in decided] == [1, 2, 3]


async def test_a_run_that_happened_elsewhere_is_left_alone(bus: Bus) -> None:
    await say(bus, RunImported(recording="run.jsonl", sha256="0" * 64), run="elsewhere")
    await say(bus, TimeUp(n=1), run="elsewhere")
    await say(bus, TimeUp(n=2), run="here")

    async with working(bus, SUMMER):
        decided = await hear(bus, CodingFailed, run="*")

    assert [(each.run, data(each).why) for each in decided] == [("here", "sum 2")]


def number(state: int, event: Recorded[CodingFailed]) -> int:
    del event
    return state + 1


def next_number(state: int, event: Recorded[TimeUp]) -> list[CodingFailed]:
    return [CodingFailed(node=f"n{state + 1}", why=str(event.data.n))]


async def test_a_role_that_decides_alone_knows_what_it_said_before(bus: Bus) -> None:
    for n in range(20):
        await say(bus, TimeUp(n=n))
    numbering = Role(name="numberer", replicas="one", start=0, evolve=number, decide=next_number)

    async with working(bus, numbering):
        decided = await hear(bus, CodingFailed, 20)

    assert [data(each) for each in decided] == [
        CodingFailed(node=f"n{n + 1}", why=str(n)) for n in range(20)
    ]


async def test_a_role_that_decides_alone_remembers_it_after_a_takeover(bus: Bus) -> None:
    numbering = Role(name="numberer", replicas="one", start=0, evolve=number, decide=next_number)
    for n in range(5):
        await say(bus, TimeUp(n=n))
    async with working(bus, numbering):
        await hear(bus, CodingFailed, 5)
    for n in range(5, 10):
        await say(bus, TimeUp(n=n))

    async with working(bus, numbering):
        decided = await hear(bus, CodingFailed, 10)

    assert [data(each).node for each in decided] == [f"n{n + 1}" for n in range(10)]


async def test_runs_are_folded_apart(bus: Bus) -> None:
    await say(bus, TimeUp(n=1), run="one")
    await say(bus, TimeUp(n=2), run="two")

    async with working(bus, SUMMER):
        first = await hear(bus, CodingFailed, run="one")
        second = await hear(bus, CodingFailed, run="two")

    assert [data(each).why for each in first + second] == ["sum 1", "sum 2"]


async def test_an_answer_carries_its_cause_and_an_id_derived_from_it(bus: Bus) -> None:
    asked = await say(bus, TimeUp(n=1))

    async with working(bus, SUMMER):
        (answer,) = await hear(bus, CodingFailed)

    again = wrap(data(answer), run="run", source="other", time=asked.time, cause=asked.id)
    assert (answer.cause, answer.id) == (asked.id, again.id)


async def test_work_of_an_actor_that_vanishes_is_done_by_another_and_recorded_once(
    bus: Bus,
) -> None:
    begun, tries = anyio.Event(), 0

    async def perform(request: Recorded[GuidanceGiven], tools: Tools[Never]) -> CodingFailed:
        nonlocal tries
        del tools
        tries += 1
        if tries == 1:
            begun.set()
            await anyio.sleep_forever()
        return CodingFailed(node="n1", why=f"try {tries}: {request.data.text}")

    role = Role(name="performer", start=None, perform=perform)
    await say(bus, GuidanceGiven(n=1, text="go"))
    async with anyio.create_task_group() as tasks:
        # Without its heartbeat a worker is as good as dead to the server.
        frozen = replace(ACTOR, name="frozen", claim_seconds=0.6)
        worker = Worker(role, bus, frozen, Record)  # type: ignore[arg-type]
        worker._keep_claims = anyio.sleep_forever  # type: ignore[method-assign]
        tasks.start_soon(worker.run)
        await begun.wait()
        async with working(bus, role):
            (answer,) = await hear(bus, CodingFailed)
        tasks.cancel_scope.cancel()

    assert data(answer).why == "try 2: go"
    assert tries == 2


async def test_what_was_answered_is_not_done_again_when_the_server_forgot_who_did_it(
    bus: Bus,
) -> None:
    tries = 0

    async def perform(request: Recorded[GuidanceGiven], tools: Tools[Never]) -> CodingFailed:
        nonlocal tries
        del tools
        tries += 1
        return CodingFailed(node=request.key, why="done")

    role = Role(name="performer", start=None, perform=perform)
    await say(bus, GuidanceGiven(n=1, text="go"))
    async with working(bus, role):
        await hear(bus, CodingFailed)
    await bus.streams.delete_consumer("FLOWSTONE", "performer-perform")
    async with working(bus, role):
        await say(bus, GuidanceGiven(n=2, text="go"))
        answered = await hear(bus, CodingFailed, 2)

    assert [each.key for each in answered] == ["1", "2"]
    assert tries == 2


async def test_long_work_keeps_its_claim(bus: Bus) -> None:
    tries = 0

    async def perform(request: Recorded[GuidanceGiven], tools: Tools[Never]) -> CodingFailed:
        nonlocal tries
        del request, tools
        tries += 1
        await anyio.sleep(3 * ACTOR.claim_seconds)
        return CodingFailed(node="n1", why="slow")

    await say(bus, GuidanceGiven(n=1, text="go"))
    async with working(bus, Role(name="performer", start=None, perform=perform)):
        await hear(bus, CodingFailed)

    assert tries == 1


async def test_work_that_always_fails_is_given_up_with_its_reason(bus: Bus) -> None:
    async def perform(request: Recorded[GuidanceGiven], tools: Tools[Never]) -> CodingFailed:
        del tools
        raise ArithmeticError(f"cannot {request.data.text}")

    await say(bus, GuidanceGiven(n=1, text="go"))
    async with working(bus, Role(name="performer", start=None, perform=perform)):
        (abandoned,) = await hear(bus, WorkAbandoned)

    assert data(abandoned) == WorkAbandoned(
        role="performer", event="GuidanceGiven", about="1", why="ArithmeticError: cannot go"
    )


async def test_what_a_role_does_not_declare_is_not_published(bus: Bus) -> None:
    def decide(state: None, event: Recorded[TimeUp]) -> list[CodingFailed]:
        del state, event
        forged: list[Any] = [
            SolutionGraded(
                node="n1", metric=1.0, obtained="held-out", valid=True, buggy=False, analysis=""
            )
        ]
        return forged

    await say(bus, TimeUp(n=1))
    async with working(bus, Role(name="forger", start=None, decide=decide)):
        (abandoned,) = await hear(bus, WorkAbandoned)

    assert data(abandoned).why == "TypeError: forger does not declare SolutionGraded"
    assert await bus.recorded("flowstone.run.SolutionGraded.n1") is None


async def test_the_end_of_a_run_stops_what_still_runs_for_it(bus: Bus) -> None:
    begun, ended = anyio.Event(), anyio.Event()

    async def perform(request: Recorded[GuidanceGiven], tools: Tools[Never]) -> CodingFailed:
        del request, tools
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return CodingFailed(node="n1", why="never")

    await say(bus, GuidanceGiven(n=1, text="go"))
    async with working(bus, Role(name="performer", start=None, perform=perform)):
        with anyio.fail_after(10):
            await begun.wait()
            await say(
                bus,
                RunFinished(best=None, metric=None, why="time", failed=True, nodes=1, buggy=0),
            )
            await ended.wait()

    assert await bus.recorded("flowstone.run.CodingFailed.n1") is None


@pytest.mark.parametrize("slots", [1, 3])
async def test_an_actor_takes_on_as_much_as_it_has_slots(bus: Bus, slots: int) -> None:
    busy, most, full = 0, 0, anyio.Event()
    release = anyio.Event()

    async def perform(request: Recorded[GuidanceGiven], tools: Tools[Never]) -> CodingFailed:
        nonlocal busy, most
        del tools
        busy += 1
        most = max(most, busy)
        if busy == slots:
            full.set()
        await release.wait()
        busy -= 1
        return CodingFailed(node=f"n{request.data.n}", why="")

    for n in range(5):
        await say(bus, GuidanceGiven(n=n, text="go"))
    role = Role(name="performer", start=None, perform=perform)
    async with working(bus, role, replace(ACTOR, slots=slots)):
        with anyio.fail_after(10):
            await full.wait()
            release.set()
        await hear(bus, CodingFailed, 5)

    assert most == slots
