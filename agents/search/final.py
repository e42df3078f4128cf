"""Which solution a run hands over: the best score, or the one that its repeats bear out. Pure."""

from statistics import fmean, stdev

from schemas.settings import Select
from store.projections import tree


def final(found: tree.State, select: Select) -> tree.Node | None:
    """Return the solution to hand over; None when there is none.

    With `robust` it is the repeated one with the highest mean minus spread over its own score and
    its repeats'; where nothing was repeated, the best score decides. A fused one has its own score
    alone, and was not picked for it among many: it takes the place of the repeated one if it is
    better than that one's own score.
    """
    repeated = [node for node in found.nodes if node.repeats]
    if select.final == "best" or not repeated:
        return found.best
    sign = -1.0 if found.lower_is_better else 1.0

    def own(node: tree.Node) -> float:
        return sign * (node.metric or 0.0)

    def worth(node: tree.Node) -> tuple[float, float, int]:
        return _borne_out(node, select, sign), own(node), -node.order

    fused = (node for node in found.nodes if node.action == "fuse" and node.step)
    sound = (node for node in fused if node.state == "graded" and not node.defective)
    return max((max(repeated, key=worth), *sound), key=own)


def _borne_out(node: tree.Node, select: Select, sign: float) -> float:
    """Return the mean minus the weighted sample standard deviation; higher is better."""
    scores = [node.metric or 0.0, *node.repeats]
    return sign * fmean(scores) - select.spread_weight * stdev(scores)
