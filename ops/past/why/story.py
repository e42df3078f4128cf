"""What a run recorded, by the names under which prompts refer to it. Pure: whoever reads brings events.

Of programs, prompts and outputs nothing is kept, so that a long run fits.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from schemas.envelope import Recorded
from schemas.events import (
    CodingFailed,
    ContextPart,
    ExecutionFinished,
    KnowledgeRefined,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    PhasePlanned,
    RecalledWisdom,
    RunImported,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    WisdomDistilled,
    WisdomRecalled,
)

FOLLOWED = (
    RunImported,
    TaskPrepared,
    WisdomRecalled,
    PhasePlanned,
    NodeProposed,
    ModelAsked,
    ModelAnswered,
    SolutionWritten,
    CodingFailed,
    ExecutionFinished,
    SolutionGraded,
    KnowledgeRefined,
    WisdomDistilled,
)

_WRITER = "coder"


class Execution(Struct, frozen=True, kw_only=True):
    """A raw execution: the event that tells of it, how it ended, its seconds (0 where unknown)."""

    event: int
    outcome: str
    seconds: float


class Node(Struct, kw_only=True):
    """One solution; `written_by` is the event that led to its program."""

    name: str
    parent: str | None
    action: str
    phase: int
    suggestion: str
    proposed_by: str
    written_by: UUID | None = None
    failed: str | None = None
    execution: Execution | None = None
    graded: SolutionGraded | None = None


class Question(Struct, kw_only=True):
    """A question to a model and what came of it; `event` is where it was asked."""

    event: int
    role: str
    call: str
    subject: str
    context: tuple[ContextPart, ...]
    answer: ModelAnswered | None = None


class Unit(Struct, frozen=True, kw_only=True):
    """What was drawn from others: a lesson or wisdom from nodes, a plan with its directions."""

    event: int
    cause: UUID | None
    names: tuple[str, ...] = ()
    note: str = ""


class Story(Struct, kw_only=True):
    """One run; `questions` by role and call, `answers` from an answer's id to its question."""

    run: str
    metric: str = ""
    imported: RunImported | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    questions: dict[tuple[str, str], Question] = field(default_factory=dict)
    answers: dict[UUID, Question] = field(default_factory=dict)
    lessons: dict[int, Unit] = field(default_factory=dict)
    plans: dict[int, Unit] = field(default_factory=dict)
    recalled: dict[str, RecalledWisdom] = field(default_factory=dict)
    wisdom: Unit | None = None

    def take(self, event: Recorded[Any]) -> None:
        """Remember what matters of the next event."""
        match event.data:
            case RunImported() as imported:
                self.imported = imported
            case TaskPrepared(task=task):
                self.metric = task.metric
            case WisdomRecalled(entries=entries):
                self.recalled = {each.run: each for each in entries}
            case PhasePlanned(phase=phase, directions=directions, note=note):
                names = tuple(directions)
                unit = Unit(event=event.seq, cause=event.cause, names=names, note=note)
                self.plans[phase] = unit
            case KnowledgeRefined(phase=phase, nodes=nodes):
                self.lessons[phase] = Unit(event=event.seq, cause=event.cause, names=nodes)
            case WisdomDistilled(rests_on=nodes):
                self.wisdom = Unit(event=event.seq, cause=event.cause, names=nodes)
            case ModelAsked() | ModelAnswered():
                self._questioned(event)
            case _:
                self._tried(event)

    def chain(self, name: str) -> Iterator[Node]:
        """Yield the nodes above *name*, from its parent to the draft."""
        seen = {name}
        while (node := self.nodes.get(name)) and node.parent and node.parent not in seen:
            name = node.parent
            seen.add(name)
            if name in self.nodes:
                yield self.nodes[name]

    def asked_for(self, node: Node) -> list[Question]:
        """Return the questions whose answers were to write *node*, in order."""
        wrote = self.answers.get(node.written_by) if node.written_by else None
        role = wrote.role if wrote else _WRITER
        return [
            each
            for each in self.questions.values()
            if (each.role == role and each.subject == node.name) or each is wrote
        ]

    def _questioned(self, event: Recorded[Any]) -> None:
        fact = event.data
        if isinstance(fact, ModelAsked):
            question = Question(
                event=event.seq,
                role=fact.role,
                call=fact.call,
                subject=fact.subject,
                context=fact.context,
            )
            self.questions[fact.role, fact.call] = question
        elif asked := self.questions.get((fact.role, fact.call)):
            asked.answer = replace(fact, reply="")
            self.answers[event.id] = asked

    def _tried(self, event: Recorded[Any]) -> None:
        fact = event.data
        if isinstance(fact, NodeProposed):
            self.nodes[fact.node] = Node(
                name=fact.node,
                parent=fact.parent,
                action=fact.action,
                phase=fact.phase,
                suggestion=fact.suggestion,
                proposed_by=event.source.rpartition("/")[2],
            )
        node = self.nodes.get(fact.node)
        if node is None:
            return
        match fact:
            case SolutionWritten():
                node.written_by = event.cause
            case CodingFailed(why=why):
                node.failed = why
            case ExecutionFinished(outcome=outcome, seconds=seconds):
                node.execution = Execution(event=event.seq, outcome=outcome, seconds=seconds)
            case SolutionGraded():
                node.graded = fact
            case _:
                pass
