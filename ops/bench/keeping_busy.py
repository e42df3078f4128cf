"""How busy executors are kept: whole runs whose model and whose solutions take a set time.

Everything is real but the work: the rehearsal model plays back programs that sleep.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from subprocess import DEVNULL, PIPE

from ops.bench.figure import Figure
from schemas.envelope import Vocabulary
from schemas.events import ExecutionFinished, ExecutionStarted
from schemas.settings import Coder, Search
from store.log import Log

RUN = "busy"
TASK = "package:diabetes"
SLOTS = 2
REACHED = 0.95
"""The part of the bound that is to be reached."""

_PATIENCE = 300.0

_PROGRAM = """\
import csv
import time

time.sleep({seconds})
with open("input/sample_submission.csv") as file:
    head, *rows = csv.reader(file)
with open("submission/submission.csv", "w") as file:
    csv.writer(file).writerows([head, *([row[0], {value}] for row in rows)])
"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Seconds for an answer of the model and for a solution, how many, and calls open at once."""

    model: float
    solution: float
    nodes: int
    calls: int = Coder().calls

    @property
    def bound(self) -> float:
        """The busy share that the model's own rate allows, between 0 and 1.

        Programs come `calls` at a time, so the last cannot begin before the model was asked for
        all others. Calls for all nodes in flight are no bound; then only the first choices are,
        made before any time is known: slots are idle until what is chosen next is written.
        """
        busy = self.nodes * self.solution / SLOTS
        idle = max(0.0, self.model - (Search().lookahead - 1) * self.solution)
        last = (ceil(self.nodes / self.calls) - 1) * self.model + self.solution
        return busy / max(busy + idle, last)

    def __str__(self) -> str:
        calls = ", one call at a time" if self.calls == 1 else ""
        return f"model {self.model:g} s, solutions {self.solution:g} s{calls}"


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield the busy share with a model that is quicker, slower, and slower and one call at a time."""
    unit, nodes = (0.1, 6) if quick else (1.0, 24)
    loads = (
        Load(model=3 * unit, solution=4 * unit, nodes=nodes),
        Load(model=4 * unit, solution=3 * unit, nodes=nodes),
        Load(model=4 * unit, solution=3 * unit, nodes=nodes // 2, calls=1),
    )
    for number, load in enumerate(loads):
        share, most = 100 * busy_share(home / str(number), load), 100 * load.bound
        yield Figure(
            name=f"busy: {load}", value=share, unit="%", target=REACHED * most, bound="at least"
        )
        yield Figure(name=f"busy: {load}, what the model allows", value=most, unit="%")


def busy_share(home: Path, load: Load) -> float:
    """Run a search under *load*; return the share of the slots' time that solutions ran.

    From the begin of the first execution to the end of the last.
    """
    home.mkdir(parents=True)
    recording = home / "recording.json"
    recording.write_text(json.dumps([_nodes(load)]), encoding="utf-8")
    with _model(recording, load.model) as url:
        command = [sys.executable, "-m", "ops", "run", TASK, "--name", RUN]
        slots, calls = f"executor.slots={SLOTS}", f"coder.calls={load.calls}"
        subprocess.run(
            [*command, "--nodes", str(load.nodes), "--set", slots, "--set", calls],
            env={**os.environ, "FLOWSTONE_HOME": str(home), "OPENAI_BASE_URL": url},
            stdout=DEVNULL,
            check=True,
            timeout=_PATIENCE,
        )
    return _share(home / "log.duckdb")


def _nodes(load: Load) -> Sequence[dict[str, object]]:
    """Return recorded programs, each better than the one before, so that the search goes on."""
    return [
        {
            "node_index": number,
            "parent_index": 0,
            "plan": f"Guess the same for everybody; guess {number}.",
            "code": _PROGRAM.format(seconds=load.solution, value=150 - 100 / number),
        }
        for number in range(1, load.nodes + 1)
    ]


@contextmanager
def _model(recording: Path, seconds: float) -> Iterator[str]:
    """Yield the address of a model that takes *seconds* for every answer."""
    command = [sys.executable, "-m", "ops", "rehearsal", "--port", "0", "--latency", str(seconds)]
    with subprocess.Popen([*command, "--recording", recording], stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            said = process.stdout.readline()
            if not said:
                raise RuntimeError("the rehearsal model did not start")
            yield said.split()[-1]
        finally:
            process.terminate()


def _share(path: Path) -> float:
    """Return the busy share that a log tells of."""
    begun, ended, seconds = list[datetime](), list[datetime](), 0.0
    types = [each.__name__ for each in (ExecutionStarted, ExecutionFinished)]
    with Log.open(path) as log:
        for event in log.recorded(Vocabulary(), run=RUN, types=types):
            if isinstance(event.data, ExecutionFinished):
                ended.append(event.time)
                seconds += event.data.seconds
            else:
                begun.append(event.time)
    return seconds / (SLOTS * (max(ended) - min(begun)).total_seconds())
