"""The log: every event laid down once, in order, in one DuckDB file. Touches that file alone."""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import duckdb
from msgspec import Struct

from schemas.envelope import Envelope, Fact, Recorded, Vocabulary
from schemas.events import Event
from store import reading
from store.chain import GENESIS, Break, Row, Stream, envelope_of, link, row_of
from store.database import connect
from store.failures import LogConflict, LogUnavailable, first_line

Chains = dict[tuple[Stream, str], bytes]
"""By stream and run, the hash of the newest event."""


class Position(Struct, frozen=True, kw_only=True):
    """How far a log goes: the newest seq of each stream, and the newest hash of each run."""

    heads: Mapping[Stream, int]
    chains: Mapping[tuple[Stream, str], bytes]


class Log:
    """The events in a DuckDB file. One process may write; its threads share one Log."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._heads: dict[Stream, int] = {}
        self._chains: Chains = {}

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the log at *path*, made first where there is none.

        Raises LogUnavailable, LogTooNew or LogBroken.
        """
        log = cls(path, read_only=read_only)
        log._connect()
        return log

    def close(self) -> None:
        """Close the file; later calls open it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, batch: Sequence[tuple[int, Envelope]], stream: Stream = "public") -> int:
        """Lay down the events that are new, all or none, on disk when this returns; say how many.

        Raises Unreadable for an event that would not come back, LogConflict where the log holds
        another event under the same seq, and LogUnavailable when the disk refuses; nothing is
        written then.
        """
        with self._lock:
            head = self.head(stream)
            known = [each for each in batch if each[0] <= head]
            if known:
                self._check_same(known, stream)
            rows, chains = self._chained(batch, stream, head)
            if rows:
                with self.writing() as cursor:
                    appender = cursor.appender("events")
                    appender.append_rows(rows)
                    appender.flush()
                self._heads[stream] = rows[-1][1]
                self._chains |= chains
            return len(rows)

    def head(self, stream: Stream = "public") -> int:
        """Return the newest seq of *stream*; 0 when there is none."""
        with self._lock:
            self._connect()
            return self._heads.get(stream, 0)

    def position(self) -> Position:
        """Return how far the log goes."""
        with self._lock:
            self._connect()
            return Position(
                heads=MappingProxyType(dict(self._heads)),
                chains=MappingProxyType(dict(self._chains)),
            )

    def runs(self, *, having: Collection[str] | None = None) -> list[reading.Span]:
        """Return every run in the log, or those with an event of some types, the oldest first."""
        with closing(self.cursor()) as cursor:
            return reading.spans(cursor, having)

    def read(
        self,
        *,
        run: str | None = None,
        types: Collection[str] | None = None,
        after: int = 0,
        until: int | None = None,
        limit: int | None = None,
        stream: Stream = "public",
    ) -> Iterator[tuple[int, Envelope]]:
        """Yield the events with after < seq <= until in order, in constant memory."""
        chosen = reading.Choice(
            stream=stream, run=run, types=types, after=after, until=until, limit=limit
        )
        with closing(self.cursor()) as cursor:
            for row in reading.rows(cursor, chosen):
                yield row[1], envelope_of(row)

    def recorded(
        self,
        vocabulary: Vocabulary,
        *,
        run: str | None = None,
        types: Collection[str] | None = None,
        after: int = 0,
        until: int | None = None,
        stream: Stream = "public",
    ) -> Iterator[Recorded[Event]]:
        """Yield the same events as `read`, decoded."""
        chosen = reading.Choice(stream=stream, run=run, types=types, after=after, until=until)
        with closing(self.cursor()) as cursor:
            yield from reading.recorded(cursor, chosen, vocabulary)

    def facts(
        self,
        vocabulary: Vocabulary,
        *,
        run: str | None = None,
        types: Collection[str] | None = None,
        until: int | None = None,
    ) -> Iterator[Fact[Event]]:
        """Yield what folds see of the public events: the fast path for rebuilding."""
        chosen = reading.Choice(run=run, types=types, until=until)
        with closing(self.cursor()) as cursor:
            yield from reading.facts(cursor, chosen, vocabulary)

    def verify(self) -> Break | None:
        """Check every hash in the log; return the first break, or None when it is whole."""
        with closing(self.cursor()) as cursor:
            return reading.first_break(cursor)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own to the open file, for one thread at a time."""
        with self._lock:
            return self._connect().cursor()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lend the one writing connection for one transaction, on disk when the block ends.

        Raises LogUnavailable when it could not be written; nothing is then.
        """
        with self._lock:
            connection = self._connect()
            try:
                connection.begin()
                yield connection
                connection.commit()
            except duckdb.Error as error:
                # What DuckDB holds after a failed commit is not to be trusted: open anew.
                self.close()
                raise LogUnavailable(
                    f"{self.path}: cannot be written: {first_line(error)}; nothing recorded is lost"
                ) from error
            except BaseException:
                connection.rollback()
                raise

    def _connect(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            connection = connect(self.path, read_only=self.read_only)
            try:
                self._heads, self._chains = reading.ends(connection, self.path)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _chained(
        self, batch: Iterable[tuple[int, Envelope]], stream: Stream, head: int
    ) -> tuple[list[tuple[Any, ...]], Chains]:
        """Return the rows of the events after *head*, each with its hash, and where chains end."""
        rows: list[tuple[Any, ...]] = []
        chains: Chains = {}
        for seq, envelope in sorted(batch, key=itemgetter(0)):
            if seq <= head:
                continue
            head = seq
            row = row_of(stream, seq, envelope)
            chain = stream, envelope.run
            before = chains.get(chain) or self._chains.get(chain, GENESIS)
            chains[chain] = link(before, row, memoryview(envelope.data))
            rows.append((*row, chains[chain]))
        return rows, chains

    def _check_same(self, known: Sequence[tuple[int, Envelope]], stream: Stream) -> None:
        """Raise LogConflict unless the log has each of *known* as it is."""
        first, last = min(known, key=itemgetter(0))[0], max(known, key=itemgetter(0))[0]
        with closing(self.cursor()) as cursor:
            chosen = reading.Choice(stream=stream, after=first - 1, until=last)
            held = {row[1]: _identity(row) for row in reading.rows(cursor, chosen)}
        for seq, envelope in known:
            if held.get(seq) != _identity(row_of(stream, seq, envelope)):
                raise LogConflict(
                    f"{self.path}: {stream} event {seq} is another one than {envelope.subject}; "
                    "this log belongs to another stream"
                )


def _identity(row: Row) -> tuple[str, str]:
    return str(row[2]), row[-1]
