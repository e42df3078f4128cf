"""The `process` sandbox: a solution in a process of its own, shut in as far as the kernel allows."""

import os
import platform
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, STDOUT

import anyio
from anyio.abc import ByteReceiveStream, Process
from anyio.to_thread import run_sync

from agents.tools import Artifacts
from agents.tools.sandbox import submission, verdict
from agents.tools.sandbox.interpreter import inspect
from agents.tools.sandbox.launch import COMMAND, ENVIRONMENT, Site
from agents.tools.sandbox.launcher.orders import Orders, Report
from agents.tools.sandbox.output import Output
from agents.tools.sandbox.protections import Protections, SandboxError
from agents.tools.sandbox.workplace import Workplace
from schemas.events import ExecutionFinished, JobQueued

_MEBIBYTE = 1 << 20
_LATE_SECONDS = 30.0  # so long beyond its limits the launcher itself is given up
_END_SECONDS = 5.0
_QUIET_SECONDS = 0.5
_CHUNK = 1 << 16


class ProcessSandbox:
    """One executor slot that runs each solution in a fresh process of *python*.

    `threads` is how many the numeric libraries may use (0: all processors of this process);
    `keep` leaves the work directories; `protections` are probed unless given.
    Raises SandboxError when nothing can be run here.
    """

    name = "process"

    def __init__(
        self,
        root: Path,
        artifacts: Artifacts,
        slot: int,
        python: str = sys.executable,
        *,
        threads: int = 0,
        keep: bool = False,
        protections: Protections | None = None,
    ) -> None:
        self.host = platform.node()
        self.slot = slot
        self._artifacts = artifacts
        self._keep = keep
        threads = threads or len(os.sched_getaffinity(0))
        self._site = Site(root.absolute(), inspect(python), threads)
        self._held = protections or self._site.probe(slot)
        self.protections = self._held.names

    async def run(self, job: JobQueued, attempt: int) -> ExecutionFinished:
        """Run the job to its end within its limits; whatever it does ends as an outcome.

        Raises SandboxError when the sandbox itself cannot be set up any more.
        """
        data = await self._artifacts.unpacked(job.data)
        files = {name: await self._artifacts.get(each) for name, each in job.files.items()}
        name, uid = f"{job.node}.{attempt}", self._held.uid
        workplace = Workplace(self._site.root, name, uid, keep=self._keep)
        try:
            workplace.fill(job.code, data, linked=not self._held.namespaces)
            workplace.lay(files)
            output = Output(job.output_kb * 1024)
            report = await self._launch(job, workplace, data, output)
            return await self._finished(job, attempt, workplace.work, report, output)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(workplace.remove)

    async def _launch(
        self, job: JobQueued, workplace: Workplace, data: Path, output: Output
    ) -> Report | None:
        """Have the launcher run the solution and return its report, None when it was killed."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with os.fdopen(reading, "rb", buffering=0) as status:
            try:
                orders = self._site.orders(job, workplace, data, self._held, writing)
                process = await _begin(orders)
            finally:
                os.close(writing)
            try:
                limit = job.seconds + job.grace_seconds + _LATE_SECONDS
                await _attend(process, output, limit)
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)
            said = status.read()
        if said:
            report = Report.decoded(said)
            if report.failed:
                raise SandboxError(f"{self.host}: {report.failed} failed: {report.why}")
            return report
        if process.returncode == 1:
            raise SandboxError(f"{self.host}: the launcher failed: {output.last_line}")
        return None

    async def _finished(
        self, job: JobQueued, attempt: int, work: Path, report: Report | None, output: Output
    ) -> ExecutionFinished:
        outcome, why = verdict.judge(job, report, output.last_line)
        kept = None
        if outcome in ("ok", "timeout"):
            found, fault = submission.find(work, job.file_mb * _MEBIBYTE)
            kept = await self._artifacts.put(found, "submission.csv") if found else None
            why = "; ".join(filter(None, (why, fault)))
        head, tail = output.excerpt
        name = f"{job.node}.{attempt}.log"
        known = report or Report()
        return ExecutionFinished(
            node=job.node,
            attempt=attempt,
            outcome=outcome,
            why=why,
            head=head,
            tail=tail,
            seconds=known.seconds,
            cpu_seconds=known.cpu,
            peak_memory_mb=known.peak / _MEBIBYTE,
            exit_code=report.code if report else None,
            submission=kept,
            output=await self._artifacts.put(output.content, name) if output.size else None,
        )


async def _begin(orders: Orders) -> Process:
    """Start the launcher. Called from the event loop's thread, with which the launcher dies."""
    return await anyio.open_process(
        [*COMMAND, orders.encoded()],
        stdin=DEVNULL,
        stderr=STDOUT,
        env=ENVIRONMENT,
        pass_fds=(orders.status,),
        start_new_session=True,
    )


async def _attend(process: Process, output: Output, limit: float) -> None:
    """Take all output until everything is dead, at most *limit* seconds."""
    drained = anyio.Event()
    with anyio.move_on_after(limit):
        async with anyio.create_task_group() as group:
            if process.stdout is not None:
                group.start_soon(_drain, process.stdout, output, drained)
            await process.wait()
            with anyio.move_on_after(_QUIET_SECONDS):  # a stray descendant may hold the pipe open
                await drained.wait()
            group.cancel_scope.cancel()


async def _drain(stream: ByteReceiveStream, output: Output, drained: anyio.Event) -> None:
    async for chunk in stream:
        output.add(chunk)
    drained.set()


async def _end(process: Process) -> None:
    """Make sure that the launcher is gone: asked first, so that it kills what it keeps."""
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(_END_SECONDS):
            await process.wait()
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    await process.aclose()
