"""Logs of real ML-Master 1.0 runs, where they are at hand: every choice and every printed figure."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops import cli
from ops.traces import reading, replay
from ops.traces.replay import Replayed

FEWEST_CHOICES = 1000
MOST_TIES = 0.05
FEWEST_FIGURES = 700
_VALUED = re.compile(
    r"Node (?P<node>[0-9a-f]{32}) uct = (?P<reward>\S+)/(?P<visits>\d+) \+ "
    r"(?P<constant>\S+)\*\(math\.log\((?P<above>\d+)\)"
)

Figures = tuple[float, int, int, float]
"""A node's reward and visits, its parent's visits, and the exploration constant."""


@pytest.fixture(scope="module")
def logs(shared_data: Path) -> Path:
    folder = shared_data / "traces" / "logs"
    if not folder.is_dir():
        pytest.skip(f"there are no logs of real runs in {folder}")
    return folder


@pytest.fixture(scope="module")
def runs(logs: Path) -> list[Replayed]:
    return [replay.replay(reading.read(path)) for path in reading.logs(logs)]


def test_every_choice_of_every_run_is_ours_or_a_tie(runs: list[Replayed]) -> None:
    for run in runs:
        others = [each for each in run.verdicts if each.kind == "differs"]
        assert others == [], run.trace.name
        assert run.verdicts, run.trace.name
    choices = sum(len(run.verdicts) for run in runs)
    assert choices >= FEWEST_CHOICES
    assert sum(run.count("tie") for run in runs) <= MOST_TIES * choices


def test_every_choice_that_the_logs_tell_of_is_judged(runs: list[Replayed]) -> None:
    for run in runs:
        steps = run.trace.steps
        told = sum(isinstance(each, reading.Chosen | reading.Landed) for each in steps)
        assert len(run.verdicts) + run.after_gap >= told
        cut = any(isinstance(each, reading.Omitted) for each in steps)
        assert bool(run.after_gap) == cut, f"{run.trace.name}: not followed to its end"


def test_every_value_that_the_logs_print_is_ours(logs: Path) -> None:
    compared = 0
    for path in reading.logs(logs):
        for line, ours, printed in _figures(path):
            assert ours == pytest.approx(printed), f"{path.name}:{line}"
            compared += 1
    assert compared >= FEWEST_FIGURES


def _figures(path: Path) -> Iterator[tuple[int, Figures, Figures]]:
    """Yield the figures of nodes beside those that a log prints where it looks for the best."""
    trace = reading.read(path)
    run, steps = replay._Run(trace), [*trace.steps]
    for number, line in enumerate(reading._lines(path), 1):
        while steps and steps[0].line < number:
            if not run.can_follow(steps[0]):
                return
            for _ in run.follow(steps.pop(0)):
                pass
        found = _VALUED.search(line)
        if found:
            node = run._tree.node(run._names[found["node"]])
            above = run._tree.nodes[node.above].visits
            printed = float(found["reward"]), int(found["visits"]), int(found["above"])
            ours = node.reward, node.visits, above, run._constant()
            yield number, ours, (*printed, float(found["constant"]))


def test_the_command_says_that_none_differs(logs: Path) -> None:
    said = CliRunner().invoke(cli.flowstone, ["bench", "traces", str(logs)])
    assert said.exit_code == 0, said.output
    *rows, last = (line.split() for line in said.output.splitlines()[1:])
    assert [row[0] for row in rows] == [path.stem for path in reading.logs(logs)]
    assert last[0] == "all"
    assert last[4] == "0"
    assert "ANOTHER" not in said.output
