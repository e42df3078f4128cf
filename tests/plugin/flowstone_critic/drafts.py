"""A search policy that never builds on what it has: nothing but drafts."""

from agents.search.policy import Choice, Horizon
from schemas.events import Selection
from store.projections.tree import State


def choose(tree: State, horizon: Horizon) -> Choice:  # noqa: ARG001 - a policy's signature
    """Return another draft."""
    root = tree.root
    selection = Selection(visits=root.visits, reward=root.reward, exploration=0.0, value=None)
    return Choice(parent=None, action="draft", selection=selection)
