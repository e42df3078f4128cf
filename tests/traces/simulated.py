"""Runs of the profile `code` itself, printed in the words of ML-Master 1.0; ties are broken by lot."""

from random import Random

from agents.search import released
from agents.search.policy import Choice, Horizon
from agents.testing import BEGINNING
from schemas.envelope import Fact
from schemas.events import NodeProposed, SolutionGraded, SolutionWritten
from schemas.settings import Search
from store.projections import tree
from store.projections.tree import State
from tests.agents.pool import mostly_broken

from .printed import Log

WORKERS = 3
_WORDS = {"debug": ("Debugging", "Debugged"), "improve": ("Improving", "Improved")}


class Simulated:
    """A run that prints itself, until its nodes are used up or nothing but ends is left."""

    def __init__(
        self, seed: int, *, nodes: int, failing: float = 0.0, lower_is_better: bool = False
    ) -> None:
        self.log = Log(nodes=nodes)
        self.tree = State(search=Search(profile="code"), lower_is_better=lower_is_better)
        self._chance = Random(seed)  # noqa: S311 - a script of outcomes, not a secret
        self._horizon, self._failing = Horizon(nodes=nodes), failing

    def run(self) -> Log:
        """Let workers choose and nodes land in any order; return what was printed."""
        while self._fill() or self.tree.in_flight:
            names = sorted(self.tree.in_flight, key=self.tree.orders.__getitem__)
            self._advance(self.tree.node(self._chance.choice(names)))
        return self.log

    def _fill(self) -> bool:
        """Let idle workers choose; return whether somebody works."""
        while len(self.tree.in_flight) < WORKERS and self.tree.proposed < self._horizon.nodes:
            choice = self._choice()
            if choice is None:
                break
            self._begin(choice)
        return bool(self.tree.in_flight)

    def _choice(self) -> Choice | None:
        if self.tree.chains:
            return released.choose(self.tree, self._horizon)
        orders = range(len(self.tree.nodes))
        some = frozenset(order for order in orders if self._chance.random() < 0.5)
        return released.select(self.tree, self._horizon, prefer=some)

    def _begin(self, choice: Choice) -> None:
        for name in choice.selection.skipped:
            self.log.carries(_number(name), 0)
        parent = self.tree.orders[choice.parent] if choice.parent else 0
        stays = parent in self.tree.chains
        self.log.chooses(parent, _WORDS.get(choice.action, ("", ""))[0], selected=not stays)
        node = f"n{self.tree.proposed + 1}"
        self._apply(
            NodeProposed(
                node=node,
                parent=choice.parent,
                action=choice.action,
                phase=1,
                instruction="",
                selection=choice.selection,
            )
        )

    def _advance(self, node: tree.Node) -> None:
        if node.state == "proposed":
            if self._chance.random() < self._failing:
                self.log.carries(node.above, 0)
                self.tree = tree.fail(self.tree, node.name)
                return
            self.log.writes(node.order, node.above, _WORDS.get(node.action, ("", ""))[1])
            self._apply(SolutionWritten(node=node.name, plan="", code=""))
            return
        metric = mostly_broken(self._chance)
        graded = SolutionGraded(
            node=node.name,
            metric=metric,
            obtained=None,
            valid=metric is not None,
            buggy=metric is None,
            analysis="",
        )
        self._apply(graded)
        landed = self.tree.node(node.name)
        stays = landed.order in self.tree.chains
        self.log.lands(node.order, metric, None if stays else int(landed.reward))
        best = self.tree.node(node.local_best) if node.local_best else None
        if metric is not None and best is not None and best.metric is not None:
            gain = best.metric - metric if self.tree.lower_is_better else metric - best.metric
            self.log.compares(landed.order, best.order, gain)

    def _apply(self, data: tree.Followed) -> None:
        fact = Fact(run="", seq=self.tree.proposed, time=BEGINNING, data=data)
        self.tree = tree.apply(self.tree, fact)


def _number(name: str) -> int:
    return int(name.removeprefix("n"))
