"""Settings: one typed tree; decoding names the nearest known key for an unknown one. No I/O."""

import difflib
import math
from collections.abc import Mapping
from typing import Any, Literal, get_origin

import msgspec
from msgspec import Struct, field


class SettingsError(ValueError):
    """Raised when a setting is unknown or has the wrong type; the message is for people."""


class Budget(Struct, frozen=True, kw_only=True):
    """What a run may spend; None is unlimited."""

    minutes: float = 60.0
    nodes: int = 500
    usd: float | None = None


Template = Literal["chat", "deepseek", "qwen3"]
"""How a prompt is sent: as chat messages, or as one text in a model's own template."""


class Model(Struct, frozen=True, kw_only=True):
    """The language model. An empty `name` takes the endpoint's first; secrets are never here.

    With a `template` of its own the model's reasoning is begun for it.
    """

    name: str = ""
    template: Template = "chat"
    temperature: float = 0.5
    max_tokens: int = 16384
    timeout_seconds: float = 600.0
    attempts: int = 8
    backoff_seconds: float = 1.0
    usd_per_million_input: float | None = None
    usd_per_million_output: float | None = None


Schedule = Literal["constant", "linear", "exponential", "piecewise", "dynamic"]
"""How the exploration constant falls over a run."""


class Search(Struct, frozen=True, kw_only=True):
    """Tree search (ML-Master 1.0); names as in the paper, defaults as in its released code.

    `debug_probability` is of the policy `greedy` alone, as in AIDE; from `directions` to
    `stagnation_minutes` are of `research` alone (ML-Master 2.0).
    """

    policy: str = "uct"
    profile: Literal["paper", "code", "fixed"] = "fixed"
    parallel: Literal["subtree", "top-k"] = "subtree"
    drafts: int = 5
    debugs: int = 1
    improves: int = 3
    exploration: float = 1.414
    exploration_schedule: Schedule | None = None
    exploration_floor: float = 0.5
    exploration_decay: float = 0.01
    exploration_factor: float = 0.99
    improvement_threshold: float | None = None
    max_improve_failures: int = 3
    return_debug_depth: int = 3
    max_debug_depth: int = 20
    debug_probability: float = 0.5
    workers: int | None = None
    lookahead: int = 2
    max_lookahead: int = 8
    phase_nodes: int = 10
    directions: int = 3
    suggestions: int = 2
    direction_order: Literal["parallel", "sequential"] = "parallel"
    plan_attempts: int = 3
    stagnation_nodes: int = 12
    stagnation_minutes: float | None = None
    max_coding_failures: int = 6

    @property
    def schedule(self) -> Schedule:
        """The exploration constant's schedule: as set, else the profile's."""
        return self.exploration_schedule or ("constant" if self.profile == "paper" else "piecewise")

    @property
    def at_once(self) -> int | None:
        """How many nodes are worked on at once; None where slots and lookahead say it."""
        return self.workers or (3 if self.profile == "code" else None)

    @property
    def threshold(self) -> float:
        """The gain from which an improvement is one: as set, else the profile's."""
        if self.improvement_threshold is not None:
            return self.improvement_threshold
        return 0.001 if self.profile == "paper" else 0.0001


class Closing(Struct, frozen=True, kw_only=True):
    """What follows the search: `steps` are the roles that have a turn then.

    `reserve_share` of a run's minutes is kept for them, and `minutes` is the most they get.
    `fuse_best` is how many solutions the fuser blends.
    """

    steps: tuple[str, ...] = ("fuser",)
    reserve_share: float = 0.05
    minutes: float = 10.0
    fuse_best: int = 3


class Select(Struct, frozen=True, kw_only=True):
    """Which solution is handed over.

    With `robust`, `candidates` are run again `repeats` times each with other seeds, and the spread
    of a candidate's scores counts against their mean.
    """

    final: Literal["best", "robust"] = "best"
    candidates: int = 3
    repeats: int = 3
    spread_weight: float = 1.0


