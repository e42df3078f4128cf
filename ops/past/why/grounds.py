"""What one solution rests on, as a tree of items down to raw executions. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from ops.past.why.story import Node, Question, Story, Unit
from ops.view.lines import score
from schemas.events import ContextPart

Kind = Literal[
    "solution",
    "above",
    "question",
    "parent",
    "experience",
    "plan",
    "knowledge",
    "wisdom",
    "execution",
    "part",
    "note",
]
PLAN = "plan-"
"""What the reference of a plan in a prompt's context begins with."""


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the answer and what it rests on; `event` is the number of the one that says it.

    `again`: an earlier line has shown it in full.
    """

    kind: Kind
    text: str
    run: str
    name: str = ""
    event: int | None = None
    tokens: int | None = None
    again: bool = False
    facts: dict[str, Any] = {}
    rests_on: tuple["Item", ...] = ()


def recalled_runs(story: Story, node: str) -> list[str]:
    """Return the earlier runs whose wisdom was in the questions that wrote *node*."""
    asked = story.asked_for(story.nodes[node])
    parts = (part for question in asked for part in question.context)
    return [*dict.fromkeys(part.reference for part in parts if part.tier == "wisdom")]


def explain(stories: Mapping[str, Story], run: str, node: str) -> Item:
    """Return what *node* of *run* rests on; *stories* has that run, and those that it recalled."""
    return _Grounds(stories, stories[run]).solution(stories[run].nodes[node])


class _Grounds:
    """Builds items, whatever appears more than once in full only at first."""

    def __init__(self, stories: Mapping[str, Story], story: Story) -> None:
        self._stories, self._story = stories, story
        self._shown = set[tuple[str, ...]]()
        self._behind = dict[int, str]()

    def solution(self, node: Node) -> Item:
        """Return the root: the node, its chain up to the draft, and who wrote it from what."""
        root = self._execution(self._story, node.name, "solution")
        above = (
            self._execution(self._story, each.name, "above")
            for each in self._story.chain(node.name)
        )
        return replace(root, rests_on=(*above, *self._origin(node)))

    def _origin(self, node: Node) -> Iterator[Item]:
        asked = self._story.asked_for(node)
        wrote = self._story.answers.get(node.written_by) if node.written_by else None
        if node.suggestion:
            yield self._plan(node.phase, f"tries suggestion {node.suggestion} of ")
        for question in asked:
            used = question is wrote or (wrote is None and question is asked[-1])
            parts = tuple(self._parts(question)) if used else ()
            outcome = "" if used else ", of no use"
            yield replace(self._question(self._story, question, outcome), rests_on=parts)
        if not asked:
            yield self._unasked(node)

    def _unasked(self, node: Node) -> Item:
        imported = self._story.imported
        text = (
            f"no question is recorded: imported from {imported.recording}"
            if imported
            else f"no question led to it; {node.proposed_by} proposed it"
        )
        facts = {"note": imported.note} if imported else {}
        return Item(kind="note", text=text, run=self._story.run, facts=facts)

    def _question(self, story: Story, question: Question, outcome: str = "") -> Item:
        answer = question.answer
        said, facts = "not answered yet", dict[str, Any]()
        if answer is not None:
            said = f"{answer.input_tokens} tokens in, {answer.output_tokens} out, {answer.model}"
            if answer.outcome == "failed":
                said = f"no answer: {answer.why}"
            names = ("outcome", "model", "input_tokens", "output_tokens", "usd", "seconds", "why")
            facts = {name: getattr(answer, name) for name in names}
        return Item(
            kind="question",
            text=f"{question.role} asked {question.call}{outcome}: {said}",
            run=story.run,
            name=question.call,
            event=question.event,
            facts=facts,
        )

    def _parts(self, question: Question) -> Iterator[Item]:
        """Yield what a question's context was made of, then the lessons behind those lessons."""
        direct = {part.reference for part in question.context if part.tier == "knowledge"}
        for part in question.context:
            yield replace(self._part(part), tokens=part.tokens)
        while self._behind:
            phase = next(iter(self._behind))
            behind = self._behind.pop(phase)
            if str(phase) not in direct and ("knowledge", str(phase)) not in self._shown:
                yield self._lesson(phase, f", behind {behind}")

    def _part(self, part: ContextPart) -> Item:
        story, name = self._story, part.reference
        phase = name.removeprefix(PLAN)
        match part.tier:
            case "parent" | "experience" if phase == name:
                return self._execution(story, name, part.tier)
            case "experience" if phase.isdecimal():
                return self._plan(int(phase))
            case "knowledge" if name.isdecimal():
                return self._lesson(int(name))
            case "wisdom":
                return self._wisdom(name)
            case tier:
                return Item(kind="part", text=f"{tier} {name}", run=story.run, name=name)

    def _lesson(self, phase: int, behind: str = "") -> Item:
        text = f"knowledge of phase {phase}{behind}"
        return self._drawn("knowledge", phase, text, self._story.lessons.get(phase))

    def _plan(self, phase: int, before: str = "") -> Item:
        unit = self._story.plans.get(phase)
        named = f": {', '.join(unit.names)}" if unit and unit.names else ""
        note = f" ({unit.note})" if unit and unit.note else ""
        return self._drawn("plan", phase, f"{before}plan of phase {phase}{named}{note}", unit)

    def _drawn(
        self, kind: Literal["knowledge", "plan"], phase: int, text: str, unit: Unit | None
    ) -> Item:
        """Return a lesson or a plan with the question that it came of, and the nodes it rests on."""
        story, known = self._story, (kind, str(phase)) in self._shown
        item = Item(kind=kind, text=text, run=story.run, name=str(phase), again=known)
        if unit is None or known:
            return replace(item, text=text if known else f"{text}, which is not recorded")
        self._shown.add((kind, str(phase)))
        asked = story.answers.get(unit.cause) if unit.cause else None
        for part in asked.context if asked else ():
            if part.tier == "knowledge" and part.reference.isdecimal():
                self._behind.setdefault(int(part.reference), f"{kind} of phase {phase}")
        nodes = unit.names if kind == "knowledge" else ()
        return replace(item, event=unit.event, rests_on=tuple(self._from(story, asked, nodes)))

    def _wisdom(self, run: str) -> Item:
        recalled, story = self._story.recalled.get(run), self._stories.get(run)
        like = f" ({recalled.task}), similarity {recalled.similarity:.3f}" if recalled else ""
        known = ("wisdom", run) in self._shown
        self._shown.add(("wisdom", run))
        item = Item(
            kind="wisdom",
            text=f"wisdom of {run}{like}",
            run=run,
            name=run,
            again=known,
            facts={"similarity": recalled.similarity, "task": recalled.task} if recalled else {},
        )
        if known:
            return item
        if story is None or story.wisdom is None:
            lacking = Item(kind="note", text="that run is not in this log", run=run)
            return replace(item, rests_on=(lacking,))
        unit = story.wisdom
        asked = story.answers.get(unit.cause) if unit.cause else None
        grounds = tuple(self._from(story, asked, unit.names))
        return replace(item, event=unit.event, rests_on=grounds)

    def _from(self, story: Story, asked: Question | None, nodes: tuple[str, ...]) -> Iterator[Item]:
        if asked is not None:
            yield self._question(story, asked)
        for name in nodes:
            yield self._execution(story, name, "execution")

    def _execution(self, story: Story, name: str, kind: Kind) -> Item:
        """Return the line of a raw execution, in full where it is the first."""
        known = ("execution", story.run, name) in self._shown
        self._shown.add(("execution", story.run, name))
        named = name if story is self._story else f"{story.run} {name}"
        named = f"{kind} {named}" if kind in {"parent", "experience"} else named
        node = story.nodes.get(name)
        item = Item(kind=kind, text=named, run=story.run, name=name, again=known)
        if node is None:
            return replace(item, text=f"{named}, which is not recorded")
        item = replace(item, facts=_facts(node))
        if known:
            return item
        metric = f"{story.metric} " if kind == "solution" and story.metric else ""
        origin = f"{node.action} of {node.parent}" if node.parent else node.action
        event = node.execution.event if node.execution else None
        return replace(item, text=f"{named} {origin}: {metric}{_came_to(node)}", event=event)


