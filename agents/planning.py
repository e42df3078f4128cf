"""How phases turn: by count, or by plans that a model is asked for (ML-Master 2.0). Pure.

A plan is asked for when there is a first solution that works, and again when a phase has closed
and what it taught is known. Whatever the model answers, there will be a plan.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from agents.context import estimate
from agents.prompts import plan as prompt
from agents.prompts.reply import Malformed
from agents.search import research
from schemas.envelope import Fact, Recorded
from schemas.events import (
    ContextPart,
    GuidanceGiven,
    KnowledgeRefined,
    Message,
    ModelAnswered,
    ModelAsked,
    PhaseClosed,
    PhasePlanned,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    WorkAbandoned,
)
from schemas.settings import Settings
from store.projections import tree
from store.projections.tree import gain

NAME = "planner"
"""The role that asks."""

POLICY = "research"
"""The policy whose phases have plans."""

Followed = (
    TaskPrepared
    | PhasePlanned
    | PhaseClosed
    | KnowledgeRefined
    | GuidanceGiven
    | SolutionWritten
    | SolutionGraded
)
Turn = ModelAsked | PhasePlanned | PhaseClosed


class State(Struct, frozen=True, kw_only=True):
    """The phases so far and what plans are made from.

    `landed` are graded nodes of no closed phase. `programs` are those of nodes under way, and
    then the `first` that worked and the `best`. `quiet` counts nodes without a gain since
    `gained`, when the best was `mark`. `taught`: what the last closed phase taught is known, or
    will not be.
    """

    prepared: TaskPrepared | None = None
    plans: tuple[PhasePlanned, ...] = ()
    closed: tuple[PhaseClosed, ...] = ()
    lessons: tuple[KnowledgeRefined, ...] = ()
    guidance: str = ""
    landed: tuple[str, ...] = ()
    programs: dict[str, str] = {}
    first: str = ""
    best: str = ""
    mark: float | None = None
    gained: datetime | None = None
    quiet: int = 0

    @property
    def phase(self) -> int:
        """The newest phase, 0 before the first."""
        return self.plans[-1].phase if self.plans else 0

    @property
    def open(self) -> bool:
        """Whether a phase is under way."""
        return len(self.plans) > len(self.closed)


def evolve(state: State, event: Fact[Any], grown: tree.State) -> State:
    """Fold *event* into *state*; *grown* is the tree after it."""
    match event.data:
        case TaskPrepared() as prepared:
            return replace(state, prepared=prepared)
        case PhasePlanned() as planned:
            landed = () if planned.directions and not state.plans else state.landed
            plans = (*state.plans, planned)
            return replace(state, plans=plans, landed=landed, quiet=0, gained=event.time)
        case PhaseClosed(nodes=nodes) as closed:
            landed = tuple(each for each in state.landed if each not in nodes)
            return replace(state, closed=(*state.closed, closed), landed=landed)
        case KnowledgeRefined() as refined:
            return replace(state, lessons=(*state.lessons, refined))
        case GuidanceGiven(text=text):
            return replace(state, guidance=text)
        case SolutionWritten(node=node, code=code) if grown.search.policy == POLICY:
            return replace(state, programs={**state.programs, node: code})
        case SolutionGraded(node=node) if not grown.step_of(node):
            return _graded(state, node, grown, event.time)
        case _:
            return state


def _graded(state: State, node: str, grown: tree.State, now: datetime) -> State:
    programs = {**state.programs}
    code = programs.pop(node, "")
    state = replace(state, landed=(*state.landed, node), programs=programs, quiet=state.quiet + 1)
    best = grown.best
    if best is None or best.name != node or best.metric is None:
        return state
    state = replace(state, first=state.first or code, best=code)
    better = state.mark is None or (
        gain(best.metric, state.mark, lower_is_better=grown.lower_is_better)
        >= grown.search.threshold
    )
    return replace(state, mark=best.metric, gained=now, quiet=0) if better else state


def counted(state: State, settings: Settings) -> list[Turn]:
    """Begin the first phase, or the next one when enough nodes have landed in this."""
    if not state.phase:
        return [PhasePlanned(phase=1)]
    if len(state.landed) < settings.search.phase_nodes:
        return []
    return [
        PhaseClosed(phase=state.phase, why="done", nodes=state.landed),
        PhasePlanned(phase=state.phase + 1),
    ]


def planned(
    state: State, grown: tree.State, settings: Settings, event: Recorded[Any]
) -> list[Turn]:
    """Close a phase that is done or gains nothing; ask for the next plan, and read it."""
    if state.open:
        over = _why_closed(state, grown, event.time)
        if over is None:
            return []
        closed = PhaseClosed(phase=state.phase, why=over, nodes=state.landed)
        after = replace(state, closed=(*state.closed, closed))
        awaited = settings.memory.refines and closed.nodes
        return [closed] if awaited else [closed, *_asked(after, grown, settings)]
    match event.data:
        case ModelAnswered(purpose="plan") as answered if _is_next(state, answered.subject):
            return [_read(state, grown, settings, answered)]
        case SolutionGraded(node=node) if not state.plans:
            begun = grown.best is not None and grown.best.name == node
            return _asked(state, grown, settings) if begun else []
        case KnowledgeRefined(phase=phase) if phase == state.phase:
            return _asked(state, grown, settings)
        case WorkAbandoned(event=PhaseClosed.__name__, about=about) if about == str(state.phase):
            return _asked(state, grown, settings)
        case WorkAbandoned(about=about) if about.endswith(f".knowledge-{state.phase}"):
            return _asked(state, grown, settings)
        case WorkAbandoned(about=about, why=why) if _is_next(state, _phase_of(about)):
            return [_own_plan(state, grown, settings, why)]
        case _:
            return []


def _why_closed(
    state: State, grown: tree.State, now: datetime
) -> Literal["done", "stagnation"] | None:
    """Return why the open phase is over, or None while it is not."""
    search = grown.search
    if research.done(grown):
        return "done"
    if search.stagnation_nodes and state.quiet >= search.stagnation_nodes:
        return "stagnation"
    if search.stagnation_minutes and state.gained:
        waited = now - state.gained
        return "stagnation" if waited >= timedelta(minutes=search.stagnation_minutes) else None
    return None


def _phase_of(about: str) -> str:
    """Return the phase whose plan an event's key asks for: `2` for `planner.plan-2-1`."""
    asked = about.removeprefix(f"{NAME}.plan-")
    return "" if asked == about else asked.partition("-")[0]


