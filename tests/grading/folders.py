"""Task folders, artifacts and events for the grader's tests."""

import hashlib
import tarfile
from pathlib import Path

import anyio

from schemas.events import ExecutionFinished, RunStarted
from schemas.settings import Budget, Grader, Settings
from schemas.task import Artifact

Files = dict[str, str]


class Shelf:
    """Artifacts in a directory."""

    def __init__(self, place: Path) -> None:
        self.place = place

    async def put(self, content: bytes | Path, name: str) -> Artifact:
        if isinstance(content, Path):
            content = await anyio.Path(content).read_bytes()
        return self.keep(content, name)

    def keep(self, data: bytes, name: str) -> Artifact:
        sha256 = hashlib.sha256(data).hexdigest()
        (self.place / sha256).write_bytes(data)
        return Artifact(sha256=sha256, size=len(data), name=name)

    async def get(self, artifact: Artifact) -> Path:
        return self.place / artifact.sha256

    async def unpacked(self, artifact: Artifact) -> Path:
        target = self.place / f"{artifact.sha256}.d"
        if not target.exists():
            with tarfile.open(self.place / artifact.sha256) as tar:
                tar.extractall(target, filter="data")
        return target


def plain_files(rows: int = 40) -> Files:
    """Return a whole plain task: is one number more than another."""
    train = [f"{n},{n % 7},{n % 5},{int(n % 7 > n % 5)}" for n in range(rows)]
    test = [f"{n},{n % 7},{n % 5}" for n in range(rows, rows + 10)]
    return {
        "description.md": "# Which is more\n\n## Evaluation\n\nThe metric is accuracy.\n",
        "train.csv": "\n".join(["id,a,b,more", *train]) + "\n",
        "test.csv": "\n".join(["id,a,b", *test]) + "\n",
        "sample_submission.csv": "\n".join(
            ["id,more", *(f"{n},0" for n in range(rows, rows + 10))]
        ),
    }


def started(folder: Path, *, seed: int = 1, share: float = 0.2) -> RunStarted:
    return RunStarted(
        task=folder.name,
        folder=str(folder),
        settings=Settings(grader=Grader(heldout_share=share)),
        budget=Budget(),
        seed=seed,
        versions={},
    )


def finished(submission: Artifact | None, *, tail: str = "") -> ExecutionFinished:
    return ExecutionFinished(
        node="n1",
        attempt=1,
        outcome="ok",
        why="",
        head="",
        tail=tail,
        seconds=1.0,
        submission=submission,
    )
