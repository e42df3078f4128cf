"""The memory part of every prompt of a past run, rebuilt under another policy. Pure.

One fold over the run serves all its prompts: each is rebuilt when the fold stands where the coder
stood when it asked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents import coder
from schemas.envelope import Recorded
from schemas.events import ContextPart, ModelAsked, NodeProposed, RecalledWisdom
from schemas.settings import CacheTier, Memory, Settings
from store.projections import knowledge

TIERS: tuple[CacheTier, ...] = ("experience", "knowledge", "wisdom")
Parts = tuple[ContextPart, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """The other policy; `wisdom` is what it would have recalled, None where that is the same."""

    settings: Settings
    wisdom: tuple[RecalledWisdom, ...] | None = None


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
        self._state = coder.role.start

    def take(self, event: Recorded[Any]) -> Iterator[Call]:
        """Fold the next event that the coder follows, after what was asked before it."""
        while self._waiting and self._waiting[-1].seen < event.seq:
            yield from _call(self._waiting.pop(), self._state, self._other)
        self._state = coder.evolve(self._state, event)

    def finish(self) -> Iterator[Call]:
        """Yield what was asked after the last event."""
        while self._waiting:
            yield from _call(self._waiting.pop(), self._state, self._other)


def _call(asked: Asked, state: coder.State, other: Policy) -> Iterator[Call]:
    trace, prepared = state.memory.experience.trace(asked.node), state.prepared
    if trace is None or prepared is None:
        return
    under = _under(other, state)
    again = coder.remembered(state, trace, prepared).parts
    yield Call(
        call=asked.call,
        node=asked.node,
        action=trace.action,
        then=_by_tier(again if asked.parts is None else asked.parts),
        now=_by_tier(again if state is under else coder.remembered(under, trace, prepared).parts),
        same=asked.parts is None or asked.parts == again,
    )


def _under(other: Policy, state: coder.State) -> coder.State:
    if other.wisdom is None and other.settings == state.settings:
        return state
    memory = state.memory
    if other.wisdom is not None:
        memory = replace(memory, wisdom=other.wisdom)
    if not other.settings.memory.refines:  # no lesson would have taken the place of traces
        memory = replace(memory, knowledge=knowledge.START)
    return replace(state, settings=other.settings, memory=memory)


def _by_tier(parts: Parts) -> dict[str, int]:
    return {tier: sum(each.tokens for each in parts if each.tier == tier) for tier in TIERS}
