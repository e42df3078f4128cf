"""Reads the printed log of an ML-Master 1.0 run into what was chosen and what came of it.

Reads files only. A log is a JSON file of the project's web page (`steps`, each with a `text`), or
the lines themselves.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ops.errors import USAGE, Problem
from schemas.events import Action

_TAG = re.compile(r"<[^>]*>")
_ID = r"(?P<node>[0-9a-f]{32})"
_ACTIONS: dict[str, Action] = {"Drafting": "draft", "Debugging": "debug", "Improving": "improve"}
_SUFFIXES = frozenset({".json", ".log", ".txt"})
_DONE: dict[bool | None, Action] = {True: "debug", False: "improve"}
_UNLOCKED = re.compile(r"there are \d+/\d+ is unlocked")


class Chosen(Struct, frozen=True, kw_only=True):
    """A worker began a child of `parent`, the root's being drafts; `line` counts from 1.

    `selected`: it came down from the root; otherwise it stayed with what it had made.
    """

    line: int
    parent: str
    action: Action
    selected: bool


class Written(Struct, frozen=True, kw_only=True):
    """The child got its program and its name; `parent` is None for a draft."""

    line: int
    node: str
    parent: str | None


class Landed(Struct, frozen=True, kw_only=True):
    """A node's outcome. `reward` is what was carried upwards at once, None where nothing was."""

    line: int
    node: str
    metric: float | None
    buggy: bool
    valid: bool
    reward: float | None


class Visited(Struct, frozen=True, kw_only=True):
    """Figures were carried upwards from a node without an outcome: a failure, or an end."""

    line: int
    node: str


class Died(Struct, frozen=True, kw_only=True):
    """A worker died while it chose; the draft that it had taken stays taken for ever."""

    line: int
    draft: str


class Omitted(Struct, frozen=True, kw_only=True):
    """Lines are missing from here on."""

    line: int


Step = Chosen | Written | Landed | Visited | Died | Omitted


class Trace(Struct, frozen=True, kw_only=True):
    """One run as its log tells it; `nodes` is its budget.

    `exclusive`: whoever goes below a draft keeps others out of it. An early release, which prints
    how many drafts are unlocked in place of how many are locked, does so only on a draft's first
    visit.
    """

    name: str
    root: str
    nodes: int
    lower_is_better: bool
    exclusive: bool
    steps: tuple[Step, ...]


def logs(folder: Path) -> list[Path]:
    """Return the logs in *folder*, or *folder* itself where it is a file; raises Problem."""
    if folder.is_file():
        return [folder]
    found = sorted(each for each in folder.iterdir() if each.suffix in _SUFFIXES)
    if not found:
        raise Problem(
            "holds no printed logs (.json, .log, .txt)",
            where=str(folder),
            remedy="name a folder of such logs",
            status=USAGE,
        )
    return found


def read(path: Path) -> Trace:
    """Return the run that *path* tells of; raises Problem where it is no such log."""
    lines = [html.unescape(_TAG.sub("", line)).strip() for line in _lines(path)]
    roots = (re.search(rf"\[select\] Processing node: {_ID}", line) for line in lines)
    root = next((found["node"] for found in roots if found), None)
    if root is None:
        raise Problem(
            "is no printed log of ML-Master: no selection in it",
            where=str(path),
            remedy="give a folder of such logs",
            status=USAGE,
        )
    budgets = (re.search(r"Current steps is \d+/(\d+)", line) for line in lines)
    return Trace(
        name=path.stem,
        root=root,
        nodes=next((int(found[1]) for found in budgets if found), 500),
        lower_is_better=_lower_is_better(lines),
        exclusive=not any(_UNLOCKED.search(line) for line in lines),
        steps=tuple(_Reader(lines, root).steps()),
    )


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_text("utf-8", "replace")
        if path.suffix != ".json":
            return content.splitlines()
        told: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        texts = [str(step["text"]) for step in told["steps"]]
    except (OSError, msgspec.DecodeError, RecursionError, KeyError, TypeError) as error:
        raise Problem(
            f"cannot be read as a printed log: {type(error).__name__}: {error}",
            where=str(path),
            remedy="give a folder of such logs",
            status=USAGE,
        ) from None
    return [line for text in texts for line in text.splitlines()]


def _lower_is_better(lines: Iterable[str]) -> bool:
    """Return the direction that the comparisons show: an improvement has the sign of a gain."""
    metrics = dict[str, float]()
    told = (
        rf"Compared to Node {_ID}, Node (?P<other>[0-9a-f]{{32}}) .*improvement \((?P<gain>\S+)\)"
    )
    for line in lines:
        if landed := re.search(rf"The metric value of node {_ID} is (?P<metric>\S+)\.$", line):
            metrics[landed["node"]] = _number(landed["metric"]) or 0.0
        compared = re.search(told, line)
        if compared and {compared["node"], compared["other"]} <= metrics.keys():
            rise = metrics[compared["other"]] - metrics[compared["node"]]
            sign = rise * (_number(compared["gain"]) or 0.0)
            if abs(sign) > 0:  # neither nothing nor not a number
                return sign < 0
    return False


