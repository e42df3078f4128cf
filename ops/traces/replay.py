"""Decides a printed run again: the profile `code` chooses, the log says what came of it. Pure.

After every choice the tree follows the log, so that each choice is judged by itself.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from agents.search import exploration, released
from agents.search.policy import Choice, Horizon, action_on
from agents.search.upper_confidence import value
from ops.traces.reading import Chosen, Died, Landed, Omitted, Step, Trace, Visited, Written
from schemas.envelope import Fact
from schemas.events import Action, NodeProposed, Selection, SolutionGraded, SolutionWritten
from schemas.settings import Search
from store.projections import tree

Kind = Literal["agrees", "tie", "differs"]

_NEVER = datetime(2025, 1, 1, tzinfo=UTC)
_NOTHING = Selection(visits=0, reward=0.0, exploration=0.0, value=None)


class Verdict(Struct, frozen=True, kw_only=True):
    """One choice of the log beside ours; a `tie` says whose values are equal."""

    line: int
    kind: Kind
    logged: str
    ours: str


class Replayed(Struct, frozen=True, kw_only=True):
    """A run decided again. `after_gap` counts choices after lines that the log leaves out."""

    trace: Trace
    verdicts: tuple[Verdict, ...]
    after_gap: int

    def count(self, kind: Kind) -> int:
        """Return how many choices are of *kind*."""
        return sum(each.kind == kind for each in self.verdicts)


def replay(trace: Trace) -> Replayed:
    """Return every choice of *trace* beside what the profile `code` chooses there."""
    run, steps, verdicts = _Run(trace), [*trace.steps], list[Verdict]()
    while steps and run.can_follow(steps[0]):
        verdicts += run.follow(steps.pop(0))
    missed = sum(isinstance(each, Chosen | Landed) for each in steps)
    return Replayed(trace=trace, verdicts=tuple(verdicts), after_gap=missed)


class _Run:
    """The tree as the log grows it.

    `_names` leads from the log's nodes to ours, `_unwritten` have no name in the log yet, and
    with those in `_stays` whoever made them goes on.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace, self._horizon = trace, Horizon(nodes=trace.nodes)
        search = Search(profile="code")
        self._tree = tree.State(search=search, lower_is_better=trace.lower_is_better)
        self._names = dict[str, str]()
        self._unwritten = list[str]()
        self._stays = set[str]()

    def can_follow(self, step: Step) -> bool:
        """Return whether all is known that *step* rests on."""
        if isinstance(step, Omitted):
            return False
        named = {getattr(step, name, None) for name in ("parent", "draft")}
        if isinstance(step, Landed | Visited):
            named.add(step.node)
        return named <= {None, self._trace.root, *self._names}

    def follow(self, step: Step) -> Iterator[Verdict]:
        """Yield what is said of the choices in *step*, and let the tree follow the log."""
        match step:
            case Chosen(line=line, parent=parent, action=action):
                node = self._node(parent)
                yield (
                    self._selected(line, node, action)
                    if step.selected
                    else self._stayed(line, node, action)
                )
                self._unwritten.append(self._propose(node, action))
            case Written(node=name, parent=parent):
                self._names[name] = written = self._take(self._node(parent))
                self._apply(SolutionWritten(node=written, plan="", code=""))
            case Landed():
                yield self._landed(step)
            case Visited(line=line, node=name):
                yield from self._visited(line, self._node(name))
            case Died(draft=draft):
                self._propose(self._node(draft), "debug")  # nothing ever comes of it
            case Omitted():
                pass

    def _node(self, logged: str | None) -> tree.Node:
        if logged in (None, self._trace.root):
            return self._tree.root
        return self._tree.node(self._names[logged])

    def _stayed(self, line: int, node: tree.Node, action: Action) -> Verdict:
        """Return whether we stay with *node* too, and do the same with it."""
        ours = f"{action_on(node)} of {node.name}" if node.name in self._stays else "leave it"
        self._stays.discard(node.name)
        return _verdict(line, f"{action} of {node.name}", ours)

    def _selected(self, line: int, node: tree.Node, action: Action) -> Verdict:
        """Return whether we choose the same from the root; a tie has many right answers."""
        logged, choice = f"{action} of {node.name}", self._select()
        ours = self._said(choice)
        if choice and ours != logged:
            ways = [node, *(self._tree.node(name) for name in self._tree.in_flight)]
            for way in ways:
                other = self._select(way)
                if other and self._said(other) == logged and (equal := self._tie(choice, other)):
                    return Verdict(line=line, kind="tie", logged=logged, ours=f"{ours}: {equal}")
        return _verdict(line, logged, ours)

    def _select(self, way: tree.Node | None = None) -> Choice | None:
        """Return what the profile chooses, ties going to those on the *way*."""
        prefer = frozenset(each.order for each in self._path(way)) if way else frozenset[int]()
        return released.select(self._tree, self._horizon, prefer=prefer, taken=self._taken())

    def _taken(self) -> frozenset[int] | None:
        """Return the drafts not to enter, where the profile does not know them itself."""
        if self._trace.exclusive:
            return None
        drafts = self._tree.children(self._tree.root)
        return frozenset(each.order for each in drafts if not each.visits)

    def _said(self, choice: Choice | None) -> str:
        if choice is None:
            return "wait"
        if choice.parent in self._tree.in_flight:
            return "draft of root"  # an early release drafts where the parent has no outcome yet
        return f"{choice.action} of {choice.parent or 'root'}"

    def _path(self, node: tree.Node) -> list[tree.Node]:
        return [*reversed([node, *self._tree.ancestors(node)])]

    def _tie(self, ours: Choice, logged: Choice) -> str:
        """Return where the ways to two choices part, if the two nodes there have equal values."""
        state = self._tree
        for one, other in zip(_arrivals(ours), _arrivals(logged), strict=False):
            if one != other:
                return self._equal(state, one, other)
            state = tree.leave(state, state.orders[one], 0.0)
        return ""

    def _equal(self, state: tree.State, *ends: str) -> str:
        """Return the nodes at which the ways to *ends* part, if their values are equal."""
        if not all(ends):
            return ""
        for one, other in zip(*(self._path(state.node(end)) for end in ends), strict=False):
            if one.order != other.order:
                values = {self._value(state, one.order), self._value(state, other.order)}
                told = f"{one.name} and {other.name} both {values.pop():.4f}"
                return told if not values else ""
        return ""

    def _value(self, state: tree.State, order: int) -> float:
        node = state.nodes[order]
        return value(
            reward=node.reward,
            visits=node.visits,
            parent_visits=state.nodes[node.above].visits,
            exploration=self._constant(),
        )

    def _constant(self) -> float:
        return exploration.constant(self._tree.graded + 1, self._horizon, self._tree.search)

    def _landed(self, step: Landed) -> Verdict:
        """Return whether we stay with a landed node or leave it with the same reward."""
        name, before = self._names[step.node], self._tree
        graded = SolutionGraded(
            node=name,
            metric=step.metric,
            obtained=None,
            valid=step.valid and not step.buggy,
            buggy=step.buggy,
            analysis="",
        )
        self._tree = tree.grade(before, graded)
        node = self._tree.node(name)
        if node.order in self._tree.chains:
            self._stays.add(name)
        if not self._trace.exclusive:
            self._keep_failures(before, node)
        logged, ours = _left(step.reward), _left(None if name in self._stays else node.reward)
        return _verdict(step.line, f"{name}: {logged}", f"{name}: {ours}")

    def _keep_failures(self, before: tree.State, node: tree.Node) -> None:
        """Undo the resetting of failures: the early release does not do it."""
        kept = {
            each.order: replace(each, improve_failures=before.nodes[each.order].improve_failures)
            for each in self._tree.ancestors(node)
            if each.improve_failures < before.nodes[each.order].improve_failures
        }
        self._tree = replace(self._tree, nodes=self._tree.nodes.updated(kept))

    def _visited(self, line: int, node: tree.Node) -> Iterator[Verdict]:
        """Follow figures that were carried up without an outcome: of a failure, or of an end."""
        if any(self._tree.node(each).above == node.order for each in self._unwritten):
            self._tree = tree.fail(self._tree, self._take(node))
            return
        prefer = frozenset(each.order for each in self._path(node))
        found = released.descend(self._tree, self._constant(), prefer=prefer, taken=self._taken())
        ours = found[0].name if found and found[0].terminal else "none"
        yield _verdict(line, f"visit of {node.name}", f"visit of {ours}")
        self._tree = tree.leave(self._tree, node.order, 0.0)

    def _take(self, parent: tree.Node) -> str:
        """Return the oldest child of *parent* that is not written yet."""
        begun = (each for each in self._unwritten if self._tree.node(each).above == parent.order)
        found = next(begun, None) or self._propose(parent, action_on(parent))
        self._unwritten = [each for each in self._unwritten if each != found]
        return found

    def _propose(self, parent: tree.Node, action: Action) -> str:
        name, above = f"n{self._tree.proposed + 1}", parent.name if parent.order else None
        self._apply(
            NodeProposed(
                node=name, parent=above, action=action, phase=1, instruction="", selection=_NOTHING
            )
        )
        return name

    def _apply(self, data: tree.Followed) -> None:
        fact = Fact(run="", seq=self._tree.proposed, time=_NEVER, data=data)
        self._tree = tree.apply(self._tree, fact)


def _arrivals(choice: Choice) -> tuple[str, ...]:
    """Return where who made *choice* came to, one after the other: ends, and at last its parent."""
    return (*choice.selection.skipped, choice.parent or "")


def _verdict(line: int, logged: str, ours: str) -> Verdict:
    return Verdict(
        line=line, kind="agrees" if logged == ours else "differs", logged=logged, ours=ours
    )


def _left(reward: float | None) -> str:
    return "stay with it" if reward is None else f"leave it with {reward:+.0f}"
