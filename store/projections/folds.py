"""All folds at once over a log, from the start or as it grows. Pure: whoever reads brings the rows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.envelope import Fact
from schemas.events import Event
from store.projections.projection import Projection

_Follower = tuple[str, Any, Callable[[Any, Fact[Any]], Any]]

ACROSS_RUNS = ""
"""Stands in for the run where a fold has one state for the whole log."""


class Folds:
    """The states of several projections over one log."""

    def __init__(self, projections: Iterable[Projection[Any]]) -> None:
        self._projections = {each.name: each for each in projections}
        self._followers: dict[bool, dict[type[Event], list[_Follower]]] = {False: {}, True: {}}
        for name, each in self._projections.items():
            followers = self._followers[each.across_runs]
            for event_type in each.follows:
                followers.setdefault(event_type, []).append((name, each.start, each.apply))
        self._names = frozenset(kind.__name__ for each in self._followers.values() for kind in each)
        self._states: dict[str, dict[str, Any]] = {ACROSS_RUNS: {}}

    def follows(self, event_type: str) -> bool:
        """Return whether any fold changes by events of the type with this name."""
        return event_type in self._names

    @property
    def types(self) -> frozenset[str]:
        """The names of all types that any fold changes by: the only events it needs to be given."""
        return self._names

    def apply(self, event: Fact[Any]) -> None:
        """Fold *event* into the states of all projections that follow its type."""
        kind = type(event.data)
        if followers := self._followers[False].get(kind):
            self._fold(event.run, followers, event)
        if followers := self._followers[True].get(kind):
            self._fold(ACROSS_RUNS, followers, event)

    def _fold(self, scope: str, followers: Iterable[_Follower], event: Fact[Any]) -> None:
        states = self._states.get(scope)
        if states is None:
            states = self._states[scope] = {}
        for name, start, apply in followers:
            states[name] = apply(states.get(name, start), event)

    def state(self, name: str, run: str = ACROSS_RUNS) -> Any:
        """Return the state of the projection *name* in *run*."""
        projection = self._projections[name]
        key = ACROSS_RUNS if projection.across_runs else run
        return self._states.get(key, {}).get(name, projection.start)

    @property
    def states(self) -> Mapping[tuple[str, str], Any]:
        """Every state that has folded anything, by projection and run."""
        return {
            (name, run): state
            for run, states in self._states.items()
            for name, state in states.items()
        }
