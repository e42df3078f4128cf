"""What a run had reached at one point of its past: tree, best and ledger in plain lines. Pure."""

from collections.abc import Iterator
from typing import Any

from ops.recording.live_tables import OF_A_RUN
from ops.view.lines import counted, score, span
from schemas.envelope import Recorded
from store.projections import ledger, tree
from store.projections.folds import Folds


class Moment:
    """The folds of one run up to an event."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._folds = Folds(OF_A_RUN)
        self._newest: Recorded[Any] | None = None

    def take(self, event: Recorded[Any]) -> None:
        """Fold the next event."""
        self._folds.apply(event)
        self._newest = event

    def lines(self) -> Iterator[str]:
        """Yield what people want to know of this moment."""
        event = self._newest
        if event is None:
            yield f"{self._run}: nothing had happened yet"
            return
        grown: tree.State = self._folds.state("tree", self._run)
        spent: ledger.State = self._folds.state("ledger", self._run)
        units = len(self._folds.state("knowledge", self._run).units)
        yield f"{self._run} after event {event.seq}, {event.type} {event.key}, {event.time:%F %T} UTC"
        if spent.started:
            passed = (event.time - spent.started).total_seconds()
            yield f"time       {span(passed)} of {span(60 * spent.minutes)} since the start"
        best = grown.best
        yield f"best       {_standing(best)} ({best.name})" if best else "best       none yet"
        yield (
            f"nodes      {grown.proposed} proposed, {len(grown.in_flight)} under way, "
            f"{grown.graded} graded, {grown.buggy} of them buggy"
        )
        yield f"knowledge  {counted(units, 'phase')}"
        for role, account in sorted(spent.accounts.items()):
            yield f"{role:<10} {_account(account)}"
        yield from _branch(grown, grown.root, "")
        yield from (_line(grown, grown.node(each.name)) for each in grown.nodes if each.step)


def _branch(grown: tree.State, node: tree.Node, indent: str) -> Iterator[str]:
    """Yield the nodes below *node*, each branch under its parent."""
    waiting = [(child, indent) for child in reversed(grown.children(node))]
    while waiting:
        child, depth = waiting.pop()
        yield f"{depth}{_line(grown, child)}"
        waiting += [(each, depth + "  ") for each in reversed(grown.children(child))]


def _line(grown: tree.State, node: tree.Node) -> str:
    mark = " *" if grown.best and node.name == grown.best.name else ""
    return f"{node.name} {node.action}: {_standing(node)}{mark}"


def _standing(node: tree.Node) -> str:
    if node.state != "graded":
        return node.state
    if node.buggy or node.metric is None:
        return "buggy" if node.buggy else "invalid"
    return score(node.metric)


def _account(account: ledger.Account) -> str:
    if account.executions:
        return (
            f"{counted(account.executions, 'execution')}, {account.execution_seconds:.1f} s, "
            f"{account.cpu_seconds:.1f} s of processor"
        )
    tokens = f"{account.input_tokens} tokens in, {account.output_tokens} out"
    return f"{counted(account.calls, 'call')}, {tokens}, {account.model_seconds:.1f} s"
