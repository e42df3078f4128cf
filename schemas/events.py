"""Every event Flowstone can record: one frozen struct per fact, named in the past tense.

The class name is what the log stores and the subject carries, for ever. Fields are only added,
and only with a default; a changed meaning is a new `schema` number and an upcaster.
"""

from typing import ClassVar, Literal

from msgspec import Struct

from schemas.settings import Budget, Model, Settings
from schemas.task import Artifact, Evaluation, SampleFormat, Task

Action = Literal["draft", "debug", "improve", "fuse", "repeat"]
Outcome = Literal["ok", "error", "timeout", "memory", "refused", "lost"]
Tier = Literal["task", "experience", "knowledge", "wisdom", "parent"]
Purpose = Literal["draft", "debug", "improve", "plan", "knowledge", "wisdom"]

ONCE = "once"

LIGHT = "light"
"""The class of jobs that take next to nothing: they wait for no other, whatever runs."""


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """Base of all events.

    `keyed_by` names the fields that tell it from others of its type within the run. `schema` is
    the version of the fields' meaning. `routed` says what the first of those fields stands for
    where a consumer may choose by it: the asking role, or the job's resource class. `private`
    events travel on the second stream, which only the grader and the recorder see.
    """

    keyed_by: ClassVar[tuple[str, ...]] = ()
    schema: ClassVar[int] = 1
    routed: ClassVar[Literal["role", "class"] | None] = None
    private: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """What makes the event unique among those of its type within the run."""
        return ".".join(str(getattr(self, field)) for field in self.keyed_by) or ONCE


class Origin(Struct, frozen=True, kw_only=True):
    """Where a forked run branched off."""

    run: str
    seq: int


class RunStarted(Event, frozen=True, kw_only=True):
    """Somebody asked for a task to be solved; the budget's minutes count from this event's time."""

    schema: ClassVar[int] = 2

    task: str
    folder: str
    settings: Settings
    budget: Budget
    seed: int
    versions: dict[str, str]
    parent: Origin | None = None


class TaskPrepared(Event, frozen=True, kw_only=True):
    """The grader split the data; `data` is what solutions see as ./input."""

    task: Task
    sample: SampleFormat
    evaluation: Evaluation
    heldout_rows: int
    preview: str
    data: Artifact
    hashes: dict[str, str]


class TaskRefused(Event, frozen=True, kw_only=True):
    """The task cannot be prepared, and why."""

    why: str


class RecalledWisdom(Struct, frozen=True, kw_only=True):
    """One wisdom entry that the prefetch found, with the cosine that let it in."""

    run: str
    task: str
    similarity: float
    text: str


class WisdomRecalled(Event, frozen=True, kw_only=True):
    """The curator looked up what earlier runs on similar tasks learned.

    `reasons` says of each excluded run why it must not be recalled.
    """

    descriptor: str
    entries: tuple[RecalledWisdom, ...]
    excluded: tuple[str, ...] = ()
    reasons: dict[str, str] = {}


class PhasePlanned(Event, frozen=True, kw_only=True):
    """A phase of exploration began: directions, each with its suggestions.

    `base` is the node that they improve. `note` says why a plan is not the model's.
    """

    keyed_by: ClassVar[tuple[str, ...]] = ("phase",)

    phase: int
    directions: dict[str, tuple[str, ...]] = {}
    base: str | None = None
    note: str = ""


class PhaseClosed(Event, frozen=True, kw_only=True):
    """A phase ended, and why."""

    keyed_by: ClassVar[tuple[str, ...]] = ("phase",)

    phase: int
    why: Literal["done", "stagnation", "budget"]
    nodes: tuple[str, ...]


class Selection(Struct, frozen=True, kw_only=True, gc=False):
    """The statistics that chose a parent: visits, total reward, exploration constant, UCT value.

    `skipped` are ends that were chosen before it, each visited for nothing (profile `code`).
    """

    visits: int
    reward: float
    exploration: float
    value: float | None
    skipped: tuple[str, ...] = ()


