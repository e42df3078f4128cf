"""A persistent sequence: an update shares all but a few short lists with the version before. Pure.

Three levels of 64: an update of one place copies about 200 references, whatever the length. For
keys that are small numbers this is several times faster than a hash trie, above all when one event
changes many places at once.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

_BITS = 6
_MASK = (1 << _BITS) - 1


class Vector(Generic[T]):
    """A sequence that never changes; no list is written to once a vector holds it."""

    __slots__ = ("_size", "_top")

    def __init__(self, top: list[list[list[T]]] | None = None, size: int = 0) -> None:
        self._top: list[list[list[T]]] = top or []
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: int) -> T:
        if not 0 <= place < self._size:
            raise IndexError(place)
        return self._top[place >> 2 * _BITS][place >> _BITS & _MASK][place & _MASK]

    def __iter__(self) -> Iterator[T]:
        for middle in self._top:
            for leaf in middle:
                yield from leaf

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vector):
            return NotImplemented
        return self._size == other._size and self._top == other._top

    def __hash__(self) -> int:
        return hash(tuple(self))

    def replaced(self, place: int, value: T) -> "Vector[T]":
        """Return this sequence with a new value at one place that it has."""
        top = self._top.copy()
        middle = top[place >> 2 * _BITS] = top[place >> 2 * _BITS].copy()
        inner = place >> _BITS & _MASK
        leaf = middle[inner] = middle[inner].copy()
        leaf[place & _MASK] = value
        return Vector(top, self._size)

    def updated(self, changes: Mapping[int, T]) -> "Vector[T]":
        """Return this sequence with new values at some places; the place after the last appends."""
        top, size = self._top.copy(), self._size
        middles: dict[int, list[list[T]]] = {}
        leaves: dict[int, list[T]] = {}
        for place, value in changes.items():
            leaf = leaves.get(place >> _BITS)
            if leaf is None:
                middle = middles.get(place >> 2 * _BITS)
                if middle is None:
                    middle = middles[place >> 2 * _BITS] = _own(top, place >> 2 * _BITS)
                leaf = leaves[place >> _BITS] = _own(middle, place >> _BITS & _MASK)
            if place == size:
                leaf.append(value)
                size += 1
            else:
                leaf[place & _MASK] = value
        return Vector(top, size)


def _own(lists: "list[list[T]]", place: int) -> "list[T]":
    """Return a copy of the list at *place*, put in its stead; an empty one after the last."""
    if place == len(lists):
        lists.append([])
    else:
        lists[place] = lists[place].copy()
    return lists[place]
