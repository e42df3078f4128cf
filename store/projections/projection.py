"""What a projection is: a start, a pure fold, and the rows that its live table shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from msgspec import Struct

from schemas.envelope import Fact
from schemas.events import Event

State = TypeVar("State")


@dataclass(frozen=True)
class Projection(Generic[State]):
    """A fold over the events that the annotation of `apply` names.

    `across_runs` folds have one state for the whole log, all others one for each run.
    """

    name: str
    start: State
    apply: Callable[[State, Fact[Any]], State]
    rows: Callable[[State], Mapping[str, Struct]]
    across_runs: bool = False

    @cached_property
    def follows(self) -> frozenset[type[Event]]:
        """The event types that the fold is made of."""
        (named,) = get_args(get_type_hints(self.apply)["event"])
        return frozenset(get_args(named) or (named,))
