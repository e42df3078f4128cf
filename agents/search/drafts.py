"""Drafts alone: what is left of a search that remembers nothing of what it tried. Pure.

As in the ablation without the first tier of ML-Master 2.0 (arXiv 2601.10402, table 2).
"""

from agents.search.policy import Choice, Horizon
from schemas.events import Selection
from store.projections.tree import State


def choose(tree: State, horizon: Horizon) -> Choice:  # noqa: ARG001 - a policy's signature
    """Return another draft."""
    root = tree.root
    selection = Selection(visits=root.visits, reward=root.reward, exploration=0.0, value=None)
    return Choice(parent=None, action="draft", selection=selection)
