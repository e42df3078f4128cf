"""How many tokens a text has, at most. Pure.

A tokenizer would make the same decision come out differently where it is not installed; so the
count is a bound that needs none.
"""

from collections.abc import Callable

BYTES_PER_TOKEN = 3
"""Fewer than English, code or Chinese have with any tokenizer in use: about four, three, three."""

Counter = Callable[[str], int]
"""Returns how many tokens a text has at most; of two texts together never more than of each."""


SEPARATOR = "\n\n"
"""What stands between two pieces of a prompt's memory."""


class Purse:
    """Tokens to spend on pieces that will be joined; counts what joins them, too."""

    def __init__(self, budget: int, count: Counter) -> None:
        self.left, self._count = budget, count
        self._between = 0

    def buy(self, text: str) -> int | None:
        """Return what *text* costs by itself, or None where it cannot be paid any more."""
        tokens = self._count(text)
        if tokens + self._between > self.left:
            return None
        self.left -= tokens + self._between
        self._between = self._count(SEPARATOR)
        return tokens


def estimate(text: str) -> int:
    """Return a conservative number of tokens: a third of the UTF-8 bytes, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
