"""What a parent may leave behind: signals that are ignored or blocked."""

import signal
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

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
