"""How events change the search tree: nodes are proposed, make progress, and are settled. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from schemas.envelope import Fact
from schemas.events import (
    CodingFailed,
    Event,
    ExecutionFinished,
    ExecutionStarted,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    RunFinished,
    RunStarted,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
    WorkAbandoned,
)
from store.projections.projection import Projection
from store.projections.tree import beside, chains
from store.projections.tree.backpropagation import Walk, broken, settle, sound
from store.projections.tree.nodes import ROOT, START, Node, Plan, Progress, Stage, State, gain, rows

Followed = (
    ExecutionStarted
    | ExecutionFinished
    | SolutionGraded
    | SolutionWritten
    | NodeProposed
    | CodingFailed
    | TaskPrepared
    | RunStarted
    | RunFinished
    | WorkAbandoned
    | PhasePlanned
    | PhaseClosed
)


def apply(state: State, event: Fact[Followed]) -> State:
    """Return the tree after *event*."""
    return STEPS[type(event.data)](state, event.data)


def node_of(about: str) -> str:
    """Return the node in an event's key: `n1` in `n1`, `cpu.n1`, `coder.n1-2`."""
    return about.rpartition(".")[2].partition("-")[0]


def propose(state: State, proposed: NodeProposed) -> State:
    """Return the tree with one more node in flight."""
    if proposed.node in state.orders:
        return state
    if proposed.step:
        return beside.propose(state, proposed)
    for name in (each for each in proposed.selection.skipped if each in state.orders):
        state = chains.leave(state, state.orders[name], 0.0)
    parent = state.nodes[state.orders.get(proposed.parent or "", ROOT)]
    order = len(state.nodes)
    node = Node(
        name=proposed.node,
        order=order,
        above=parent.order,
        branch=parent.branch if parent.order else order,
        parent=parent.name if parent.order else None,
        action=proposed.action,
        phase=proposed.phase,
        suggestion=proposed.suggestion,
        debug_depth=parent.debug_depth + 1 if _repairs(state, parent) else 0,
        local_best=parent.local_best,
    )
    grown = replace(parent, children=(*parent.children, node.name), exhausted=False)
    return replace(
        state,
        nodes=state.nodes.updated({parent.order: grown, order: node}),
        orders=state.orders.added(node.name, order),
        in_flight={**state.in_flight, node.name: Progress(order=order)},
        chains=state.chains - {parent.order},
        plan=_tried(state.plan, proposed) if proposed.suggestion else state.plan,
    )


def _repairs(state: State, parent: Node) -> bool:
    """Return whether a child of *parent* is a link in a chain of repairs."""
    if state.search.profile == "code":
        return parent.buggy  # the released code does not count repairs of what was refused
    return parent.order > 0 and parent.defective


def _tried(plan: Plan | None, proposed: NodeProposed) -> Plan | None:
    if plan is None or plan.phase != proposed.phase or proposed.action != "improve":
        return plan
    direction = proposed.suggestion.partition(".")[0]
    return replace(
        plan,
        tried=plan.tried | {proposed.suggestion},
        bases={direction: proposed.parent, **plan.bases},
    )


def plan(state: State, planned: PhasePlanned) -> State:
    """Return the tree once a phase has begun; without directions it plans nothing."""
    if not planned.directions:
        return state
    wanted = tuple(planned.directions.values())
    return replace(state, plan=Plan(phase=planned.phase, base=planned.base, directions=wanted))


def _closed(state: State, closed: PhaseClosed) -> State:
    over = state.plan is not None and state.plan.phase == closed.phase
    return replace(state, plan=None) if over else state


def _started(state: State, started: RunStarted) -> State:
    return replace(state, search=started.settings.search)


def _prepared(state: State, prepared: TaskPrepared) -> State:
    return replace(state, lower_is_better=prepared.task.lower_is_better)


def _written(state: State, written: SolutionWritten) -> State:
    return _step(state, written.node, "written")


