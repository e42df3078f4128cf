"""Curator: recalls wisdom for a new run, refines phases into knowledge and runs into wisdom."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import context
from agents.context import Memory
from agents.descriptor import descriptor
from agents.embedding import embed
from agents.prompts import lessons
from agents.prompts.reply import without_thoughts
from agents.recall import hash_of_tests, recalled
from agents.role import Role
from agents.tools import Tools
from schemas.envelope import Recorded
from schemas.events import (
    KnowledgeRefined,
    ModelAnswered,
    ModelAsked,
    PhaseClosed,
    RunFinished,
    RunStarted,
    TaskPrepared,
    WisdomDistilled,
    WisdomRecalled,
)
from schemas.settings import Settings
from store.projections import experience, knowledge
from store.projections.experience import Trace

NAME = "curator"
WHOLE_RUN = "run"
TRAJECTORY_TOKENS = 8192
"""The most that a summary is made from."""

Followed = (
    experience.Followed | KnowledgeRefined | RunStarted | TaskPrepared | PhaseClosed | RunFinished
)
Emitted = ModelAsked | KnowledgeRefined | WisdomDistilled


class State(Struct, frozen=True, kw_only=True):
    """What the run has tried and learned; `closed` are the nodes of each closed phase."""

    settings: Settings = Settings()
    prepared: TaskPrepared | None = None
    memory: Memory = Memory()
    closed: tuple[tuple[int, tuple[str, ...]], ...] = ()
    best: str | None = None


def evolve(state: State, event: Recorded[Followed]) -> State:
    """Fold *event* into *state*."""
    anything: Recorded[Any] = event
    match event.data:
        case RunStarted(settings=settings):
            return replace(state, settings=settings)
        case TaskPrepared() as prepared:
            return replace(state, prepared=prepared)
        case PhaseClosed(phase=phase, nodes=nodes):
            return replace(state, closed=(*state.closed, (phase, nodes)))
        case RunFinished(best=best):
            return replace(state, best=best)
        case KnowledgeRefined():
            known = knowledge.apply(state.memory.knowledge, anything)
            return replace(state, memory=replace(state.memory, knowledge=known))
        case _:
            tried = experience.apply(state.memory.experience, anything)
            return replace(state, memory=replace(state.memory, experience=tried))


def decide(
    state: State, event: Recorded[PhaseClosed | RunFinished | ModelAnswered]
) -> list[Emitted]:
    """Ask what a closed phase or the whole run taught; keep the answer, or a plain summary."""
    prepared = state.prepared
    if prepared is None:
        return []
    match event.data:
        case PhaseClosed() as closed:
            # What a phase taught that the end of the run cut off goes into the run's wisdom.
            wanted = closed.why != "budget" and state.settings.memory.refines
            return [_ask_knowledge(state, prepared, closed)] if wanted and closed.nodes else []
        case RunFinished(best=best):
            judged = len(state.memory.experience.traces) > 0
            return [_ask_wisdom(state, prepared, best)] if judged else []
        case ModelAnswered(role=role) if role != NAME:
            return []
        case ModelAnswered(purpose="knowledge") as answered:
            return _knowledge(state, prepared, answered)
        case ModelAnswered(purpose="wisdom") as answered:
            return [_wisdom(state, prepared, answered)]
        case _:
            return []


async def perform(
    request: Recorded[TaskPrepared | ModelAsked], tools: Tools[Any]
) -> WisdomRecalled | ModelAnswered:
    """Look up what similar tasks taught, or ask the model."""
    fact = request.data
    if isinstance(fact, ModelAsked):
        return await tools.model.complete(fact)
    settings = await tools.library.settings(request.run)
    entries = await tools.library.wisdom() if "wisdom" in settings.memory.tiers else ()
    return recalled(fact, request.run, entries, settings.memory)


def _ask_knowledge(state: State, prepared: TaskPrepared, closed: PhaseClosed) -> ModelAsked:
    told, _ = context.trajectories(_traces(state, closed.nodes), TRAJECTORY_TOKENS)
    known = context.build(
        Memory(knowledge=state.memory.knowledge),
        action="improve",
        parent=None,
        settings=state.settings.memory,
    )
    return ModelAsked(
        role=NAME,
        call=f"knowledge-{closed.phase}",
        purpose="knowledge",
        subject=str(closed.phase),
        messages=lessons.knowledge(prepared=prepared, memory=known.memory, trajectories=told),
        context=known.parts,
        options=state.settings.model,
    )


def _ask_wisdom(state: State, prepared: TaskPrepared, best: str | None) -> ModelAsked:
    traces = _best_first(state, prepared)
    told, _ = context.trajectories(traces, TRAJECTORY_TOKENS)
    # What was handed over may be made of others: then the best of those is what can be taught.
    winner = (state.memory.experience.trace(best) or traces[0]) if best else None
    return ModelAsked(
        role=NAME,
        call="wisdom",
        purpose="wisdom",
        subject=WHOLE_RUN,
        messages=lessons.wisdom(
            prepared=prepared,
            trajectories=told,
            best_code=winner.code if winner else "",
            best_metric=winner.metric if winner else None,
        ),
        options=state.settings.model,
    )


def _knowledge(state: State, prepared: TaskPrepared, answered: ModelAnswered) -> list[Emitted]:
    nodes = next((nodes for phase, nodes in state.closed if str(phase) == answered.subject), None)
    if nodes is None:
        return []
    summary = _said(answered) or _plain_summary(_traces(state, nodes), prepared)
    return [KnowledgeRefined(phase=int(answered.subject), summary=summary, nodes=nodes)]


def _wisdom(state: State, prepared: TaskPrepared, answered: ModelAnswered) -> WisdomDistilled:
    traces = _best_first(state, prepared)
    _, nodes = context.trajectories(traces, TRAJECTORY_TOKENS)
    data, model = lessons.summaries(_said(answered))
    if not model:
        model = _plain_summary(traces, prepared)
    paragraph = descriptor(prepared)
    return WisdomDistilled(
        task=prepared.task.id,
        descriptor=paragraph,
        embedding=embed(paragraph),
        data_summary=data or paragraph,
        model_summary=model,
        rests_on=nodes,
        test_hash=hash_of_tests(prepared),
    )


def _said(answered: ModelAnswered) -> str:
    """Return what the model said after its reasoning; nothing when it failed."""
    if answered.outcome == "failed":
        return ""
    return (without_thoughts(answered.reply) or "").strip()


def _traces(state: State, nodes: Iterable[str]) -> list[Trace]:
    found = (state.memory.experience.trace(name) for name in nodes)
    return [trace for trace in found if trace is not None]


def _best_first(state: State, prepared: TaskPrepared) -> list[Trace]:
    """Return the judged traces, the best score first and the failures last."""
    sign = 1.0 if prepared.task.lower_is_better else -1.0

    def rank(trace: Trace) -> tuple[bool, float, str]:
        sound = not trace.defective and trace.metric is not None
        return not sound, sign * (trace.metric or 0.0), trace.node

    return sorted(state.memory.experience.traces.values(), key=rank)


def _plain_summary(traces: Sequence[Trace], prepared: TaskPrepared) -> str:
    """Return scores and errors as they are: what is kept when no model answers."""
    sound = [each for each in traces if not each.defective]
    lines = [f"{prepared.task.metric} of {len(sound)} of {len(traces)} solutions that worked:"]
    lines += [f"- {each.node}: {each.metric:g}: {_first_line(each.plan)}" for each in sound]
    broken = [each for each in traces if each.defective]
    if broken:
        lines.append("What failed:")
        lines += [f"- {each.node}: {_first_line(each.why or each.analysis)}" for each in broken]
    return "\n".join(lines)


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:200]


role = Role(
    name=NAME,
    replicas="one",
    outlives=True,
    start=State(),
    evolve=evolve,
    decide=decide,
    perform=perform,
)
