"""Deciding again: what was recorded comes out the same, and what was tampered with does not."""

from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from msgspec import Struct
from msgspec.structs import replace

from agents.role import Role
from agents.testing import recorded
from ops.past.decisions import differences
from schemas.envelope import Recorded
from schemas.events import CodingFailed, Event, GuidanceGiven, PhasePlanned, SolutionGraded
from schemas.events import WorkAbandoned as Abandoned

Events = list[Recorded[Event]]


class Counted(Struct, frozen=True):
    """How many verdicts there were."""

    verdicts: int = 0


def _evolve(state: Counted, event: Recorded[SolutionGraded]) -> Counted:
    del event
    return Counted(state.verdicts + 1)


def _decide(state: Counted, event: Recorded[SolutionGraded]) -> list[PhasePlanned | CodingFailed]:
    """Plan a phase for every verdict, numbered by how many there are; none for a broken node."""
    if event.data.buggy:
        raise ValueError("cannot be decided")
    if not event.data.valid:
        return []
    return [PhasePlanned(phase=state.verdicts)]


COUNTER = Role(name="counter", start=Counted(), evolve=_evolve, decide=_decide)
ALONE = Role(name="counter", replicas="one", start=Counted(), evolve=_evolve, decide=_decide)


def _graded(node: str, *, valid: bool = True, buggy: bool = False) -> SolutionGraded:
    return SolutionGraded(
        node=node, metric=None, obtained=None, valid=valid, buggy=buggy, analysis=""
    )


def _answer(event: Event, cause: Recorded[Event], *, seq: int, seen: int = 0) -> Recorded[Event]:
    return replace(recorded(event, seq=seq, cause=cause.id), seen=seen or cause.seq)


def _found(events: Events, role: Role[Counted] = COUNTER) -> list[str]:
    return [each.why for each in differences([role], lambda: events)]


@pytest.fixture
def log() -> Events:
    """Three verdicts: one not answered, one answered, one that needs no answer."""
    first, second = recorded(_graded("n1"), seq=1), recorded(_graded("n2"), seq=2)
    return [
        first,
        second,
        _answer(PhasePlanned(phase=2), second, seq=3),
        recorded(_graded("n3", valid=False), seq=4),
    ]


def test_what_was_decided_is_decided_again(log: Events) -> None:
    first = log[0]
    assert _found([first, _answer(PhasePlanned(phase=1), first, seq=2)]) == []
    # By a role that had read further than its cause.
    late = _answer(PhasePlanned(phase=2), log[0], seq=3, seen=2)
    assert _found([*log[:2], late]) == []


def _other_data(log: Events) -> Events:
    directions: dict[str, tuple[str, ...]] = {"a": ("b",)}
    return [*log[:2], replace(log[2], data=PhasePlanned(phase=2, directions=directions))]


def _other_key(log: Events) -> Events:
    return [*log[:2], replace(log[2], data=PhasePlanned(phase=7), key="7")]


def _other_id(log: Events) -> Events:
    return [*log[:2], replace(log[2], id=UUID(int=1))]


def _other_state(log: Events) -> Events:
    return [log[1], replace(log[2], seen=2)]


def _other_cause(log: Events) -> Events:
    return [*log[:2], replace(log[2], cause=UUID(int=1))]


def _before_its_cause(log: Events) -> Events:
    return [*log[:2], replace(log[2], seen=1)]


@pytest.mark.parametrize(
    ("tamper", "why"),
    [
        (_other_data, "directions.a is recorded as ('b',), decided again as None"),
        (_other_key, "is recorded, but nothing was decided again"),
        (_other_id, "its id does not derive from its cause"),
        (_other_state, "is recorded, but nothing was decided again"),
        (_other_cause, "nothing that this role wakes for led to it"),
        (_before_its_cause, "nothing that this role wakes for led to it"),
    ],
)
def test_a_tampered_decision_is_found(
    log: Events, tamper: Callable[[Events], Events], why: str
) -> None:
    found = [*differences([COUNTER], lambda: tamper(log))]
    assert [each.why for each in found] == [why]
    assert str(found[0]).startswith(f"counter: PhasePlanned {found[0].key} (event 3): ")


def test_a_decision_that_is_gone_is_found_when_the_record_goes_on(log: Events) -> None:
    assert _found(log, ALONE) == ["PhasePlanned 1 is decided on it, but not recorded"]
    # The last claims of a killed system are not settled; a role with copies has many open.
    assert _found(log[:2], ALONE) == []
    assert _found(log) == []


def test_what_somebody_said_before_is_not_missed(log: Events) -> None:
    same = [
        recorded(_graded("n1"), seq=1),
        recorded(_graded("n2", valid=False), seq=2),
        _answer(PhasePlanned(phase=1), log[0], seq=3),
        recorded(_graded("n4"), seq=4),
    ]
    assert _found([*same, _answer(PhasePlanned(phase=3), same[3], seq=5)], ALONE) == []


def test_what_a_role_cannot_decide_is_found_unless_it_gave_up() -> None:
    broken = recorded(_graded("n1", buggy=True), seq=1)
    assert _found([broken]) == ["deciding again fails: ValueError: cannot be decided"]
    given_up = Abandoned(role="counter", event="SolutionGraded", about="n1", why="")
    assert _found([broken, recorded(given_up, seq=2)]) == []


def test_what_no_known_role_decides_is_left_alone(log: Events) -> None:
    said: Sequence[Recorded[Event]] = [
        *log[:3],
        replace(recorded(GuidanceGiven(n=1, text=""), seq=4, cause=log[0].id), seen=3),
    ]
    assert _found([*said]) == []


def test_a_role_that_decides_alone_knows_what_it_said() -> None:
    """Between its claims such a role folds what it said itself, as the worker has it."""

    def evolve(state: Counted, event: Recorded[PhasePlanned]) -> Counted:
        return Counted(event.data.phase or state.verdicts)

    def decide(state: Counted, event: Recorded[SolutionGraded]) -> list[PhasePlanned]:
        del event
        return [PhasePlanned(phase=state.verdicts + 1)] if state.verdicts < 2 else []

    role = Role(name="phases", replicas="one", start=Counted(), evolve=evolve, decide=decide)
    verdicts = [recorded(_graded(f"n{n}"), seq=n) for n in range(1, 5)]
    said = [
        _answer(PhasePlanned(phase=1), verdicts[0], seq=5),
        _answer(PhasePlanned(phase=2), verdicts[1], seq=6, seen=5),
    ]
    last = recorded(_graded("n9"), seq=7)
    assert _found([*verdicts, *said, last], role) == []


def test_of_several_that_say_the_same_each_has_its_own_said_again() -> None:
    def decide(state: Counted, event: Recorded[SolutionGraded]) -> list[PhasePlanned]:
        del event
        return [PhasePlanned(phase=10 * state.verdicts)]

    tens = Role(name="counter-of-tens", start=Counted(), evolve=_evolve, decide=decide)
    verdict = recorded(_graded("n1"), seq=1)
    one = replace(
        _answer(PhasePlanned(phase=1), verdict, seq=2), source="flowstone://h/counter-h-1"
    )
    ten = _answer(PhasePlanned(phase=10), verdict, seq=3)
    ten = replace(ten, source="flowstone://h/counter-of-tens-h-2")

    assert list(differences([COUNTER, tens], lambda: [verdict, one, ten])) == []
    exchanged = [verdict, replace(one, source=ten.source), replace(ten, source=one.source)]
    assert {each.role for each in differences([COUNTER, tens], lambda: exchanged)} == {
        "counter",
        "counter-of-tens",
    }
