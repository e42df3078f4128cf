"""The upper confidence bound of a node (arXiv 2506.16499, equation 1). Pure."""

from math import inf, log, sqrt


def value(*, reward: float, visits: int, parent_visits: int, exploration: float) -> float:
    """Return UCT(v) = Q/N + C * sqrt(ln N_parent / N); infinite for the unvisited."""
    if visits <= 0:
        return inf
    return reward / visits + exploration * sqrt(log(max(parent_visits, 1)) / visits)