class NodeProposed(Event, frozen=True, kw_only=True):
    """Somebody chose what to try next; `parent` is None for a draft.

    `suggestion` is what of the phase's plan it tries: `2.1` is the first of the second direction.
    `step` is the closing step that proposed it, if one did: such a node stands beside the search,
    and its program comes with it.
    """

    keyed_by: ClassVar[tuple[str, ...]] = ("node",)

    node: str
    parent: str | None
    action: Action
    phase: int
    instruction: str
    selection: Selection
    job_class: str = "cpu"
    suggestion: str = ""
    step: str = ""


class SolutionWritten(Event, frozen=True, kw_only=True):
    """The coder wrote a program and the plan behind it."""

    keyed_by: ClassVar[tuple[str, ...]] = ("node",)

    node: str
    plan: str
    code: str


class CodingFailed(Event, frozen=True, kw_only=True):
    """No program could be had for a node; `model_failed` when the endpoint never answered."""

    keyed_by: ClassVar[tuple[str, ...]] = ("node",)

    node: str
    why: str
    model_failed: bool = False


class JobQueued(Event, frozen=True, kw_only=True):
    """A solution waits to run; says all that an executor needs. Limits: seconds, MiB, KiB.

    `files` are further files by their names, which it finds in ./files.
    """

    routed: ClassVar[Literal["role", "class"] | None] = "class"
    keyed_by: ClassVar[tuple[str, ...]] = ("job_class", "node")

    node: str
    job_class: str
    code: str
    data: Artifact
    seconds: float
    grace_seconds: float
    memory_mb: int
    processes: int
    file_mb: int
    output_kb: int
    max_attempts: int
    files: dict[str, Artifact] = {}


class ExecutionStarted(Event, frozen=True, kw_only=True):
    """An executor began one attempt at a job; `protections` are what its sandbox really holds."""

    keyed_by: ClassVar[tuple[str, ...]] = ("node", "attempt")

    node: str
    attempt: int
    host: str
    slot: int
    sandbox: str
    protections: tuple[str, ...]


class ExecutionFinished(Event, frozen=True, kw_only=True):
    """A job came to its end. Durations in seconds, memory in MiB; `head` and `tail` of the output.

    `submission` is what the solution wrote, `output` the whole output up to its limit.
    """

    keyed_by: ClassVar[tuple[str, ...]] = ("node",)

    node: str
    attempt: int
    outcome: Outcome
    why: str
    head: str
    tail: str
    seconds: float
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    exit_code: int | None = None
    submission: Artifact | None = None
    output: Artifact | None = None


class SolutionGraded(Event, frozen=True, kw_only=True):
    """The grader's verdict; `submission` holds only the rows that the competition asks for."""

    keyed_by: ClassVar[tuple[str, ...]] = ("node",)

    node: str
    metric: float | None
    obtained: Evaluation | None
    valid: bool
    buggy: bool
    analysis: str
    submission: Artifact | None = None


class KnowledgeRefined(Event, frozen=True, kw_only=True):
    """L2: what one closed phase taught, and the nodes it rests on.

    `mechanical`: no model wrote the summary.
    """

    keyed_by: ClassVar[tuple[str, ...]] = ("phase",)

    phase: int
    summary: str
    nodes: tuple[str, ...]
    mechanical: bool = False


class WisdomDistilled(Event, frozen=True, kw_only=True):
    """L3: what a whole run taught, for the runs to come. `embedding` is of unit length.

    `test_hash` is the SHA-256 of the task's test table, empty where that is not known, `origin`
    what an imported entry was made from. `mechanical`: no model wrote the summaries; a later
    `attempt` may, and takes its place.
    """

    task: str
    descriptor: str
    embedding: tuple[float, ...]
    data_summary: str
    model_summary: str
    rests_on: tuple[str, ...]
    test_hash: str = ""
    origin: str = ""
    mechanical: bool = False
    attempt: int = 1

    @property
    def key(self) -> str:
        """The attempt's number; there is one entry in a run unless it is made again."""
        return ONCE if self.attempt == 1 else str(self.attempt)


