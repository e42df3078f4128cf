"""A disk that fills: the run ends with the best so far, and nothing that was recorded is lost."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.harness import Run, check_best, check_log, end_all, events, flowstone

MIB = 1024 * 1024
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 300 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, *, leaving: int) -> Path:
    """Let another program take all but *leaving* bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while shutil.disk_usage(disk).free > leaving:
            file.write(bytes(MIB))
    return filler


@pytest.mark.parametrize("leaving", [200 * MIB, 0], ids=["slowly", "at once"])
def test_a_disk_that_fills(
    disk: Path, small: Path, slow: tuple[str, ...], tmp_path: Path, leaving: int
) -> None:
    # What is left of its time is what it goes on for after it is resumed.
    short = ("--nodes", "200", "--minutes", "0.5")
    run = Run(disk / "home", "run", str(small), *slow, *short, papers=tmp_path)
    try:
        run.scored(2)
        run.until((run.best / "submission.csv").exists, "a best submission is there")
        filler = fill(disk, leaving=leaving)
        assert run.end() == 1, run.output
    finally:
        end_all([run])

    check_best(run.best, small / "sample_submission.csv")
    assert len(run.errors) == 1, run.errors
    assert "disk: only" in run.errors[0]
    assert "make room" in run.errors[0]
    assert "Traceback" not in run.output
    filler.unlink()
    # Whatever the log could not take for want of room comes out of the stream afterwards.
    flowstone(run.home, "resume", run.name, *slow[:2])
    check_log(run.home)
    recorded = {(kind, key) for _, name, kind, key, _ in events(run.home) if name == run.name}
    shown = [line.split() for line in run.output.splitlines() if " scored " in line[:24]]
    assert {("SolutionGraded", words[1]) for words in shown if words[1] != "task"} <= recorded
