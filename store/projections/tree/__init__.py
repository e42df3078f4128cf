"""The search tree of one run: what a node is, how events change it, how verdicts travel upwards. Pure."""

from store.projections.tree.chains import leave
from store.projections.tree.growth import Followed, apply, fail, grade, node_of, projection, propose
from store.projections.tree.nodes import (
    ROOT,
    START,
    Node,
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
    "projection",
    "propose",
    "rows",
]
