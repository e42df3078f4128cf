"""Which rows are set aside, where they stand in the test table, and what they are called. Pure.

Rows are drawn by hash, so a split depends on nothing but the data and the run's seed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import count

from msgspec import Struct

FEWEST = 5
"""Held-out rows below which a score would say nothing."""

_SHAPE = re.compile(r"(\D*)(\d+)(\D*)")
_LARGEST_SPAN = 5_000_000


class Split(Struct, frozen=True, kw_only=True):
    """What solutions see as the test table.

    `order` has one entry for each visible row: a test row's position, or -1 - k for the k-th of
    `heldout`, which are positions in the training table. `ids` are the visible ids.
    """

    heldout: tuple[int, ...]
    order: tuple[int, ...]
    ids: tuple[str, ...]


def chosen(
    truths: Mapping[int, str], share: float, most: int, seed: int, *, by_class: bool
) -> tuple[int, ...]:
    """Return the rows to set aside out of those with a known truth, some of each class.

    Every class keeps at least one row for training.
    """
    wanted = min(most, round(len(truths) * share))
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, truth in truths.items():
        groups[truth if by_class else ""].append(row)
    quotas = _quotas({name: len(rows) for name, rows in groups.items()}, wanted)
    drawn = [
        row
        for name, rows in groups.items()
        for row in sorted(rows, key=lambda row: _hash(seed, "row", row))[: quotas[name]]
    ]
    return tuple(sorted(drawn, key=lambda row: _hash(seed, "place", row)))


def _quotas(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """Divide *wanted* over groups in proportion to their sizes, largest remainders first."""
    total = sum(sizes.values())
    exact = {name: wanted * size / total for name, size in sizes.items()}
    quotas = {name: min(int(exact[name]), size - 1) for name, size in sizes.items()}
    for name in sorted(sizes, key=lambda name: (int(exact[name]) - exact[name], name)):
        if sum(quotas.values()) >= wanted:
            break
        quotas[name] = min(quotas[name] + 1, sizes[name] - 1)
    return quotas


def mixed(tests: int, heldout: Sequence[int], seed: int) -> tuple[int, ...]:
    """Return the order of visible rows: test rows in theirs, held-out ones strewn among them."""
    total = tests + len(heldout)
    places = sorted(range(total), key=lambda place: _hash(seed, "mix", place))[: len(heldout)]
    taken = {place: -1 - k for k, place in enumerate(sorted(places))}
    rest = iter(range(tests))
    return tuple(taken[place] if place in taken else next(rest) for place in range(total))


def identified(
    order: Sequence[int],
    tests: Sequence[str],
    own: Sequence[str] | None,
    trains: Iterable[str],
    seed: int,
) -> tuple[str, ...] | None:
    """Return the visible ids, or None when there are none that would not collide.

    *own* are the held-out rows' ids in the training table, *trains* all ids there. Held-out rows
    keep their own where nobody could tell them from the test rows'; otherwise numbered ids are
    numbered on.
    """
    numbers = _numbers(tests)
    trained = set(trains)
    apart = trained.isdisjoint(tests)
    if own is not None and apart and len(set(own)) == len(own) and _alike(own, tests, numbers):
        return tuple(tests[at] if at >= 0 else own[-1 - at] for at in order)
    if numbers is None:
        return None
    return _numbered(order, tests, numbers, {*tests, *(trained if apart else ())}, seed)


def _numbers(ids: Sequence[str]) -> list[int] | None:
    """Return the number in each id when all ids are spelled alike but for it."""
    found = [_SHAPE.fullmatch(each) for each in ids]
    matches = [each for each in found if each]
    if len(matches) < len(ids) or len({(each[1], each[3]) for each in matches}) != 1:
        return None
    padded = {len(each[2]) for each in matches if each[2].startswith("0") and len(each[2]) > 1}
    if padded and len({len(each[2]) for each in matches}) > 1:
        return None
    return [int(each[2]) for each in matches]


def _alike(own: Sequence[str], tests: Sequence[str], numbers: list[int] | None) -> bool:
    """Return whether training ids could pass for test ids: same spelling, same range, no order."""
    if numbers is None:
        return True
    theirs = _numbers([tests[0], *own])
    if theirs is None or numbers == sorted(numbers):
        return False
    low, high = min(numbers), max(numbers)
    return sum(low <= each <= high for each in theirs) >= 0.9 * len(theirs)


def _numbered(
    order: Sequence[int], tests: Sequence[str], numbers: list[int], taken: set[str], seed: int
) -> tuple[str, ...]:
    sample = _SHAPE.fullmatch(tests[0])
    before, width, after = (sample[1], len(sample[2]), sample[3]) if sample else ("", 0, "")
    padded = any(_SHAPE.sub(r"\2", each).startswith("0") for each in tests if len(each) > 1)

    def spell(number: int) -> str:
        return f"{before}{number:0{width if padded else 0}d}{after}"

    new = _unused(numbers, sum(at < 0 for at in order), taken, spell, seed)
    if numbers == sorted(numbers):
        return tuple(spell(each) for each in sorted([*numbers, *new]))
    return tuple(tests[at] if at >= 0 else spell(new[-1 - at]) for at in order)


def _unused(
    numbers: Sequence[int], wanted: int, taken: set[str], spell: Callable[[int], str], seed: int
) -> list[int]:
    """Return numbers from the same range, a little beyond it where it is full."""
    low, span = min(numbers), max(numbers) - min(numbers) + 1
    free: list[int] = []
    if span <= _LARGEST_SPAN:
        while len(free) < wanted:
            span += wanted - len(free)
            free = [each for each in range(low, low + span) if spell(each) not in taken]
        return sorted(free, key=lambda each: _hash(seed, "id", each))[:wanted]
    draws = (low + int.from_bytes(_hash(seed, "id", n)) % span for n in count())
    seen = set[int]()
    while len(seen) < wanted:
        if spell(draw := next(draws)) not in taken:
            seen.add(draw)
    return sorted(seen, key=lambda each: _hash(seed, "id", each))


def _hash(seed: int, purpose: str, row: int) -> bytes:
    return blake2b(f"{seed} {purpose} {row}".encode(), digest_size=8).digest()
