"""How the launcher is called: its command, its orders for one job, and the trial of them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec.structs import asdict

from agents.tools.sandbox.interpreter import Interpreter
from agents.tools.sandbox.launcher.orders import Orders, Report
from agents.tools.sandbox.protections import Protections, wanted
from agents.tools.sandbox.workplace import INSIDE, Workplace
from schemas.events import JobQueued
from schemas.task import Artifact

_FOLDER = str(Path(__file__).parent)
_BOOT = f"import sys; sys.path.insert(0, {_FOLDER!r}); from launcher.main import main; main()"
COMMAND = (sys.executable, "-I", "-S", "-c", _BOOT)
"""What carries out orders, given as the next argument: our own Python, without our packages."""

ENVIRONMENT = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
"""The launcher's environment: what our Python may need to start, and no secret."""

_MEBIBYTE = 1 << 20
_FILES = 4  # a work directory may hold as much as this many files of the largest size
_NOTHING = JobQueued(
    node="probe",
    job_class="cpu",
    code="",
    data=Artifact(sha256="", size=0, name=""),
    seconds=30.0,
    grace_seconds=0.0,
    memory_mb=1024,
    processes=64,
    file_mb=1,
    output_kb=1,
    max_attempts=1,
)


class Site:
    """What stays the same from job to job: the directories' root, the Python, its threads."""

    def __init__(self, root: Path, interpreter: Interpreter, threads: int) -> None:
        self.root = root
        self._interpreter = interpreter
        self._threads = threads

    def orders(
        self, job: JobQueued, workplace: Workplace, data: Path, held: Protections, status: int
    ) -> Orders:
        """Return the orders for one job; the report shall go to the descriptor *status*."""
        work = str(workplace.work)
        folder = INSIDE if held.namespaces else work
        return Orders(
            command=[self._interpreter.path, "solution.py"],
            environment=self._interpreter.environment(folder, self._threads),
            work=work,
            folder=folder,
            input=str(data.absolute()),
            mount_point=str(workplace.mount_point),
            readable=list(self._interpreter.readable),
            **asdict(held),
            seconds=job.seconds,
            grace=job.grace_seconds,
            memory=job.memory_mb * _MEBIBYTE,
            processes=job.processes,
            file_size=job.file_mb * _MEBIBYTE,
            disk=job.file_mb * _MEBIBYTE * _FILES,
            status=status,
            parent=os.getpid(),
        )

    def probe(self, slot: int) -> Protections:
        """Return the strongest protections under which an empty program runs.

        Raises SandboxError when it runs under none.
        """
        held = wanted(slot)
        while failed := self._failure(held):
            held = held.without(failed)
        return held

    def _failure(self, held: Protections) -> str:
        """Return the name of the protection that fails, "" when an empty program runs."""
        workplace = Workplace(self.root, _NOTHING.node, held.uid)
        reading, writing = os.pipe()
        with tempfile.TemporaryDirectory() as nothing, os.fdopen(reading, "rb") as status:
            try:
                workplace.fill(_NOTHING.code, Path(nothing), linked=not held.namespaces)
                orders = self.orders(_NOTHING, workplace, Path(nothing), held, writing)
                command = [*COMMAND, orders.encoded()]
                ran = subprocess.run(
                    command, env=ENVIRONMENT, pass_fds=(writing,), check=False, capture_output=True
                )
            finally:
                os.close(writing)
                workplace.remove()
            said = status.read()
        if not said:
            return f"start: {ran.stderr.decode(errors='replace').strip()}"
        report = Report.decoded(said)
        return report.failed or ("" if report.code == 0 else "start")
