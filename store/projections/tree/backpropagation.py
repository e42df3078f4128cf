"""What a verdict on a node means for it and for those above it. Pure.

Rewards and rules after ML-Master 1.0 (arXiv 2506.16499, equations 1 to 4), with its released
code's dead quality reward brought to life.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from store.projections.tree.nodes import Node, State, full, gain


class Walk(Struct, frozen=True, kw_only=True, gc=False):
    """What settling a node means for it and for those above; the flags are those of 1.0's code.

    `terminal`: it is an end. `better`: it is the best of its branch. `fixed`: it repaired its
    parent. `failure_of`: on whom a failure to improve is counted. `going_on`, `ended`: whether
    its chain is to be followed further or is at its end.
    """

    reward: float = 0.0
    terminal: bool = False
    better: bool = False
    fixed: bool = False
    failure_of: str | None = None
    going_on: bool = False
    ended: bool = False


def broken(node: Node, state: State) -> Walk:
    """Return what a defective node means: an end, when its chain of repairs is long enough."""
    terminal = node.debug_depth >= state.search.max_debug_depth
    left = node.debug_depth >= state.search.return_debug_depth
    return Walk(reward=-1.0, terminal=terminal, ended=terminal or left)


def sound(node: Node, parent: Node, state: State, *, record: bool) -> Walk:
    """Return what a sound node means: a gain below the threshold is a failure of its branch's best."""
    fixed = parent.order > 0 and parent.defective
    # Equation 3 of the paper rewards what is merely sound with nothing.
    reward = record + fixed + (0.0 if state.search.profile == "paper" else 1.0)
    best = state.node(node.local_best) if node.local_best else None
    if best is None or _improves(node, best, state):
        return Walk(reward=reward, better=True, fixed=fixed, going_on=True)
    if best.improve_failures < state.search.max_improve_failures:
        return Walk(reward=reward, fixed=fixed, failure_of=best.name, going_on=True)
    if state.search.profile == "paper":
        reward += 1.0  # equation 4: the criterion for stopping is met
    return Walk(reward=reward, terminal=True, fixed=fixed, ended=True)


def _improves(node: Node, best: Node, state: State) -> bool:
    if node.metric is None or best.metric is None:
        return True
    gained = gain(node.metric, best.metric, lower_is_better=state.lower_is_better)
    return gained >= state.search.threshold


def settle(state: State, node: Node, walk: Walk) -> State:
    """Land *node* and carry what it changes up to the root."""
    exhausted = walk.terminal or _none_left(node, {}, state)
    node = replace(
        node,
        reward=walk.reward,
        local_best=node.name if walk.better else node.local_best,
        continue_improve=walk.going_on,
        terminal=walk.terminal,
        exhausted=exhausted,
    )
    quiet = not (walk.ended or walk.fixed or walk.failure_of)
    changed = {node.order: node}
    nodes, order, below = state.nodes, node.above, node.order
    while below:
        above = nodes[order]
        visits, reward = above.visits + 1, above.reward + walk.reward
        if quiet and (above.continue_improve or not walk.going_on):
            above = replace(above, visits=visits, reward=reward)
        else:
            above = _passed(above, walk, visits, reward)
        if exhausted:
            exhausted = order > 0 and _none_left(above, changed, state)
            above = replace(above, exhausted=exhausted)
        changed[order] = above
        below, order = order, above.above
    in_flight = {**state.in_flight}
    del in_flight[node.name]
    return replace(state, nodes=nodes.updated(changed), in_flight=in_flight)


def _passed(above: Node, walk: Walk, visits: int, reward: float) -> Node:
    """Return an ancestor as a settled node that changes more than its figures leaves it behind."""
    failures = above.improve_failures + (above.name == walk.failure_of)
    going_on = not walk.ended and (walk.going_on or above.continue_improve)
    return replace(
        above,
        visits=visits,
        reward=reward,
        improve_failures=0 if walk.ended else failures,
        continue_improve=going_on and above.order > 0,
        is_debug_success=above.is_debug_success
        or (walk.fixed and above.order > 0 and above.defective),
    )


def _none_left(node: Node, changed: Mapping[int, Node], state: State) -> bool:
    """Return whether *node* is full and all its children are exhausted."""
    if not full(node, state.search):
        return False
    orders = (state.orders[name] for name in node.children)
    return all((changed.get(each) or state.nodes[each]).exhausted for each in orders)
