"""The search tree of one run: its nodes, what came of them, and the statistics that UCT reads. Pure.

Nodes are numbered in the order of their proposals; number 0 is the virtual root above the drafts.
Rewards and rules after ML-Master 1.0 (arXiv 2506.16499, equations 1 to 4), with its released
code's dead quality reward brought to life.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from schemas.envelope import Recorded
from schemas.events import (
    Action,
    CodingFailed,
    ExecutionFinished,
    ExecutionStarted,
    NodeProposed,
    RunStarted,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    WorkAbandoned,
)
from schemas.settings import Search
from schemas.task import Artifact
from store.projections.growing import Growing
from store.projections.projection import Projection
from store.projections.vector import Vector, vector

Stage = Literal["proposed", "written", "running", "executed", "graded", "failed"]
Followed = (
    ExecutionStarted
    | ExecutionFinished
    | SolutionGraded
    | SolutionWritten
    | NodeProposed
    | CodingFailed
    | TaskPrepared
    | RunStarted
    | WorkAbandoned
)

ROOT = 0
"""The order of the virtual root."""


class Node(Struct, frozen=True, kw_only=True, gc=False):
    """One candidate solution, with the flags and counters of ML-Master 1.0.

    `above` is the order of the parent. `local_best` is the best node of its branch, on which
    `improve_failures` are counted. `exhausted`: nothing can be tried at or below it any more.
    """

    name: str
    order: int
    above: int = ROOT
    parent: str | None = None
    action: Action = "draft"
    phase: int = 0
    state: Stage = "proposed"
    children: tuple[str, ...] = ()
    metric: float | None = None
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


class State(Struct, frozen=True, kw_only=True, gc=False):
    """The tree. `repairs` are broken leaves whose chain of repairs is still to be followed.

    `nodes` has those in flight as they were proposed.
    """

    search: Search = Search()
    lower_is_better: bool = False
    nodes: "Vector[Node]" = field(default_factory=_planted)
    orders: "Growing[str, int]" = field(default_factory=Growing)
    in_flight: Mapping[str, Progress] = {}
    repairs: frozenset[int] = frozenset()
    best: Node | None = None
    graded: int = 0
    buggy: int = 0
    failed: int = 0

    @property
    def root(self) -> Node:
        """The virtual root."""
        return self.nodes[ROOT]

    @property
    def proposed(self) -> int:
        """How many nodes there are."""
        return len(self.nodes) - 1

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


def apply(state: State, event: Recorded[Followed]) -> State:
    """Return the tree after *event*."""
    match event.data:
        case SolutionWritten(node=name):
            return _step(state, name, "written")
        case ExecutionStarted(node=name):
            return _step(state, name, "running")
        case ExecutionFinished(node=name, seconds=seconds):
            return _step(state, name, "executed", seconds)
        case SolutionGraded() as graded:
            return _grade(state, graded)
        case NodeProposed() as proposed:
            return propose(state, proposed)
        case CodingFailed(node=name):
            return _fail(state, name)
        case TaskPrepared(task=task):
            return replace(state, lower_is_better=task.lower_is_better)
        case RunStarted(settings=settings):
            return replace(state, search=settings.search)
        case WorkAbandoned(about=about):
            return _fail(state, node_of(about))


def node_of(about: str) -> str:
    """Return the node in an event's key: `n1` in `n1`, `cpu.n1`, `coder.n1-2`."""
    return about.rpartition(".")[2].partition("-")[0]


def rows(state: State) -> Mapping[str, Struct]:
    """Return every node by its name."""
    return {name: state.node(name) for name in state.orders}


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


def propose(state: State, proposed: NodeProposed) -> State:
    """Return the tree with one more node in flight."""
    if proposed.node in state.orders:
        return state
    parent = state.nodes[state.orders.get(proposed.parent or "", ROOT)]
    order = len(state.nodes)
    node = Node(
        name=proposed.node,
        order=order,
        above=parent.order,
        parent=parent.name if parent.order else None,
        action=proposed.action,
        phase=proposed.phase,
        debug_depth=parent.debug_depth + 1 if parent.order and parent.defective else 0,
        local_best=parent.local_best,
    )
    grown = replace(parent, children=(*parent.children, node.name), exhausted=False)
    return replace(
        state,
        nodes=state.nodes.updated({parent.order: grown, order: node}),
        orders=state.orders.added(node.name, order),
        in_flight={**state.in_flight, node.name: Progress(order=order)},
        repairs=state.repairs - {parent.order},
    )


