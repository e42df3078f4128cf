"""Start programs as processes of their own, start again what dies, and end them all. Does I/O."""

import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process, TaskGroup

from ops.errors import FAILED, HOPELESS, Problem

Notice = Callable[[str], Awaitable[None]]
"""Tells people what happened to a program, in one line."""

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
_STEADY_SECONDS = 20.0
_TERMINATE_SECONDS = 6.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command to keep running, its whole environment, and the file for what it prints."""

    name: str
    command: Sequence[str]
    output: Path
    environment: Mapping[str, str]


@dataclass
class Supervisor:
    """Keeps programs running inside a task group until it is told to stop them.

    One that says that it is of no use to start it again ends the group with a Problem.
    """

    tasks: TaskGroup
    notice: Notice
    processes: dict[str, Process] = field(default_factory=dict)
    _stopping: anyio.Event = field(default_factory=anyio.Event)

    async def keep(self, program: Program) -> None:
        """Start *program* now, and again with growing delays whenever it ends."""
        process = await self._start(program)
        self.tasks.start_soon(self._watch, program, process)

    async def stop(self, *, last: Sequence[str] = ()) -> None:
        """End all programs, those named in *last* after the others; kill what will not go."""
        self._stopping.set()
        first = [name for name in self.processes if name not in last]
        for group in (first, [name for name in self.processes if name in last]):
            for name in group:
                _signal(self.processes[name], signal.SIGTERM)
            with anyio.move_on_after(_TERMINATE_SECONDS):
                for name in group:
                    await self.processes[name].wait()
            for name in group:
                _signal(self.processes[name], signal.SIGKILL)

    async def _watch(self, program: Program, process: Process) -> None:
        delay = _FIRST_DELAY
        while True:
            started = anyio.current_time()
            code = await process.wait()
            if self._stopping.is_set():
                return
            if code == HOPELESS:
                raise Problem(_last_line(program.output), status=FAILED)
            if anyio.current_time() - started > _STEADY_SECONDS:
                delay = _FIRST_DELAY
            await self.notice(f"{program.name} ended ({_ending(code)}); again in {delay:g} s")
            await anyio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
            if self._stopping.is_set():
                return
            process = await self._start(program)

    async def _start(self, program: Program) -> Process:
        program.output.parent.mkdir(parents=True, exist_ok=True)
        with program.output.open("ab") as output:
            process = await anyio.open_process(
                [*_dies_with_us(), *program.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(program.environment),
                start_new_session=True,
            )
        self.processes[program.name] = process
        return process


def _dies_with_us() -> Sequence[str]:
    """Return a prefix that has the kernel end a program when this process is gone."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _signal(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        try:
            process.send_signal(number)
        except ProcessLookupError:
            return


def _last_line(output: Path) -> str:
    """Return what a program said last, without its name."""
    lines = output.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), f"see {output}")
    return last.removeprefix("flowstone: ")


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
