"""Who has worked in this installation, and who still does. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas.envelope import Fact
from schemas.events import ActorStarted, ActorStopped
from store.projections.projection import Projection


class Actor(Struct, frozen=True, kw_only=True):
    """One process of a role; `stopped` is None while it works."""

    actor: str
    role: str
    host: str = ""
    process: int = 0
    slots: int = 0
    version: str = ""
    started: datetime | None = None
    stopped: datetime | None = None
    why: str = ""


class State(Struct, frozen=True, kw_only=True):
    """The actors by name."""

    actors: Mapping[str, Actor] = {}


START = State()


def apply(state: State, event: Fact[ActorStarted | ActorStopped]) -> State:
    """Return the actors after *event*."""
    fact = event.data
    if isinstance(fact, ActorStarted):
        actor = Actor(
            actor=fact.actor,
            role=fact.role,
            host=fact.host,
            process=fact.process,
            slots=fact.slots,
            version=fact.version,
            started=event.time,
        )
    else:
        known = state.actors.get(fact.actor) or Actor(actor=fact.actor, role=fact.role)
        actor = replace(known, stopped=event.time, why=fact.why)
    return State(actors={**state.actors, actor.actor: actor})


def rows(state: State) -> Mapping[str, Struct]:
    """Return every actor by its name."""
    return state.actors


projection: Projection[Any] = Projection("actors", START, apply, rows, across_runs=True)
