"""Nodes that ML-Master recorded, told as the events of a run. Pure, no I/O.

A recording is a JSON list of branches, each a list of nodes; nodes that branches share are in all
of them. What it does not know stays empty, and RunImported says so.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from ops.importing.imported import Imported
from schemas.envelope import Envelope, Fact, wrap
from schemas.events import (
    Action,
    Event,
    ExecutionFinished,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    RunFinished,
    RunImported,
    RunStarted,
    Selection,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
)
from schemas.settings import Budget, Settings
from schemas.task import Artifact, SampleFormat, Task
from store.projections import tree

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
"""When a recording without times begins."""

_STEP = timedelta(seconds=1)
_UNKNOWN = (
    "not recorded: what the programs printed, what a model was asked, and why a node was chosen;"
    " scores are what the programs said themselves"
)
_PLAIN = re.compile(r"[^a-z0-9_-]")
_NOTHING = Selection(visits=0, reward=0.0, exploration=0.0, value=None)


class Node(Struct, frozen=True, kw_only=True):
    """A recorded node; `created` in seconds since 1970, `seconds` of its execution."""

    node_index: int
    parent_index: int | None = None
    plan: str = ""
    code: str = ""
    analysis: str = ""
    metric: float | None = None
    is_bug: bool = False
    demo_id: str = ""
    created: float | None = field(name="ctime", default=None)
    seconds: float | None = field(name="exec_time", default=None)

    @property
    def name(self) -> str:
        """What it is called in the log."""
        return f"n{self.node_index}"


_decode = msgspec.json.Decoder(list[list[Node]], strict=False).decode


def nodes(content: bytes) -> list[Node]:
    """Return the nodes of a recording in the order in which they were made.

    Raises msgspec.DecodeError, and ValueError where there are none.
    """
    found: dict[int, Node] = {}
    for branch in _decode(content):
        for node in branch:
            found.setdefault(node.node_index, node)
    if not found:
        raise ValueError("there is no node in it")
    return [found[index] for index in sorted(found)]


def unprepared(task: str, *, lower_is_better: bool) -> TaskPrepared:
    """Return what stands for a task of which no more than the name is known."""
    return TaskPrepared(
        task=Task(
            id=task,
            title=task,
            description="",
            metric="unknown",
            lower_is_better=lower_is_better,
            kind="tabular",
            id_column="",
            targets=(),
            label=None,
            train_file="",
            test_file="",
            sample_file="",
        ),
        sample=SampleFormat(columns=(), rows=0),
        evaluation="reported",
        heldout_rows=0,
        preview="",
        data=Artifact(sha256="", size=0, name=""),
        hashes={},
    )


def run(content: bytes, file: str, *, task: TaskPrepared | bool) -> Imported:
    """Return the run that the recording *content* of the name *file* tells of.

    *task* is the task as it is prepared here, or else whether lower scores are better. The same
    arguments give the same events. Raises msgspec.DecodeError, ValueError and Unreadable.
    """
    made = nodes(content)
    note = _UNKNOWN if made[0].created is not None else f"{_UNKNOWN}; times are made up"
    if isinstance(task, bool):
        name = made[0].demo_id or file.partition(".")[0].removesuffix("_nodes")
        prepared, note = unprepared(name, lower_is_better=task), f"{note}; the task is not known"
    else:
        prepared = replace(task, evaluation="reported", heldout_rows=0)
    digest = hashlib.sha256(content)
    imported = RunImported(recording=file, sha256=digest.hexdigest(), note=note)
    about = prepared.task
    digest.update(f"{about.id} {about.metric} {about.lower_is_better}".encode())
    name = f"{_PLAIN.sub('-', about.id.lower()).strip('-')[:48]}-{digest.hexdigest()[:4]}"
    return Imported(run=name, events=tuple(_Telling(name, file, made).told(imported, prepared)))


class _Telling:
    """Tells nodes as events, one second after the other where the recording has no times."""

    def __init__(self, run: str, file: str, made: list[Node]) -> None:
        self._run, self._source, self._made = run, f"flowstone://recording/{file}", made
        begins = made[0].created
        self._now = BEGINNING if begins is None else datetime.fromtimestamp(begins, UTC)
        self._tree, self._landed, self._phase = tree.START, list[str](), 0

    def told(self, imported: RunImported, prepared: TaskPrepared) -> Iterator[Envelope]:
        """Yield the events, each caused by what led to it."""
        yield self._event(imported, None)
        yield (started := self._event(self._started(prepared), None))
        yield (before := self._event(prepared, started.id))
        verdicts: dict[int, Envelope] = {}
        for node in self._made:
            yield from self._turned(before)
            parent = verdicts.get(node.parent_index or 0)
            proposed = self._event(self._proposed(node), (parent or before).id)
            solution = SolutionWritten(node=node.name, plan=node.plan, code=node.code)
            written = self._event(solution, proposed.id, node.created)
            over = None if node.created is None else node.created + (node.seconds or 0.0)
            finished = self._event(_finished(node), written.id, over)
            before = verdicts[node.node_index] = self._event(_graded(node), finished.id)
            yield from (proposed, written, finished, before)
            self._landed.append(node.name)
        yield self._event(self._closed("budget"), before.id)
        yield self._event(self._over(), before.id)

    def _event(self, event: Event, cause: UUID | None, at: float | None = None) -> Envelope:
        """Return *event* in its envelope, a second after the last or *at*, in seconds since 1970."""
        said = None if at is None else datetime.fromtimestamp(at, UTC)
        self._now = max(self._now + _STEP, said or self._now)
        if type(event) in tree.projection.follows:
            fact: Fact[Any] = Fact(run=self._run, seq=0, time=self._now, data=event)
            self._tree = tree.apply(self._tree, fact)
        return wrap(event, run=self._run, source=self._source, time=self._now, cause=cause)

    def _started(self, prepared: TaskPrepared) -> RunStarted:
        ends = (each.created + (each.seconds or 0.0) for each in self._made if each.created)
        minutes = (max(ends, default=0.0) - (self._made[0].created or 0.0)) / 60
        return RunStarted(
            task=prepared.task.id,
            folder="",
            settings=Settings(),
            budget=Budget(minutes=max(60.0, minutes), nodes=len(self._made)),
            seed=0,
            versions={},
        )

    def _turned(self, before: Envelope) -> Iterator[Envelope]:
        """Yield what turns the phases by count."""
        if self._phase and len(self._landed) < self._tree.search.phase_nodes:
            return
        if self._phase:
            yield self._event(self._closed("done"), before.id)
        self._phase, self._landed = self._phase + 1, []
        yield self._event(PhasePlanned(phase=self._phase), before.id)

    def _closed(self, why: Literal["done", "budget"]) -> PhaseClosed:
        return PhaseClosed(phase=self._phase, why=why, nodes=tuple(self._landed))

    def _proposed(self, node: Node) -> NodeProposed:
        name = f"n{node.parent_index}"
        parent = self._tree.node(name) if name in self._tree.orders else None
        action: Action = "draft" if parent is None else "debug" if parent.defective else "improve"
        return NodeProposed(
            node=node.name,
            parent=parent.name if parent else None,
            action=action,
            phase=self._phase,
            instruction="",
            selection=_NOTHING,
        )

    def _over(self) -> RunFinished:
        best = self._tree.best
        return RunFinished(
            best=best.name if best else None,
            metric=best.metric if best else None,
            why="the recording ends",
            failed=best is None,
            nodes=self._tree.proposed,
            buggy=self._tree.buggy,
        )


def _finished(node: Node) -> ExecutionFinished:
    return ExecutionFinished(
        node=node.name,
        attempt=1,
        outcome="error" if node.is_bug else "ok",
        why="",
        head="",
        tail="",
        seconds=node.seconds or 0.0,
    )


def _graded(node: Node) -> SolutionGraded:
    metric = None if node.is_bug else node.metric
    return SolutionGraded(
        node=node.name,
        metric=metric,
        obtained=None if metric is None else "reported",
        valid=metric is not None,
        buggy=node.is_bug,
        analysis=node.analysis,
    )
