"""What a search policy is, and how one is found by its name."""

import importlib
from importlib.metadata import entry_points
from math import inf
from typing import Protocol

from msgspec import Struct

from schemas.events import Action, Selection
from store.projections import tree

PLUGINS = "flowstone.policies"
"""The entry-point group through which other packages offer policies."""


OWN = ("greedy", "research", "uct")
"""The policies that come with Flowstone: modules of this folder, each with its `choose`."""


class Choice(Struct, frozen=True, kw_only=True):
    """What to try next: an action on a parent (None for a draft), and the figures behind it.

    `suggestion` is what of the phase's plan is tried, and `instruction` says it in words.
    """

    parent: str | None
    action: Action
    selection: Selection
    suggestion: str = ""
    instruction: str = ""


def action_on(node: tree.Node) -> Action:
    """Return what can be done with *node*: the root is drafted from, the broken are repaired."""
    if not node.order:
        return "draft"
    return "debug" if node.defective else "improve"


class Horizon(Struct, frozen=True, kw_only=True):
    """How far a run can see: its nodes, its minutes, and how many of those are gone."""

    nodes: int
    minutes: float = inf
    gone: float = 0.0


class Policy(Protocol):
    """A pure function from the tree to the next choice."""

    def __call__(self, tree: tree.State, horizon: Horizon) -> Choice | None:
        """Return what to try next, or None where it must wait for what is in flight."""
        ...


class PolicyUnknown(ValueError):  # noqa: N818 - it says what is the matter
    """Raised when no policy has the name that the settings ask for."""


def policy(name: str) -> Policy:
    """Return the policy *name*: one of ours, or an entry point; raises PolicyUnknown."""
    if name in OWN:
        own: Policy = importlib.import_module(f"agents.search.{name}").choose
        return own
    offered = {point.name: point for point in entry_points(group=PLUGINS)}
    if name in offered:
        plugged: Policy = offered[name].load()
        return plugged
    known = ", ".join(sorted({*offered, *OWN}))
    raise PolicyUnknown(f"search.policy = {name!r}: there is no such policy; known are {known}")