class WisdomWithdrawn(Event, frozen=True, kw_only=True):
    """A person withdrew what a run taught, with `knowledge` also of its phases, and why."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int
    why: str
    knowledge: bool = False


class ContextPart(Struct, frozen=True, kw_only=True):
    """One piece of a prompt's context: its tier, the event or unit it came from, its tokens."""

    tier: Tier
    reference: str
    tokens: int


class Message(Struct, frozen=True, kw_only=True):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


class ModelAsked(Event, frozen=True, kw_only=True):
    """A role wants an answer of a model; a request, answered by ModelAnswered.

    `subject` is what it is about: a node, a phase, or the run. `options` say which model and how.
    """

    routed: ClassVar[Literal["role", "class"] | None] = "role"
    keyed_by: ClassVar[tuple[str, ...]] = ("role", "call")

    role: str
    call: str
    purpose: Purpose
    subject: str
    messages: tuple[Message, ...]
    context: tuple[ContextPart, ...] = ()
    options: Model


class ModelAnswered(Event, frozen=True, kw_only=True):
    """What the model said, or why it said nothing. Latency in seconds, cost in US dollars."""

    routed: ClassVar[Literal["role", "class"] | None] = "role"
    keyed_by: ClassVar[tuple[str, ...]] = ("role", "call")

    role: str
    call: str
    purpose: Purpose
    subject: str
    outcome: Literal["answered", "failed"]
    reply: str = ""
    why: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0
    tries: int = 1


class GuidanceGiven(Event, frozen=True, kw_only=True):
    """A person said something to the run."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int
    text: str


class RunPaused(Event, frozen=True, kw_only=True):
    """A person asked for no new nodes."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int


class RunResumed(Event, frozen=True, kw_only=True):
    """A person lets a paused or interrupted run go on; `minutes` are added to its time."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int
    minutes: float = 0.0


class RunStopped(Event, frozen=True, kw_only=True):
    """A person asked the run to end now, and why."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int
    why: str = "stopped by hand"


class SearchTimeUp(Event, frozen=True, kw_only=True):
    """What is left of the run's time is kept for its closing."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int = 1


class TimeUp(Event, frozen=True, kw_only=True):
    """The run's time is over."""

    keyed_by: ClassVar[tuple[str, ...]] = ("n",)

    n: int = 1


class SearchClosed(Event, frozen=True, kw_only=True):
    """The planner ended the search, and why; the roles that `steps` names have their turn.

    `phase` is the one that their nodes belong to.
    """

    why: str
    phase: int
    steps: tuple[str, ...]


class ClosingStepDone(Event, frozen=True, kw_only=True):
    """A role has had its turn after the search; `why` it did nothing, if that is so."""

    keyed_by: ClassVar[tuple[str, ...]] = ("step",)

    step: str
    why: str = ""


class RunFinished(Event, frozen=True, kw_only=True):
    """The planner ended the run. `failed` when there is no valid submission to hand over."""

    best: str | None
    metric: float | None
    why: str
    failed: bool
    nodes: int
    buggy: int
    submission: Artifact | None = None


class SubmissionGraded(Event, frozen=True, kw_only=True):
    """The final score on the private answers, for the person only; travels on the private stream."""

    private: ClassVar[bool] = True

    score: float | None
    valid: bool
    message: str
    medal: str | None = None
    above_median: bool | None = None
    sample_score: float | None = None


class ActorStarted(Event, frozen=True, kw_only=True):
    """A process took up a role."""

    keyed_by: ClassVar[tuple[str, ...]] = ("actor",)

    actor: str
    role: str
    host: str
    process: int
    slots: int
    version: str


class ActorStopped(Event, frozen=True, kw_only=True):
    """A process laid a role down, or was found dead."""

    keyed_by: ClassVar[tuple[str, ...]] = ("actor",)

    actor: str
    role: str
    why: str


class WorkAbandoned(Event, frozen=True, kw_only=True):
    """An actor gave an event up after its last attempt; `about` is that event's key."""

    keyed_by: ClassVar[tuple[str, ...]] = ("role", "event", "about")

    role: str
    event: str
    about: str
    why: str


ALL: tuple[type[Event], ...] = tuple(Event.__subclasses__())
"""Every core event type, in the order above."""
