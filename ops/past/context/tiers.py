"""The length of a run's context, event by event: everything kept raw, and in three tiers. Pure.

The paper's own curve (arXiv 2601.10402, figure 4): C is the concatenation of every event's hit.
Lengths are those of what events hold: a program, its plan, its output, its verdict.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from agents import mechanical
from agents.context import estimate
from agents.prompts import plan
from agents.prompts.solution import task_text
from schemas.envelope import Fact
from schemas.events import (
    CodingFailed,
    Event,
    ExecutionFinished,
    GuidanceGiven,
    KnowledgeRefined,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    WisdomRecalled,
)
from store.projections import cache, experience


class Point(Struct, frozen=True, kw_only=True):
    """The context's length in tokens once an event has happened; `phase` is 0 before the first plan."""

    phase: int
    graded: int
    raw: int
    tiers: int


class Lengths:
    """The fold: both lengths, kept up to date as phases give way to what they taught."""

    def __init__(self) -> None:
        self._state, self._raw = cache.START, list[int]()
        self._lessons: dict[int, int] = {}
        self._graded, self._all, self._remembered = 0, 0, 0

    def take(self, event: Fact[Any]) -> Point:
        """Return the lengths after the next event of the run."""
        before, self._state = self._state, cache.apply(self._state, event)
        tokens = length(event.data)
        self._raw.append(tokens)
        self._all += tokens
        self._remembered += tokens
        self._graded += isinstance(event.data, SolutionGraded)
        if isinstance(event.data, KnowledgeRefined) and event.data.phase in self._state.numbers:
            number = self._state.numbers[event.data.phase]
            self._lessons[number] = estimate(event.data.summary)
        if (before.plans, before.refined) != (self._state.plans, self._state.refined):
            for phase in self._state.knowledge - before.knowledge:
                self._replace(phase)
        return Point(
            phase=len(self._state.plans),
            graded=self._graded,
            raw=self._all,
            tiers=self._remembered,
        )

    def _replace(self, phase: int) -> None:
        """Count a phase's events as they are hit from here on."""
        for k in range(*self._state.plans[phase - 1 : phase + 1]):
            found = cache.hit(self._state, k)
            self._remembered -= self._raw[k]
            if isinstance(found, cache.Unit):
                self._remembered += self._lessons[found.phase]
            elif found is not None:
                self._remembered += self._raw[found]


def length(event: Event) -> int:
    """Return the tokens of what *event* adds to what there is to remember.

    A question repeats what was there before, an answer is in what was made of it, and a lesson
    counts only where it stands for its phase.
    """
    match event:
        case TaskPrepared() as prepared:
            return estimate(task_text(prepared) + prepared.preview)
        case WisdomRecalled(entries=entries):
            return sum(estimate(each.text) for each in entries)
        case PhasePlanned(directions=directions, phase=phase) if directions:
            return estimate(plan.remembered(phase, directions, ""))
        case NodeProposed(instruction=text) | GuidanceGiven(text=text) | CodingFailed(why=text):
            return estimate(text)
        case SolutionWritten() as written:
            return estimate(written.plan + written.code)
        case ExecutionFinished() as finished:
            whole = finished.head.endswith(finished.tail)
            return estimate(finished.head if whole else f"{finished.head}\n{finished.tail}")
        case SolutionGraded(analysis=analysis):
            return estimate(analysis)
        case _:
            return 0


class Counting:
    """Gives a run without lessons phases by count, each with a mechanical lesson."""

    def __init__(self, phase_nodes: int) -> None:
        self._most, self._phase, self._landed = phase_nodes, 0, list[str]()
        self._tried, self._prepared = experience.START, list[TaskPrepared]()

    def take(self, event: Fact[Any]) -> Iterator[Fact[Any]]:
        """Yield the next event of the run, and what turns the phase before or after it."""
        fact = event.data
        if isinstance(fact, PhasePlanned | PhaseClosed):
            return
        if isinstance(fact, NodeProposed) and not self._phase:
            self._phase = 1
            yield _at(event, PhasePlanned(phase=1))
        yield event
        if isinstance(fact, TaskPrepared):
            self._prepared.append(fact)
        if type(fact) in experience.projection.follows:
            self._tried = experience.apply(self._tried, event)
        if isinstance(fact, SolutionGraded):
            self._landed.append(fact.node)
        if self._prepared and self._landed and len(self._landed) >= self._most:
            yield from (_at(event, each) for each in self._turn(self._prepared[0]))

    def _turn(self, prepared: TaskPrepared) -> Iterator[Event]:
        phase, nodes = self._phase, tuple(self._landed)
        self._phase, self._landed = phase + 1, []
        traces = [trace for name in nodes if (trace := self._tried.trace(name))]
        summary = mechanical.summary(traces, self._tried, prepared.task)
        yield PhaseClosed(phase=phase, why="done", nodes=nodes)
        yield KnowledgeRefined(phase=phase, summary=summary, nodes=nodes)
        yield PhasePlanned(phase=phase + 1)


def _at(moment: Fact[Any], event: Event) -> Fact[Any]:
    """Return *event* as if it had happened with *moment*."""
    return Fact(run=moment.run, seq=moment.seq, time=moment.time, data=event)
