"""The memory part of every prompt of a past run, rebuilt under another policy. Pure.

One fold over the run serves all its prompts: each is rebuilt when the fold stands where the coder
stood when it asked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import coder, mechanical
from schemas.envelope import Fact, Recorded
from schemas.events import (
    ContextPart,
    Event,
    KnowledgeRefined,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    RecalledWisdom,
)
from schemas.settings import CacheTier, Memory, Settings
from store.projections import knowledge

TIERS: tuple[CacheTier, ...] = ("experience", "knowledge", "wisdom")
FOLLOWED: frozenset[type[Event]] = coder.role.follows | {PhaseClosed}
"""The events that prompts are rebuilt from."""

Parts = tuple[ContextPart, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """The other policy; `wisdom` is what it would have recalled, None where that is the same.

    `mechanical`: the run has no lessons, so where phases are refined it is without a model.
    """

    settings: Settings
    wisdom: tuple[RecalledWisdom, ...] | None = None
    mechanical: bool = False


class Asked(Struct, frozen=True, kw_only=True):
    """A question of the coder: for which node, how far it had read, what it was shown.

    Without a question (an imported run) it stands for the proposal, and `parts` are unknown.
    """

    call: str
    node: str
    seen: int
    parts: Parts | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One prompt: tokens by tier as it was and as it would have been.

    `same`: this program, asked again, shows what is recorded.
    """

    call: str
    node: str
    action: str
    then: dict[str, int]
    now: dict[str, int]
    same: bool = True


class Compared(Struct, frozen=True, kw_only=True):
    """Every prompt of a run as it was under `then`, and as it would have been under `now`."""

    run: str
    then: Memory
    now: Memory
    calls: list[Call]


class Questions:
    """The coder's questions in a run, or one for each proposal where there are none."""

    def __init__(self) -> None:
        self._asked, self._proposed = list[Asked](), list[Asked]()

    def take(self, event: Recorded[Any]) -> None:
        """Look at the next event."""
        fact = event.data
        if isinstance(fact, ModelAsked) and fact.role == coder.NAME:
            parts = tuple(each for each in fact.context if each.tier in TIERS)
            seen = event.seen or event.seq - 1
            asked = Asked(call=fact.call, node=fact.subject, seen=seen, parts=parts)
            self._asked.append(asked)
        elif isinstance(fact, NodeProposed):
            self._proposed.append(Asked(call=fact.node, node=fact.node, seen=event.seq))

    @property
    def found(self) -> list[Asked]:
        """All of them, in the order in which a fold passes by."""
        return sorted(self._asked or self._proposed, key=lambda each: each.seen)


class Rebuilding:
    """The fold: rebuilds each of *asked* when it stands where the coder stood."""

    def __init__(self, asked: Sequence[Asked], other: Policy) -> None:
        self._waiting, self._other = [*reversed(asked)], other
        self._state, self._lessons = coder.role.start, knowledge.START

    def take(self, event: Recorded[Any]) -> Iterator[Call]:
        """Fold the next of the events in FOLLOWED, after what was asked before it."""
        while self._waiting and self._waiting[-1].seen < event.seq:
            yield from self._call(self._waiting.pop())
        if isinstance(event.data, PhaseClosed):
            self._refine(event, event.data)
        else:
            self._state = coder.evolve(self._state, event)

    def finish(self) -> Iterator[Call]:
        """Yield what was asked after the last event."""
        while self._waiting:
            yield from self._call(self._waiting.pop())

    def _call(self, asked: Asked) -> Iterator[Call]:
        state = self._state
        trace, prepared = state.memory.experience.trace(asked.node), state.prepared
        if trace is None or prepared is None:
            return
        if asked.parts is None:
            state = self._under(state, Policy(settings=state.settings))
        other = self._under(self._state, self._other)
        again = coder.remembered(state, trace, prepared).parts
        now = again if _same(other, state) else coder.remembered(other, trace, prepared).parts
        yield Call(
            call=asked.call,
            node=asked.node,
            action=trace.action,
            then=_by_tier(again if asked.parts is None else asked.parts),
            now=_by_tier(now),
            same=asked.parts is None or asked.parts == again,
        )

    def _under(self, state: coder.State, policy: Policy) -> coder.State:
        """Return *state* with what there would be to remember under *policy*."""
        memory = state.memory
        if policy.wisdom is not None:
            memory = replace(memory, wisdom=policy.wisdom)
        if not policy.settings.memory.refines:  # no lesson would have taken the place of traces
            memory = replace(memory, knowledge=knowledge.START)
        elif self._other.mechanical:
            memory = replace(memory, knowledge=self._lessons)
        return replace(state, settings=policy.settings, memory=memory)

    def _refine(self, event: Recorded[Any], closed: PhaseClosed) -> None:
        """Keep what the curator would without a model; like it, not of what the end cut off."""
        prepared, tried = self._state.prepared, self._state.memory.experience
        if not self._other.mechanical or prepared is None or closed.why == "budget":
            return
        traces = [trace for name in closed.nodes if (trace := tried.trace(name))]
        summary = mechanical.summary(traces, tried, prepared.task)
        lesson = KnowledgeRefined(phase=closed.phase, summary=summary, nodes=closed.nodes)
        fact = Fact(run=event.run, seq=event.seq, time=event.time, data=lesson)
        self._lessons = knowledge.apply(self._lessons, fact)


def _same(one: coder.State, other: coder.State) -> bool:
    """Return whether two states of one moment show the same, without looking at every trace."""
    here, there = one.memory, other.memory
    remembered = here.knowledge is there.knowledge and here.wisdom is there.wisdom
    return remembered and one.settings == other.settings


def _by_tier(parts: Parts) -> dict[str, int]:
    return {tier: sum(each.tokens for each in parts if each.tier == tier) for tier in TIERS}