def _running(state: State, started: ExecutionStarted) -> State:
    return _step(state, started.node, "running")


def _executed(state: State, finished: ExecutionFinished) -> State:
    return _step(state, finished.node, "executed", finished.seconds)


def _unwritten(state: State, failed: CodingFailed) -> State:
    return fail(state, failed.node)


def _abandoned(state: State, abandoned: WorkAbandoned) -> State:
    return fail(state, node_of(abandoned.about))


def _step(state: State, name: str, stage: Stage, seconds: float = 0.0) -> State:
    before = state.in_flight.get(name)
    if before is None:
        return state
    progress = Progress(order=before.order, state=stage, seconds=seconds)
    return replace(state, in_flight={**state.in_flight, name: progress})


def fail(state: State, name: str) -> State:
    """Return the tree once a node was not written: a visit without a reward, its place is free."""
    progress = state.in_flight.get(name)
    if progress is None:
        return state
    node = replace(state.nodes[progress.order], state="failed")
    if node.step:
        return beside.land(state, node)
    parent = state.nodes[node.above]
    freed = replace(parent, children=tuple(each for each in parent.children if each != name))
    state = replace(state, nodes=state.nodes.updated({freed.order: freed}), failed=state.failed + 1)
    if state.search.profile == "code":
        return chains.give_up(state, node)
    state = replace(state, chains=_with_chain(state, freed))
    return settle(state, node, Walk(terminal=True))


def grade(state: State, graded: SolutionGraded) -> State:
    """Return the tree once a node in flight has its verdict."""
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
        buggy=graded.buggy or (graded.metric is None and state.search.profile == "code"),
        submission=graded.submission,
        local_best=parent.local_best,
        visits=1,
    )
    record = _is_better(node, state.best, state)
    if node.step:
        return beside.land(state, node, record=record)
    landed = _landed(state, node, parent, record=record)
    return replace(
        landed,
        best=landed.nodes[node.order] if record else state.best,
        graded=state.graded + 1,
        buggy=state.buggy + node.buggy,
    )


def _landed(state: State, node: Node, parent: Node, *, record: bool) -> State:
    """Return the tree with *node* in its place and what its verdict changes above it."""
    if state.search.profile == "code":
        return chains.land(state, node, chains.verdict(node, parent, state))
    walk = broken(node, state) if node.defective else sound(node, parent, state, record=record)
    settled = settle(state, node, walk)
    return replace(settled, chains=_with_chain(state, settled.nodes[node.order]))


def _finished(state: State, finished: RunFinished) -> State:
    """Return the tree with the solution that was handed over as the best."""
    if finished.best is None or finished.best not in state.orders:
        return state
    return replace(state, best=state.node(finished.best))


def _is_better(node: Node, best: Node | None, state: State) -> bool:
    if node.defective or node.metric is None:
        return False
    if best is None or best.metric is None:
        return True
    return gain(node.metric, best.metric, lower_is_better=state.lower_is_better) > 0


def _with_chain(state: State, node: Node) -> frozenset[int]:
    """Return the chains to follow, that of *node* among them if it is broken and its chain short."""
    wanted = (
        node.order > 0
        and node.defective
        and not node.terminal
        and len(node.children) < state.search.debugs
        and node.debug_depth < state.search.return_debug_depth
    )
    return state.chains | {node.order} if wanted else state.chains


# A table, not a `match`: half of a rebuild's events end here.
STEPS: Mapping[type[Event], Callable[[State, Any], State]] = {
    RunStarted: _started,
    TaskPrepared: _prepared,
    NodeProposed: propose,
    SolutionWritten: _written,
    ExecutionStarted: _running,
    ExecutionFinished: _executed,
    SolutionGraded: grade,
    CodingFailed: _unwritten,
    RunFinished: _finished,
    WorkAbandoned: _abandoned,
    PhasePlanned: plan,
    PhaseClosed: _closed,
}

projection: Projection[Any] = Projection("tree", START, apply, rows)
