"""How fast all folds come back from a log, and how much memory reading it takes.

Each measurement is a process of its own (`python -m ops.bench.rebuilding LOG fold|read`), so that
its peak of memory is its own.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec
from msgspec import Struct

from ops.bench.figure import Figure
from ops.bench.histories import envelopes
from schemas.envelope import Vocabulary
from store.log import Log
from store.projections import PROJECTIONS
from store.projections.folds import Folds

_BATCH = 1000
_REPEATS = 5


class Measurement(Struct, frozen=True, kw_only=True):
    """What one process saw: seconds it took, and its peak of memory in MiB."""

    seconds: float
    peak_mb: float


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield events a second, and the memory that reading four times as many takes in addition."""
    few = 2_000 if quick else 60_000
    small, large = home / "small.duckdb", home / "large.duckdb"
    _write(small, few)
    count = _write(large, 4 * few)
    rebuilt = [_process(large, "fold") for _ in range(1 if quick else _REPEATS)]
    yield Figure(
        name="folds: events a second, all rebuilt from the log",
        value=count / median(each.seconds for each in rebuilt),
        unit="/s",
        target=200_000,
        bound="at least",
    )
    yield Figure(
        name="folds: memory of reading 4 times the events, in addition",
        value=_process(large, "read").peak_mb - _process(small, "read").peak_mb,
        unit="MiB",
        target=64.0,
    )


def work(path: Path, how: str) -> Measurement:
    """Read the log at *path* for the folds, and apply them when *how* is `fold`."""
    folds = Folds(PROJECTIONS.values())
    with Log.open(path, read_only=True) as log:
        start = perf_counter()
        events = log.facts(Vocabulary(), types=folds.types)
        for event in events:
            if how == "fold":
                folds.apply(event)
        seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measurement(seconds=seconds, peak_mb=peak)


def _write(path: Path, events: int) -> int:
    """Lay down a made-up history; return how many events it has."""
    written, made = 0, envelopes(events)
    with Log.open(path) as log:
        while batch := list(islice(made, _BATCH)):
            written += log.append(batch)
    return written


def _process(path: Path, how: str) -> Measurement:
    command = [sys.executable, "-m", "ops.bench.rebuilding", str(path), how]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Measurement)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(work(Path(sys.argv[1]), sys.argv[2])))
