"""Greedy search as in AIDE (arXiv 2502.13138, section 3), the baseline of tree searches. Pure.

Drafts come first; then, by lot, a broken leaf is repaired or the best solution so far is improved.
The lot is drawn from the number of the proposal, so that the same tree leads to the same choice.
"""

from zlib import crc32

from agents.search.policy import Choice, Horizon
from schemas.events import Action, Selection
from store.projections.tree import Node, State

_LOTS = 1 << 32


def choose(tree: State, horizon: Horizon) -> Choice | None:  # noqa: ARG001 - a policy's signature
    """Return what to try next, or None while there is nothing sound and drafts are in flight."""
    if len(tree.root.children) < tree.search.drafts:
        return _choice(tree.root, "draft")
    lot = crc32(str(tree.proposed).encode()) / _LOTS
    share = tree.search.debug_probability
    broken = sorted(order for order in tree.chains if tree.nodes[order].defective)
    if broken and lot < share:
        return _choice(tree.nodes[broken[int(lot / share * len(broken))]], "debug")
    if tree.best is not None:
        return _choice(tree.node(tree.best.name), "improve")
    if broken:
        return _choice(tree.nodes[broken[0]], "debug")
    return None if tree.in_flight else _choice(tree.root, "draft")


def _choice(node: Node, action: Action) -> Choice:
    selection = Selection(visits=node.visits, reward=node.reward, exploration=0.0, value=None)
    return Choice(parent=node.name if node.order else None, action=action, selection=selection)
