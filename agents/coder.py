"""Coder: asks a model for the program of a proposed node, and sends it to be run."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import context
from agents.context import Context, Memory
from agents.jobs import job
from agents.prompts import reply, solution
from agents.role import Role
from agents.tools import Tools
from schemas.envelope import Recorded
from schemas.events import (
    CodingFailed,
    ContextPart,
    JobQueued,
    KnowledgeRefined,
    Message,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    PhasePlanned,
    Purpose,
    RunResumed,
    RunStarted,
    SolutionWritten,
    TaskPrepared,
    WisdomRecalled,
)
from schemas.settings import Settings
from store.projections import experience, knowledge
from store.projections.experience import Trace

NAME = "coder"
ASKS = 3
"""How often a model is asked for one node before it is given up."""

_PURPOSES: dict[str, Purpose] = {"draft": "draft", "debug": "debug"}
_OUTPUT = 5000

Followed = (
    experience.Followed
    | PhasePlanned
    | KnowledgeRefined
    | WisdomRecalled
    | RunStarted
    | RunResumed
    | TaskPrepared
)
Emitted = ModelAsked | SolutionWritten | JobQueued | CodingFailed


class State(Struct, frozen=True, kw_only=True):
    """The task, what is remembered, when the run ends, and the minutes without jobs before that."""

    settings: Settings = Settings()
    nodes: int = 0
    ends: datetime | None = None
    reserve: float = 0.0
    prepared: TaskPrepared | None = None
    memory: Memory = Memory()


def evolve(state: State, event: Recorded[Followed]) -> State:
    """Fold *event* into *state*."""
    anything: Recorded[Any] = event
    match event.data:
        case RunStarted(settings=settings, budget=budget):
            ends = event.time + timedelta(minutes=budget.minutes)
            # Programs that are run again need the executors free, where a blend does not.
            robust = settings.select.final == "robust"
            reserve = settings.reserve(budget.minutes) if robust else 0.0
            return replace(state, settings=settings, nodes=budget.nodes, ends=ends, reserve=reserve)
        case RunResumed(minutes=minutes):
            later = timedelta(minutes=minutes)
            return replace(state, ends=state.ends + later if state.ends else None)
        case TaskPrepared() as prepared:
            return replace(state, prepared=prepared)
        case WisdomRecalled(entries=entries):
            return replace(state, memory=replace(state.memory, wisdom=entries))
        case PhasePlanned() as planned:
            plans = (*state.memory.plans, planned)
            return replace(state, memory=replace(state.memory, plans=plans))
        case KnowledgeRefined():
            known = knowledge.apply(state.memory.knowledge, anything)
            return replace(state, memory=replace(state.memory, knowledge=known))
        case _:
            tried = experience.apply(state.memory.experience, anything)
            return replace(state, memory=replace(state.memory, experience=tried))


def decide(state: State, event: Recorded[NodeProposed | ModelAnswered]) -> list[Emitted]:
    """Ask for a proposed node's program; read the reply, or ask again saying what was wrong."""
    fact, prepared = event.data, state.prepared
    if isinstance(fact, ModelAnswered) and fact.role != NAME:
        return []
    trace = state.memory.experience.trace(_node_of(fact))
    if trace is None or prepared is None or trace.action not in solution.REQUESTS:
        return []
    if isinstance(fact, NodeProposed):
        return [_ask(state, event, trace, prepared)]
    if fact.outcome == "failed":
        return [CodingFailed(node=trace.node, why=fact.why, model_failed=True)]
    read = reply.solution(fact.reply)
    if isinstance(read, reply.Solution):
        return [
            SolutionWritten(node=trace.node, plan=read.plan, code=read.code),
            job(
                trace.node,
                read.code,
                prepared=prepared,
                limits=state.settings.executor,
                seconds_left=_seconds_left(state, event.time),
                job_class=trace.job_class,
            ),
        ]
    asked = _number(fact.call)
    if asked >= ASKS:
        why = f"{asked} replies were no solution; the last: {read.why}"
        return [CodingFailed(node=trace.node, why=why)]
    wrong = (
        Message(role="assistant", content=fact.reply),
        Message(role="user", content=f"This cannot be used: {read.why}. {solution.RESPONSE}"),
    )
    return [_ask(state, event, trace, prepared, number=asked + 1, further=wrong)]


