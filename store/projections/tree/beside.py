"""Nodes beside the search, which closing steps propose: nobody's children, without visits or rewards. Pure."""

from msgspec.structs import replace

from schemas.events import NodeProposed
from store.projections.tree.nodes import Node, Progress, State


def propose(state: State, proposed: NodeProposed) -> State:
    """Return the tree with a closing step's node in flight."""
    order = len(state.nodes)
    node = Node(
        name=proposed.node,
        order=order,
        parent=proposed.parent if proposed.parent in state.orders else None,
        action=proposed.action,
        step=proposed.step,
        phase=proposed.phase,
    )
    return replace(
        state,
        nodes=state.nodes.updated({order: node}),
        orders=state.orders.added(node.name, order),
        in_flight={**state.in_flight, node.name: Progress(order=order)},
        beside=state.beside + 1,
    )


def land(state: State, node: Node, *, record: bool = False) -> State:
    """Return the tree once such a node has come to its end; a *record* is the best from now on.

    A repeat is no solution of its own: its score is kept at the solution that it repeats.
    """
    changed = {node.order: node}
    repeated = state.orders.get(node.parent or "") if node.action == "repeat" else None
    if repeated is not None and node.metric is not None and not node.defective:
        solution = state.nodes[repeated]
        changed[repeated] = replace(solution, repeats=(*solution.repeats, node.metric))
    in_flight = {**state.in_flight}
    del in_flight[node.name]
    return replace(
        state,
        nodes=state.nodes.updated(changed),
        in_flight=in_flight,
        best=node if record and node.action != "repeat" else state.best,
    )
