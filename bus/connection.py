"""A connection to NATS: open it, say plainly why it cannot be had, publish events once. Does I/O."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import anyio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js import JetStreamContext
from nats.js.api import ObjectStoreConfig, RetentionPolicy, StreamConfig
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError
from nats.js.object_store import ObjectStore

from bus.subjects import OBJECTS, PRIVATE_STREAM, STREAM, STREAM_SUBJECTS
from schemas import envelope as wire
from schemas.envelope import Envelope

WRONG_LAST_SEQUENCE = 10071
"""JetStream's error code for a subject that has a message already."""

STORED = "Flowstone-Stored"
"""Header of a message whose envelope is too large for the server and lies in the object store."""

_DENIED = re.compile(r'permissions violation for publish to "([^"]+)"', re.IGNORECASE)
_HEADROOM = 4096
_PUBLISH_SECONDS = 1.0
_SERVER_FAULT = 500


class BusUnavailable(ConnectionError):  # noqa: N818 - it says what is the matter
    """Raised when the server cannot be used; the message is one line for people."""


@dataclass(frozen=True)
class Published:
    """Where the stream keeps an event; `fresh` is False when it had one of that key already."""

    seq: int
    fresh: bool


@dataclass
class Bus:
    """An open connection; `on_return` are called whenever the server is back."""

    client: Client
    streams: JetStreamContext
    on_return: set[Callable[[], None]] = field(default_factory=set)
    last_error: Exception | None = None
    denied: set[str] = field(default_factory=set)

    async def on_reconnected(self) -> None:
        """Tell whoever wants to know that the server is back."""
        for tell in list(self.on_return):
            tell()

    async def on_error(self, error: Exception) -> None:
        """Remember what the server said outside any call; a denied publish is never answered."""
        self.last_error = error
        if denied := _DENIED.search(str(error)):
            self.denied.add(denied.group(1).lower())

    async def publish(self, event: Envelope) -> Published:
        """Record *event* unless its subject is taken, and return where it is.

        Tries again while the server is away or its disk is full: a second copy is refused by the stream, so
        repeating is safe. Raises BusUnavailable when this connection may not publish it.
        """
        payload, headers = await self._packed(event)
        delay = 0.05
        while True:
            try:
                answer = await self.streams.publish(
                    event.subject, payload, headers=headers, timeout=_PUBLISH_SECONDS
                )
            except APIError as error:
                if error.err_code == WRONG_LAST_SEQUENCE:
                    return await self._present(event)
                if (error.code or 0) < _SERVER_FAULT:
                    raise
                # Its disk is full, or it is starting: what is not recorded now can be later.
                self.last_error = error
            except (NatsError, TimeoutError, OSError) as error:
                if self.client.is_closed:
                    raise BusUnavailable("the connection to NATS was closed") from error
                if event.subject.lower() in self.denied:
                    raise BusUnavailable(f"this login may not publish {event.subject}") from error
            else:
                return Published(answer.seq, fresh=True)
            await anyio.sleep(delay)
            delay = min(delay * 2, 2.0)

    async def recorded(self, subject: str) -> tuple[int, Envelope] | None:
        """Return the newest event under *subject*, or a pattern, with its sequence number."""
        stream = PRIVATE_STREAM if subject.startswith(wire.PRIVATE_PREFIX + ".") else STREAM
        # A pattern cannot be part of the subject that a direct request is sent to.
        direct = not subject.endswith(">")
        try:
            message = await self.streams.get_last_msg(stream, subject, direct=direct)
        except NotFoundError:
            return None
        payload = await self._stored(message.headers, message.data or b"")
        return message.seq or 0, wire.decode(payload)

    async def read(self, message: Msg) -> Envelope:
        """Return the event in a delivered message, fetched from the object store where it is."""
        return wire.decode(await self._stored(message.headers, message.data))

    async def objects(self) -> ObjectStore:
        """Return the bucket that machines without a common disk share."""
        return await self.streams.object_store(OBJECTS)

    async def _packed(self, event: Envelope) -> tuple[bytes, dict[str, str]]:
        payload = wire.encode(event)
        headers = {"Nats-Expected-Last-Subject-Sequence": "0"}
        if len(payload) > self.client.max_payload - _HEADROOM:
            name = str(event.id)
            await (await self.objects()).put(name, payload)
            return b"", headers | {STORED: name}
        return payload, headers

    async def _stored(self, headers: dict[str, str] | None, payload: bytes) -> bytes:
        name = (headers or {}).get(STORED)
        if name is None:
            return payload
        return (await (await self.objects()).get(name)).data or b""

    async def _present(self, event: Envelope) -> Published:
        """Tell an earlier copy of our own, whose answer was lost, from somebody else's."""
        found = await self.recorded(event.subject)
        if found is None:
            raise BusUnavailable(f"{event.subject} was refused but is not there")
        seq, present = found
        mine = (present.source, present.time) == (event.source, event.time)
        return Published(seq, fresh=mine)


@asynccontextmanager
async def connect(
    url: str, *, name: str, inbox: str = "_INBOX", wait: float = 5.0
) -> AsyncIterator[Bus]:
    """Yield a connection to the server at *url*; it reconnects for ever once it was there.

    Raises BusUnavailable when nobody answers or the login is refused for *wait* seconds.
    """
    bus = Bus(client := Client(), client.jetstream(timeout=_PUBLISH_SECONDS))
    try:
        with anyio.fail_after(wait):
            await client.connect(
                url,
                name=name,
                inbox_prefix=inbox,
                connect_timeout=2,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0,
                ping_interval=5,
                reconnected_cb=bus.on_reconnected,
                error_cb=bus.on_error,
            )
    except (NatsError, OSError, TimeoutError, ValueError) as error:
        await client.close()
        why = bus.last_error or error
        raise BusUnavailable(
            f"no NATS server lets us in at {shown(url)} ({str(why) or type(why).__name__}): "
            "start one with `nats-server -js`, or correct --nats"
        ) from None
    try:
        yield bus
    finally:
        with anyio.CancelScope(shield=True):
            await client.close()


async def ensure_streams(bus: Bus, *, first_seq: dict[str, int] | None = None) -> None:
    """Create the two streams and the object bucket where they are missing.

    `first_seq` numbers the first message of a stream that is made anew, so that a log can refill
    it under the old numbers. Raises BusUnavailable when the server has no JetStream.
    """
    for stream, subject in STREAM_SUBJECTS.items():
        wanted = StreamConfig(
            name=stream,
            subjects=[subject],
            retention=RetentionPolicy.LIMITS,
            allow_direct=True,
            first_seq=(first_seq or {}).get(stream),
        )
        try:
            await bus.streams.stream_info(stream)
        except NotFoundError:
            await bus.streams.add_stream(wanted)
        except (ServiceUnavailableError, NoRespondersError) as error:
            where = bus.client.connected_url
            raise BusUnavailable(
                f"the NATS server at {shown(where.geturl()) if where else '?'} has no JetStream: "
                "start it with `nats-server -js`"
            ) from error
    try:
        await bus.streams.object_store(OBJECTS)
    except NotFoundError:
        await bus.streams.create_object_store(OBJECTS, ObjectStoreConfig(bucket=OBJECTS))


async def last_sequence(bus: Bus, stream: str = STREAM) -> int:
    """Return the sequence number of the stream's newest message, 0 when it never had one."""
    return int((await bus.streams.stream_info(stream)).state.last_seq)


def shown(url: str) -> str:
    """Return *url* without its credentials, for messages."""
    parts = urlsplit(url if "://" in url else f"nats://{url}")
    place = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    return urlunsplit((parts.scheme, place, "", "", ""))
