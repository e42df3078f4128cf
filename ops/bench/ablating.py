"""Runs with and without each tier of the memory, as the paper's table of ML-Master 2.0 has them.

Starts processes: whole runs with the configured model (the rehearsal model where there is none),
one after the other, in homes of their own that hold the wisdom of the same earlier runs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from ops.errors import Problem

CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "all tiers": ("experience", "knowledge", "wisdom"),
    "no experience (L1)": ("wisdom",),
    "no knowledge (L2)": ("experience", "wisdom"),
    "no wisdom (L3)": ("experience", "knowledge"),
}
"""The rows of the table: without experience there is no knowledge either, and every solution is
a first one."""

EARLIER = ("package:wine", "package:breast-cancer", "package:diabetes")
"""The runs whose wisdom can be recalled: none is on a task that is measured."""

_PRIVATE = re.compile(r"^private answers\s+(-?\d[\d.e-]*)", re.MULTILINE)
_SCORES = (
    "select (select data->>'metric' from events where type = 'RunFinished' and run = '{run}'),"
    " (select count(*) from events where type = 'SolutionGraded' and run = '{run}'"
    " and data->>'metric' is not null)"
)


class Ended(Struct, frozen=True, kw_only=True):
    """One run: its best validation score, its score on the private answers, its sound nodes."""

    task: str
    condition: str
    seed: int
    validation: float | None
    private: float | None
    sound: int


def measured(
    tasks: Sequence[str],
    home: Path,
    *,
    seeds: int,
    nodes: int,
    earlier: Sequence[str] = EARLIER,
    told: Callable[[str], None],
) -> Iterator[Ended]:
    """Yield each run as it ends, all under the same number of executions."""
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="ablation-", dir=home.absolute()) as folder:
        wise = Path(folder) / "wise"
        wise.mkdir()
        for task in earlier:
            told(f"an earlier run: {task}")
            _run(wise, task, nodes, ())
        for task in tasks:
            for seed in range(1, seeds + 1):
                for condition, tiers in CONDITIONS.items():
                    told(f"{task}, seed {seed}: {condition}")
                    here = Path(folder) / "run"
                    shutil.copytree(wise, here, symlinks=True)
                    yield _ended(here, task, condition, tiers, seed, nodes)
                    shutil.rmtree(here)


def table(ended: Sequence[Ended]) -> Iterator[list[str]]:
    """Yield the rows of the table: mean and spread over the seeds."""
    yield ["task", "memory", "validation", "private answers", "sound solutions"]
    for task in dict.fromkeys(each.task for each in ended):
        for condition in CONDITIONS:
            runs = [each for each in ended if (each.task, each.condition) == (task, condition)]
            if runs:
                name = task.rstrip("/").rpartition("/")[2]
                columns = (
                    [each.validation for each in runs],
                    [each.private for each in runs],
                    [float(each.sound) for each in runs],
                )
                yield [name, condition, *(_spread(column) for column in columns)]


def _spread(values: Sequence[float | None]) -> str:
    """Return the mean and the standard deviation, and how many runs had no value."""
    known = [each for each in values if each is not None]
    if not known:
        return "none"
    missing = f" ({len(values) - len(known)} without)" if len(known) < len(values) else ""
    about = f" ± {stdev(known):.2g}" if len(known) > 1 else ""
    return f"{mean(known):.5g}{about}{missing}"


def _ended(
    home: Path, task: str, condition: str, tiers: tuple[str, ...], seed: int, nodes: int
) -> Ended:
    chosen = (f"memory.tiers={','.join(tiers)}", f"grader.seed={seed}", "search.policy=research")
    name = "measured"
    said = _run(home, task, nodes, chosen, name=name)
    ((metric, sound),) = _asked(home, _SCORES.format(run=name))
    private = _PRIVATE.search("\n".join(said))
    return Ended(
        task=task,
        condition=condition,
        seed=seed,
        validation=None if metric is None else float(metric),
        private=float(private[1]) if private else None,
        sound=int(sound),
    )


def _run(
    home: Path, task: str, nodes: int, chosen: Sequence[str], *, name: str | None = None
) -> list[str]:
    arguments = ["run", task, "--nodes", str(nodes), "--minutes", "30"]
    arguments += ["--name", name] if name else []
    arguments += [word for each in chosen for word in ("--set", each)]
    return _flowstone(home, *arguments).splitlines()


def _asked(home: Path, query: str) -> list[tuple[Any, ...]]:
    lines = _flowstone(home, "sql", query, "--json").splitlines()
    return [tuple(json.loads(line).values()) for line in lines]


def _flowstone(home: Path, *arguments: str) -> str:
    """Return what a command prints; raises Problem where it fails."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("FLOWSTONE_")}
    ended = subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        env=plain | {"FLOWSTONE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        why = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Problem(f"a run failed: {why}", remedy="run it by itself to see more")
    return ended.stdout
