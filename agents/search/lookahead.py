"""How far proposals run ahead of executors, from how long models and solutions take. Pure."""

from collections.abc import Mapping
from math import ceil, inf

from msgspec import Struct
from msgspec.structs import replace

from schemas.settings import Search

SPARE = 0.25
"""What is held in reserve for each slot, in executions: times vary, and grading takes some."""

REMEMBERED = 16
"""An average is of about so many values, the newest weighing most."""

_LONGEST = 86_400.0


class Average(Struct, frozen=True):
    """A moving average in seconds: the plain mean of the first values, then a forgetting one."""

    seconds: float = 0.0
    count: int = 0

    def taking(self, seconds: float) -> "Average":
        """Return the average with one value more; what no clock can have measured is cut off."""
        measured = min(max(0.0, seconds), _LONGEST)
        count = min(self.count + 1, REMEMBERED)
        return Average(self.seconds + (measured - self.seconds) / count, count)


class Pace(Struct, frozen=True):
    """How long programs take to be written and to run.

    `asked` are the seconds that a model has taken so far over each node without a program.
    """

    writing: Average = Average()
    executing: Average = Average()
    asked: Mapping[str, float] = {}

    def answered(self, node: str, seconds: float) -> "Pace":
        """Return the pace once a model has answered about *node*, well or not."""
        return replace(self, asked={**self.asked, node: self.asked.get(node, 0.0) + seconds})

    def coded(self, node: str) -> "Pace":
        """Return the pace once no model will be asked about *node* any more."""
        if node not in self.asked:
            return self
        others = {name: seconds for name, seconds in self.asked.items() if name != node}
        return replace(self, writing=self.writing.taking(self.asked[node]), asked=others)

    def executed(self, seconds: float) -> "Pace":
        """Return the pace once a program has run."""
        return replace(self, executing=self.executing.taking(seconds))


def ahead(pace: Pace, search: Search) -> int:
    """Return how many nodes to keep in flight for each slot of an executor.

    A slot runs one of them; while it does, writing / executing others have to be on their way
    (Little's law). At least `search.lookahead`, and that while nothing was measured yet; else at
    most `search.max_lookahead`.
    """
    if not pace.writing.count or not pace.executing.count:
        return search.lookahead
    executing = pace.executing.seconds
    times = pace.writing.seconds / executing if executing else inf
    return max(search.lookahead, ceil(min(search.max_lookahead, 1 + SPARE + times)))