def _is_next(state: State, subject: str) -> bool:
    return subject == str(state.phase + 1)


def _asked(
    state: State,
    grown: tree.State,
    settings: Settings,
    number: int = 1,
    further: Sequence[Message] = (),
) -> list[Turn]:
    """Return the request for the next plan."""
    if state.prepared is None:
        return []
    phase, search = state.phase + 1, settings.search
    memory, parts = remembered(state, settings.memory.budget_tokens)
    messages = prompt.messages(
        prepared=state.prepared,
        known=prompt.Known(
            first=state.first,
            best=state.best,
            best_metric=grown.best.metric if grown.best else None,
            memory=memory,
            stagnated=bool(state.closed) and state.closed[-1].why == "stagnation",
            guidance=state.guidance,
        ),
        directions=search.directions,
        suggestions=search.suggestions,
    )
    return [
        ModelAsked(
            role=NAME,
            call=f"plan-{phase}-{number}",
            purpose="plan",
            subject=str(phase),
            messages=(*messages, *further),
            context=parts,
            options=settings.model,
        )
    ]


def remembered(state: State, budget_tokens: int) -> tuple[str, tuple[ContextPart, ...]]:
    """Return all plans with what each taught, in order, and where that came from.

    What does not fit the budget is left out, the oldest phase first.
    """
    taught = {each.phase: each.summary for each in state.lessons}
    told, parts, left = list[str](), list[ContextPart](), budget_tokens
    for each in reversed(state.plans):
        text = prompt.remembered(each.phase, each.directions, taught.get(each.phase, ""))
        tokens = estimate(f"{text}\n\n")
        if tokens > left:
            break
        left -= tokens
        told.append(text)
        parts.append(ContextPart(tier="knowledge", reference=str(each.phase), tokens=tokens))
    return "\n\n".join(reversed(told)), tuple(reversed(parts))


def _read(state: State, grown: tree.State, settings: Settings, answered: ModelAnswered) -> Turn:
    """Return the answered plan, another request where it cannot be used, or a plan of our own."""
    search, number = settings.search, int(answered.call.rpartition("-")[2])
    size = {"directions": search.directions, "suggestions": search.suggestions}
    found: prompt.Directions | Malformed = Malformed(answered.why)
    if answered.outcome == "answered":
        found = prompt.read(answered.reply, **size)
    short = found.why if isinstance(found, Malformed) else prompt.shortfall(found, **size)
    if short and answered.outcome == "answered" and number < search.plan_attempts:
        wrong = (
            Message(role="assistant", content=answered.reply),
            Message(role="user", content=f"This cannot be used: {short}. {prompt.form(**size)}"),
        )
        (again,) = _asked(state, grown, settings, number + 1, wrong)
        return again
    if isinstance(found, Malformed):
        return _own_plan(state, grown, settings, found.why)
    base = grown.best.name if grown.best else None
    return PhasePlanned(phase=state.phase + 1, directions=found, base=base, note=short)


def _own_plan(state: State, grown: tree.State, settings: Settings, why: str) -> PhasePlanned:
    search = settings.search
    return PhasePlanned(
        phase=state.phase + 1,
        directions=prompt.mechanical(directions=search.directions, suggestions=search.suggestions),
        base=grown.best.name if grown.best else None,
        note=f"no plan of the model: {why}",
    )
