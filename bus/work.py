"""Claims on work, and a run's events in order: the two ways a worker reads the stream. Does I/O."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bus.connection import Bus
from bus.pull import pull
from bus.subjects import STREAM
from schemas.envelope import Envelope

_FOLLOW_BATCH = 256


@dataclass(frozen=True, eq=False)
class Claim:
    """An event that this process has been given to work on, until it says it is done."""

    event: Envelope
    seq: int
    deliveries: int
    message: Msg

    async def done(self) -> None:
        """Give the claim back for good: its answers are recorded."""
        await self.message.ack()

    async def again(self, seconds: float) -> None:
        """Give the claim back for anyone to take after *seconds*."""
        await self.message.nak(delay=seconds)

    async def extend(self) -> None:
        """Say that the work is still going on."""
        await self.message.in_progress()

    async def abandon(self) -> None:
        """Give the claim up for ever."""
        await self.message.term()


async def claims(
    bus: Bus,
    name: str,
    subjects: Sequence[str],
    *,
    room: Callable[[], Awaitable[int]],
    claim_seconds: float,
    one_at_a_time: bool = False,
    from_seq: int = 1,
) -> AsyncGenerator[Claim, None]:
    """Yield work from the durable consumer *name*, shared with everybody who uses that name.

    A claim without a heartbeat for *claim_seconds* goes to somebody else. With `one_at_a_time`
    no second event is handed out, to anyone, before the first is done.
    """
    config = ConsumerConfig(
        name=name,
        durable_name=name,
        filter_subjects=list(subjects),
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=from_seq,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=claim_seconds,
        max_deliver=-1,
        max_ack_pending=1 if one_at_a_time else 10_000,
    )

    async def same() -> ConsumerConfig:
        return config

    async with aclosing(pull(bus, STREAM, same, room)) as batches:
        async for batch in batches:
            for message in batch:
                about = message.metadata
                yield Claim(
                    await bus.read(message), about.sequence.stream, about.num_delivered, message
                )


async def follow(
    bus: Bus, subjects: Sequence[str], *, from_seq: int = 1, stream: str = STREAM
) -> AsyncGenerator[tuple[int, Envelope], None]:
    """Yield (sequence number, event) in order from *from_seq* on, each exactly once, for ever."""
    after = from_seq - 1

    async def rest() -> ConsumerConfig:
        return ConsumerConfig(
            filter_subjects=list(subjects),
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            mem_storage=True,
            inactive_threshold=60.0,
        )

    async def room() -> int:
        return _FOLLOW_BATCH

    async with aclosing(pull(bus, stream, rest, room)) as batches:
        async for batch in batches:
            for message in batch:
                seq = message.metadata.sequence.stream
                if seq > after:
                    after = seq
                    yield seq, await bus.read(message)
