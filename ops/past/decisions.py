"""Decide again: every recorded decision made once more from the log alone, and compared. Pure.

An event says what led to it (`cause`) and up to where its role had read (`seen`), so the role can
be put into the state that it decided in. A first look at the record learns which states those are;
a second one folds, decides and compares as it goes, and keeps nothing that it does not need.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from msgspec import Struct

from agents.role import Role
from ops.past.difference import apart
from schemas.envelope import Recorded, id_of
from schemas.events import Event, WorkAbandoned

Name = tuple[str, str]
"""An event's type and key, which nothing else in its run has."""

_OPEN_CLAIMS = {"one": 1, "many": 64}
"""How many events a role may have claimed and not yet answered when a record breaks off."""


class Difference(Struct, frozen=True, kw_only=True):
    """A decision that does not come out as it is recorded; `seq` is the event's, or its cause's."""

    role: str
    seq: int
    type: str
    key: str
    why: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.role}: {self.type} {self.key} (event {self.seq}): {self.why}"


@dataclass
class Outline:
    """What is recorded in one run, without the events themselves: the first look."""

    roles: Sequence[Role[Any]]
    places: dict[Name, tuple[UUID | None, int]] = field(default_factory=dict)
    seens: dict[tuple[str, UUID], set[int]] = field(default_factory=dict)
    said: dict[tuple[str, UUID], int] = field(default_factory=dict)
    abandoned: set[tuple[str, str, str]] = field(default_factory=set)
    _deciders: dict[type[Event], list[Role[Any]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for role in self.roles:
            for kind in role.emits if role.decide else ():
                self._deciders.setdefault(kind, []).append(role)

    def decider(self, event: Recorded[Any]) -> Role[Any] | None:
        """Return the role that decided on *event*; None for what was performed, said or is unknown.

        Of several that say such events it is the one whose name its actor carries.
        """
        deciders = self._deciders.get(type(event.data), ()) if event.seen else ()
        roles = [role for role in deciders if _addressed(role, event)]
        if len(roles) > 1:
            actor = event.source.rpartition("/")[2]
            named = (role for role in roles if actor.startswith(f"{role.name}-"))
            return max(named, key=lambda role: len(role.name), default=roles[0])
        return roles[0] if roles else None

    def take(self, event: Recorded[Any]) -> None:
        """Look at the next event."""
        self.places[event.type, event.key] = event.cause, event.seen
        if isinstance(event.data, WorkAbandoned):
            fact = event.data
            self.abandoned.add((fact.role, fact.event, fact.about))
        role = self.decider(event)
        if role is not None and event.cause is not None:
            claim = role.name, event.cause
            self.seens.setdefault(claim, set()).add(event.seen)
            if role.replicas == "one" and type(event.data) in role.follows:
                self.said[claim] = event.seq


@dataclass
class Review:
    """The second look: decides again, event by event. `decided` counts what came out the same."""

    outline: Outline
    decided: dict[str, int] = field(default_factory=dict)
    _seats: list["_Seat"] = field(init=False)

    def __post_init__(self) -> None:
        self._seats = [_Seat(role, self.outline) for role in self.outline.roles if role.decide]

    def take(self, event: Recorded[Any]) -> Iterator[Difference]:
        """Yield what differs at the next event."""
        role = self.outline.decider(event)
        for seat in self._seats:
            if role is seat.role:
                found = seat.compare(event)
                if found is None:
                    self.decided[role.name] = self.decided.get(role.name, 0) + 1
                else:
                    yield found
            yield from seat.follow(event)

    def finish(self) -> Iterator[Difference]:
        """Yield what was to be decided and is not recorded, though the record goes on."""
        for seat in self._seats:
            yield from seat.missing()


def differences(
    roles: Iterable[Role[Any]], events: Callable[[], Iterable[Recorded[Any]]]
) -> Iterator[Difference]:
    """Yield every decision that differs from the record of one run, which is read twice."""
    outline = Outline([*roles])
    for event in events():
        outline.take(event)
    review = Review(outline)
    for event in events():
        yield from review.take(event)
    yield from review.finish()


def _addressed(role: Role[Any], event: Recorded[Any]) -> bool:
    return event.data.routed != "role" or event.key.partition(".")[0] == role.name


class _Seat:
    """One role at its place in the run, with the decisions that it owes."""

    def __init__(self, role: Role[Any], outline: Outline) -> None:
        self.role = role
        self._outline = outline
        self._follows, self._consumes = role.follows, role.consumes
        self._state = role.start
        self._due: dict[int, list[tuple[int, Recorded[Any]]]] = {}
        self._owed: dict[tuple[UUID, int], dict[Name, Event] | str] = {}
        self._unrecorded: list[tuple[int, Difference]] = []
        self._claims = 0
        self._answered = 0
        self._said = 0

    def compare(self, event: Recorded[Any]) -> Difference | None:
        """Return how a recorded decision differs from the one that was made again."""
        owed = self._owed.get((event.cause, event.seen)) if event.cause else None
        if owed is None:
            return self._differs(event, "nothing that this role wakes for led to it")
        if isinstance(owed, str):
            return self._differs(event, owed)
        again = owed.pop((event.type, event.key), None)
        if again is None:
            others = ", ".join(" ".join(name) for name in owed) or "nothing"
            return self._differs(event, f"is recorded, but {others} was decided again")
        if again != event.data:
            where, recorded, decided = apart(event.data, again)
            return self._differs(
                event, f"{where} is recorded as {recorded}, decided again as {decided}"
            )
        if event.id != id_of(again, event.run, event.cause):
            return self._differs(event, "its id does not derive from its cause")
        return None

    def follow(self, event: Recorded[Any]) -> Iterator[Difference]:
        """Fold *event*, note it when the role wakes for it, and decide what is due now."""
        kind = type(event.data)
        if kind in self._follows:
            self._state = self.role.evolve(self._state, event)
        if kind in self._consumes and _addressed(self.role, event):
            self._claim(event)
        for claim, cause in self._due.pop(event.seq, ()):
            yield from self._decide(claim, cause, event.seq)

    def _claim(self, event: Recorded[Any]) -> None:
        """Note when to decide on *event*: as recorded, or else as the worker would have."""
        claim = self.role.name, event.id
        self._claims += 1
        recorded = self._outline.seens.get(claim)
        if recorded:
            self._answered = self._claims
        for seen in recorded or {max(event.seq, self._said)}:
            self._due.setdefault(seen, []).append((self._claims, event))
        # A role that decides alone knows what it said before.
        self._said = max(self._said, self._outline.said.get(claim, 0))

    def missing(self) -> Iterator[Difference]:
        """Yield what is not recorded of claims that were settled before others."""
        settled = self._answered - _OPEN_CLAIMS[self.role.replicas]
        return (difference for claim, difference in self._unrecorded if claim <= settled)

    def _decide(self, claim: int, cause: Recorded[Any], seen: int) -> Iterator[Difference]:
        assert self.role.decide is not None  # noqa: S101 - for the type checker
        given_up = (self.role.name, cause.type, cause.key) in self._outline.abandoned
        try:
            decided = self.role.decide(self._state, cause)
        except Exception as error:  # noqa: BLE001 - what a role raises is a finding here
            why = f"deciding again fails: {type(error).__name__}: {error}"
            self._owed[cause.id, seen] = why
            if not given_up:
                yield self._differs(cause, why)
            return
        here = dict[Name, Event]()
        last = seen >= max(self._outline.seens.get((self.role.name, cause.id), {seen}))
        for each in decided:
            name = type(each).__name__, each.key
            place = self._outline.places.get(name)
            if place == (cause.id, seen):
                here[name] = each
            elif place is None and last and not each.private and not given_up:
                why = f"{name[0]} {name[1]} is decided on it, but not recorded"
                self._unrecorded.append((claim, self._differs(cause, why)))
        self._owed[cause.id, seen] = here

    def _differs(self, event: Recorded[Any], why: str) -> Difference:
        return Difference(
            role=self.role.name, seq=event.seq, type=event.type, key=event.key, why=why
        )
