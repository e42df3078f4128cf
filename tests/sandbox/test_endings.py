"""Everything of a solution ends with it: daemons, cancelled runs, runs of a dead executor."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import anyio
import psutil
import pytest

from tests.sandbox.conftest import MODES, Bench

DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execv("/bin/sleep", ["sleep", "{mark}"])
    os._exit(0)
os.wait()
while {wait} and time.sleep(0.05) is None: pass
"""


def sleepers(mark: int) -> list[psutil.Process]:
    """Return the processes that a daemon with *mark* became."""
    return [
        each
        for each in psutil.process_iter(["cmdline"])
        if each.info["cmdline"] == ["sleep", str(mark)]
    ]


async def appeared(mark: int) -> list[psutil.Process]:
    with anyio.fail_after(10):
        while not (found := sleepers(mark)):  # noqa: ASYNC110 - nothing tells of a new process
            await anyio.sleep(0.02)
    return found


@pytest.mark.parametrize("mode", MODES)
async def test_a_daemon_does_not_outlive_its_solution(
    benches: Callable[[str], Bench], mode: str
) -> None:
    mark = 47110 + MODES.index(mode)

    finished = await benches(mode).run(DAEMON.format(mark=mark, wait=False))

    assert finished.outcome == "ok"
    assert finished.seconds < 2
    assert sleepers(mark) == []


@pytest.mark.parametrize("mode", MODES)
async def test_a_cancelled_run_leaves_nothing(benches: Callable[[str], Bench], mode: str) -> None:
    bench, mark = benches(mode), 47120 + MODES.index(mode)

    async with anyio.create_task_group() as group:
        group.start_soon(bench.run, DAEMON.format(mark=mark, wait=True))
        await appeared(mark)
        group.cancel_scope.cancel()

    assert sleepers(mark) == []
    assert bench.leftovers == []


EXECUTOR = """
import anyio
from pathlib import Path
from agents.tools.sandbox import ProcessSandbox, Protections
from tests.sandbox.conftest import FolderArtifacts, job

sandbox = ProcessSandbox(Path({root!r}), FolderArtifacts(Path({data!r})), 1, protections={held})
anyio.run(sandbox.run, job({code!r}), 1)
"""


@pytest.mark.parametrize("mode", MODES)
async def test_a_killed_executor_takes_its_solution_along(
    benches: Callable[[str], Bench], mode: str, tmp_path: Path
) -> None:
    mark = 47130 + MODES.index(mode)
    code = EXECUTOR.format(
        root=str(tmp_path / "work"),
        data=str(tmp_path),
        held=repr(benches(mode).held),
        code=DAEMON.format(mark=mark, wait=True),
    )
    executor = subprocess.Popen(  # noqa: ASYNC220 - it only has to be there
        [sys.executable, "-c", dedent(code)], cwd=Path(__file__).parents[2]
    )
    try:
        daemons = await appeared(mark)
    finally:
        executor.kill()
        executor.wait()

    assert psutil.wait_procs(daemons, timeout=5)[1] == []
