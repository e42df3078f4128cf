"""Planner: keeps the search going, turns its phases, and ends the run. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import replace

from agents import planning
from agents.role import Role
from agents.search import drafts
from agents.search.final import final
from agents.search.lookahead import Pace, ahead
from agents.search.policy import Choice, Horizon, PolicyUnknown, policy
from agents.tools import Tools
from schemas.envelope import Fact, Recorded
from schemas.events import (
    ClosingStepDone,
    CodingFailed,
    ExecutionFinished,
    GuidanceGiven,
    KnowledgeRefined,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SearchClosed,
    SearchTimeUp,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    TaskRefused,
    TimeUp,
    WisdomRecalled,
    WorkAbandoned,
)
from schemas.settings import Budget, Settings
from store.projections import tree

Tree = tree.State
Followed = (
    tree.Followed
    | planning.Followed
    | WisdomRecalled
    | TaskRefused
    | ModelAnswered
    | RunPaused
    | RunResumed
    | RunStopped
    | SearchTimeUp
    | SearchClosed
    | ClosingStepDone
    | TimeUp
    | RunFinished
)
Consumed = (
    WisdomRecalled
    | TaskRefused
    | SolutionGraded
    | CodingFailed
    | WorkAbandoned
    | ModelAnswered
    | KnowledgeRefined
    | GuidanceGiven
    | RunPaused
    | RunResumed
    | RunStopped
    | SearchTimeUp
    | ClosingStepDone
    | TimeUp
)
_WRITING = frozenset({"draft", "debug", "improve"})
"""For what a model is asked to write a program."""

_AT_ONCE = 1000
"""As many nodes are proposed by one decision, at the most."""

Emitted = ModelAsked | PhasePlanned | PhaseClosed | NodeProposed | SearchClosed | RunFinished

_PLANNED_FROM = frozenset(get_args(planning.Followed))


class State(Struct, frozen=True, kw_only=True):
    """The search tree and how the run stands.

    `away` are the minutes in which the run was paused or interrupted. `short`: what time is left
    is kept for the closing, whose steps that are not done are `open_steps`.
    """

    tree: Tree = tree.START
    phases: planning.State = planning.State()
    settings: Settings = Settings()
    budget: Budget = Budget()
    began: datetime | None = None
    away: float = 0.0
    usd: float = 0.0
    ready: bool = False
    short: bool = False
    closed: SearchClosed | None = None
    open_steps: frozenset[str] = frozenset()
    paused: bool = False
    finished: bool = False
    ended: str = ""
    guidance: str = ""
    coding_failures: int = 0
    coding_why: str = ""
    pace: Pace = Pace()

    @property
    def capacity(self) -> int:
        """How many nodes are kept in flight, so that executors never wait for a model."""
        settings = self.settings
        if settings.search.at_once is not None:
            return settings.search.at_once
        # With no executor started here, others may join from elsewhere.
        slots = max(1, settings.actors.executor) * settings.executor.slots
        return slots * ahead(self.pace, settings.search)


def evolve(state: State, event: Recorded[Followed]) -> State:  # noqa: C901, PLR0911, PLR0912 - a table
    """Fold *event* into *state*."""
    state = _with_tree(state, event)
    match event.data:
        case RunStarted(settings=settings, budget=budget):
            return replace(state, settings=settings, budget=budget, began=event.time)
        case WisdomRecalled():
            return replace(state, ready=True)
        case TaskRefused(why=why) | RunStopped(why=why):
            return replace(state, ended=why)
        case SearchTimeUp():
            return replace(state, short=True)
        case SearchClosed(steps=steps) as closed:
            return replace(state, closed=closed, open_steps=frozenset(steps))
        case ClosingStepDone(step=step):
            return replace(state, open_steps=state.open_steps - {step})
        case TimeUp():
            return replace(state, ended=state.closed.why if state.closed else "time")
        case WorkAbandoned() as abandoned:
            return _without(state, abandoned)
        case SolutionWritten(node=node):
            return replace(state, coding_failures=0, pace=state.pace.coded(node))
        case CodingFailed(node=node, why=why):
            failures, pace = state.coding_failures + 1, state.pace.coded(node)
            return replace(state, coding_failures=failures, coding_why=why, pace=pace)
        case ExecutionFinished(outcome=outcome, seconds=seconds) if outcome != "lost":
            return replace(state, pace=state.pace.executed(seconds))
        case ModelAnswered() as answered:
            return _answered(state, answered)
        case GuidanceGiven(text=text):
            return replace(state, guidance=text)
        case RunPaused():
            return replace(state, paused=True)
        case RunResumed(minutes=minutes):
            return replace(state, paused=False, short=False, away=state.away + minutes)
        case RunFinished():
            return replace(state, finished=True)
        case _:
            return state


def decide(state: State, event: Recorded[Consumed]) -> list[Emitted]:
    """End the run or its search, or turn the phase and fill the pipeline; the state says which."""
    if state.finished:
        return []
    if why := _why_over(state):
        return _finish(state, why)
    if state.closed or not state.ready:
        return []
    if why := _why_searched(state):
        return _close(state, why)
    if not _concerns(state, event):
        return []
    try:
        turn = _turn(state, event)
        return [*turn, *_proposals(_turned(state, turn, event), event.time)]
    except PolicyUnknown as error:
        return _finish(state, str(error))


def _concerns(state: State, event: Recorded[Consumed]) -> bool:
    """Return whether *event* can change what is tried: only plans rest on what a phase taught."""
    return _plans(state) or not isinstance(event.data, ModelAnswered | KnowledgeRefined)


def _plans(state: State) -> bool:
    settings = state.settings
    return settings.search.policy == planning.POLICY and settings.memory.iterates


def _with_tree(state: State, event: Recorded[Any]) -> State:
    kind = type(event.data)
    if kind in tree.projection.follows:
        state = replace(state, tree=tree.apply(state.tree, event))
    if kind in _PLANNED_FROM:
        state = replace(state, phases=planning.evolve(state.phases, event, state.tree))
    return state


def _without(state: State, abandoned: WorkAbandoned) -> State:
    """Go on after a role gave up: without wisdom or its turn, but not without a prepared task."""
    if abandoned.event == RunStarted.__name__:
        return replace(state, ended=abandoned.why)
    return replace(
        state,
        ready=state.ready or abandoned.event == TaskPrepared.__name__,
        open_steps=state.open_steps - {abandoned.role},
    )


def _answered(state: State, answered: ModelAnswered) -> State:
    state = replace(state, usd=state.usd + (answered.usd or 0.0))
    if answered.purpose not in _WRITING or answered.subject not in state.tree.in_flight:
        return state
    return replace(state, pace=state.pace.answered(answered.subject, answered.seconds))


def _why_over(state: State) -> str:
    """Return why the run is over, or nothing while it is not."""
    if state.ended:
        return state.ended
    if state.budget.usd is not None and state.usd >= state.budget.usd:
        return "money"
    if state.closed:
        return "" if state.open_steps or _searched_on(state) else state.closed.why
    if state.coding_failures >= state.settings.search.max_coding_failures:
        return f"no program could be had {state.coding_failures} times: {state.coding_why}"
    return ""


def _searched_on(state: State) -> bool:
    """Return whether nodes of the search are still in flight: what lands in time may be the best."""
    return any(not state.tree.step_of(name) for name in state.tree.in_flight)


def _why_searched(state: State) -> str:
    """Return why nothing more is to be tried, or nothing; without a solution the search goes on."""
    if state.tree.proposed >= state.budget.nodes and not len(state.tree.in_flight):
        return "nodes"
    return "time" if state.short and state.tree.best and state.settings.closing_steps else ""


def _close(state: State, why: str) -> list[Emitted]:
    """Give the closing steps their turn; with none of them, or nothing to hand over, finish."""
    steps = state.settings.closing_steps
    if not steps or state.tree.best is None:
        return _finish(state, why)
    return [SearchClosed(why=why, phase=state.phases.phase, steps=steps)]


def _finish(state: State, why: str) -> list[Emitted]:
    best = final(state.tree, state.settings.select)
    finished = RunFinished(
        best=best.name if best else None,
        metric=best.metric if best else None,
        why=why,
        failed=best is None,
        nodes=state.tree.proposed,
        buggy=state.tree.buggy,
        submission=best.submission if best else None,
    )
    if not state.phases.open:
        return [finished]
    phase, landed = state.phases.phase, state.phases.landed
    return [PhaseClosed(phase=phase, why="budget", nodes=landed), finished]


def _turn(state: State, event: Recorded[Consumed]) -> list[planning.Turn]:
    if _plans(state):
        return planning.planned(state.phases, state.tree, state.settings, event)
    return planning.counted(state.phases, state.settings)


def _turned(state: State, turn: Sequence[planning.Turn], event: Recorded[Consumed]) -> State:
    """Return the state as it will be once *turn* is recorded."""
    for each in turn:
        if not isinstance(each, ModelAsked):
            fact = Fact(run=event.run, seq=event.seq, time=event.time, data=each)
            grown = tree.apply(state.tree, fact)
            planned = planning.evolve(state.phases, fact, grown)
            state = replace(state, tree=grown, phases=planned)
    return state


def _proposals(state: State, now: datetime) -> list[NodeProposed]:
    """Propose until the pipeline is full, each choice knowing of those before it."""
    if state.paused:
        return []
    settings, horizon = state.settings, _horizon(state, now)
    choose = policy(settings.search.policy) if settings.memory.iterates else drafts.choose
    grown, proposals = state.tree, list[NodeProposed]()
    capacity = min(state.capacity, len(grown.in_flight) + _AT_ONCE)
    while len(grown.in_flight) < capacity and grown.proposed < state.budget.nodes:
        choice = choose(grown, horizon)
        if choice is None:
            break
        proposal = NodeProposed(
            node=_new_name(grown),
            parent=choice.parent,
            action=choice.action,
            phase=state.phases.phase,
            instruction=_instruction(choice, state),
            selection=choice.selection,
            suggestion=choice.suggestion,
        )
        grown = tree.propose(grown, proposal)
        proposals.append(proposal)
    return proposals


def _horizon(state: State, now: datetime) -> Horizon:
    passed = (now - state.began).total_seconds() / 60 if state.began else 0.0
    budget = state.budget
    return Horizon(nodes=budget.nodes, minutes=budget.minutes, gone=max(0.0, passed - state.away))


def _new_name(grown: Tree) -> str:
    number = grown.proposed + 1
    while f"n{number}" in grown.orders:  # somebody else proposed it
        number += 1
    return f"n{number}"


def _instruction(choice: Choice, state: State) -> str:
    said = (
        choice.instruction
        or {
            "draft": "Write a solution whose approach differs from every earlier draft.",
            "debug": f"Repair {choice.parent} and keep its method.",
            "improve": f"Improve {choice.parent} by one change that should raise its score.",
            "fuse": f"Combine {choice.parent} with what worked elsewhere.",
        }[choice.action]
    )
    return f"{said} Guidance: {state.guidance}" if state.guidance else said


async def perform(request: Recorded[ModelAsked], tools: Tools[Any]) -> ModelAnswered:
    """Ask the model for a plan."""
    return await tools.model.complete(request.data)


role = Role(
    name=planning.NAME,
    replicas="one",
    start=State(),
    evolve=evolve,
    decide=decide,
    perform=perform,
)
