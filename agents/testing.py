"""Given, when, then: how a role is tested, here and in outside packages."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from agents.role import Role, fold
from schemas.envelope import Recorded, id_of
from schemas.events import Event

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(
    event: Event, *, seq: int = 1, seconds: float = 0.0, run: str = "run", cause: UUID | None = None
) -> Recorded[Any]:
    """Return *event* as the log would hold it, *seconds* after a fixed beginning."""
    return Recorded(
        id=id_of(event, run, cause),
        run=run,
        type=type(event).__name__,
        key=event.key,
        seq=seq,
        time=BEGINNING + timedelta(seconds=seconds),
        source="flowstone://test",
        cause=cause,
        seen=0,
        data=event,
    )


def history(*events: Event | Recorded[Any], spacing: float = 1.0) -> list[Recorded[Any]]:
    """Return *events* as one run's log, *spacing* seconds apart; recorded ones stay as they are."""
    return [
        each if isinstance(each, Recorded) else recorded(each, seq=n, seconds=spacing * n)
        for n, each in enumerate(events, 1)
    ]


class Spec:
    """One example of what a role decides."""

    def __init__(self, role: Role[Any]) -> None:
        self._role = role
        self._past: list[Recorded[Any]] = []
        self._decided: list[Event] = []

    def given(self, *past: Event | Recorded[Any]) -> Self:
        """Set what has happened already."""
        self._past = history(*past)
        return self

    def when(self, event: Event, *, seconds: float | None = None) -> Self:
        """Record *event*, fold it and let the role decide; by default a second after the past."""
        assert self._role.decide is not None, f"{self._role.name} decides nothing"
        assert type(event) in self._role.consumes, f"{self._role.name} does not wake for {event}"
        after = len(self._past) + 1
        happened = recorded(event, seq=after, seconds=after if seconds is None else seconds)
        self._decided = list(self._role.decide(fold(self._role, [*self._past, happened]), happened))
        return self

    def then(self, *expected: Event) -> None:
        """Expect exactly these events, in this order."""
        assert self._decided == [*expected]

    @property
    def decided(self) -> list[Event]:
        """What the role decided, for looser expectations."""
        return self._decided


def emitted_types(events: Iterable[Event]) -> set[type[Event]]:
    """Return the types of *events*."""
    return {type(event) for event in events}
