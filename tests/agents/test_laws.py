"""What holds for every event and every role, whatever is added later."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.role import Role, discover, fold
from schemas import envelope, events
from schemas.envelope import Recorded, Vocabulary, wrap
from schemas.events import (
    ClosingStepDone,
    Event,
    GuidanceGiven,
    JobQueued,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SearchTimeUp,
    SolutionWritten,
    TimeUp,
    WisdomWithdrawn,
)
from tests.strategies import SOMETIME, any_event, logs

ROLES = list(discover())
SAID_BY_PEOPLE = {
    RunStarted,
    WisdomWithdrawn,
    GuidanceGiven,
    RunPaused,
    RunResumed,
    RunStopped,
}
SAID_BY_THE_CLOCK = {SearchTimeUp, TimeUp}
SAID_BY_EVERY_ACTOR = {events.ActorStarted, events.ActorStopped, events.WorkAbandoned}
SHARED = {
    ModelAsked: {"coder", "curator", "planner"},
    ModelAnswered: {"coder", "curator", "planner"},
    NodeProposed: {"planner", "fuser", "repeater"},
    SolutionWritten: {"coder", "fuser", "repeater"},
    JobQueued: {"coder", "fuser", "repeater"},
    ClosingStepDone: {"fuser", "repeater"},
}
"""What several roles say, each under keys of its own."""

each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


@given(any_event(), SOMETIME, st.integers(0, 2**53))
def test_every_event_survives_the_wire(event: Event, time: Any, seq: int) -> None:
    sent = wrap(event, run="run", source="flowstone://here/me", time=time, cause=None)
    received = envelope.decode(envelope.encode(sent))
    read = Vocabulary().read(received, seq)
    assert read.data == event
    assert (read.type, read.key, read.time, read.seq) == (
        type(event).__name__,
        event.key,
        time,
        seq,
    )


@each_role
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_role_emits_only_what_it_declares(role: Role[Any], data: st.DataObject) -> None:
    for _, decided in _decisions(role, data.draw(logs(kinds=_kinds(role)))):
        assert {type(event) for event in decided} <= role.emits


@each_role
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_deciding_twice_gives_the_same(role: Role[Any], data: st.DataObject) -> None:
    log = data.draw(logs(kinds=_kinds(role)))
    assert _decisions(role, log) == _decisions(role, log)


@each_role
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_folding_is_deterministic_and_spares_earlier_states(
    role: Role[Any], data: st.DataObject
) -> None:
    log = data.draw(logs(kinds=role.follows or None))
    cut = data.draw(st.integers(0, len(log)))
    before = fold(role, log[:cut])
    whole = fold(role, log)
    assert fold(role, log) == whole
    assert fold(role, log[:cut]) == before


@pytest.mark.parametrize("event_type", events.ALL, ids=lambda each: each.__name__)
def test_every_event_type_has_one_owner(event_type: type[Event]) -> None:
    owners = [role.name for role in ROLES if event_type in role.emits]
    if event_type in SAID_BY_PEOPLE | SAID_BY_THE_CLOCK | SAID_BY_EVERY_ACTOR:
        assert owners == []
    elif event_type in SHARED:
        assert set(owners) == SHARED[event_type]
    else:
        assert len(owners) == 1, f"{event_type.__name__} belongs to {owners}"


def test_role_names_differ() -> None:
    assert set(Counter(role.name for role in ROLES).values()) == {1}


def test_whoever_asks_a_model_takes_the_answers_of_its_own_name() -> None:
    for role in ROLES:
        assert (ModelAsked in role.emits) == (ModelAnswered in role.consumes)


def _kinds(role: Role[Any]) -> frozenset[type[Event]] | None:
    return (role.follows | role.consumes) or None


def _decisions(
    role: Role[Any], log: list[Recorded[Any]]
) -> list[tuple[Recorded[Any], list[Event]]]:
    if role.decide is None:
        return []
    made = []
    state = role.start
    for event in log:
        if type(event.data) in role.follows:
            state = role.evolve(state, event)
        if type(event.data) in role.consumes:
            made.append((event, list(role.decide(state, event))))
    return made
