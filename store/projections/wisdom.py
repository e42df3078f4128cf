"""Wisdom (L3): what whole runs taught, kept across runs. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from schemas.envelope import Fact
from schemas.events import WisdomDistilled
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
    test_hash: str = ""


class State(Struct, frozen=True, kw_only=True):
    """The entries by run."""

    entries: Mapping[str, Entry] = {}


START = State()


def apply(state: State, event: Fact[WisdomDistilled]) -> State:
    """Return the wisdom after *event*."""
    fact = event.data
    entry = Entry(
        run=event.run,
        task=fact.task,
        descriptor=fact.descriptor,
        embedding=fact.embedding,
        data_summary=fact.data_summary,
        model_summary=fact.model_summary,
        rests_on=fact.rests_on,
        test_hash=fact.test_hash,
    )
    return State(entries={**state.entries, event.run: entry})


def rows(state: State) -> Mapping[str, Struct]:
    """Return every entry by the run that it came from."""
    return state.entries


projection: Projection[Any] = Projection("wisdom", START, apply, rows, across_runs=True)
