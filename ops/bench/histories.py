"""Histories made up after real ones: the same events in the same mix and of the same sizes. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from ops.bench.idle_roles import DATA, NOTHING
from schemas.envelope import Envelope, wrap
from schemas.events import (
    ContextPart,
    Event,
    ExecutionFinished,
    ExecutionStarted,
    JobQueued,
    KnowledgeRefined,
    Message,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    SolutionGraded,
    SolutionWritten,
)
from schemas.settings import Model

EVENTS_OF_A_NODE = 8
_NODES_OF_A_RUN = 500
_NODES_OF_A_PHASE = 10
_DRAFTS = 5
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = [
    "the",
    "model",
    "data",
    "frame",
    "train",
    "test",
    "fold",
    "score",
    "feature",
    "column",
    "value",
    "learning",
    "rate",
    "boost",
    "tree",
    "depth",
    "leaf",
    "import",
    "fit",
    "predict",
    "pipeline",
    "scaler",
    "encode",
    "missing",
    "target",
    "valid",
    "loss",
    "epoch",
    "batch",
    "seed",
    "return",
    "def",
    "for",
    "in",
    "range",
    "print",
    "if",
    "else",
    "accuracy",
    "validation",
    "improved",
    "worse",
    "error",
]


class Writer:
    """Draws texts whose words repeat as those of real prompts and programs do."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - no secret is drawn
        self._text = " ".join(self._random.choices(_WORDS, k=40_000))

    def text(self, characters: int) -> str:
        """Return a text of that length."""
        start = self._random.randrange(len(self._text) - characters)
        return self._text[start : start + characters]

    def number(self) -> float:
        """Return a number from 0 to 1."""
        return self._random.random()

    def one_of(self, count: int) -> int:
        """Return a number from 1 to *count*."""
        return self._random.randint(1, count)


def envelopes(events: int, seed: int = 1) -> Iterator[tuple[int, Envelope]]:
    """Yield at least *events* events of as many runs as that takes, numbered from 1."""
    writer, seq = Writer(seed), 0
    nodes = -(-events // EVENTS_OF_A_NODE)
    for first in range(0, nodes, _NODES_OF_A_RUN):
        run = f"history-{first // _NODES_OF_A_RUN}"
        cause: UUID | None = None
        for event in _run(min(_NODES_OF_A_RUN, nodes - first), writer):
            seq += 1
            envelope = wrap(
                event,
                run=run,
                source="flowstone://bench/history",
                time=_BEGAN + timedelta(milliseconds=seq),
                cause=cause,
                seen=seq - 1,
            )
            cause = envelope.id
            yield seq, envelope


def _run(nodes: int, writer: Writer) -> Iterator[Event]:
    phase = 1
    yield PhasePlanned(phase=phase)
    for number in range(1, nodes + 1):
        yield from _node(number, phase, writer)
        if number % _NODES_OF_A_PHASE == 0:
            named = tuple(f"n{each}" for each in range(number - _NODES_OF_A_PHASE + 1, number + 1))
            yield PhaseClosed(phase=phase, why="done", nodes=named)
            yield KnowledgeRefined(phase=phase, summary=writer.text(1500), nodes=named)
            phase += 1
            yield PhasePlanned(phase=phase)


def _node(number: int, phase: int, writer: Writer) -> Iterator[Event]:
    node, code, buggy = f"n{number}", writer.text(3000), writer.number() < 0.2  # noqa: PLR2004 - a share
    yield NodeProposed(
        node=node,
        parent=None if number <= _DRAFTS else f"n{writer.one_of(number - 1)}",
        action="draft" if number <= _DRAFTS else "improve",
        phase=phase,
        instruction=writer.text(200),
        selection=NOTHING,
    )
    yield from _writing(node, code, writer)
    yield JobQueued(
        node=node,
        job_class="cpu",
        code=code,
        data=DATA,
        seconds=600.0,
        grace_seconds=5.0,
        memory_mb=6144,
        processes=256,
        file_mb=2048,
        output_kb=1024,
        max_attempts=3,
    )
    yield ExecutionStarted(
        node=node, attempt=1, host="host", slot=0, sandbox="namespaces", protections=("network",)
    )
    yield ExecutionFinished(
        node=node,
        attempt=1,
        outcome="error" if buggy else "ok",
        why="",
        head=writer.text(500),
        tail=writer.text(500),
        seconds=1.0,
        submission=None if buggy else DATA,
    )
    yield SolutionGraded(
        node=node,
        metric=None if buggy else writer.number(),
        obtained=None if buggy else "held-out",
        valid=not buggy,
        buggy=buggy,
        analysis=writer.text(200),
        submission=None if buggy else DATA,
    )


def _writing(node: str, code: str, writer: Writer) -> Iterator[Event]:
    """Yield how a node's program came about: asked, answered, written."""
    yield ModelAsked(
        role="coder",
        call=node,
        purpose="improve",
        subject=node,
        messages=(
            Message(role="system", content=writer.text(500)),
            Message(role="user", content=writer.text(4000)),
        ),
        context=(ContextPart(tier="parent", reference="n1", tokens=900),),
        options=Model(),
    )
    yield ModelAnswered(
        role="coder",
        call=node,
        purpose="improve",
        subject=node,
        outcome="answered",
        reply=writer.text(600) + code,
        model="model",
        input_tokens=1100,
        output_tokens=900,
        seconds=10.0,
    )
    yield SolutionWritten(node=node, plan=writer.text(600), code=code)
