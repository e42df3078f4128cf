"""The hash chain: every event carries the hash of the one before it in its run. Pure, no I/O."""

import hashlib
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from schemas.envelope import PREFIX, PRIVATE_PREFIX, Envelope, Unreadable

Stream = Literal["public", "private"]
STREAMS: tuple[Stream, ...] = ("public", "private")

Row = tuple[Stream, int, UUID | str, str, str, str, datetime, str, UUID | str | None, int, int, str]
"""An event as the log's columns hold it, in the order of COLUMNS; time is UTC without a zone."""

COLUMNS = (
    "stream",
    "seq",
    "id",
    "run",
    "type",
    "key",
    "time",
    "source",
    "cause",
    "seen",
    "schema",
    "data",
)
GENESIS = b""
"""What comes before the first event of a run."""

_encode = msgspec.json.Encoder().encode
_BIGINT = 1 << 63
_INTEGER = 1 << 31


class Break(Struct, frozen=True, kw_only=True):
    """The first event at which a log does not agree with itself."""

    stream: Stream
    run: str
    seq: int
    why: str


def row_of(stream: Stream, seq: int, envelope: Envelope) -> Row:
    """Return *envelope* as a row; raises Unreadable when it would not come back from one."""
    subject, start = envelope.subject, _start(stream, envelope.run, envelope.type)
    if not subject.startswith(start):
        raise Unreadable(f"{stream} event {seq}: subject {subject} does not begin with {start}")
    try:
        data = str(memoryview(envelope.data), "utf-8")
        time = _utc(envelope.time)
    except (UnicodeDecodeError, OverflowError) as error:
        raise Unreadable(f"{stream} event {seq}, {subject}: {error}") from None
    if not (-_BIGINT <= envelope.seen < _BIGINT and -_INTEGER <= envelope.schema < _INTEGER):
        raise Unreadable(f"{stream} event {seq}, {subject}: a number is too large")
    return (
        stream,
        seq,
        envelope.id,
        envelope.run,
        envelope.type,
        subject[len(start) :],
        time,
        envelope.source,
        envelope.cause,
        envelope.seen,
        envelope.schema,
        data,
    )


def envelope_of(row: Row) -> Envelope:
    """Return the envelope in *row*, its data byte for byte."""
    stream, _, id_, run, type_, key, time, source, cause, seen, schema, data = row
    return Envelope(
        id=_uuid(id_),
        source=source,
        type=type_,
        time=time.replace(tzinfo=UTC),
        subject=_start(stream, run, type_) + key,
        run=run,
        cause=None if cause is None else _uuid(cause),
        seen=seen,
        schema=schema,
        data=Raw(data.encode()),
    )


def link(before: bytes, row: Row, data: bytes | memoryview) -> bytes:
    """Return the hash of *row*, whose data as bytes is *data*, in the run where *before* ended."""
    digest = hashlib.sha256(before + _encode(row[:-1]))
    digest.update(data)
    return digest.digest()


def _start(stream: Stream, run: str, type_: str) -> str:
    return f"{PREFIX if stream == 'public' else PRIVATE_PREFIX}.{run}.{type_}."


def _utc(time: datetime) -> datetime:
    here = time.tzinfo is None or time.tzinfo is UTC
    return (time if here else time.astimezone(UTC)).replace(tzinfo=None)


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
