"""The log as a command finds it: through the recorder where a system is up, else as a file. Does I/O.

Both ways run the same code on the same requests, one of them at the other end of a connection.
"""

import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import msgspec
from msgspec import Struct

from bus.connection import Bus, connect
from bus.server import EmbeddedServer
from ops.errors import Problem
from ops.recording import service as log_service
from ops.recording.client import (
    LogRefused,
    PageReply,
    PageRequest,
    SqlRequest,
    TableReply,
    VerifyReply,
    VerifyRequest,
    ask,
)
from schemas.envelope import Envelope, Recorded, Vocabulary
from schemas.events import Event
from store.log import Log

LOG = "log.duckdb"
_PAGE = 1000
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Records:
    """A log that can be asked; `bus` is there when a system is up, `log` when none is."""

    _ask: Callable[[str, Struct], Awaitable[bytes]]
    bus: Bus | None = None
    log: Log | None = None

    async def sql(self, statement: str, *, limit: int = 1000) -> TableReply:
        """Return the answer to a statement that only reads; raises LogRefused."""
        request = SqlRequest(sql=statement, limit=limit)
        reply = msgspec.json.decode(await self._ask("sql", request), type=TableReply)
        if reply.error:
            raise LogRefused(reply.error)
        return reply

    async def verify(self) -> VerifyReply:
        """Check the chain of hashes of every run."""
        return msgspec.json.decode(await self._ask("verify", VerifyRequest()), type=VerifyReply)

    async def events(
        self,
        *,
        run: str | None = None,
        types: Collection[str] = (),
        until: int | None = None,
    ) -> AsyncIterator[tuple[int, Envelope]]:
        """Yield the public events with seq <= until in order, each with its sequence number."""
        after = 0
        while True:
            request = PageRequest(after=after, run=run, types=tuple(types), limit=_PAGE)
            page = msgspec.json.decode(await self._ask("page", request), type=PageReply)
            if not page.entries:
                return
            for entry in page.entries:
                if until is not None and entry.seq > until:
                    return
                yield entry.seq, entry.event
            after = page.entries[-1].seq

    async def recorded(
        self,
        vocabulary: Vocabulary,
        *,
        run: str | None = None,
        types: Collection[str] = (),
        until: int | None = None,
    ) -> AsyncIterator[Recorded[Event]]:
        """Yield the same events read; straight from the file where that can be had."""
        if self.log is not None:
            for event in self.log.recorded(vocabulary, run=run, types=types or None, until=until):
                yield event
            return
        async for seq, envelope in self.events(run=run, types=types, until=until):
            yield vocabulary.read(envelope, seq)

    def running(self, wish: str) -> Bus:
        """Return the connection to the system that is up; raises Problem when none is."""
        if self.bus is None:
            raise Problem(
                f"no system is up in this home, and {wish} needs one",
                remedy="start one with `flowstone up`, or name one with --nats",
            )
        return self.bus


@asynccontextmanager
async def records(home: Path, url: str | None = None) -> AsyncIterator[Records]:
    """Yield the log of the system at *url*, of the one that is up in *home*, or of *home*'s file.

    Raises Problem when there is none, BusUnavailable and store.failures.LogFailure.
    """
    url = url or await url_of(home)
    if url:
        async with connect(url, name="command") as bus:
            yield Records(_ask=partial(ask, bus), bus=bus)
        return
    file = home / LOG
    if not file.exists():
        raise Problem(
            "there is no log yet",
            where=str(home),
            remedy="start a run with `flowstone run`, or name another home with FLOWSTONE_HOME",
        )
    with Log.open(file, read_only=True) as log:

        async def answer(endpoint: str, request: Struct) -> bytes:
            work = log_service.ENDPOINTS[endpoint]
            return await anyio.to_thread.run_sync(work, log, msgspec.json.encode(request))

        yield Records(_ask=answer, log=log)


async def url_of(home: Path) -> str | None:
    """Return the address of the system that is up in *home*; None when none is."""
    access = EmbeddedServer(home / "nats").access()
    if access is None:
        return None
    try:
        with anyio.fail_after(_PROBE_SECONDS):
            await (await anyio.connect_tcp(access.host, access.port)).aclose()
    except (OSError, TimeoutError):
        return None
    return access.url() if _held(home / "lock") else None


def _held(path: Path) -> bool:
    """Return whether a system holds its home; without one, the port is somebody else's by now."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False
