"""Any event, as Hypothesis draws it: finite floats, 64-bit integers, keys that fit a subject."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from agents.testing import recorded
from schemas import events
from schemas.envelope import Recorded
from schemas.events import Event
from schemas.settings import (
    Actors,
    Budget,
    Bus,
    Closing,
    Executor,
    Grader,
    Memory,
    Model,
    Search,
    Select,
    Settings,
)
from schemas.task import Task

STEPS = st.sampled_from(["fuser", "repeater", "polisher"])
NODES = st.integers(1, 8).map(lambda n: f"n{n}")
WORDS = st.from_regex(r"[a-z0-9-]{1,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)

_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "node": NODES,
    "parent": st.none() | NODES,
    "best": st.none() | NODES,
    "nodes": st.lists(NODES, max_size=4).map(tuple),
    "phase": st.integers(1, 3),
    "step": st.just("") | STEPS,
    "steps": st.lists(STEPS, max_size=2).map(tuple),
    "attempt": st.integers(1, 3),
    "n": st.integers(1, 5),
    "minutes": st.floats(0, 600),
    "seconds": st.floats(0, 3600),
    "call": st.builds("{}-{}".format, NODES, st.integers(1, 3)),
    "subject": NODES | st.integers(1, 3).map(str),
    "about": NODES | st.just("once") | NODES.map("cpu.{}".format),
    "actor": WORDS,
    "role": st.sampled_from(["planner", "coder", "executor", "grader", "curator"]),
    "job_class": st.sampled_from(["cpu", "gpu"]),
    "event": st.sampled_from([each.__name__ for each in events.ALL]),
    "embedding": st.lists(st.floats(-1, 1), max_size=3).map(tuple),
}


def _whole(event_type: type[Event]) -> st.SearchStrategy[Event]:
    """Return a strategy for one event type; fields that share a name share their values."""
    chosen: dict[str, Any] = {}
    for field in msgspec.structs.fields(event_type):
        if field.name == "parent" and event_type is events.RunStarted:
            continue
        if field.name == "nodes" and event_type is events.RunFinished:
            continue
        if field.name in _BY_NAME:
            chosen[field.name] = _BY_NAME[field.name]
    return st.builds(event_type, **chosen)


_FEW = st.integers(0, 3)
BUDGETS = st.builds(Budget, minutes=st.floats(0, 600), nodes=st.integers(0, 12))
SETTINGS = st.builds(
    Settings,
    budget=BUDGETS,
    model=st.builds(Model),
    search=st.builds(
        Search,
        policy=st.sampled_from(["uct", "no-such-policy"]),
        drafts=_FEW,
        debugs=_FEW,
        improves=_FEW,
        max_improve_failures=_FEW,
        return_debug_depth=_FEW,
        max_debug_depth=_FEW,
        lookahead=_FEW,
        max_lookahead=_FEW,
        phase_nodes=st.integers(1, 4),
    ),
    closing=st.builds(Closing, steps=st.lists(STEPS, max_size=2).map(tuple)),
    select=st.builds(
        Select,
        final=st.sampled_from(["best", "robust"]),
        candidates=_FEW,
        repeats=_FEW,
        spread_weight=st.floats(0, 2),
    ),
    memory=st.builds(Memory, budget_tokens=st.integers(0, 500)),
    executor=st.builds(Executor, slots=_FEW),
    grader=st.builds(Grader),
    actors=st.builds(Actors, executor=_FEW),
    bus=st.builds(Bus),
)
_BY_NAME |= {"settings": SETTINGS, "budget": BUDGETS, "options": st.builds(Model)}

st.register_type_strategy(str, TEXTS)
st.register_type_strategy(Task, st.builds(Task, id=WORDS))

KINDS = {each: _whole(each) for each in events.ALL}


def any_event() -> st.SearchStrategy[Event]:
    """Return a strategy for events of all types."""
    return st.one_of(*KINDS.values())


@st.composite
def logs(draw: st.DrawFn, *, kinds: frozenset[type[Event]] | None = None) -> list[Recorded[Any]]:
    """Return some recorded events of one run in order, whether or not they make sense together."""
    strategies = [KINDS[each] for each in KINDS if kinds is None or each in kinds]
    said = draw(st.lists(st.one_of(*strategies), max_size=25))
    return [recorded(event, seq=n, seconds=float(n)) for n, event in enumerate(said, 1)]


SOMETIME = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis wants naive bounds
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.just(UTC),
).map(lambda time: time - timedelta(microseconds=time.microsecond))
