"""A stranger's first minute: Ctrl-C at any moment of the start, pipes, a narrow terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import started
from tests.runs.harness import Run, environment, flowstone, leftovers


def interrupt_once(run: Run, ready: Callable[[], object], what: str) -> None:
    """Send Ctrl-C as soon as *ready*, and require a quiet and complete end."""
    run.until(ready, what)
    run.process.send_signal(signal.SIGINT)

    assert run.end() == 130, run.output
    assert "Traceback" not in run.output
    assert not leftovers(run.home)


def test_ctrl_c_before_the_server_is_up(start: Callable[..., Run], small: Path) -> None:
    run = start("run", str(small))

    interrupt_once(run, (run.home / "lock").exists, "its home is taken")


def test_ctrl_c_while_the_actors_start(
    start: Callable[..., Run], small: Path, quick: tuple[str, ...]
) -> None:
    run = start("run", str(small), *quick)

    interrupt_once(run, (run.home / "logs" / "planner-1.log").exists, "actors start")


def test_ctrl_c_twice_leaves_at_once_and_the_run_can_go_on(
    start: Callable[..., Run], small: Path, slow: tuple[str, ...]
) -> None:
    run = start("run", str(small), *slow, "--nodes", "8")
    run.scored(1)
    # A planner that is stopped cannot end the run, so that the first Ctrl-C has to wait.
    run.child("planner").suspend()
    run.process.send_signal(signal.SIGINT)
    run.says("once more to leave at once")
    began = time.monotonic()
    run.process.send_signal(signal.SIGINT)

    assert run.end() == 130, run.output
    assert time.monotonic() - began < 15
    assert "Traceback" not in run.output
    assert f"flowstone resume {run.name}" in run.output
    assert not leftovers(run.home)


def test_a_reader_that_goes_away(small: Path, tmp_path: Path, quick: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "ops", "run", str(small), *quick, "--nodes", "4"]
    with started(
        command,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith("run ")
        run.stdout.close()
        errors = run.stderr.read()

    assert run.returncode == 1
    assert errors.splitlines() == ["flowstone: whoever read the output has gone"]
    assert not leftovers(tmp_path / "home")


def test_a_narrow_terminal(small: Path, tmp_path: Path, quick: tuple[str, ...]) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ops", "run", str(small), *quick, "--nodes", "4"]
    size = {"COLUMNS": "40", "LINES": "20", "TERM": "xterm"}
    with started(
        command, env=environment(tmp_path / "home", size), stdout=theirs, stderr=theirs
    ) as run:
        os.close(theirs)
        shown = _read(ours)

    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert run.returncode == 0, text
    assert "Traceback" not in text
    picture = [
        line.rstrip() for line in text.split("\n") if re.match(r"(time|nodes|best|tokens) ", line)
    ]
    assert len(picture) > 4, text
    assert all(len(line) <= 40 for line in picture if "validation" not in line), picture
    assert "best validation score" in text


def _read(terminal: int) -> str:
    """Return everything that is written to a terminal until nobody has it open."""
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how a pseudo-terminal says that the other side has gone
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3])
def test_ctrl_c_while_python_still_loads(small: Path, tmp_path: Path, seconds: float) -> None:
    with started(
        [sys.executable, "-m", "ops", "run", str(small)],
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        try:
            run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)

    assert run.returncode in {130, -signal.SIGINT}
    assert not leftovers(tmp_path / "home")
    # Before the first line of ours has run, Python itself says what it was doing.
    assert "Traceback" not in errors or "ops/" not in errors


def test_help_has_an_example_for_a_stranger(tmp_path: Path) -> None:
    ended = flowstone(tmp_path, "run", "--help")

    assert ended.returncode == 0
    assert "flowstone run package:" in ended.stdout
