"""The stream, over a real server: published once, claimed, followed, through restarts."""

import re
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from bus.connection import Bus, BusUnavailable, Published, connect, ensure_streams, last_sequence
from bus.permissions import Declaration, of_role
from bus.server import EmbeddedServer
from bus.subjects import PRIVATE_STREAM, filters
from bus.work import Claim, claims, follow
from schemas.envelope import Envelope, Vocabulary, wrap
from schemas.events import (
    CodingFailed,
    Event,
    ModelAsked,
    SolutionGraded,
    SubmissionGraded,
    TimeUp,
)
from tests.servers import Running

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILURES = filters([CodingFailed])


def failed(node: str, why: str = "why") -> Envelope:
    return envelope(CodingFailed(node=node, why=why))


def envelope(event: Event, source: str = "flowstone://test") -> Envelope:
    return wrap(event, run="run", source=source, time=NOW, cause=None)


async def room() -> int:
    return 10


async def take(bus: Bus, count: int, *, claim_seconds: float = 5.0, **how: bool) -> list[Claim]:
    taken: list[Claim] = []
    work = claims(bus, "worker", FAILURES, room=room, claim_seconds=claim_seconds, **how)
    with anyio.fail_after(15):
        async for claim in work:
            taken.append(claim)
            if len(taken) == count:
                break
    await work.aclose()
    return taken


async def test_a_second_event_of_the_same_key_is_refused_for_ever(bus: Bus) -> None:
    first = await bus.publish(failed("n1", "the first"))
    rival = envelope(CodingFailed(node="n1", why="the second"), source="flowstone://rival")

    second = await bus.publish(rival)

    assert second == Published(first.seq, fresh=False)
    found = await bus.recorded(rival.subject)
    assert found is not None
    assert found[1] == failed("n1", "the first")


async def test_repeating_our_own_event_tells_that_it_was_ours(bus: Bus) -> None:
    await bus.publish(failed("n1"))

    assert (await bus.publish(failed("n1"))).fresh


async def test_an_event_over_the_servers_limit_travels_through_the_object_store(bus: Bus) -> None:
    large = failed("large", "x" * (bus.client.max_payload + 1))

    published = await bus.publish(large)

    async for seq, event in follow(bus, FAILURES):
        assert (seq, event) == (published.seq, large)
        break


async def test_following_gives_every_event_once_and_in_order_across_a_restart(
    tmp_path: Path, run_server: Running
) -> None:
    server = EmbeddedServer(tmp_path)
    access = server.prepare({})
    seen: list[str] = []
    with run_server(server) as process:
        async with connect(access.url(), name="test") as bus, anyio.create_task_group() as tasks:
            await ensure_streams(bus)
            halfway = anyio.Event()

            async def watch() -> None:
                async for _, event in follow(bus, FAILURES):
                    seen.append(event.key)
                    if len(seen) == 20:
                        halfway.set()
                    if len(seen) == 40:
                        return

            with anyio.fail_after(20):
                tasks.start_soon(watch)
                for n in range(20):
                    await bus.publish(failed(f"n{n}"))
                await halfway.wait()
                process.kill()
                process.wait()
                with run_server(server):
                    for n in range(20, 40):
                        await bus.publish(failed(f"n{n}"))
                    while len(seen) < 40:
                        await anyio.lowlevel.checkpoint()

    assert seen == [f"n{n}" for n in range(40)]


async def test_a_claim_that_is_not_settled_comes_back(bus: Bus) -> None:
    await bus.publish(failed("n1"))

    first = await take(bus, 1, claim_seconds=0.5)
    again = await take(bus, 1, claim_seconds=0.5)

    assert [claim.deliveries for claim in first + again] == [1, 2]


async def test_a_claim_that_is_done_does_not(bus: Bus) -> None:
    await bus.publish(failed("n1"))
    await bus.publish(failed("n2"))

    for claim in await take(bus, 1, claim_seconds=0.5):
        await claim.done()

    assert [claim.event.key for claim in await take(bus, 1, claim_seconds=0.5)] == ["n2"]


