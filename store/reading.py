"""How the log is read: a choice of events, streamed out of DuckDB in order. Reads a cursor only."""

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, cast

import duckdb
import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from schemas.envelope import Fact, Recorded, Vocabulary
from schemas.events import Event
from store.chain import COLUMNS, GENESIS, Break, Row, Stream, link
from store.database import explained
from store.failures import LogUnavailable, first_line

CHUNK = 2048
"""Rows fetched at once: one vector of DuckDB's."""

# Ids travel as text: making UUID objects would cost more than all the rest.
_ROW = ", ".join(f"{name}::varchar" if name in {"id", "cause"} else name for name in COLUMNS)

# One decode per event instead of ten conversions: DuckDB writes the text of a Fact or a Recorded.
_FACT = """'{"run":', to_json(run), ',"seq":', seq, ',"time":"', time, 'Z","data":', data"""
_RECORDED = f"""{_FACT}, ',"id":"', id, '","type":', to_json(type), ',"key":', to_json(key),
    ',"source":', to_json(source), ',"cause":', coalesce('"' || cause || '"', 'null'),
    ',"seen":', seen"""


class Choice(Struct, frozen=True, kw_only=True):
    """Which events to read: those with after < seq <= until, at most *limit*."""

    stream: Stream = "public"
    run: str | None = None
    types: Collection[str] | None = None
    after: int = 0
    until: int | None = None
    limit: int | None = None


class Span(Struct, frozen=True, kw_only=True):
    """A run's place in the log: its first and last seq, how many events, and when it began (UTC)."""

    run: str
    first: int
    last: int
    events: int
    began: datetime


def rows(cursor: duckdb.DuckDBPyConnection, choice: Choice) -> Iterator[Row]:
    """Yield the chosen events as the columns hold them."""
    return cast("Iterator[Row]", _stream(cursor, _ROW, choice))


def recorded(
    cursor: duckdb.DuckDBPyConnection, choice: Choice, vocabulary: Vocabulary
) -> Iterator[Recorded[Event]]:
    """Yield the chosen events decoded; of types unknown to *vocabulary* as Unknown."""
    return _decoded(cursor, choice, vocabulary, Recorded, _RECORDED)


def facts(
    cursor: duckdb.DuckDBPyConnection, choice: Choice, vocabulary: Vocabulary
) -> Iterator[Fact[Event]]:
    """Yield what folds see of the same events, in two thirds of the time."""
    return _decoded(cursor, choice, vocabulary, Fact, _FACT)


def spans(cursor: duckdb.DuckDBPyConnection, having: Collection[str] | None = None) -> list[Span]:
    """Return the runs of the public stream in the order of their beginnings.

    With *having*, those of which there is an event of such a type.
    """
    types = None if having is None else sorted(having)
    found = cursor.execute(
        "select run, min(seq), max(seq), count(*), min(time) from events "
        "where stream = 'public' group by run "
        "having ?::varchar[] is null or bool_or(list_contains(?::varchar[], type)) "
        "order by min(seq)",
        [types, types],
    ).fetchall()
    return [
        Span(run=run, first=first, last=last, events=events, began=began)
        for run, first, last, events, began in found
    ]


def ends(
    connection: duckdb.DuckDBPyConnection, path: Path
) -> tuple[dict[Stream, int], dict[tuple[Stream, str], bytes]]:
    """Return the newest seq per stream and the newest hash per run.

    Raises LogBroken or LogUnavailable.
    """
    heads: dict[Stream, int] = {}
    chains: dict[tuple[Stream, str], bytes] = {}
    try:
        found = connection.execute(
            "select stream, run, max(seq), arg_max(hash, seq) from events group by stream, run"
        ).fetchall()
    except duckdb.Error as error:
        raise explained(path, error) from error
    for stream, run, seq, hash_ in found:
        heads[stream] = max(seq, heads.get(stream, 0))
        chains[stream, run] = hash_
    return heads, chains


def first_break(cursor: duckdb.DuckDBPyConnection) -> Break | None:
    """Return the first event whose hash or order is not what those before it demand."""
    heads: dict[str, int] = {}
    chains: dict[tuple[str, str], bytes] = {}
    stream: Stream = "public"
    run, seq = "", 0
    try:
        for *columns, held in _fetch(cursor, f"select {_ROW}, hash from events", []):  # noqa: S608
            row: Row = tuple(columns)
            stream, seq, run = row[0], row[1], row[3]
            expected = link(chains.get((stream, run), GENESIS), row, row[-1].encode())
            if expected != held:
                return Break(stream=stream, run=run, seq=seq, why="its hash is not the chain's")
            if seq <= heads.get(stream, 0):
                return Break(stream=stream, run=run, seq=seq, why="it is out of order")
            heads[stream] = seq
            chains[stream, run] = held
    except LogUnavailable as error:
        return Break(stream=stream, run=run, seq=seq + 1, why=f"cannot be read: {error}")
    return None


class _Data(Struct):
    data: Raw


def _decoded(
    cursor: duckdb.DuckDBPyConnection,
    choice: Choice,
    vocabulary: Vocabulary,
    form: type[Any],
    members: str,
) -> Iterator[Any]:
    """Yield the chosen events as *form*, of whose text *members* are the parts."""
    today = {
        f"{name} {each.schema}": msgspec.json.Decoder(form[each]).decode
        for name, each in vocabulary.types.items()
    }
    other = msgspec.json.Decoder(form[Any])
    raw = msgspec.json.Decoder(_Data)
    columns = f"concat(type, ' ', schema), concat({members}, '}}')"
    for kind, text in _stream(cursor, columns, choice):
        decode = today.get(kind)
        if decode is not None:
            yield decode(text)
        else:
            name, _, schema = kind.rpartition(" ")
            data = vocabulary.data(name, int(schema), raw.decode(text).data)
            yield replace(other.decode(text), data=data)


def _stream(
    cursor: duckdb.DuckDBPyConnection, columns: str, choice: Choice
) -> Iterator[tuple[Any, ...]]:
    # No `order by`: rows were appended in order and DuckDB keeps it; sorting would hold them all.
    conditions = ["stream = ?", "seq > ?"]
    values: list[Any] = [choice.stream, choice.after]
    if choice.until is not None:
        conditions.append("seq <= ?")
        values.append(choice.until)
    if choice.run is not None:
        conditions.append("run = ?")
        values.append(choice.run)
    if choice.types is not None:
        conditions.append("list_contains(?::varchar[], type)")
        values.append(sorted(choice.types))
    sql = f"select {columns} from events where {' and '.join(conditions)}"  # noqa: S608 - values are bound
    if choice.limit is not None:
        sql += f" limit {choice.limit:d}"
    return _fetch(cursor, sql, values)


def _fetch(
    cursor: duckdb.DuckDBPyConnection, sql: str, values: list[Any]
) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(_chunks(cursor, sql, values))


def _chunks(
    cursor: duckdb.DuckDBPyConnection, sql: str, values: list[Any]
) -> Iterator[list[tuple[Any, ...]]]:
    try:
        cursor.execute(sql, values)
        while chunk := cursor.fetchmany(CHUNK):
            yield chunk
    except duckdb.Error as error:
        raise LogUnavailable(f"the log cannot be read: {first_line(error)}") from error
