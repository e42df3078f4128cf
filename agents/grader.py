"""The grader: prepares the task, says what each execution is worth, and grades the result.

The only role that touches the answers. Nothing a solution prints is trusted where rows could be
set aside.
"""

import re
from typing import Never

from agents.role import Role
from agents.tools import Scored, Tools
from schemas.envelope import Recorded
from schemas.events import (
    ExecutionFinished,
    RunFinished,
    RunStarted,
    SolutionGraded,
    SubmissionGraded,
    TaskPrepared,
    TaskRefused,
)

LONGEST_LINE = 500
_ERROR = re.compile(
    r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)\b.*)$", re.MULTILINE
)
_LINE = re.compile(r'File "[^"]*", line (\d+)')


async def perform(
    request: Recorded[RunStarted | ExecutionFinished | RunFinished], tools: Tools[Never]
) -> TaskPrepared | TaskRefused | SolutionGraded | SubmissionGraded:
    """Prepare a started run, grade a finished execution, or grade the run's submission."""
    happened = request.data
    if isinstance(happened, RunStarted):
        return await tools.grading.prepare(request.run, happened)
    if isinstance(happened, RunFinished):
        return await tools.grading.final(request.run, happened)
    scored = await tools.grading.score(request.run, happened) if happened.outcome == "ok" else None
    return verdict(happened, scored)


def verdict(finished: ExecutionFinished, scored: Scored | None) -> SolutionGraded:
    """Return the verdict; *scored* is None when the execution did not end well.

    ML-Master 1.0's rule: buggy is what failed, wrote no submission or has no metric; what wrote
    one in a wrong form is not buggy but invalid, and keeps no metric.
    """
    if scored is None or finished.outcome != "ok":
        return _graded(finished, None, buggy=True, analysis=_failure(finished))
    if finished.submission is None:
        return _graded(finished, scored, buggy=True, analysis=scored.message)
    if not scored.valid:
        return _graded(finished, scored, buggy=False, analysis=f"invalid: {scored.message}")
    if scored.metric is None:
        return _graded(finished, scored, buggy=True, analysis=f"no metric: {scored.message}")
    analysis = f"{scored.obtained} score {scored.metric:.6g} in {finished.seconds:.0f} s"
    return _graded(finished, scored, buggy=False, analysis=analysis)


def _graded(
    finished: ExecutionFinished, scored: Scored | None, *, buggy: bool, analysis: str
) -> SolutionGraded:
    valid = scored if scored and scored.valid and finished.outcome == "ok" else None
    return SolutionGraded(
        node=finished.node,
        metric=valid.metric if valid and not buggy else None,
        obtained=valid.obtained if valid and not buggy else None,
        valid=valid is not None,
        buggy=buggy,
        analysis=analysis,
        submission=valid.submission if valid else None,
    )


def _failure(finished: ExecutionFinished) -> str:
    """Return what went wrong in one line: the traceback's last line where there is one."""
    errors = _ERROR.findall(finished.tail) or _ERROR.findall(finished.head)
    if finished.outcome == "error" and errors:
        places = _LINE.findall(finished.tail)
        where = f" (line {places[-1]})" if places else ""
        return f"{errors[-1][:LONGEST_LINE]}{where}"
    return f"{finished.outcome}: {finished.why}"[:LONGEST_LINE]


role = Role(name="grader", start=None, perform=perform)
