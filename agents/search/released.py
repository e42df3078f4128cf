"""UCT as the released code of ML-Master 1.0 does it: the profile `code`. Pure.

Whoever made a node goes on from it until the chain is left. Who has left begins again at the root,
where drafts that somebody works below are passed over. A chosen node that is an end is visited for
nothing, and the choice is made again.
"""

from collections.abc import Set as AbstractSet

from agents.search import exploration
from agents.search.policy import Choice, Horizon, action_on
from agents.search.upper_confidence import value
from schemas.events import Selection
from store.projections.tree import Node, State, leave

_MOST_SKIPPED = 100
"""So many visits for nothing, and there is nothing to choose for now."""


def choose(tree: State, horizon: Horizon) -> Choice | None:
    """Return what to try next, or None while all that is open is in flight."""
    constant = exploration.constant(tree.graded + 1, horizon, tree.search)
    if tree.chains:
        return _choice(tree.nodes[min(tree.chains)], constant, None, ())
    found = select(tree, horizon)
    if found is None and not tree.in_flight:
        return _choice(tree.root, constant, None, ())
    return found


def select(
    tree: State,
    horizon: Horizon,
    *,
    prefer: AbstractSet[int] = frozenset(),
    taken: AbstractSet[int] | None = None,
) -> Choice | None:
    """Return the choice of one who begins at the root, or None where every draft is taken.

    Of children with equal values one whose order is in *prefer* is chosen, else the oldest.
    *taken* are the drafts not to enter: those below which somebody works, where it is not given.
    """
    constant = exploration.constant(tree.graded + 1, horizon, tree.search)
    skipped = list[str]()
    while len(skipped) < _MOST_SKIPPED:
        found = descend(tree, constant, prefer=prefer, taken=taken)
        if found is None:
            return None
        node, uct = found
        if not node.terminal:
            return _choice(node, constant, uct, tuple(skipped))
        skipped.append(node.name)
        tree = leave(tree, node.order, 0.0)
    return None


def _taken(tree: State) -> frozenset[int]:
    """Return the drafts below which somebody works."""
    under_way = (progress.order for progress in tree.in_flight.values())
    return frozenset(tree.nodes[order].branch for order in (*under_way, *tree.chains))


def descend(
    tree: State,
    constant: float,
    *,
    prefer: AbstractSet[int] = frozenset(),
    taken: AbstractSet[int] | None = None,
) -> tuple[Node, float | None] | None:
    """Return the node to expand, or an end, with its value; None where every draft is taken."""
    taken = _taken(tree) if taken is None else taken
    node, uct = tree.root, None
    while not node.terminal and not _stops_at(node, tree):
        children = [child for child in _written(node, tree) if child.order not in taken]
        valued = [(_value(child, node, constant), child) for child in children]
        if not valued:
            return None
        uct, node = max(valued, key=lambda each: (each[0], each[1].order in prefer, -each[1].order))
    return node, uct


def _stops_at(node: Node, tree: State) -> bool:
    """Return whether *node* gets another child, before any of its children does."""
    if _full(node, tree):
        return False
    if node.order and node.buggy and node.is_debug_success:
        return False
    return not (node.continue_improve and _written(node, tree))


def _written(node: Node, tree: State) -> list[Node]:
    """Return the children that have a program, which is when the released code counts them."""
    return [child for child in tree.children(node) if child.state != "proposed"]


def _full(node: Node, tree: State) -> bool:
    if not node.order:
        return len(node.children) >= tree.search.drafts
    if not node.buggy:
        return len(node.children) >= tree.search.improves
    sound = any(not child.buggy for child in _written(node, tree))
    return sound or len(node.children) >= tree.search.debugs


def _value(child: Node, parent: Node, constant: float) -> float:
    return value(
        reward=child.reward,
        visits=child.visits,
        parent_visits=parent.visits,
        exploration=constant,
    )


def _choice(node: Node, constant: float, uct: float | None, skipped: tuple[str, ...]) -> Choice:
    selection = Selection(
        visits=node.visits, reward=node.reward, exploration=constant, value=uct, skipped=skipped
    )
    return Choice(
        parent=node.name if node.order else None, action=action_on(node), selection=selection
    )
