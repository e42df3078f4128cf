"""Knowledge (L2): one refined unit for each closed phase of a run. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from schemas.envelope import Fact
from schemas.events import KnowledgeRefined
from store.projections.projection import Projection


class Unit(Struct, frozen=True, kw_only=True):
    """What one phase taught, and the nodes it rests on."""

    phase: int
    summary: str
    nodes: tuple[str, ...]


class State(Struct, frozen=True, kw_only=True):
    """The units by phase."""

    units: Mapping[int, Unit] = {}


START = State()


def apply(state: State, event: Fact[KnowledgeRefined]) -> State:
    """Return the knowledge after *event*."""
    fact = event.data
    unit = Unit(phase=fact.phase, summary=fact.summary, nodes=fact.nodes)
    return State(units={**state.units, fact.phase: unit})


def newest_first(state: State) -> list[Unit]:
    """Return the units from the latest phase to the first."""
    return sorted(state.units.values(), key=lambda unit: -unit.phase)


def rows(state: State) -> Mapping[str, Struct]:
    """Return every unit by its phase."""
    return {str(unit.phase): unit for unit in newest_first(state)}


projection: Projection[Any] = Projection("knowledge", START, apply, rows)