class _Reader:
    """Turns lines into steps; what is told in several lines is kept until the last of them.

    `_open` were found to have room for a child, `_begun` (whether from the root or not) are about
    to get one, and with those in `_with_outcome` nothing has been done since.
    """

    def __init__(self, lines: list[str], root: str) -> None:
        self._lines, self._root = lines, root
        self._open, self._begun = set[str](), dict[str, bool]()
        self._buggy, self._with_outcome = dict[str, bool](), set[str]()
        self._taken = ""
        self._told: tuple[tuple[str, Callable[[int, re.Match[str]], Step | None]], ...] = (
            (rf"\[_step_search\] Processing node: {_ID}", self._begins),
            (rf"Node {_ID} is not fully expanded", self._has_room),
            (rf"Starting (Drafting|Debugging|Improving) (?:a new )?Node ?{_ID}?", self._chosen),
            (rf"Drafted new node {_ID}", self._drafted),
            (rf"(?:Debugged|Improved) node {_ID} .*new node (\w{{32}})", self._written),
            (rf"Parsed results: Node {_ID} is (not )?buggy", self._parsed),
            (rf"The metric value of node {_ID} is (\S+)\.$", self._landed),
            (rf"node {_ID} start backpropagating", self._carried),
            (rf"\[INFO\]: Draft node {_ID} is locked", self._locked),
            (r"Exception during step_task execution", self._died),
            (r"omitted middle part", self._omitted),
        )

    def steps(self) -> Iterator[Step]:
        """Yield what the lines tell, in their order."""
        for number, line in enumerate(self._lines, 1):
            for pattern, told in self._told:
                found = re.search(pattern, line)
                step = told(number, found) if found else None
                if step is not None:
                    yield step

    def _begins(self, _: int, found: re.Match[str]) -> None:
        self._begun[found["node"]] = found["node"] in self._open
        self._open.discard(found["node"])

    def _has_room(self, _: int, found: re.Match[str]) -> None:
        self._open.add(found["node"])

    def _chosen(self, line: int, found: re.Match[str]) -> Chosen:
        """Return what a worker begins; some logs name the parent only where the step began."""
        action = _ACTIONS[found[1]]
        fitting = (
            each for each in self._begun if _DONE.get(self._buggy.get(each), "draft") == action
        )
        parent = found["node"] or next(fitting, self._root)
        selected = self._begun.pop(parent, True) or action == "draft"
        if action == "draft":
            parent = self._root  # an early release drafts anew where a parent has no outcome yet
        self._with_outcome.discard(parent)
        self._taken = ""
        return Chosen(line=line, parent=parent, action=action, selected=selected)

    def _drafted(self, line: int, found: re.Match[str]) -> Written:
        return Written(line=line, node=found["node"], parent=None)

    def _written(self, line: int, found: re.Match[str]) -> Written:
        return Written(line=line, node=found[2], parent=found["node"])

    def _parsed(self, _: int, found: re.Match[str]) -> None:
        self._buggy[found["node"]] = not found[2]

    def _landed(self, line: int, found: re.Match[str]) -> Landed:
        node, metric = found["node"], _number(found[2])
        self._with_outcome.add(node)
        buggy = self._buggy.get(node, metric is None)
        reward, kept = _what_followed(self._lines[line:], node)
        return Landed(
            line=line, node=node, metric=metric, buggy=buggy, valid=kept or buggy, reward=reward
        )

    def _carried(self, line: int, found: re.Match[str]) -> Visited | None:
        """Return a visit without an outcome; the reward of an outcome is in its Landed."""
        node = found["node"]
        known = node in self._with_outcome
        self._with_outcome.discard(node)
        return None if known else Visited(line=line, node=node)

    def _locked(self, _: int, found: re.Match[str]) -> None:
        self._taken = found["node"]

    def _died(self, line: int, _: re.Match[str]) -> Died | None:
        taken, self._taken = self._taken, ""
        return Died(line=line, draft=taken) if taken else None

    def _omitted(self, line: int, _: re.Match[str]) -> Omitted:
        return Omitted(line=line)


def _what_followed(lines: list[str], node: str) -> tuple[float | None, bool]:
    """Return the reward carried up from a node that just landed, and whether it is valid.

    No line says by name which submission the format check refused, but what was refused is
    repaired next although it is not buggy.
    """
    left = re.compile(rf"node {node} start backpropagating with reward (-?\d+(?:\.\d+)?)\.$")
    next_step = re.compile(rf"Starting (Debugging|Improving) Node ?{node}")
    for line in lines:
        if found := left.search(line):
            return float(found[1]), True
        if found := next_step.search(line):
            return None, found[1] == "Improving"
    return None, True


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
