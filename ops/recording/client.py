"""Ask the recorder: read-only SQL, pages of events, wisdom of earlier runs. Reads the bus."""

from collections.abc import Sequence
from typing import Any

import anyio
import msgspec
from msgspec import Struct
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from bus.connection import Bus
from bus.subjects import LOG_SERVICE
from schemas.envelope import Envelope, Recorded, Vocabulary, subject_of
from schemas.events import ONCE, RunStarted
from schemas.settings import Settings
from store.projections import wisdom

_ANSWER_SECONDS = 30.0


class LogRefused(ValueError):  # noqa: N818 - it says what the log did
    """Raised when the log will not do what was asked; the message is one line for people."""


class SqlRequest(Struct, frozen=True, kw_only=True):
    """A read-only statement, and how many rows of its answer are wanted."""

    sql: str
    limit: int = 1000


class TableReply(Struct, frozen=True, kw_only=True):
    """The answer to a statement, or why there is none."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    more: bool = False
    error: str = ""


class VerifyRequest(Struct, frozen=True, kw_only=True):
    """Check every hash in the log."""


class VerifyReply(Struct, frozen=True, kw_only=True):
    """How many events and runs were checked, and where the first break is; no `why`, no break."""

    events: int
    runs: int
    stream: str = ""
    run: str = ""
    seq: int = 0
    why: str = ""


class PageRequest(Struct, frozen=True, kw_only=True):
    """Events after a sequence number, of one run and some types where those are named."""

    after: int = 0
    run: str | None = None
    types: tuple[str, ...] = ()
    limit: int = 500


class Entry(Struct, frozen=True, kw_only=True):
    """An event of a page with its sequence number."""

    seq: int
    event: Envelope


class PageReply(Struct, frozen=True, kw_only=True):
    """A page of events; `head` is the newest sequence number in the log."""

    entries: tuple[Entry, ...] = ()
    head: int = 0


async def ask(bus: Bus, endpoint: str, request: Struct, *, wait: float = 10.0) -> bytes:
    """Return the recorder's answer; waits while it is being started again.

    Raises LogRefused when it does not come back within *wait* seconds.
    """
    deadline = anyio.current_time() + wait
    payload = msgspec.json.encode(request)
    while True:
        try:
            reply = await bus.client.request(
                f"{LOG_SERVICE}.{endpoint}", payload, timeout=_ANSWER_SECONDS
            )
        except NoRespondersError:
            if anyio.current_time() > deadline:
                raise LogRefused("no recorder answers: is the system up?") from None
            await anyio.sleep(0.05)
        except (NatsError, TimeoutError) as error:
            raise LogRefused(f"the recorder did not answer: {error}") from None
        else:
            return bytes(reply.data)


async def recorder_answers(bus: Bus, *, wait: float = 0.0) -> bool:
    """Return whether a recorder serves this server within *wait* seconds."""
    try:
        await ask(bus, "page", PageRequest(limit=1), wait=wait)
    except LogRefused:
        return False
    return True


class LogLibrary:
    """The wisdom tier across runs, read from the log."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def wisdom(self) -> Sequence[wisdom.Entry]:
        """Return what every run taught that can be recalled, oldest first."""
        vocabulary, after, state = Vocabulary(wisdom.projection.follows), 0, wisdom.START
        while True:
            request = PageRequest(after=after)
            page = msgspec.json.decode(await ask(self._bus, "wisdom", request), type=PageReply)
            for each in page.entries:
                event: Recorded[Any] = vocabulary.read(each.event, each.seq)
                state = wisdom.apply(state, event)
            if not page.entries:
                return [*state.entries.values()]
            after = page.entries[-1].seq

    async def settings(self, run: str) -> Settings:
        """Return the settings that *run* was started with.

        Raises LookupError when the stream has no such run.
        """
        found = await self._bus.recorded(subject_of(RunStarted, run, ONCE))
        if found is None:
            raise LookupError(f"the stream has no start of run {run}")
        started: Recorded[Any] = Vocabulary([RunStarted]).read(found[1], found[0])
        settings: Settings = started.data.settings
        return settings
