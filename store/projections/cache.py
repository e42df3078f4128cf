"""Where each event of a run is remembered: the tiers of ML-Master 2.0 (arXiv 2601.10402, 3.1). Pure.

Positions k count a run's events from 0. t_0, t_1, ... are the positions of its plans; phase r lies
between t_{r-1} and t_r. What a phase taught, kappa_r, is its unit of knowledge.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from schemas.envelope import Fact
from schemas.events import KnowledgeRefined, PhasePlanned


class State(Struct, frozen=True, kw_only=True):
    """The positions of the plans, the phases whose lesson is known, and how many events there are."""

    plans: tuple[int, ...] = ()
    numbers: Mapping[int, int] = {}
    refined: frozenset[int] = frozenset()
    length: int = 0

    @property
    def experience(self) -> frozenset[int]:
        """L1: the positions that are remembered as they were."""
        return frozenset(k for k in range(self.length) if hit(self, k) == k)

    @property
    def knowledge(self) -> frozenset[int]:
        """L2: the phases, counted from 1, that are remembered by what they taught."""
        return frozenset(r for r in self.refined if r < len(self.plans))


class Unit(Struct, frozen=True):
    """What phase `phase` taught, in place of its events."""

    phase: int


START = State()


def apply(state: State, event: Fact[Any]) -> State:
    """Return the tiers once one event more has happened."""
    plans, numbers, refined = state.plans, state.numbers, state.refined
    match event.data:
        case PhasePlanned(phase=phase) if phase not in numbers:
            plans, numbers = (*plans, state.length), {**numbers, phase: len(plans) + 1}
        case KnowledgeRefined(phase=phase) if phase in numbers:
            refined |= {numbers[phase]}
    return State(plans=plans, numbers=numbers, refined=refined, length=state.length + 1)


def hit(state: State, k: int) -> int | Unit | None:
    """Return how the event at *k* is remembered: itself, its phase's unit, or not at all.

    The unit stands where its phase began; nothing is forgotten before its lesson is written.
    """
    phase = bisect_right(state.plans, k)
    if phase in {0, len(state.plans)} or state.plans[phase - 1] == k:
        return k
    if phase not in state.refined:
        return k
    return Unit(phase) if k == state.plans[phase - 1] + 1 else None


def context(state: State) -> tuple[int | Unit, ...]:
    """Return what a prompt at this moment is made of, in order: C = concat of every hit."""
    return tuple(found for k in range(state.length) if (found := hit(state, k)) is not None)
