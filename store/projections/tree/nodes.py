"""The search tree of one run: its nodes, and the statistics that UCT reads. Pure.

Nodes are numbered in the order of their proposals; number 0 is the virtual root above the drafts.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from schemas.events import Action
from schemas.settings import Search
from schemas.task import Artifact
from store.projections.growing import Growing
from store.projections.vector import Vector, vector

Stage = Literal["proposed", "written", "running", "executed", "graded", "failed"]

ROOT = 0
"""The order of the virtual root."""


class Node(Struct, frozen=True, kw_only=True, gc=False):
    """One candidate solution, with the flags and counters of ML-Master 1.0.

    `above` is the order of the parent, `branch` that of the draft it descends from. `local_best` is the best node of its branch, on which
    `improve_failures` are counted. `exhausted`: nothing can be tried at or below it any more.
    `step` is the closing step that a node beside the search belongs to: such a node is nobody's
    child. `repeats` are the scores of the same program with other seeds.
    """

    name: str
    order: int
    above: int = ROOT
    branch: int = ROOT
    parent: str | None = None
    action: Action = "draft"
    step: str = ""
    phase: int = 0
    suggestion: str = ""
    state: Stage = "proposed"
    children: tuple[str, ...] = ()
    metric: float | None = None
    repeats: tuple[float, ...] = ()
    valid: bool = False
    buggy: bool = False
    visits: int = 0
    reward: float = 0.0
    debug_depth: int = 0
    local_best: str | None = None
    improve_failures: int = 0
    continue_improve: bool = False
    is_debug_success: bool = False
    terminal: bool = False
    exhausted: bool = False
    seconds: float = 0.0
    submission: Artifact | None = None

    @property
    def defective(self) -> bool:
        """Whether it must be repaired before anything can be built on it."""
        return self.buggy or not self.valid or self.metric is None


def _planted() -> "Vector[Node]":
    return vector([Node(name="root", order=ROOT)])


class Progress(Struct, frozen=True, kw_only=True, gc=False):
    """How far a node under way has come; seconds are those of its execution."""

    order: int
    state: Stage = "proposed"
    seconds: float = 0.0


class Plan(Struct, frozen=True, kw_only=True, gc=False):
    """What the open phase wants to try: each direction's suggestions.

    `tried` are the suggestions that have a node, `bases` what each begun direction improves.
    """

    phase: int
    base: str | None
    directions: tuple[tuple[str, ...], ...]
    tried: frozenset[str] = frozenset()
    bases: Mapping[str, str | None] = {}


class State(Struct, frozen=True, kw_only=True, gc=False):
    """The tree. `chains` are leaves that are gone on with before anything else is chosen.

    Those are the broken while their chain of repairs is short, and in the profile `code` the
    sound ones whose chain has not been left. `nodes` has those in flight as they were proposed.
    `beside` counts those of closing steps.
    """

    search: Search = Search()
    lower_is_better: bool = False
    nodes: "Vector[Node]" = field(default_factory=_planted)
    orders: "Growing[str, int]" = field(default_factory=Growing)
    in_flight: Mapping[str, Progress] = {}
    chains: frozenset[int] = frozenset()
    plan: Plan | None = None
    best: Node | None = None
    graded: int = 0
    buggy: int = 0
    failed: int = 0
    beside: int = 0

    @property
    def root(self) -> Node:
        """The virtual root."""
        return self.nodes[ROOT]

    @property
    def proposed(self) -> int:
        """How many nodes the search has."""
        return len(self.nodes) - 1 - self.beside

    def step_of(self, name: str) -> str:
        """Return the closing step that *name* belongs to; nothing for a node of the search."""
        order = self.orders.get(name)
        return "" if order is None else self.nodes[order].step

    def node(self, name: str) -> Node:
        """Return the node *name*; raises KeyError."""
        node, progress = self.nodes[self.orders[name]], self.in_flight.get(name)
        return replace(node, state=progress.state, seconds=progress.seconds) if progress else node

    def children(self, node: Node) -> Sequence[Node]:
        """Return the children of *node*, oldest first."""
        return [self.node(name) for name in node.children]

    def ancestors(self, node: Node) -> Iterator[Node]:
        """Yield the nodes above *node*, from its parent to the root."""
        while node.order:
            node = self.nodes[node.above]
            yield node


START = State()


def rows(state: State) -> Mapping[str, Struct]:
    """Return every node by its name."""
    settled = {node.name: node for node in state.nodes if node.order}
    return settled | {name: state.node(name) for name in state.in_flight}


def full(node: Node, search: Search) -> bool:
    """Return whether *node* has all the children that the limits allow; those in flight count."""
    if not node.order:
        return len(node.children) >= search.drafts
    if node.defective:
        return node.is_debug_success or len(node.children) >= search.debugs
    return len(node.children) >= search.improves


def gain(metric: float, over: float, *, lower_is_better: bool) -> float:
    """Return by how much *metric* is better than *over*."""
    return over - metric if lower_is_better else metric - over
