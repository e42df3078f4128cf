"""Curator: recalls wisdom for a new run, refines phases into knowledge and runs into wisdom."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import context, mechanical
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
    SolutionGraded,
    TaskPrepared,
    WisdomDistilled,
    WisdomRecalled,
    WorkAbandoned,
)
from schemas.settings import Settings
from store.projections import experience, knowledge
from store.projections.experience import Trace

NAME = "curator"
WHOLE_RUN = "run"
WISDOM = "wisdom"
"""The call that asks what a run taught; `wisdom-2` is the second attempt."""

TRAJECTORY_TOKENS = 8192
"""The most that a summary is made from."""

Followed = (
    experience.Followed | KnowledgeRefined | RunStarted | TaskPrepared | PhaseClosed | RunFinished
)
Emitted = ModelAsked | KnowledgeRefined | WisdomDistilled


class State(Struct, frozen=True, kw_only=True):
    """What the run has tried and learned; `closed` are the nodes of each closed phase.

    `graded`: the grader has said something of a solution, so that there is something to learn.
    """

    settings: Settings = Settings()
    prepared: TaskPrepared | None = None
    memory: Memory = Memory()
    closed: tuple[tuple[int, tuple[str, ...]], ...] = ()
    best: str | None = None
    graded: bool = False


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
            graded = state.graded or isinstance(event.data, SolutionGraded)
            return replace(state, memory=replace(state.memory, experience=tried), graded=graded)


def decide(
    state: State, event: Recorded[PhaseClosed | RunFinished | ModelAnswered | WorkAbandoned]
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
        case RunFinished():
            question = asked(state)
            return [question] if question else []
        case ModelAnswered(role=role) if role != NAME:
            return []
        case ModelAnswered(purpose="knowledge") as answered:
            return _knowledge(state, prepared, answered)
        case ModelAnswered(purpose="wisdom") as answered:
            return _wisdom(state, _said(answered), attempt(answered.call))
        case WorkAbandoned(event=ModelAsked.__name__, about=about) if _of_wisdom(about):
            return _wisdom(state, "", attempt(about))
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


def asked(state: State) -> ModelAsked | None:
    """Return the question what a whole run taught; None where it is nothing."""
    prepared, best = state.prepared, state.best
    traces = _best_first(state, prepared) if prepared else []
    if prepared is None or not state.graded or not traces:
        return None
    told, _ = context.trajectories(traces, TRAJECTORY_TOKENS)
    # What was handed over may be made of others: then the best of those is what can be taught.
    winner = (state.memory.experience.trace(best) or next(iter(traces), None)) if best else None
    return ModelAsked(
        role=NAME,
        call=WISDOM,
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
    said = _said(answered)
    summary = said or mechanical.summary(
        _traces(state, nodes), state.memory.experience, prepared.task
    )
    phase = int(answered.subject)
    return [KnowledgeRefined(phase=phase, summary=summary, nodes=nodes, mechanical=not said)]


def _wisdom(state: State, said: str, number: int) -> list[Emitted]:
    """Return the entry that the model's words make; a mechanical one stands until they do better."""
    entry = distilled(state, said)
    if entry is None or (entry.mechanical and number > 1):
        return []
    return [replace(entry, attempt=number)]


def distilled(state: State, said: str = "") -> WisdomDistilled | None:
    """Return what a run taught in the words of a model, or without any; None where it is nothing."""
    prepared = state.prepared
    traces = _best_first(state, prepared) if prepared else []
    if prepared is None or not state.graded or not traces:
        return None
    _, nodes = context.trajectories(traces, TRAJECTORY_TOKENS)
    data, model = lessons.summaries(said)
    paragraph = descriptor(prepared)
    return WisdomDistilled(
        task=prepared.task.id,
        descriptor=paragraph,
        embedding=embed(paragraph),
        data_summary=data or paragraph,
        model_summary=model or mechanical.of_a_run(traces, state.memory.experience, prepared.task),
        rests_on=nodes,
        test_hash=hash_of_tests(prepared),
        mechanical=not model,
    )


def attempt(call: str) -> int:
    """Return which attempt at the wisdom of a run a call is: 2 for `wisdom-2`."""
    number = call.rpartition("-")[2]
    return int(number) if number.isdecimal() else 1


def _of_wisdom(about: str) -> bool:
    return about == f"{NAME}.{WISDOM}" or about.startswith(f"{NAME}.{WISDOM}-")


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


role = Role(
    name=NAME,
    replicas="one",
    outlives=True,
    start=State(),
    evolve=evolve,
    decide=decide,
    perform=perform,
)