async def test_one_at_a_time_holds_the_second_back_until_the_first_is_done(bus: Bus) -> None:
    await bus.publish(failed("n1"))
    await bus.publish(failed("n2"))
    order: list[str] = []

    with anyio.fail_after(10):
        async for claim in claims(
            bus, "planner", FAILURES, room=room, claim_seconds=5, one_at_a_time=True
        ):
            order.append(claim.event.key)
            pending = await bus.streams.consumer_info("FLOWSTONE", "planner")
            assert pending.num_ack_pending == 1
            await claim.done()
            if len(order) == 2:
                break

    assert order == ["n1", "n2"]


async def test_an_event_of_an_unknown_type_arrives_byte_for_byte(bus: Bus) -> None:
    class PluginSaid(Event, frozen=True, kw_only=True):
        text: str

    said = envelope(PluginSaid(text="ä, 1.50, ✓"))
    await bus.publish(said)

    async for seq, event in follow(bus, ["flowstone.*.PluginSaid.>"]):
        assert bytes(event.data) == bytes(said.data)
        unread = Vocabulary().read(event, seq)
        assert type(unread.data).__name__ == "Unknown"
        break


async def test_nobody_answering_is_said_in_one_line() -> None:
    with pytest.raises(BusUnavailable, match=r"no NATS server lets us in at nats://127.0.0.1:9 "):
        async with connect("nats://me:secret@127.0.0.1:9", name="test", wait=0.5):
            pass


async def test_a_server_without_jetstream_is_said_in_one_line(
    tmp_path: Path, run_server: Running
) -> None:
    server = EmbeddedServer(tmp_path)
    access = server.prepare({})
    with_it = server.configuration.read_text()
    server.configuration.write_text(re.sub(r"jetstream: {.*?}\n", "", with_it, flags=re.DOTALL))
    with run_server(server):
        async with connect(access.url(), name="test") as bus:
            with pytest.raises(BusUnavailable, match="has no JetStream: start it with"):
                await ensure_streams(bus)


GRADER = Declaration(name="grader", emits=frozenset({SolutionGraded, SubmissionGraded}))
CODER = Declaration(name="coder", emits=frozenset({CodingFailed, ModelAsked}))
GRADE = SolutionGraded(
    node="n1", metric=1.0, obtained="held-out", valid=True, buggy=False, analysis=""
)


async def test_a_role_can_publish_only_what_it_declares(
    tmp_path: Path, run_server: Running
) -> None:
    server = EmbeddedServer(tmp_path)
    roles = {each.name: of_role(each, [GRADER, CODER]) for each in (GRADER, CODER)}
    access = server.prepare(roles)
    with run_server(server):
        async with connect(access.url(), name="admin") as admin:
            await ensure_streams(admin)
        async with connect(access.url("coder"), name="coder", inbox="_INBOX_coder") as coder:
            assert (await coder.publish(failed("n1"))).fresh
            with pytest.raises(BusUnavailable, match=r"may not publish flowstone\.run\.SolutionGr"):
                await coder.publish(envelope(GRADE))
        async with connect(access.url("grader"), name="grader", inbox="_INBOX_grader") as grader:
            assert (await grader.publish(envelope(GRADE))).fresh
            final = SubmissionGraded(score=0.9, valid=True, message="")
            assert (await grader.publish(envelope(final))).fresh


async def test_the_private_stream_reaches_nobody_but_the_administrator(
    tmp_path: Path, run_server: Running
) -> None:
    server = EmbeddedServer(tmp_path)
    access = server.prepare({"coder": of_role(CODER, [GRADER])})
    with run_server(server):
        async with connect(access.url(), name="admin") as admin:
            await ensure_streams(admin)
            await admin.publish(envelope(SubmissionGraded(score=0.9, valid=True, message="")))
            assert await last_sequence(admin, PRIVATE_STREAM) == 1
        async with connect(access.url("coder"), name="coder", inbox="_INBOX_coder") as coder:
            peek = follow(coder, filters([SubmissionGraded]), stream=PRIVATE_STREAM)
            with anyio.move_on_after(1.5) as waited:
                await anext(peek)
            assert waited.cancelled_caught
            assert any("FLOWSTONE-PRIVATE" in denied.upper() for denied in coder.denied)


async def test_numbers_go_on_where_the_log_left_them(bus: Bus) -> None:
    await bus.streams.delete_stream("FLOWSTONE")

    await ensure_streams(bus, first_seq={"FLOWSTONE": 41})

    assert (await bus.publish(envelope(TimeUp()))).seq == 41
