"""What the recorder answers over NATS: read-only SQL, pages of events, the head, wisdom. Does I/O."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version

import anyio
import msgspec
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointConfig, ServiceConfig

from bus.connection import Bus
from bus.subjects import LOG_SERVICE
from ops.recording.client import (
    Entry,
    PageReply,
    PageRequest,
    SqlRequest,
    TableReply,
    VerifyReply,
    VerifyRequest,
)
from store.failures import QueryRefused
from store.log import Log
from store.projections.wisdom import projection
from store.query import query

_REPLY_BYTES = 4 * 1024 * 1024

_encode = msgspec.json.Encoder(enc_hook=str).encode


async def answer(bus: Bus, events: Log) -> None:
    """Answer until cancelled."""
    about = ServiceConfig(
        name=LOG_SERVICE,
        version=version("flowstone"),
        description="The event log: read-only SQL and pages of events.",
    )
    async with await add_service(bus.client, about) as service:
        for name, work in ENDPOINTS.items():
            handler = partial(_handle, partial(work, events))
            await service.add_endpoint(
                EndpointConfig(name=name, subject=f"{LOG_SERVICE}.{name}", handler=handler)
            )
        await anyio.sleep_forever()


def sql(events: Log, payload: bytes) -> bytes:
    """Answer a statement of a person; actors have no permission to ask."""
    request = msgspec.json.decode(payload, type=SqlRequest)
    try:
        table = query(events, request.sql, limit=request.limit, private=True)
    except QueryRefused as refused:
        return _encode(TableReply(error=str(refused)))
    reply = _encode(TableReply(columns=table.columns, rows=tuple(table.rows), more=table.more))
    if len(reply) > _REPLY_BYTES:
        return _encode(TableReply(error=f"{len(table.rows)} rows are too large; ask for less"))
    return reply


def page(events: Log, payload: bytes) -> bytes:
    """Answer with a page of public events, as many as fit."""
    request = msgspec.json.decode(payload, type=PageRequest)
    entries: list[Entry] = []
    size = 0
    for seq, event in events.read(
        run=request.run, types=request.types or None, after=request.after, limit=request.limit
    ):
        size += len(bytes(event.data))
        if entries and size > _REPLY_BYTES:
            break
        entries.append(Entry(seq=seq, event=event))
    return _encode(PageReply(entries=tuple(entries), head=events.head()))


def wisdom(events: Log, payload: bytes) -> bytes:
    """Answer with a page of what runs left to those that come after them."""
    request = msgspec.json.decode(payload, type=PageRequest)
    types = tuple(sorted(kind.__name__ for kind in projection.follows))
    only = msgspec.structs.replace(request, run=None, types=types)
    return page(events, _encode(only))


def verify(events: Log, payload: bytes) -> bytes:
    """Answer whether every hash in the log is what those before it demand."""
    msgspec.json.decode(payload, type=VerifyRequest)
    spans = events.runs()
    checked = VerifyReply(events=sum(span.events for span in spans), runs=len(spans))
    found = events.verify()
    if found is not None:
        checked = msgspec.structs.replace(
            checked, stream=found.stream, run=found.run, seq=found.seq, why=found.why
        )
    return _encode(checked)


ENDPOINTS: Mapping[str, Callable[[Log, bytes], bytes]] = {
    "sql": sql,
    "page": page,
    "wisdom": wisdom,
    "verify": verify,
}
"""What can be asked of a log, here or over NATS."""


async def _handle(work: Callable[[bytes], bytes], request: Request) -> None:
    reply = await anyio.to_thread.run_sync(work, request.data)
    await request.respond(reply)
