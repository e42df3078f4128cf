"""The grading door: prepares, scores and finally grades one run after another.

Keeps its key under `<home>/runs/<run>/grader`, readable by its owner alone, and prepares the run
again where the key is gone. Blocking work runs in threads, so that heartbeats go on.
"""

import csv
import io
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.to_thread
import msgspec
from msgspec.structs import replace

from agents.tools import Artifacts, Scored
from agents.tools.grading.declaration import TaskProblem
from agents.tools.grading.folder import LoadedTask, load
from agents.tools.grading.metrics import measure
from agents.tools.grading.prepare import Key, asked_of, prepare
from agents.tools.grading.submission import Asked, Invalid, checked
from agents.tools.grading.truth import Answer, known, private
from agents.tools.printed import printed_score
from agents.tools.tables import BrokenTable
from schemas.events import (
    ExecutionFinished,
    RunFinished,
    RunStarted,
    SubmissionGraded,
    TaskPrepared,
    TaskRefused,
)

DECIMALS = 5
"""Final scores are rounded before they are compared with thresholds, as in MLE-bench."""
SUBMISSION = "submission.csv"

Started = Callable[[str], Awaitable[RunStarted]]


class KeyLost(RuntimeError):  # noqa: N818 - it says what happened
    """Raised when a run's key is gone and nobody can say how the run started."""


class TaskGrading:
    """Trusted code that knows the answers; *started* says how a run began, to go on elsewhere."""

    def __init__(self, home: Path, artifacts: Artifacts, started: Started | None = None) -> None:
        self._home = home
        self._artifacts = artifacts
        self._started = started
        self._keys: dict[str, Key] = {}

    async def prepare(self, run: str, started: RunStarted) -> TaskPrepared | TaskRefused:
        """Split the task's data and say what solutions will see."""
        place = await anyio.to_thread.run_sync(_private_directory, self._home, run)
        staging = Path(tempfile.mkdtemp(prefix="staging-", dir=place))
        try:
            prepared, key, archive = await anyio.to_thread.run_sync(prepare, started, staging)
            data = await self._artifacts.put(archive, archive.name)
        except TaskProblem as problem:
            return TaskRefused(why=str(problem))
        except BrokenTable as problem:
            return TaskRefused(why=f"{started.folder}: {problem}")
        finally:
            await anyio.to_thread.run_sync(shutil.rmtree, staging)
        await anyio.to_thread.run_sync(_keep, place, key)
        self._keys[run] = key
        return replace(prepared, data=data)

    async def score(self, run: str, finished: ExecutionFinished) -> Scored:
        """Check the submission's form and score it on the rows that were set aside."""
        if finished.submission is None:
            message = f"there is no {SUBMISSION}: write it to ./submission/{SUBMISSION}"
            return Scored(valid=False, message=message, metric=None, obtained=None, submission=None)
        key = await self._key(run)
        path = await self._artifacts.get(finished.submission)
        try:
            real, metric = await anyio.to_thread.run_sync(_score, path, key)
        except Invalid as problem:
            return Scored(
                valid=False, message=str(problem), metric=None, obtained=None, submission=None
            )
        submission = await self._artifacts.put(real, SUBMISSION)
        if key.truths:
            message = "" if metric is not None else f"{key.asked.metric} is undefined here"
            return Scored(
                valid=True,
                message=message,
                metric=metric,
                obtained="held-out",
                submission=submission,
            )
        metric = printed_score(finished.head, finished.tail)
        message = "" if metric is not None else "no score was printed: print it on the last line"
        return Scored(
            valid=True, message=message, metric=metric, obtained="reported", submission=submission
        )

    async def final(self, run: str, finished: RunFinished) -> SubmissionGraded:
        """Score the run's submission on the private answers."""
        if finished.submission is None:
            return SubmissionGraded(score=None, valid=False, message="there is no submission")
        key = await self._key(run)
        path = await self._artifacts.get(finished.submission)
        return await anyio.to_thread.run_sync(_final, path, Path(key.folder))

    async def _key(self, run: str) -> Key:
        if run not in self._keys:
            path = self._home / "runs" / run / "grader" / "key.json"
            if path.is_file():
                content = await anyio.Path(path).read_bytes()
                self._keys[run] = msgspec.json.decode(content, type=Key)
            elif self._started:
                await self.prepare(run, await self._started(run))
            if run not in self._keys:
                raise KeyLost(f"{path} is gone: start the run again, its rows cannot be told apart")
        return self._keys[run]


