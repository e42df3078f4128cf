"""What a verdict means under the profile `code`: figures travel upwards where a chain is left. Pure.

After the released code of ML-Master 1.0: whoever makes a node stays with it, repairs or improves
it, and carries its reward upwards only on leaving. Its dead reward for quality is dead here too.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from store.projections.tree.backpropagation import Walk
from store.projections.tree.nodes import Node, State, gain


def verdict(node: Node, parent: Node, state: State) -> Walk:
    """Return what a landed node means; `ended` where its chain is left."""
    search = state.search
    if node.buggy:
        left = node.debug_depth >= search.return_debug_depth
        terminal = left and node.debug_depth >= search.max_debug_depth
        return Walk(reward=-1.0, ended=left, terminal=terminal)
    fixed = parent.order > 0 and parent.buggy
    if not node.metric:  # the released code takes a metric of zero for none
        return Walk(reward=1.0, fixed=fixed, ended=True)
    best = state.node(node.local_best) if node.local_best else None
    if best is None or _improves(node, best, state):
        return Walk(reward=1.0, better=True, fixed=fixed, going_on=True, ended=fixed)
    if best.improve_failures < search.max_improve_failures:
        return Walk(reward=1.0, fixed=fixed, failure_of=best.name, going_on=True, ended=fixed)
    return Walk(reward=1.0, fixed=fixed, terminal=True, ended=True)


def land(state: State, node: Node, walk: Walk) -> State:
    """Land *node*: its chain goes on from it, or is left with a reward for all on the way up."""
    node = replace(
        node,
        visits=0,
        local_best=node.name if walk.better else node.local_best,
        continue_improve=walk.going_on,
        terminal=walk.terminal,
    )
    changed = {node.order: node}
    if walk.failure_of:
        best = state.nodes[state.orders[walk.failure_of]]
        changed[best.order] = replace(best, improve_failures=best.improve_failures + 1)
    state = _put(state, node, changed)
    if walk.ended:
        return leave(state, node.order, walk.reward)
    return replace(state, chains=state.chains | {node.order})


def give_up(state: State, node: Node) -> State:
    """Land *node*, which was never written: its chain is left at its parent without a visit."""
    landed = _put(state, node, {node.order: replace(node, terminal=True)})
    return leave(landed, node.above, 0.0, visits=0)


def _put(state: State, node: Node, changed: Mapping[int, Node]) -> State:
    in_flight = {**state.in_flight}
    del in_flight[node.name]
    return replace(state, nodes=state.nodes.updated(changed), in_flight=in_flight)


def leave(state: State, order: int, reward: float, *, visits: int = 1) -> State:
    """Carry *reward* and the flags of the node *order* up to the root: *visits* of each."""
    changed = dict[int, Node]()
    below = state.nodes[order]
    while below.order:
        above = state.nodes[below.above]
        if above.order:
            fixed = above.buggy and (not below.buggy or below.is_debug_success)
            above = replace(
                above,
                continue_improve=below.continue_improve,
                is_debug_success=above.is_debug_success or fixed,
            )
        changed[below.order] = _visited(below, reward, visits)
        below = above
    changed[below.order] = _visited(below, reward, visits)
    return replace(state, nodes=state.nodes.updated(changed))


def _visited(node: Node, reward: float, visits: int) -> Node:
    return replace(
        node, visits=node.visits + visits, reward=node.reward + reward, improve_failures=0
    )


def _improves(node: Node, best: Node, state: State) -> bool:
    if node.metric is None or best.metric is None:
        return True
    gained = gain(node.metric, best.metric, lower_is_better=state.lower_is_better)
    return gained >= state.search.threshold
