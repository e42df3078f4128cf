"""Text as a point on the unit sphere: hashed words, word pairs and letter triples. Pure.

The same text gives the same vector on every machine, with no model and no download; similar means
worded alike.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import fsum, sqrt
from zlib import crc32

DIMENSIONS = 256

_WORDS = re.compile(r"[a-z0-9]+")
_EMPTY_WORDS = (
    " a an and are as at be by for from has have in is it its of on or that the this to was with"
    " you your "
)
_PAIR, _TRIPLE = 0.5, 0.25


def embed(text: str) -> tuple[float, ...]:
    """Return the vector of *text*: 256 numbers, of unit length."""
    counts: dict[str, float] = {}
    for feature, weight in _features(text):
        counts[feature] = counts.get(feature, 0.0) + weight
    vector = [0.0] * DIMENSIONS
    for feature, weight in counts.items():
        place = crc32(feature.encode())
        vector[place % DIMENSIONS] += sqrt(weight) if place & 0x100 else -sqrt(weight)
    length = sqrt(fsum(each * each for each in vector))
    if not length:
        return (1.0, *vector[1:])
    return tuple(each / length for each in vector)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two vectors of unit length; 0 when they are not of one kind."""
    if len(one) != len(other):
        return 0.0
    return fsum(a * b for a, b in zip(one, other, strict=True))


def _features(text: str) -> Iterator[tuple[str, float]]:
    words = [each for each in _WORDS.findall(text.lower()) if f" {each} " not in _EMPTY_WORDS]
    for word in words:
        yield word, 1.0
        for start in range(len(word) - 2):
            yield f"#{word[start : start + 3]}", _TRIPLE
    for pair in pairwise(words):
        yield " ".join(pair), _PAIR
