"""What a parent may leave behind: signals that are ignored or blocked."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from ops import signals
from tests.processes import started

DEAF = """
import os, signal, sys
for each in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.executable, [sys.executable, "-m", "ops", *sys.argv[1:]])
"""


@pytest.mark.parametrize("arguments", [("up", "--no-actors"), ("rehearsal", "--port", "0")])
def test_a_program_whose_parent_was_deaf_ends_when_told(
    tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSTONE_HOME", str(tmp_path / "home"))

    with started([sys.executable, "-c", DEAF, *arguments], stdout=PIPE, text=True) as program:
        assert program.stdout is not None
        assert any(word in program.stdout.readline() for word in ("home", "http"))
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=30)

    assert program.returncode in {0, -signal.SIGTERM}


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(signals, "_heard", [])
    signals.begin()
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.usefixtures("begun")
def test_ctrl_c_that_a_module_swallowed_is_heard_before_work_begins() -> None:
    async def work() -> None:
        pytest.fail("it began")

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signals.run(work)


@pytest.mark.usefixtures("begun")
def test_the_loop_has_ctrl_c_once_all_is_loaded() -> None:
    async def work(answer: int) -> int:
        assert signal.getsignal(signal.SIGINT) is not signals._interrupt
        return answer

    assert signals.run(work, 3) == 3
