"""A persistent sequence whose newest version is a plain list; older ones know what to undo. Pure.

After Baker (Shallow binding makes functional arrays fast, 1991): an update changes the list in place
and leaves to the version before it the values that it replaced. A version that nobody holds is gone
at once, so that a fold pays for neither copies nor length; whoever reads a version that has been
gone on from pays once for a copy.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, Optional, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Vector(Struct, Generic[T], eq=False):
    """A sequence that never changes, as seen from outside; begin with `vector`."""

    _size: int
    _values: list[T] | None
    _newer: Optional["Vector[T]"] = None
    _undo: Mapping[int, T] = {}

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: int) -> T:
        values = self._values
        return (self._own() if values is None else values)[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self._own())

    def __eq__(self, other: object) -> bool:
        return self._own() == other._own() if isinstance(other, Vector) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def updated(self, changes: Mapping[int, T]) -> "Vector[T]":
        """Return this sequence with new values at some places; the place after the last appends."""
        values, size = self._values, self._size
        if values is None:
            values = self._own()
        begins = size <= 1  # where all begin, and which all hold: it would remember all changes
        if begins:
            values = values.copy()
        undo: dict[int, T] = {}
        for place, value in changes.items():
            if place < size:
                undo[place] = values[place]
                values[place] = value
            else:
                values.append(value)
        newer = Vector(len(values), values)
        if not begins:
            self._values, self._newer, self._undo = None, newer, undo
        return newer

    def _own(self) -> list[T]:
        """Return the list of this version's values."""
        if self._values is not None:
            return self._values
        changes: list[Mapping[int, T]] = []
        version = self
        while version._newer is not None:
            changes.append(version._undo)
            version = version._newer
        values = [*version]
        for change in reversed(changes):
            for place, value in change.items():
                values[place] = value
        del values[self._size :]
        self._values, self._newer, self._undo = values, None, {}
        return values


def vector(values: list[T]) -> Vector[T]:
    """Return the sequence of *values*."""
    return Vector(len(values), values.copy())
