"""Wisdom (L3): what whole runs taught, kept across runs. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from schemas.envelope import Fact
from schemas.events import WisdomDistilled, WisdomWithdrawn
from store.projections.projection import Projection


class Entry(Struct, frozen=True, kw_only=True):
    """What one run taught, found again by the embedding of its task's descriptor."""

    run: str
    task: str
    descriptor: str
    embedding: tuple[float, ...]
    data_summary: str
    model_summary: str
    rests_on: tuple[str, ...]
    time: datetime
    test_hash: str = ""
    origin: str = ""
    mechanical: bool = False
    attempt: int = 1


class Withdrawn(Struct, frozen=True, kw_only=True):
    """What is left of a run's entry once a person withdrew it, also before it was made.

    With `knowledge` all that the run taught is withdrawn.
    """

    run: str
    withdrawn: str
    knowledge: bool
    time: datetime


class State(Struct, frozen=True, kw_only=True):
    """The entries by run, and the runs whose entry is withdrawn."""

    entries: Mapping[str, Entry] = {}
    withdrawn: Mapping[str, Withdrawn] = {}


START = State()


def apply(state: State, event: Fact[WisdomDistilled | WisdomWithdrawn]) -> State:
    """Return the wisdom after *event*."""
    fact = event.data
    if isinstance(fact, WisdomWithdrawn):
        entries = {run: entry for run, entry in state.entries.items() if run != event.run}
        before = state.withdrawn.get(event.run)
        withdrawn = Withdrawn(
            run=event.run,
            withdrawn=fact.why,
            knowledge=fact.knowledge or (before is not None and before.knowledge),
            time=event.time,
        )
        return State(entries=entries, withdrawn={**state.withdrawn, event.run: withdrawn})
    if event.run in state.withdrawn:
        return state
    entry = Entry(
        run=event.run,
        task=fact.task,
        descriptor=fact.descriptor,
        embedding=fact.embedding,
        data_summary=fact.data_summary,
        model_summary=fact.model_summary,
        rests_on=fact.rests_on,
        time=event.time,
        test_hash=fact.test_hash,
        origin=fact.origin,
        mechanical=fact.mechanical,
        attempt=fact.attempt,
    )
    return replace(state, entries={**state.entries, event.run: entry})


def rows(state: State) -> Mapping[str, Struct]:
    """Return every entry by the run that it came from, and of the withdrawn ones that they are."""
    return {**state.entries, **state.withdrawn}


projection: Projection[Any] = Projection("wisdom", START, apply, rows, across_runs=True)