CacheTier = Literal["experience", "knowledge", "wisdom"]
"""The tiers of the memory: L1, L2 and L3 of ML-Master 2.0."""

Scope = Literal["siblings", "phase"]
"""Which traces a prompt may see: those of its like, or those of the open phase."""


class Memory(Struct, frozen=True, kw_only=True):
    """The cache tiers. Thresholds are cosines; budgets are tokens of one prompt's memory part."""

    budget_tokens: int = 4096
    tiers: tuple[CacheTier, ...] = ("experience", "knowledge", "wisdom")
    scope: Scope | None = None
    placement: Literal["user", "think"] = "user"
    recall_threshold: float = 0.3
    recall_limit: int | None = None
    same_task_similarity: float | None = 0.8
    allow_same_task: bool = False

    @property
    def refines(self) -> bool:
        """Whether closed phases become knowledge: there is none without experience to refine."""
        return {"experience", "knowledge"} <= {*self.tiers}

    @property
    def iterates(self) -> bool:
        """Whether solutions are built on others: without experience, each is a first one."""
        return "experience" in self.tiers


class Coder(Struct, frozen=True, kw_only=True):
    """How many questions one coder has open at the model at once."""

    calls: int = 64


class Executor(Struct, frozen=True, kw_only=True):
    """Limits of one job, and how jobs are retried."""

    slots: int = 2
    seconds: float = 600.0
    grace_seconds: float = 5.0
    memory_mb: int = 6144
    processes: int = 256
    file_mb: int = 2048
    output_kb: int = 1024
    max_attempts: int = 3


class Grader(Struct, frozen=True, kw_only=True):
    """How solutions are scored: share and most rows of the training table set aside, by a seed."""

    seed: int | None = None
    heldout_share: float = 0.2
    heldout_rows: int = 2000


class Actors(Struct, frozen=True, kw_only=True):
    """How many processes of each role `flowstone run` starts."""

    planner: int = 1
    coder: int = 1
    executor: int = 1
    grader: int = 1
    curator: int = 1


class Bus(Struct, frozen=True, kw_only=True):
    """How long a claim lives without a heartbeat, and how often a failing event is tried."""

    claim_seconds: float = 5.0
    max_deliveries: int = 5


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that can be set, with its default."""

    budget: Budget = field(default_factory=Budget)
    model: Model = field(default_factory=Model)
    search: Search = field(default_factory=Search)
    closing: Closing = field(default_factory=Closing)
    select: Select = field(default_factory=Select)
    memory: Memory = field(default_factory=Memory)
    coder: Coder = field(default_factory=Coder)
    executor: Executor = field(default_factory=Executor)
    grader: Grader = field(default_factory=Grader)
    actors: Actors = field(default_factory=Actors)
    bus: Bus = field(default_factory=Bus)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def placement(self) -> Literal["message", "user", "think"]:
        """Where prompts hold the memory: in chat messages, or before or in a begun reasoning."""
        return "message" if self.model.template == "chat" else self.memory.placement

    @property
    def scope(self) -> Scope:
        """Which traces prompts may see: as set, else what the policy's authors show."""
        return self.memory.scope or ("phase" if self.search.policy == "research" else "siblings")

    @property
    def closing_steps(self) -> tuple[str, ...]:
        """The roles that have a turn after the search: as set, and the one that `select` needs."""
        needed = ("repeater",) if self.select.final == "robust" else ()
        return (*self.closing.steps, *(each for each in needed if each not in self.closing.steps))

    def reserve(self, minutes: float) -> float:
        """Return how many of a run's *minutes* are kept for its closing."""
        closing = self.closing
        if not self.closing_steps or not closing.reserve_share:
            return 0.0
        wanted = max(closing.reserve_share * minutes, LEAST_RESERVE)
        return min(wanted, closing.minutes, MOST_RESERVED * minutes)


