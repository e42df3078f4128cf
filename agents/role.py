"""What a role is: pure functions over the log, and at most one that touches the world."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from agents.tools import Tools
from schemas.envelope import Recorded
from schemas.events import Event

State = TypeVar("State")

PLUGINS = "flowstone.roles"
"""The entry-point group through which other packages offer roles."""


def unmoved(state: State, event: Recorded[Any]) -> State:  # noqa: ARG001 - the shape of an evolve
    """Return *state*: the fold of a role that remembers nothing."""
    return state


@dataclass(frozen=True, kw_only=True)
class Role(Generic[State]):
    """An actor as a value; the annotations of its functions are its declaration.

    `evolve(state, event)` folds one run's events, starting from `start`.
    `decide(state, event)` says what follows an event; the state has folded the event already, and
    later ones too when work is delivered again.
    `perform(request, tools)` answers a request, the only part that may touch the world.
    A role with `replicas="one"` decides a run's events strictly one after the other.
    What a role performs is stopped when its run has finished, unless it `outlives` the run.
    """

    name: str
    replicas: Literal["one", "many"] = "many"
    outlives: bool = False
    start: State
    evolve: Callable[[State, Recorded[Any]], State] = unmoved
    decide: Callable[[State, Recorded[Any]], Sequence[Event]] | None = None
    perform: Callable[[Recorded[Any], Tools[Any]], Awaitable[Event]] | None = None

    @cached_property
    def follows(self) -> frozenset[type[Event]]:
        """The events that its state is made of."""
        return frozenset() if self.evolve is unmoved else _members(_hint(self.evolve, 1))

    @cached_property
    def consumes(self) -> frozenset[type[Event]]:
        """The events it wakes for to decide."""
        return _members(_hint(self.decide, 1)) if self.decide else frozenset()

    @cached_property
    def requests(self) -> frozenset[type[Event]]:
        """The events it answers by performing."""
        return _members(_hint(self.perform, 0)) if self.perform else frozenset()

    @cached_property
    def emits(self) -> frozenset[type[Event]]:
        """All events it may record: decided, said while performing, and answered."""
        decided = _members(_hint(self.decide, -1)) if self.decide else frozenset()
        if not self.perform:
            return decided
        return decided | _members(_hint(self.perform, 1)) | _members(_hint(self.perform, -1))

    @cached_property
    def types(self) -> frozenset[type[Event]]:
        """Every event type the declaration names."""
        return self.follows | self.consumes | self.requests | self.emits


def fold(role: Role[State], events: Iterable[Recorded[Any]]) -> State:
    """Return the state of *role* after *events* of one run."""
    state, follows = role.start, role.follows
    for event in events:
        if type(event.data) in follows:
            state = role.evolve(state, event)
    return state


def discover() -> Iterator[Role[Any]]:
    """Yield every role in this package, then every role that an installed package offers."""
    package = importlib.import_module("agents")
    for module in pkgutil.iter_modules(package.__path__, "agents."):
        if not module.ispkg:
            found = getattr(importlib.import_module(module.name), "role", None)
            if isinstance(found, Role):
                yield found
    for point in entry_points(group=PLUGINS):
        yield point.load()


def _hint(function: Callable[..., Any], position: int) -> Any:
    """Return the annotation at *position* of the parameters, or the return's for -1."""
    hints = get_type_hints(function)
    answer = hints.pop("return")
    return answer if position < 0 else list(hints.values())[position]


def _members(hint: Any) -> frozenset[type[Event]]:
    """Return the event types named anywhere in an annotation."""
    if isinstance(hint, type) and get_origin(hint) is None:
        named = issubclass(hint, Event) and hint is not Event
        return frozenset({hint}) if named else frozenset()
    return frozenset().union(*(_members(each) for each in get_args(hint)))