async def perform(request: Recorded[ModelAsked], tools: Tools[Any]) -> ModelAnswered:
    """Ask the model."""
    return await tools.model.complete(request.data)


def remembered(state: State, trace: Trace, prepared: TaskPrepared) -> Context:
    """Return what a prompt for the node of *trace* is given to remember."""
    return context.build(
        state.memory,
        action=trace.action,
        parent=trace.parent,
        settings=state.settings.memory,
        scope=state.settings.scope,
        lower_is_better=prepared.task.lower_is_better,
    )


def _node_of(fact: NodeProposed | ModelAnswered) -> str:
    return fact.node if isinstance(fact, NodeProposed) else fact.subject


def _number(call: str) -> int:
    """Return which ask of its node a call is: 2 for `n1-2`."""
    number = call.rpartition("-")[2]
    return int(number) if number.isdecimal() else ASKS


def _seconds_left(state: State, now: datetime) -> float:
    """Return how long a program of the search may run."""
    left = max(0.0, (state.ends - now).total_seconds()) if state.ends else 0.0
    kept = 60 * state.reserve
    return left - kept if left > kept else left


def _ask(
    state: State,
    event: Recorded[Any],
    trace: Trace,
    prepared: TaskPrepared,
    *,
    number: int = 1,
    further: tuple[Message, ...] = (),
) -> ModelAsked:
    known = remembered(state, trace, prepared)
    parent = state.memory.experience.trace(trace.parent) if trace.parent else None
    tried = state.memory.experience
    messages = solution.messages(
        action=trace.action,
        prepared=prepared,
        instruction=trace.instruction,
        memory=known.memory,
        wisdom=known.wisdom,
        parent=_shown(parent) if parent else None,
        seconds_left=_seconds_left(state, event.time),
        nodes_left=state.nodes - len(tried.traces) - len(tried.under_way),
        job_seconds=state.settings.executor.seconds,
        placement=state.settings.placement,
    )
    return ModelAsked(
        role=NAME,
        call=f"{trace.node}-{number}",
        purpose=_PURPOSES.get(trace.action, "improve"),
        subject=trace.node,
        messages=(*messages, *further),
        context=(*_given(prepared, parent), *known.parts),
        options=state.settings.model,
    )


def _given(prepared: TaskPrepared, parent: Trace | None) -> tuple[ContextPart, ...]:
    """Return where the parts of a prompt that are not memory came from."""
    task = context.estimate(solution.task_text(prepared) + prepared.preview)
    given = (ContextPart(tier="task", reference=prepared.task.id, tokens=task),)
    if parent is None:
        return given
    shown = _shown(parent)
    tokens = context.estimate(shown.plan + shown.code + shown.output + shown.analysis)
    return (*given, ContextPart(tier="parent", reference=parent.node, tokens=tokens))


def _shown(parent: Trace) -> solution.Parent:
    said = parent.head if parent.head.endswith(parent.tail) else f"{parent.head}\n{parent.tail}"
    half = _OUTPUT // 2
    output = said if len(said) <= _OUTPUT else f"{said[:half]}\n...\n{said[-half:]}"
    if parent.why and parent.why not in output:
        output = f"{output}\n{parent.why}".strip()
    return solution.Parent(
        plan=parent.plan,
        code=parent.code,
        output=output,
        analysis=parent.analysis,
        metric=parent.metric,
    )


role = Role(name=NAME, start=State(), evolve=evolve, decide=decide, perform=perform)
