"""Planner: keeps the search going, turns its phases, and ends the run. Pure."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents.role import Role
from agents.search.final import final
from agents.search.policy import Choice, Horizon, PolicyUnknown, policy
from schemas.envelope import Recorded
from schemas.events import (
    ClosingStepDone,
    CodingFailed,
    GuidanceGiven,
    ModelAnswered,
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
    | WisdomRecalled
    | TaskRefused
    | PhasePlanned
    | PhaseClosed
    | ModelAnswered
    | GuidanceGiven
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
    | GuidanceGiven
    | RunPaused
    | RunResumed
    | RunStopped
    | SearchTimeUp
    | ClosingStepDone
    | TimeUp
)
_AT_ONCE = 1000
"""As many nodes are proposed by one decision, at the most."""

Emitted = PhasePlanned | PhaseClosed | NodeProposed | SearchClosed | RunFinished


class State(Struct, frozen=True, kw_only=True):
    """The search tree and how the run stands.

    `away` are the minutes in which the run was paused or interrupted; `landed` are the phase's
    graded nodes. `short`: what time is left is kept for the closing, whose steps that are not done
    are `open_steps`.
    """

    tree: Tree = tree.START
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
    phase: int = 0
    landed: tuple[str, ...] = ()
    coding_failures: int = 0
    coding_why: str = ""

    @property
    def capacity(self) -> int:
        """How many nodes are kept in flight, so that executors never wait for a model."""
        settings = self.settings
        # With no executor started here, others may join from elsewhere.
        slots = max(1, settings.actors.executor) * settings.executor.slots
        return slots * settings.search.lookahead


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
        case PhasePlanned(phase=phase):
            return replace(state, phase=phase)
        case PhaseClosed(nodes=nodes):
            return replace(state, landed=tuple(n for n in state.landed if n not in nodes))
        case SolutionGraded(node=node) if not state.tree.step_of(node):
            return replace(state, landed=(*state.landed, node))
        case SolutionWritten():
            return replace(state, coding_failures=0)
        case CodingFailed(why=why):
            return replace(state, coding_failures=state.coding_failures + 1, coding_why=why)
        case ModelAnswered(usd=usd):
            return replace(state, usd=state.usd + (usd or 0.0))
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
    turn = _turn(state)
    phase = next((each.phase for each in turn if isinstance(each, PhasePlanned)), state.phase)
    try:
        return [*turn, *_proposals(state, phase, event.time)]
    except PolicyUnknown as error:
        return _finish(state, str(error))


def _with_tree(state: State, event: Recorded[Any]) -> State:
    if type(event.data) not in tree.projection.follows:
        return state
    return replace(state, tree=tree.apply(state.tree, event))


def _without(state: State, abandoned: WorkAbandoned) -> State:
    """Go on after a role gave up: without wisdom or its turn, but not without a prepared task."""
    if abandoned.event == RunStarted.__name__:
        return replace(state, ended=abandoned.why)
    return replace(
        state,
        ready=state.ready or abandoned.event == TaskPrepared.__name__,
        open_steps=state.open_steps - {abandoned.role},
    )


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
    return [SearchClosed(why=why, phase=state.phase, steps=steps)]


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
    if not state.phase:
        return [finished]
    return [PhaseClosed(phase=state.phase, why="budget", nodes=state.landed), finished]


def _turn(state: State) -> list[Emitted]:
    """Begin the first phase, or the next one when enough nodes have landed in this."""
    if not state.phase:
        return [PhasePlanned(phase=1)]
    if len(state.landed) < state.settings.search.phase_nodes:
        return []
    return [
        PhaseClosed(phase=state.phase, why="done", nodes=state.landed),
        PhasePlanned(phase=state.phase + 1),
    ]


def _proposals(state: State, phase: int, now: datetime) -> list[NodeProposed]:
    """Propose until the pipeline is full, each choice knowing of those before it."""
    if state.paused:
        return []
    choose, horizon = policy(state.settings.search.policy), _horizon(state, now)
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
            phase=phase,
            instruction=_instruction(choice, state),
            selection=choice.selection,
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
    said = {
        "draft": "Write a solution whose approach differs from every earlier draft.",
        "debug": f"Repair {choice.parent} and keep its method.",
        "improve": f"Improve {choice.parent} by one change that should raise its score.",
        "fuse": f"Combine {choice.parent} with what worked elsewhere.",
    }[choice.action]
    return f"{said} Guidance: {state.guidance}" if state.guidance else said


role = Role(name="planner", replicas="one", start=State(), evolve=evolve, decide=decide)
