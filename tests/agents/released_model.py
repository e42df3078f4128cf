"""The search of ML-Master 1.0's released code, told a second time: nodes that change, and locks.

From the specification (reference/ml-master.md, sections 1.3 and 1.4), not from `agents.search` or
`store.projections.tree`, so that tests can hold the one against the other.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from store.projections.tree import Node


@dataclass(eq=False)
class Told:
    """A node as the released code keeps it; `buggy` is None as long as it has no outcome."""

    name: str
    above: "Told | None" = None
    buggy: bool | None = None
    metric: float | None = None
    best: "Told | None" = None
    written: list["Told"] = field(default_factory=list)
    expected: int = 0
    visits: int = 0
    reward: float = 0.0
    debug_depth: int = 0
    failures: int = 0
    terminal: bool = False
    continue_improve: bool = False
    debug_success: bool = False
    locked: bool = False

    @property
    def draft(self) -> bool:
        return self.above is not None and self.above.above is None

    def way_up(self) -> Iterator["Told"]:
        """Yield the node and all above it, the root last."""
        node: Told | None = self
        while node is not None:
            yield node
            node = node.above

    def uct(self, constant: float) -> float:
        if not self.visits:
            return math.inf
        assert self.above is not None
        wide = math.sqrt(math.log(self.above.visits) / self.visits)
        return self.reward / self.visits + constant * wide


class Model:
    """The tree, its locks, and the chains that somebody stays with, in the order of their nodes."""

    def __init__(self, *, lower_is_better: bool) -> None:
        self.root = Told("root")
        self.nodes = {"root": self.root}
        self.chains: list[str] = []
        self._sign = -1 if lower_is_better else 1

    def figures(self, name: str) -> tuple[object, ...]:
        """Return what the released code knows of a node, as `figures` below says it of ours."""
        node = self.nodes[name]
        best = node.best.name if node.best else None
        return (
            (node.visits, node.reward, node.terminal, node.continue_improve),
            (node.debug_success, node.failures, node.debug_depth, best),
        )

    def select(self, constant: float) -> tuple[str, tuple[str, ...]]:
        """Lock a draft and return the node to expand, and the ends that were chosen before it."""
        skipped = list[str]()
        while len(skipped) < 1000:
            node = self.root
            while not node.terminal and not self._room(node):
                open_ones = [each for each in node.written if not (each.draft and each.locked)]
                node = max(open_ones, key=lambda each: each.uct(constant))  # the first of equals
                node.locked |= node.draft
            if not node.terminal:
                return node.name, tuple(skipped)
            skipped.append(node.name)
            self._carry(node, 0.0)
        raise AssertionError("nothing but ends")

    def begin(self, name: str, parent: str) -> None:
        """Count a child that is expected; whoever makes it has left its chain's list."""
        above = self.nodes[parent]
        above.expected += 1
        self.chains = [each for each in self.chains if each != parent]
        depth = above.debug_depth + 1 if above.buggy else 0
        node = Told(name, above, best=above.best, debug_depth=depth)
        node.locked = node.draft
        self.nodes[name] = node

    def write(self, name: str) -> None:
        node = self.nodes[name]
        assert node.above is not None
        node.above.written.append(node)
        node.above.written.sort(key=lambda each: int(each.name[1:]))

    def roll_back(self, name: str) -> None:
        """Forget a child that failed; only locks and flags are carried up, no visit."""
        node = self.nodes.pop(name)
        assert node.above is not None
        node.above.expected -= 1
        node.above.written = [each for each in node.above.written if each is not node]
        self._carry(node.above, 0.0, visit=False)

    def land(self, name: str, metric: float | None) -> None:
        """Give a node its outcome: its chain goes on, or its reward is carried up."""
        node = self.nodes[name]
        node.metric, node.buggy = metric, metric is None
        if self._leaves(node):
            self._carry(node, -1.0 if node.buggy else 1.0)
        else:
            self.chains = sorted([*self.chains, name], key=lambda each: int(each[1:]))

    def _leaves(self, node: Told) -> bool:
        above, best = node.above, node.best
        assert above is not None
        if node.buggy:
            leaves = node.debug_depth >= 3
            node.terminal = leaves and node.debug_depth >= 20
            return leaves
        leaves = bool(above.buggy)
        if not node.metric:
            return True
        node.continue_improve = True
        gained = None
        if best is not None and best.metric:
            gained = self._sign * node.metric - self._sign * best.metric
        if best is None or gained is None or gained >= 0.0001:
            node.best = node
        elif best.failures < 3:
            best.failures += 1
        else:
            node.continue_improve, node.terminal, leaves = False, True, True
        return leaves

    def _room(self, node: Told) -> bool:
        if node is self.root:
            return node.expected < 5
        if node.buggy:
            return (
                all(each.buggy for each in node.written)
                and node.expected < 1
                and not node.debug_success
            )
        return node.expected < 3 and not (node.continue_improve and node.written)

    def _carry(self, node: Told, reward: float, *, visit: bool = True) -> None:
        for each in node.way_up():
            above = each.above
            if above is not None and above.buggy and (not each.buggy or each.debug_success):
                above.debug_success = True
            if above is not None and above.above is not None:
                above.continue_improve = each.continue_improve
            each.locked, each.failures = False, 0
            if visit:
                each.visits += 1
                each.reward += reward


def figures(node: Node) -> tuple[object, ...]:
    """Return what our tree knows of a landed node, to be held against the model's."""
    return (
        (node.visits, node.reward, node.terminal, node.continue_improve),
        (node.is_debug_success, node.improve_failures, node.debug_depth, node.local_best),
    )
