"""Pull messages from one consumer for ever, through restarts of the server. Does I/O.

One request is outstanding at a time. The server's idle heartbeats prove that it still stands;
when they stop the consumer is looked up (or made) again and asked anew, because a pull that was
under way when the server went down is never answered.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import anyio
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig

from bus.connection import Bus

HEARTBEAT = 1.0
_SILENCE = 3 * HEARTBEAT
_EXPIRES = 30.0


class Inbox:
    """Messages of one subscription as they come in, and a way to wait for the next."""

    def __init__(self) -> None:
        self.messages: deque[Msg] = deque()
        self._orphaned = False
        self._arrived = anyio.Event()

    async def put(self, message: Msg) -> None:
        """Take in a message."""
        self.messages.append(message)
        self._arrived.set()

    def orphan(self) -> None:
        """Say that what was asked for will not come: the server was away."""
        self._orphaned = True
        self._arrived.set()

    async def wait(self, seconds: float) -> bool:
        """Return whether there is a message, after waiting *seconds* for one at the most."""
        if self._orphaned:
            return False
        if not self.messages:
            self._arrived = anyio.Event()
            with anyio.move_on_after(seconds):
                await self._arrived.wait()
        return bool(self.messages)


async def pull(
    bus: Bus,
    stream: str,
    consumer: Callable[[], Awaitable[ConsumerConfig]],
    room: Callable[[], Awaitable[int]],
) -> AsyncGenerator[list[Msg], None]:
    """Yield messages in batches of what is there, never more than `room()` asked for.

    `consumer()` gives the configuration to create or find, at the start and after every silence;
    `room()` waits until something may be received and says how many.
    """
    while True:
        async with aclosing(_until_silent(bus, stream, consumer, room)) as batches:
            async for batch in batches:
                yield batch
        await anyio.sleep(0.05)


async def _until_silent(
    bus: Bus,
    stream: str,
    consumer: Callable[[], Awaitable[ConsumerConfig]],
    room: Callable[[], Awaitable[int]],
) -> AsyncGenerator[list[Msg], None]:
    inbox = Inbox()
    address = bus.client.new_inbox()
    bus.on_return.add(inbox.orphan)
    try:
        made = await bus.streams.add_consumer(stream, await consumer())
        subscription = await bus.client.subscribe(address, cb=inbox.put)
    except (NatsError, TimeoutError, OSError):
        bus.on_return.discard(inbox.orphan)
        return
    ask = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{made.name}"
    try:
        while True:
            wanted = await room()
            request = {
                "batch": wanted,
                "expires": int(_EXPIRES * 1e9),
                "idle_heartbeat": int(HEARTBEAT * 1e9),
            }
            await bus.client.publish(ask, json.dumps(request).encode(), reply=address)
            while wanted > 0:
                if not await inbox.wait(_SILENCE):
                    return
                batch, ended = _sort(inbox.messages)
                wanted -= len(batch)
                if batch:
                    yield batch
                if ended:
                    break
    finally:
        bus.on_return.discard(inbox.orphan)
        with anyio.CancelScope(shield=True):
            if not bus.client.is_closed:
                await subscription.unsubscribe()


def _sort(messages: deque[Msg]) -> tuple[list[Msg], bool]:
    """Take all messages out; return those with events, and whether the request came to its end."""
    batch, ended = [], False
    while messages:
        message = messages.popleft()
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            batch.append(message)
        elif status != "100":
            ended = True
    return batch, ended
