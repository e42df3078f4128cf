"""The loop of ML-Master 2.0 (arXiv 2601.10402, section 3.2): suggestions of a plan, tried at once. Pure.

First a solution that works; then every suggestion of the open phase's plan improves the phase's
base, each with its own repairs. Between phases there is nothing to choose.
"""

from collections.abc import Iterator

from agents.search.policy import Choice, Horizon
from schemas.events import Action, Selection
from store.projections.tree import Node, Plan, State


def choose(tree: State, horizon: Horizon) -> Choice | None:  # noqa: ARG001 - a policy's signature
    """Return what to try next, or None while the phase has nothing that is not under way."""
    phase = tree.plan.phase if tree.plan else 0
    broken = sorted(order for order in tree.chains if _of(tree.nodes[order], phase))
    if broken:
        node = tree.nodes[broken[0]]
        return _choice(node, "debug", suggestion=node.suggestion)
    if tree.plan:
        return next(_suggested(tree, tree.plan), None)
    if tree.best or tree.in_flight:
        return None
    return _choice(tree.root, "draft")


def done(tree: State) -> bool:
    """Return whether every suggestion of the open phase has been tried to its end."""
    plan = tree.plan
    return plan is not None and all(
        _ended(tree, plan, number) for number in range(1, len(plan.directions) + 1)
    )


def _of(node: Node, phase: int) -> bool:
    return node.defective and node.phase == phase


def _suggested(tree: State, plan: Plan) -> Iterator[Choice]:
    """Yield a choice for each suggestion without a node, in the plan's order."""
    for direction, suggestions in enumerate(plan.directions, 1):
        for number, text in enumerate(suggestions, 1):
            name = f"{direction}.{number}"
            if name not in plan.tried:
                base = _base(tree, plan, direction)
                yield _choice(base, "improve", suggestion=name, instruction=text)
        if tree.search.direction_order == "sequential" and not _ended(tree, plan, direction):
            return


def _base(tree: State, plan: Plan, direction: int) -> Node:
    """Return what a direction improves: the phase's base, or the best so far where they queue."""
    name = plan.base
    if tree.search.direction_order == "sequential":
        name = plan.bases.get(str(direction)) or (tree.best.name if tree.best else plan.base)
    return tree.node(name) if name and name in tree.orders else tree.root


def _ended(tree: State, plan: Plan, direction: int) -> bool:
    """Return whether all suggestions of a direction have nodes, with none left to run or repair."""
    names = {f"{direction}.{n}" for n in range(1, len(plan.directions[direction - 1]) + 1)}
    under_way = (tree.nodes[each.order] for each in tree.in_flight.values())
    broken = (tree.nodes[order] for order in tree.chains)
    unfinished = (*under_way, *(node for node in broken if node.defective))
    return names <= plan.tried and not any(
        node.phase == plan.phase and node.suggestion in names for node in unfinished
    )


def _choice(node: Node, action: Action, *, suggestion: str = "", instruction: str = "") -> Choice:
    return Choice(
        parent=node.name if node.order else None,
        action=action if node.order else "draft",
        selection=Selection(visits=node.visits, reward=node.reward, exploration=0.0, value=None),
        suggestion=suggestion,
        instruction=instruction,
    )
