"""What a role may reach while it performs: the only doors to the outside, as protocols."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct

from schemas.events import (
    Event,
    ExecutionFinished,
    JobQueued,
    ModelAnswered,
    ModelAsked,
    RunFinished,
    RunStarted,
    SubmissionGraded,
    TaskPrepared,
    TaskRefused,
)
from schemas.settings import Settings
from schemas.task import Artifact, Evaluation
from store.projections.wisdom import Entry

Said = TypeVar("Said", bound=Event, contravariant=True)  # noqa: PLC0105 - what a role may say


class Scored(Struct, frozen=True, kw_only=True):
    """What trusted code measured of a submission.

    `metric` is None where nothing could be scored; `message` says what is wrong with an invalid
    submission; `submission` keeps only the rows that the competition asks for.
    """

    valid: bool
    message: str
    metric: float | None
    obtained: Evaluation | None
    submission: Artifact | None


class Model(Protocol):
    """A language model behind an endpoint."""

    async def complete(self, asked: ModelAsked) -> ModelAnswered:
        """Return the model's answer, or the reason why there is none; never raises for the latter."""
        ...


class Sandbox(Protocol):
    """One executor slot that can run hostile code."""

    host: str
    slot: int
    name: str
    protections: tuple[str, ...]

    async def run(self, job: JobQueued, attempt: int) -> ExecutionFinished:
        """Run the job to its end within its limits; whatever it does ends as an outcome."""
        ...


class Grading(Protocol):
    """Trusted code that knows the answers."""

    async def prepare(self, run: str, started: RunStarted) -> TaskPrepared | TaskRefused:
        """Split the task's data and say what solutions will see."""
        ...

    async def score(self, run: str, finished: ExecutionFinished) -> Scored:
        """Check the submission's form and score it on the rows that were set aside."""
        ...

    async def final(self, run: str, finished: RunFinished) -> SubmissionGraded:
        """Score the run's submission on the private answers."""
        ...


class Library(Protocol):
    """What earlier runs left behind."""

    async def wisdom(self) -> Sequence[Entry]:
        """Return what every run taught that can be recalled, oldest first."""
        ...

    async def settings(self, run: str) -> Settings:
        """Return the settings that *run* was started with."""
        ...


class Artifacts(Protocol):
    """Bytes by their hash."""

    async def put(self, content: bytes | Path, name: str) -> Artifact:
        """Keep *content* and return its name for ever."""
        ...

    async def get(self, artifact: Artifact) -> Path:
        """Return a local file with the artifact's bytes; fetched and checked when not here yet."""
        ...

    async def unpacked(self, artifact: Artifact) -> Path:
        """Return a local directory with the contents of a tar artifact, unpacked once, read-only."""
        ...


class Tools(Protocol[Said]):
    """All doors; `Said` are the events that a role may record before its answer."""

    @property
    def model(self) -> Model: ...  # noqa: D102 - named by its type

    @property
    def sandbox(self) -> Sandbox: ...  # noqa: D102

    @property
    def grading(self) -> Grading: ...  # noqa: D102

    @property
    def library(self) -> Library: ...  # noqa: D102

    @property
    def artifacts(self) -> Artifacts: ...  # noqa: D102

    async def record(self, event: Said) -> bool:
        """Record *event* now, caused by the request; False when its key was taken already."""
        ...
