"""How an event travels and is kept: CloudEvents 1.0 attributes around data. Pure, no I/O.

`Envelope` is the wire form with the data as raw bytes, so that an event of an unknown type
passes through any process byte for byte; `Recorded` is what roles are given, and
`Fact` the part of it that folds see.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw, Struct

from schemas import events
from schemas.events import Event

E = TypeVar("E", bound=Event, covariant=True)  # noqa: PLC0105 - E reads better in signatures

ROOT = UUID("5f0e7c1a-0b54-5d6e-9a53-666c6f777374")
"""Namespace of the ids of events that nothing caused."""

_TOKENS = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class Unreadable(ValueError):  # noqa: N818 - it describes the event, as do its siblings
    """Raised when an event would not come back from the log as it went in."""


class Unknown(Event, frozen=True, kw_only=True):
    """An event of a type that this process has no struct for; kept byte for byte."""

    data: Raw


class Envelope(Struct, frozen=True, kw_only=True):
    """One event on the wire; `subject` is `flowstone.<run>.<Type>.<key>`.

    `seen` is the sequence number up to which the deciding role had folded when it decided
    (0 for events that were not decided), so that the decision can be checked later.
    """

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    time: datetime
    subject: str
    run: str
    cause: UUID | None = None
    seen: int = 0
    schema: int = 1
    data: Raw

    @property
    def key(self) -> str:
        """The event's key within its run and type."""
        return self.subject.split(".", 3)[3]

    @property
    def private(self) -> bool:
        """Whether the event belongs on the private stream."""
        return self.subject.startswith(PRIVATE_PREFIX + ".")


class Fact(Struct, Generic[E], frozen=True, kw_only=True, gc=False):
    """What has happened, in which run, and when: all that a fold may see of an event."""

    run: str
    seq: int
    time: datetime
    data: E


class Recorded(Fact[E], frozen=True, kw_only=True, gc=False):
    """An event as the log holds it: the fact, who said it, and why."""

    id: UUID
    type: str
    key: str
    source: str
    cause: UUID | None
    seen: int


PREFIX = "flowstone"
PRIVATE_PREFIX = "flowstone-private"

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


def _without_closing(started: dict[str, Any]) -> dict[str, Any]:
    """Return the start of a run from before runs were closed: nobody has a turn after its search."""
    return started | {"settings": started["settings"] | {"closing": {"steps": []}}}


UPCASTERS: dict[tuple[str, int], Upcaster] = {("RunStarted", 1): _without_closing}
"""From (type, schema) to a function that turns its data into the next schema's."""

_encode_data = msgspec.json.Encoder().encode
encode = msgspec.json.Encoder().encode
"""Return an envelope as JSON bytes."""
decode = msgspec.json.Decoder(Envelope).decode
"""Return the envelope in JSON bytes; raises msgspec.DecodeError."""


def subject_of(event_type: type[Event] | str, run: str, key: str, *, private: bool = False) -> str:
    """Return the subject of an event; raises Unreadable when run or key cannot be part of one."""
    name = event_type if isinstance(event_type, str) else event_type.__name__
    for part in (run, key):
        if not _TOKENS.fullmatch(part):
            raise Unreadable(f"{name}: {part!r} cannot be part of a subject")
    return f"{PRIVATE_PREFIX if private else PREFIX}.{run}.{name}.{key}"


def id_of(event: Event, run: str, cause: UUID | None) -> UUID:
    """Return the id that *event* has when *cause* leads to it: the same however often it is made."""
    name = f"{type(event).__name__}.{event.key}"
    return uuid5(cause, name) if cause else uuid5(ROOT, f"{run}.{name}")


def wrap(
    event: Event, *, run: str, source: str, time: datetime, cause: UUID | None, seen: int = 0
) -> Envelope:
    """Return *event* in its envelope.

    Raises Unreadable when what was written could not be read back as the same event
    (NaN and infinity have no JSON): one such event would poison the log for ever.
    """
    name = type(event).__name__
    data = _encode_data(event)
    try:
        again = _decoder(type(event)).decode(data)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"{name} {event.key}: {error}") from None
    if again != event:
        raise Unreadable(f"{name} {event.key}: reads back differently than it was written")
    return Envelope(
        id=id_of(event, run, cause),
        source=source,
        type=name,
        time=time,
        subject=subject_of(name, run, event.key, private=event.private),
        run=run,
        cause=cause,
        seen=seen,
        schema=event.schema,
        data=Raw(data),
    )


class Vocabulary:
    """The event types that a process can read; everything else comes back as Unknown."""

    def __init__(self, types: Iterable[type[Event]] = events.ALL) -> None:
        self._types = {each.__name__: each for each in types}

    def extended(self, types: Iterable[type[Event]]) -> "Vocabulary":
        """Return a vocabulary that knows *types* as well."""
        return Vocabulary([*self._types.values(), *types])

    @property
    def types(self) -> Mapping[str, type[Event]]:
        """The known types by name."""
        return self._types

    def read(self, envelope: Envelope, seq: int) -> Recorded[Event]:
        """Return the event inside *envelope*, upcast to today's schema."""
        return Recorded(
            id=envelope.id,
            run=envelope.run,
            type=envelope.type,
            key=envelope.key,
            seq=seq,
            time=envelope.time,
            source=envelope.source,
            cause=envelope.cause,
            seen=envelope.seen,
            data=self.data(envelope.type, envelope.schema, envelope.data),
        )

    def data(self, name: str, schema: int, raw: Raw | bytes | str) -> Event:
        """Return the event that *raw* JSON holds."""
        known = self._types.get(name)
        if known is None or schema > known.schema:
            return Unknown(data=Raw(raw))
        if schema == known.schema:
            event: Event = _decoder(known).decode(raw)
            return event
        tree = msgspec.json.decode(raw)
        for version in range(schema, known.schema):
            tree = UPCASTERS[name, version](tree)
        upcast: Event = msgspec.convert(tree, known)
        return upcast


_decoders: dict[type[Event], msgspec.json.Decoder[Any]] = {}


def _decoder(known: type[Event]) -> msgspec.json.Decoder[Any]:
    decoder = _decoders.get(known)
    if decoder is None:
        decoder = _decoders[known] = msgspec.json.Decoder(known)
    return decoder