def _came_to(node: Node) -> str:
    """Return a node's score and how its execution ended, in words."""
    if node.failed is not None:
        return f"no program: {node.failed}"
    if node.execution is None:
        return "not executed"
    ran, graded = node.execution, node.graded
    lasted = (
        f" {'in' if ran.outcome == 'ok' else 'after'} {ran.seconds:.1f} s" if ran.seconds else ""
    )
    ended = f"ran {ran.outcome}{lasted}" if ran.outcome == "ok" else f"{ran.outcome}{lasted}"
    if graded is None:
        return f"not graded; {ended}"
    if graded.metric is not None and graded.valid and not graded.buggy:
        return f"{score(graded.metric)} {graded.obtained or ''}".strip() + f"; {ended}"
    return f"{'buggy' if graded.buggy else 'invalid'}; {ended}"


def _facts(node: Node) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "action": node.action,
        "parent": node.parent,
        "phase": node.phase,
        "proposed_by": node.proposed_by,
    }
    if node.execution:
        facts |= {"outcome": node.execution.outcome, "seconds": node.execution.seconds}
    if node.graded:
        names = ("metric", "obtained", "valid", "buggy", "analysis")
        facts |= {name: getattr(node.graded, name) for name in names}
    if node.failed is not None:
        facts["why"] = node.failed
    return facts
