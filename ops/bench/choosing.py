"""How long a policy takes to choose the next node, as the tree grows by its own choices."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from agents.search.policy import Choice, Horizon, policy
from ops.bench.figure import Figure
from schemas.events import NodeProposed, PhasePlanned, SolutionGraded
from schemas.settings import Search
from store.projections import tree

_SEARCHES = (
    Search(policy="greedy"),
    Search(policy="uct"),
    Search(policy="uct", profile="code"),
    Search(policy="uct", parallel="top-k"),
    Search(policy="research"),
)
_SIZES = (100, 10_000, 100_000)
_TIMED = 200
_IN_FLIGHT = 4
_BROKEN = 0.3
_MOST_MILLISECONDS = 1.0


def measure(home: Path, *, quick: bool) -> Iterator[Figure]:  # noqa: ARG001 - it writes nothing
    """Yield for each policy and size of the tree the median of choosing, with nodes in flight."""
    for search in _SEARCHES:
        for size, seconds in _timed(search, _SIZES[:2] if quick else _SIZES):
            yield Figure(
                name=f"choose: {_name(search)}, {size} nodes",
                value=1000 * seconds,
                unit="ms",
                target=_MOST_MILLISECONDS,
            )


def _name(search: Search) -> str:
    """Return what tells a search from the others: its policy, and what of it is not the default."""
    plain = Search(policy=search.policy)
    keys = ("profile", "parallel")
    chosen = [getattr(search, key) for key in keys if getattr(search, key) != getattr(plain, key)]
    return " ".join([search.policy, *chosen])


def _timed(search: Search, sizes: tuple[int, ...]) -> Iterator[tuple[int, float]]:
    """Grow a tree by *search*; at each size yield the median of the last choices."""
    choose, lots = policy(search.policy), Random(1)  # noqa: S311 - no secret is drawn
    grown, horizon = tree.State(search=search), Horizon(nodes=sizes[-1])
    took = deque[float](maxlen=_TIMED)
    while grown.proposed < horizon.nodes:
        started = perf_counter()
        choice = choose(grown, horizon)
        took.append(perf_counter() - started)
        if choice is not None:
            grown = _proposed(grown, choice)
        if choice is None and not grown.in_flight:
            grown = _planned(grown)
        elif choice is None or len(grown.in_flight) > _IN_FLIGHT:
            grown = _graded(grown, lots)
        if grown.proposed in sizes and choice is not None:
            yield grown.proposed, median(took)


def _proposed(grown: tree.State, choice: Choice) -> tree.State:
    proposed = NodeProposed(
        node=f"n{grown.proposed + 1}",
        parent=choice.parent,
        action=choice.action,
        phase=_phase(grown),
        instruction="",
        selection=choice.selection,
        suggestion=choice.suggestion,
    )
    return tree.propose(grown, proposed)


def _phase(grown: tree.State) -> int:
    return grown.plan.phase if grown.plan else 0


def _planned(grown: tree.State) -> tree.State:
    """Return the tree with the next plan, for the policy that cannot go on without one."""
    directions: dict[str, tuple[str, ...]] = {str(n): ("a change", "another") for n in range(3)}
    base = grown.best.name if grown.best else None
    return tree.plan(grown, PhasePlanned(phase=_phase(grown) + 1, directions=directions, base=base))


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
