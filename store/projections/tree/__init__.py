"""The search tree of one run: what a node is, how events change it, how verdicts travel upwards. Pure."""

from store.projections.tree.chains import leave
from store.projections.tree.growth import (
    Followed,
    apply,
    fail,
    grade,
    node_of,
    plan,
    projection,
    propose,
)
from store.projections.tree.nodes import (
    ROOT,
    START,
    Node,
    Plan,
    Progress,
    Stage,
    State,
    full,
    gain,
    rows,
)

__all__ = [
    "ROOT",
    "START",
    "Followed",
    "Node",
    "Plan",
    "Progress",
    "Stage",
    "State",
    "apply",
    "fail",
    "full",
    "gain",
    "grade",
    "leave",
    "node_of",
    "plan",
    "projection",
    "propose",
    "rows",
]
