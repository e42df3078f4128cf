"""Real runs that are interrupted: Ctrl-C, kill -9 of any one process, kill -9 of all at once."""

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs.harness import Run, check_best, check_log, events, leftovers, settled

pytestmark = pytest.mark.long

NODES = 6


@pytest.fixture
def begin(start: Callable[..., Run], small: Path, slow: tuple[str, ...]) -> Callable[[], Run]:
    """Return the way to start a run that takes a few seconds."""
    return lambda: start("run", str(small), *slow, "--nodes", str(NODES))


def check_record(run: Run, task: Path) -> None:
    """Require a whole log with every node graded once, what they taught, and a best submission."""
    check_log(run.home)
    assert distilled(run) == 1
    nodes = settled(run.home, run.name)
    assert len(nodes) == NODES
    assert check_best(run.best, task / "sample_submission.csv") in nodes | {"fuse1"}


def distilled(run: Run) -> int:
    """Return how often it was written down what the run taught."""
    kinds = [kind for _, name, kind, _, _ in events(run.home) if name == run.name]
    return kinds.count("WisdomDistilled")


@pytest.mark.parametrize(
    "victims",
    [
        ("nats-server", "planner", "executor", "rehearsal"),
        ("recorder", "coder", "fuser", "grader", "curator"),
    ],
    ids=" ".join,
)
def test_a_run_completes_though_each_process_is_killed_in_turn(
    begin: Callable[[], Run], small: Path, victims: tuple[str, ...]
) -> None:
    run = begin()

    for count, victim in enumerate(victims, 1):
        run.proposed(count + 1)
        run.child(victim).kill()
        run.until(lambda: f"{victim}" in run.output, f"{victim} is missed")  # noqa: B023 - at once

    assert run.end() == 0, run.output
    assert run.output.count("ended (SIGKILL); again in") == len(victims)
    check_record(run, small)


def test_a_run_completes_after_everything_was_killed_at_once(
    begin: Callable[[], Run], start: Callable[..., Run], small: Path, slow: tuple[str, ...]
) -> None:
    first = begin()
    first.scored(2)
    first.kill_all()

    shown = set(re.findall(r" (n\d+) scored ", first.output))

    second = start("resume", first.name, *slow[:2])

    assert second.end() == 0, second.output
    check_record(second, small)
    graded = {key for _, _, kind, key, _ in events(second.home) if kind == "SolutionGraded"}
    assert shown <= graded


def test_a_run_that_was_cut_short_waits_until_it_is_resumed(
    start: Callable[..., Run],
    small: Path,
    slow: tuple[str, ...],
    quick: tuple[str, ...],
) -> None:
    first = start("run", str(small), *slow, "--nodes", "10")
    first.scored(1)
    first.kill_all()

    between = start("run", str(small), *quick, "--nodes", "4")
    assert between.end() == 0, between.output
    assert f"{first.name} was cut short: paused" in between.output
    waiting = [kind for _, run, kind, _, _ in events(first.home) if run == first.name]
    assert waiting.count("NodeProposed") < 10
    assert "RunFinished" not in waiting

    second = start("resume", first.name, *slow[:2])
    assert second.end() == 0, second.output
    check_log(second.home)
    assert len(settled(second.home, second.name)) == 10


def test_a_run_completes_though_the_server_lost_all_that_it_had(
    begin: Callable[[], Run], start: Callable[..., Run], small: Path, slow: tuple[str, ...]
) -> None:
    first = begin()
    first.scored(2)
    first.until((first.best / "submission.csv").exists, "the log has it")
    first.kill_all()
    shutil.rmtree(first.home / "nats")

    second = start("resume", first.name, *slow[:2])

    assert second.end() == 0, second.output
    check_record(second, small)
    ran = [(kind, key) for _, _, kind, key, _ in events(second.home) if key[0] == "n"]
    started = [key for kind, key in ran if kind == "ExecutionStarted"]
    finished = {key for kind, key in ran if kind == "ExecutionFinished"}
    repeated = [key for key in started if not key.endswith(".1")]
    assert len(started) - len(repeated) == len(finished) == NODES
    assert len(repeated) <= 2, "only what was under way was executed again"


def test_ctrl_c_ends_cleanly_with_the_best_so_far(begin: Callable[[], Run], small: Path) -> None:
    run = begin()
    run.scored(1)

    run.process.send_signal(signal.SIGINT)

    assert run.end() == 130, run.output
    assert "interrupted" in run.output
    assert "Traceback" not in run.output
    check_log(run.home)
    assert distilled(run) == 1
    check_best(run.best, small / "sample_submission.csv")
    assert not leftovers(run.home)