def describe(folder: Path, metric: str | None = None) -> list[tuple[str, str]]:
    """Return what a task folder holds, as names and values for people. Raises TaskProblem."""
    task = load(folder, metric)
    truth = known(task)
    held_out = "reported by the solution" if isinstance(truth, str) else "held-out"
    answers = private(task)
    better = "lower" if task.lower_is_better else "higher"
    return [
        ("task", f"{task.id}: {task.title}"),
        ("metric", f"{task.metric.name} ({task.metric.title}), {better} is better"),
        ("data", str(task.public)),
        ("training table", task.train.path.name if task.train else "none"),
        ("test table", task.test.path.name if task.test else "none"),
        ("sample submission", f"{task.sample.path.name}, {len(task.ids)} rows"),
        ("id column", task.id_column),
        ("targets", ", ".join(task.targets)),
        ("evaluation", held_out + (f": {truth}" if isinstance(truth, str) else "")),
        ("private answers", f"{len(answers)} rows" if answers else "none"),
    ]


def final(submission: Path, folder: Path) -> SubmissionGraded:
    """Return the grade of a submission file on a folder's private answers. Raises TaskProblem."""
    return _final(submission, folder, submission.name)


def _private_directory(home: Path, run: str) -> Path:
    place = home / "runs" / run / "grader"
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    return place


def _keep(place: Path, key: Key) -> None:
    with tempfile.NamedTemporaryFile(dir=place, delete=False) as file:
        file.write(msgspec.json.encode(key))
    Path(file.name).replace(place / "key.json")


def _score(path: Path, key: Key) -> tuple[bytes, float | None]:
    """Return the competition's own rows as CSV, and the metric of the held-out ones."""
    try:
        answers = checked(path, SUBMISSION, key.asked)
    except Invalid:
        if not key.asked.rules.positional:
            raise
        answers = checked(path, SUBMISSION, key.asked, positional=True)
    heldout = {-1 - at: answer for at, answer in zip(key.order, answers, strict=True) if at < 0}
    real = {at: answer for at, answer in zip(key.order, answers, strict=True) if at >= 0}
    metric = None
    if key.truths:
        predictions = [heldout[k] for k in range(len(key.truths))]
        metric = measure(key.asked.metric, key.truths, predictions)
    return _csv(key, real), metric


def _csv(key: Key, real: dict[int, Answer]) -> bytes:
    """Write the rows under the competition's own ids, in the order of its test table."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(key.asked.columns)
    for at, row_id in enumerate(key.ids):
        cells = {key.asked.id_column: row_id, **dict(zip(key.asked.targets, real[at], strict=True))}
        writer.writerow([cells[column] for column in key.asked.columns])
    return lines.getvalue().encode()


def _final(path: Path, folder: Path, name: str = SUBMISSION) -> SubmissionGraded:
    task = load(folder)
    try:
        answers = private(task)
    except BrokenTable as problem:
        raise TaskProblem(f"{task.answers}: {problem}") from None
    truths = list(answers.values()) if answers else []
    asked = asked_of(task, tuple(answers or task.ids), truths, classes=False)
    try:
        score = _measured(path, name, asked, truths)
    except Invalid as problem:
        return SubmissionGraded(score=None, valid=False, message=str(problem))
    if not answers:
        message = "the form is right; there are no private answers to score it on"
        return SubmissionGraded(score=None, valid=True, message=message)
    try:
        sample = _measured(task.sample.path, task.sample.path.name, asked, truths)
    except Invalid:
        sample = None
    median = task.thresholds.get("median")
    return SubmissionGraded(
        score=score,
        valid=True,
        message="" if score is not None else f"{asked.metric} is undefined here",
        medal=_medal(score, task),
        above_median=None if None in (median, score) else _beats(score, median, task),
        sample_score=sample,
    )


def _measured(path: Path, name: str, asked: Asked, truths: list[Answer]) -> float | None:
    predictions = checked(path, name, asked, positional=asked.rules.positional)
    score = measure(asked.metric, truths, predictions) if truths else None
    return None if score is None else round(score, DECIMALS)


def _beats(score: float | None, threshold: float | None, task: LoadedTask) -> bool:
    """Return whether a score is strictly better."""
    if score is None or threshold is None:
        return False
    return score < threshold if task.lower_is_better else score > threshold


def _medal(score: float | None, task: LoadedTask) -> str | None:
    """Return the best medal whose threshold the score reaches."""
    for medal in ("gold", "silver", "bronze"):
        threshold = task.thresholds.get(medal)
        if threshold is not None and (score == threshold or _beats(score, threshold, task)):
            return medal
    return None
