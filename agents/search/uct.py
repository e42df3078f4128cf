"""UCT as in ML-Master 1.0 (arXiv 2506.16499, equation 1). Pure.

Drafts come first, then the chain of repairs of what just broke, then the child with the highest
UCT value, level by level, down to a node that may have one child more; or, of the nodes anywhere
in the tree that may have one, that with the highest value. Nodes in flight count as visits that
earned nothing yet (a virtual loss), so that choices made together differ.
"""

from collections import Counter
from heapq import heappop, heappush
from math import inf

from agents.search import exploration, released
from agents.search.policy import Choice, Horizon, action_on
from agents.search.upper_confidence import value
from schemas.events import Selection
from store.projections.tree import ROOT, Node, State, full

_LOOKED_AT = 100


def choose(tree: State, horizon: Horizon) -> Choice | None:
    """Return what to try next, or None while all that is open is in flight."""
    if tree.search.profile == "code":
        return released.choose(tree, horizon)
    constant = exploration.constant(tree.graded + 1, horizon, tree.search)
    if len(tree.root.children) < tree.search.drafts:
        return _choice(tree.root, constant, None)
    if tree.chains:
        return _choice(tree.nodes[min(tree.chains)], constant, None)
    found = (_best if tree.search.parallel == "top-k" else _descend)(tree, constant)
    if found is None and not len(tree.in_flight):
        return _choice(tree.root, constant, None)
    return found


def _descend(tree: State, constant: float) -> Choice | None:
    """Walk down by UCT; where a subtree has no place left for now, go on with the next best."""
    under_way = _under_way(tree)
    places: list[tuple[Node, float | None, bool]] = [(tree.root, None, False)]
    while places:
        node, uct, last_resort = places.pop()
        open_here = node.order > 0 and not full(node, tree.search)
        if last_resort or (open_here and not _goes_down(node)):
            return _choice(node, constant, uct)
        if open_here:
            places.append((node, uct, True))
        ranked = [
            (child, _value(child, node, under_way, constant), False)
            for child in _to_enter(node, tree)
        ]
        # The best comes last because it is taken first; of equals, the older one. The paper's
        # workers keep out of each other's branches as long as there are others.
        apart = tree.search.profile == "paper" and not node.order
        places.extend(
            sorted(
                ranked,
                key=lambda each: (
                    not (apart and under_way[each[0].order]),
                    each[1],
                    -each[0].order,
                ),
            )
        )
    return None


def _best(tree: State, constant: float) -> Choice | None:
    """Return the choice with the highest value of the nodes that may have another child.

    Nodes are looked at from the root on, the highest value first. A hundred of them are enough
    to be exact in an ordinary run, and keep the time the same however large the tree is.
    """
    under_way, found = _under_way(tree), list[tuple[float, int]]()
    frontier = [(-inf, ROOT)]
    for _ in range(min(_LOOKED_AT, len(tree.nodes))):
        if not frontier:
            break
        uct, order = heappop(frontier)
        node = tree.nodes[order]
        if order and not full(node, tree.search):
            found.append((uct, order))
        for child in _to_enter(node, tree):
            heappush(frontier, (-_value(child, node, under_way, constant), child.order))
    if not found:
        return None
    uct, order = min(found)
    return _choice(tree.nodes[order], constant, -uct)


def _to_enter(node: Node, tree: State) -> list[Node]:
    """Return the children of *node* that have landed and lead to something that can be tried."""
    return [
        child
        for child in tree.children(node)
        if child.name not in tree.in_flight and not child.exhausted
    ]


def _goes_down(node: Node) -> bool:
    """Return whether the chain below *node* is followed before it gets another child."""
    if node.defective:
        return node.is_debug_success
    return node.continue_improve and bool(node.children)


def _under_way(tree: State) -> Counter[int]:
    """Return for each node how many nodes below it are in flight."""
    count: Counter[int] = Counter()
    for progress in tree.in_flight.values():
        count.update(node.order for node in tree.ancestors(tree.nodes[progress.order]))
    return count


def _value(child: Node, parent: Node, under_way: Counter[int], constant: float) -> float:
    lost = under_way[child.order]
    return value(
        reward=child.reward - lost,
        visits=child.visits + lost,
        parent_visits=parent.visits + under_way[parent.order],
        exploration=constant,
    )


def _choice(node: Node, constant: float, uct: float | None) -> Choice:
    selection = Selection(visits=node.visits, reward=node.reward, exploration=constant, value=uct)
    return Choice(
        parent=node.name if node.order else None, action=action_on(node), selection=selection
    )