LEAST_RESERVE = 1 / 6
"""Minutes in which a short program can be run and graded."""
MOST_RESERVED = 0.25
"""The part of a run's minutes that is kept for its closing, at the most."""

POSITIVE = frozenset(
    {
        "budget.minutes", "budget.nodes", "model.max_tokens", "model.timeout_seconds",
        "model.attempts", "search.lookahead", "search.max_lookahead", "search.directions",
        "search.suggestions", "coder.calls", "executor.slots", "executor.seconds",
        "executor.memory_mb", "executor.processes", "executor.file_mb", "executor.output_kb",
        "executor.max_attempts", "bus.claim_seconds", "bus.max_deliveries", "closing.minutes",
    }
)  # fmt: skip
"""Keys whose value must be more than nothing; no number may be negative."""
_CLOSED = ("gpt", "gemini", "claude")
"""Parts of the names of models that take chat messages alone."""

LARGEST = 1e9
"""No number is larger: a thousand years of minutes still fit a calendar."""


def keys(settings: type[Struct] = Settings, prefix: str = "") -> dict[str, Any]:
    """Return every dotted key with its type, in order."""
    found: dict[str, Any] = {}
    for each in msgspec.structs.fields(settings):
        name = f"{prefix}{each.name}"
        if isinstance(each.type, type) and issubclass(each.type, Struct):
            found |= keys(each.type, f"{name}.")
        else:
            found[name] = each.type
    return found


def decode(layers: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Return the settings after laying each named layer of dotted keys over the one before.

    Values given as text (environment, command line) are read as the key's type.
    Raises SettingsError naming the layer, the key and the nearest known key.
    """
    known = keys()
    tree: dict[str, Any] = {}
    for layer, values in layers.items():
        for key, value in values.items():
            if key not in known:
                raise SettingsError(_unknown(layer, key, known))
            try:
                converted = msgspec.convert(_plain(value, known[key]), known[key], strict=False)
            except msgspec.ValidationError as error:
                raise SettingsError(f"{layer}: {key} = {value!r}: {error}") from None
            if wrong := _out_of_range(key, converted):
                raise SettingsError(f"{layer}: {key} = {value!r}: {wrong}")
            *parents, leaf = key.split(".")
            branch = tree
            for parent in parents:
                branch = branch.setdefault(parent, {})
            branch[leaf] = converted
    settings = msgspec.convert(tree, Settings)
    if wrong := _contradiction(settings):
        raise SettingsError(wrong)
    return settings


def _contradiction(settings: Settings) -> str:
    """Return what settings do not go together; nothing where all do."""
    closed = next((each for each in _CLOSED if each in settings.model.name.lower()), None)
    if settings.model.template != "chat" and closed:
        return (
            f"model.template = {settings.model.template!r}: the reasoning of {closed} models cannot"
            " be begun for them; set model.template=chat"
        )
    if settings.memory.placement == "think" and settings.model.template == "chat":
        return (
            "memory.placement = 'think': chat messages have no open reasoning; set model.template"
            " to deepseek or qwen3"
        )
    return ""


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping as dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _plain(value: Any, kind: Any) -> Any:
    """Return a value as it can be converted: lists in text have commas, and none are empty."""
    if get_origin(kind) is tuple and isinstance(value, str):
        listed = "" if value == "none" else value.strip("()[]")
        return [part for each in listed.split(",") if (part := each.strip(" '\""))]
    return None if value in ("none", "null", "unlimited") else value


def _out_of_range(key: str, value: Any) -> str:
    """Return what is wrong with a number; nothing when it can be used."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not math.isfinite(value) or value > LARGEST:
        return f"give a number up to {LARGEST:,.0f}"
    if key in POSITIVE and value <= 0:
        return "give a number above 0"
    return "give 0 or more" if value < 0 else ""


def _unknown(layer: str, key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else "; see `flowstone settings`"
    return f"{layer}: there is no setting {key!r}{hint}"