def _step(state: State, name: str, stage: Stage, seconds: float = 0.0) -> State:
    before = state.in_flight.get(name)
    if before is None:
        return state
    progress = Progress(order=before.order, state=stage, seconds=seconds)
    return replace(state, in_flight={**state.in_flight, name: progress})


class _Walk(Struct, frozen=True, kw_only=True, gc=False):
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


def _fail(state: State, name: str) -> State:
    """Settle a node that was never written: a visit without a reward, and its place is free again."""
    progress = state.in_flight.get(name)
    if progress is None:
        return state
    node = replace(state.nodes[progress.order], state="failed")
    parent = state.nodes[node.above]
    freed = replace(parent, children=tuple(each for each in parent.children if each != name))
    state = replace(
        state,
        nodes=state.nodes.updated({freed.order: freed}),
        failed=state.failed + 1,
        repairs=_with_repair(state, freed),
    )
    return _settle(state, node, _Walk(terminal=True))


def _grade(state: State, graded: SolutionGraded) -> State:
    progress = state.in_flight.get(graded.node)
    if progress is None:
        return state
    node = state.nodes[progress.order]
    parent = state.nodes[node.above]
    node = replace(
        node,
        state="graded",
        seconds=progress.seconds,
        metric=graded.metric,
        valid=graded.valid,
        buggy=graded.buggy,
        submission=graded.submission,
        local_best=parent.local_best,
        visits=1,
    )
    record = _is_better(node, state.best, state)
    walk = _defective(node, state) if node.defective else _sound(node, parent, state, record=record)
    settled = _settle(state, node, walk)
    node = settled.nodes[node.order]
    return replace(
        settled,
        best=node if record else state.best,
        graded=state.graded + 1,
        buggy=state.buggy + node.buggy,
        repairs=_with_repair(state, node),
    )


def _is_better(node: Node, best: Node | None, state: State) -> bool:
    if node.defective or node.metric is None:
        return False
    if best is None or best.metric is None:
        return True
    return gain(node.metric, best.metric, lower_is_better=state.lower_is_better) > 0


def _with_repair(state: State, node: Node) -> frozenset[int]:
    """Return the repairs to follow, *node* among them if its chain is still short."""
    wanted = (
        node.order > 0
        and node.defective
        and not node.terminal
        and len(node.children) < state.search.debugs
        and node.debug_depth < state.search.return_debug_depth
    )
    return state.repairs | {node.order} if wanted else state.repairs


def _defective(node: Node, state: State) -> _Walk:
    terminal = node.debug_depth >= state.search.max_debug_depth
    left = node.debug_depth >= state.search.return_debug_depth
    return _Walk(reward=-1.0, terminal=terminal, ended=terminal or left)


def _sound(node: Node, parent: Node, state: State, *, record: bool) -> _Walk:
    """Compare with the branch's best: a gain below the threshold is one of its failures."""
    fixed = parent.order > 0 and parent.defective
    reward = 1.0 + record + fixed
    best = state.node(node.local_best) if node.local_best else None
    if best is None or _improves(node, best, state):
        return _Walk(reward=reward, better=True, fixed=fixed, going_on=True)
    if best.improve_failures < state.search.max_improve_failures:
        return _Walk(reward=reward, fixed=fixed, failure_of=best.name, going_on=True)
    return _Walk(reward=reward, terminal=True, fixed=fixed, ended=True)


def _improves(node: Node, best: Node, state: State) -> bool:
    if node.metric is None or best.metric is None:
        return True
    gained = gain(node.metric, best.metric, lower_is_better=state.lower_is_better)
    return gained >= state.search.improvement_threshold


def _settle(state: State, node: Node, walk: _Walk) -> State:
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


def _passed(above: Node, walk: _Walk, visits: int, reward: float) -> Node:
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
    orders = [state.orders[name] for name in node.children]
    return all((changed.get(each) or state.nodes[each]).exhausted for each in orders)


projection: Projection[Any] = Projection("tree", START, apply, rows)
