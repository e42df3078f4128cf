"""Fixtures of the store's tests."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def in_a_subprocess() -> Callable[[str], str]:
    """Return the way to run Python code in a process of its own and have what it printed."""

    def run(code: str) -> str:
        done = subprocess.run(  # noqa: PLW1510 - checked below with what it said
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
