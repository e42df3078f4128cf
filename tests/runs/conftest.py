"""Fixtures of the tests over whole runs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runs.harness import Run, end_all
from tests.runs.tasks import write_recording, write_task


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small task; not to be written to."""
    return write_task(tmp_path_factory.mktemp("tasks") / "small")


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return the arguments with which solutions take a moment."""
    path = tmp_path_factory.mktemp("recordings") / "quick.json"
    return "--recording", str(write_recording(path)), "--minutes", "3"


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return the arguments with which solutions take long enough to be interrupted."""
    path = tmp_path_factory.mktemp("recordings") / "slow.json"
    return "--recording", str(write_recording(path, seconds=0.8)), "--minutes", "3"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Return the way to start a run, on one home for the whole test."""
    runs: list[Run] = []

    def start(*arguments: str, **more: str) -> Run:
        runs.append(Run(tmp_path / "home", *arguments, more=more))
        return runs[-1]

    yield start
    end_all(runs)
