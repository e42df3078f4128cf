"""Knowledge (L2): one refined unit for each closed phase of a run. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas.envelope import Fact
from schemas.events import KnowledgeRefined, WisdomWithdrawn
from store.projections.projection import Projection


class Unit(Struct, frozen=True, kw_only=True):
    """What one phase taught, and the nodes it rests on."""

    phase: int
    summary: str
    nodes: tuple[str, ...]
    mechanical: bool = False


class Withdrawn(Struct, frozen=True, kw_only=True):
    """What is left of a run's units once a person withdrew them."""

    withdrawn: str


class State(Struct, frozen=True, kw_only=True):
    """The units by phase; none any more when all that the run taught is withdrawn."""

    units: Mapping[int, Unit] = {}
    withdrawn: Withdrawn | None = None


START = State()


def apply(state: State, event: Fact[KnowledgeRefined | WisdomWithdrawn]) -> State:
    """Return the knowledge after *event*."""
    fact = event.data
    if isinstance(fact, WisdomWithdrawn):
        return State(withdrawn=Withdrawn(withdrawn=fact.why)) if fact.knowledge else state
    if state.withdrawn:
        return state
    unit = Unit(
        phase=fact.phase, summary=fact.summary, nodes=fact.nodes, mechanical=fact.mechanical
    )
    return replace(state, units={**state.units, fact.phase: unit})


def newest_first(state: State) -> list[Unit]:
    """Return the units from the latest phase to the first."""
    return sorted(state.units.values(), key=lambda unit: -unit.phase)


def rows(state: State) -> Mapping[str, Struct]:
    """Return every unit by its phase, or that they are withdrawn."""
    if state.withdrawn:
        return {"withdrawn": state.withdrawn}
    return {str(unit.phase): unit for unit in newest_first(state)}


projection: Projection[Any] = Projection("knowledge", START, apply, rows)
