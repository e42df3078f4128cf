"""How long a policy takes to choose the next node, as the tree grows by its own choices."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from agents.search.policy import OWN, Choice, Horizon, policy
from ops.bench.figure import Figure
from schemas.events import NodeProposed, SolutionGraded
from store.projections import tree

_SIZES = (100, 10_000, 100_000)
_TIMED = 200
_IN_FLIGHT = 4
_BROKEN = 0.3
_MOST_MILLISECONDS = 1.0


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001 - it writes nothing
    """Yield for each policy and size of the tree the median of choosing, with nodes in flight."""
    for name in OWN:
        for size, seconds in _timed(name, _SIZES[:2] if quick else _SIZES):
            yield Figure(
                name=f"choose: {name}, {size} nodes",
                value=1000 * seconds,
                unit="ms",
                target=_MOST_MILLISECONDS,
            )


def _timed(name: str, sizes: tuple[int, ...]) -> Iterator[tuple[int, float]]:
    """Grow a tree by the policy *name*; at each size yield the median of the last choices."""
    choose, lots = policy(name), Random(1)  # noqa: S311 - no secret is drawn
    grown, horizon = tree.START, Horizon(nodes=sizes[-1])
    took = deque[float](maxlen=_TIMED)
    while grown.proposed < horizon.nodes:
        started = perf_counter()
        choice = choose(grown, horizon)
        took.append(perf_counter() - started)
        if choice is not None:
            grown = _proposed(grown, choice)
        if choice is None or len(grown.in_flight) > _IN_FLIGHT:
            grown = _graded(grown, lots)
        if grown.proposed in sizes and choice is not None:
            yield grown.proposed, median(took)


def _proposed(grown: tree.State, choice: Choice) -> tree.State:
    proposed = NodeProposed(
        node=f"n{grown.proposed + 1}",
        parent=choice.parent,
        action=choice.action,
        phase=1,
        instruction="",
        selection=choice.selection,
    )
    return tree.propose(grown, proposed)


def _graded(grown: tree.State, lots: Random) -> tree.State:
    """Return the tree once the oldest node in flight has its grade: better ones are ever rarer."""
    name = next(iter(grown.in_flight))
    buggy = lots.random() < _BROKEN
    metric = None if buggy else 1 - (1 - lots.random()) ** 3
    graded = SolutionGraded(
        node=name,
        metric=metric,
        obtained=None if buggy else "held-out",
        valid=not buggy,
        buggy=buggy,
        analysis="",
    )
    return tree.grade(grown, graded)
