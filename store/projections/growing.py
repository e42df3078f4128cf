"""A persistent mapping that only grows: its versions share one dict, and the newest has it as it is. Pure.

A version sees as many of the dict's first keys as it is long. Whoever reads an old version, or goes
on from one, pays once for a copy of its part; folds go on from the newest, and pay for nothing.
"""

from collections.abc import Iterator, KeysView, ValuesView
from itertools import islice
from typing import Generic, TypeVar, overload

from msgspec import Struct

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class Growing(Struct, Generic[K, V], eq=False):
    """A mapping that never changes, as seen from outside; what is added makes a new one."""

    _size: int = 0
    _shared: dict[K, V] = {}

    def added(self, key: K, value: V) -> "Growing[K, V]":
        """Return this mapping with one key more; raises ValueError when it has the key."""
        shared = self._shared
        # The empty mapping is where all begin, so nothing may be added to its own dict.
        if len(shared) != self._size or not shared:
            shared = {**self._own()}
        if key in shared:
            raise ValueError(f"there is {key!r} already")
        shared[key] = value
        return Growing(self._size + 1, shared)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[K]:
        return iter(self._own())

    def __contains__(self, key: object) -> bool:
        shared = self._shared
        return key in (shared if len(shared) == self._size else self._own())

    def __getitem__(self, key: K) -> V:
        shared = self._shared
        return (shared if len(shared) == self._size else self._own())[key]

    def __eq__(self, other: object) -> bool:
        return self._own() == other._own() if isinstance(other, Growing) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self._own().items()))

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, /, default: object = None) -> object:
        """Return the value of *key*, *default* when it is not there."""
        shared = self._shared
        return (shared if len(shared) == self._size else self._own()).get(key, default)

    def keys(self) -> KeysView[K]:
        """Return the keys in the order in which they were added."""
        return self._own().keys()

    def values(self) -> ValuesView[V]:
        """Return the values in the order in which they were added."""
        return self._own().values()

    def _own(self) -> dict[K, V]:
        """Return a dict with this version's keys alone."""
        if len(self._shared) != self._size:
            self._shared = dict(islice(self._shared.items(), self._size))
        return self._shared
