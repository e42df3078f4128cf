"""The exploration constant of UCT over a run: constant, or decaying by one of four schedules. Pure.

After the released code of ML-Master 1.0, which runs `piecewise`; the paper's C is a constant.
"""

from math import inf

from agents.search.policy import Horizon
from schemas.settings import Search

_BEGINS, _ENDS = 0.3, 0.7
"""The parts of a run's nodes between which `piecewise` decays."""
_LATE = 0.85
"""The part of what can still be reached from which `dynamic` decays."""


def constant(step: int, horizon: Horizon, search: Search) -> float:
    """Return C at *step*: the number of nodes that have landed, the root among them."""
    floor = min(search.exploration, search.exploration_floor)  # what is set lower stays there
    return max(_decayed(step, horizon, search), floor)


def _decayed(step: int, horizon: Horizon, search: Search) -> float:
    match search.schedule:
        case "constant":
            return search.exploration
        case "linear":
            return search.exploration - search.exploration_decay * step
        case "exponential":
            return search.exploration * search.exploration_factor**step
        case "piecewise":
            return _piecewise(step, horizon.nodes, search)
        case "dynamic":
            return _dynamic(step, horizon, search)


def _piecewise(step: int, nodes: int, search: Search) -> float:
    """Decay between two points of the budget, the first of them early enough for large ones."""
    begin = min(search.drafts * search.improves**2, round(_BEGINS * nodes))
    if step > round(_ENDS * nodes):
        return -inf  # all the way down to the floor
    return search.exploration - search.exploration_decay * max(0, step - begin)


def _dynamic(step: int, horizon: Horizon, search: Search) -> float:
    """Decay at the end of what can be reached in the time that is left, at the pace so far."""
    left = horizon.minutes - horizon.gone
    reachable = step + step / horizon.gone * left if horizon.gone > 0 else inf
    reachable = min(reachable, horizon.nodes)
    return search.exploration - search.exploration_decay * max(0.0, step - _LATE * reachable)
