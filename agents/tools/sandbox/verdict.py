"""What an execution is called, from how its process ended. Pure."""

import signal

from agents.tools.sandbox.launcher.orders import Report
from schemas.events import JobQueued, Outcome

_LINE_CHARACTERS = 300


def judge(job: JobQueued, report: Report | None, last_line: str) -> tuple[Outcome, str]:
    """Return the outcome and why it is that; *last_line* is the output's."""
    if report is None:
        return "error", "the process that kept the solution was killed"
    match report.verdict:
        case "timeout":
            return "timeout", f"not finished after {job.seconds:g} s"
        case "memory":
            return "memory", f"used more than {job.memory_mb} MiB of memory"
        case "processes":
            return "error", f"started more than {job.processes} processes"
        case "disk":
            return "error", "wrote more to its work directory than is allowed"
        case _:
            return _ended(report.code, last_line[:_LINE_CHARACTERS])


def _ended(code: int, last_line: str) -> tuple[Outcome, str]:
    if code == 0:
        return "ok", ""
    if code < 0:
        return "error", f"killed by {signal.Signals(-code).name}"
    fault = last_line.partition(":")[0].rpartition(".")[2]
    outcome: Outcome = "memory" if fault.endswith("MemoryError") else "error"
    return outcome, f"exit status {code}: {last_line}" if last_line else f"exit status {code}"
