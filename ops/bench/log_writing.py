"""How fast the log takes events in: batches as the recorder lays them down, and one event alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from ops.bench.figure import Figure
from ops.bench.histories import Writer
from schemas.envelope import Envelope, wrap
from schemas.events import SolutionWritten
from store.log import Log

_BATCH = 1000
_EVENT_BYTES = 2000


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield events a second in batches of 1000, and the median of single durable appends."""
    batches, singles = (4, 10) if quick else (40, 200)
    events = _events(batches * _BATCH + singles)
    with Log.open(home / "log.duckdb") as log:
        took = [_timed(log, events[at : at + _BATCH]) for at in range(0, batches * _BATCH, _BATCH)]
        alone = [_timed(log, [event]) for event in events[batches * _BATCH :]]
    yield Figure(
        name="log: events laid down in batches of 1000, 2 kB each",
        value=_BATCH / median(took),
        unit="/s",
        target=40_000,
        bound="at least",
    )
    yield Figure(name="log: one event, durable", value=1000 * median(alone), unit="ms", target=5.0)


def _timed(log: Log, batch: list[tuple[int, Envelope]]) -> float:
    start = perf_counter()
    log.append(batch)
    return perf_counter() - start


def _events(count: int) -> list[tuple[int, Envelope]]:
    writer, time = Writer(1), datetime.now(UTC)
    return [
        (
            seq,
            wrap(
                SolutionWritten(
                    node=f"n{seq}", plan=writer.text(200), code=writer.text(_EVENT_BYTES - 250)
                ),
                run="bench",
                source="flowstone://bench/writer",
                time=time,
                cause=None,
            ),
        )
        for seq in range(1, count + 1)
    ]
