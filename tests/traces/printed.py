"""Made-up logs in the words of ML-Master 1.0: as many lines as the reader must understand."""

import json
from collections.abc import Sequence
from pathlib import Path

ROOT = "f" * 32


def name(number: int) -> str:
    """Return the log's name of a node."""
    return f"{number:032x}"


class Log:
    """Lines, in the order in which one worker, or several, said them. Nodes are numbers, 0 is the root."""

    def __init__(self, *, nodes: int = 500) -> None:
        self.lines = ['[INFO]: Starting run "made-up"', "[INFO]: fetch_child_memory"]
        self._landed, self._nodes = 0, nodes

    def write(self, path: Path) -> Path:
        """Write the lines as plain text, or as the page's steps where the path says JSON."""
        if path.suffix != ".json":
            path.write_text("\n".join(self.lines))
            return path
        spans = [f'<span class="log">{line}</span>' for line in self.lines]
        halves = spans[: len(spans) // 2], spans[len(spans) // 2 :]
        path.write_text(json.dumps({"steps": [{"text": "\n".join(half)} for half in halves]}))
        return path

    def says(self, *lines: str) -> None:
        """Add lines, each after the mark of an ordinary message."""
        self.lines += [f"[INFO]: {line}" for line in lines]

    def chooses(self, parent: int, action: str = "", *, selected: bool = True) -> None:
        """Tell that a worker begins a child, coming down from the root or staying with the parent."""
        if selected:
            self.says(
                f"[select] Processing node: {ROOT}",
                f"Node {_id(parent)} is not fully expanded, expanding",
            )
        self.says(f"[_step_search] Processing node: {_id(parent)}")
        if parent:
            self.says(f"Starting {action} Node {_id(parent)}.")
        else:
            self.says("Starting Drafting a new Node.")

    def writes(self, node: int, parent: int, action: str = "") -> None:
        """Tell that the child has its program, and its name."""
        if parent:
            self.says(f"{action} node {_id(parent)} to create new node {_id(node)}")
        else:
            self.says(f"Drafted new node {_id(node)}")
            self.says(f"[_step_search]Draft node {_id(node)} is locked.")

    def lands(self, node: int, metric: float | None, reward: int | None = None) -> None:
        """Tell a node's outcome, and what is carried upwards if anything is."""
        buggy = "not buggy" if metric is not None else "buggy and/or did not produce a file"
        self.says(
            f"Parsed results: Node {_id(node)} is {buggy}",
            f"The metric value of node {_id(node)} is {metric}.",
        )
        if reward is not None:
            self.carries(node, reward)
        self._landed += 1
        self.says(f"Adding new step. Current steps is {self._landed + 1}/{self._nodes}")

    def compares(self, node: int, best: int, gain: float) -> None:
        self.says(
            f"Compared to Node {_id(best)}, Node {_id(node)} metric improvement ({gain}) above "
            "threshold (0.0001), continue improving."
        )

    def carries(self, node: int, reward: int) -> None:
        self.says(f"node {_id(node)} start backpropagating with reward {reward}.")

    def drafts(self, node: int, metric: float | None, reward: int | None = None) -> None:
        """Tell of a draft from its choice to its outcome."""
        self.chooses(0)
        self.writes(node, 0)
        self.lands(node, metric, reward)

    def repairs(
        self,
        node: int,
        parent: int,
        metric: float | None,
        reward: int | None = None,
        *,
        selected: bool = False,
    ) -> None:
        """Tell of a repair from its choice to its outcome."""
        self.chooses(parent, "Debugging", selected=selected)
        self.writes(node, parent, "Debugged")
        self.lands(node, metric, reward)

    def improves(
        self,
        node: int,
        parent: int,
        metric: float | None,
        reward: int | None = None,
        *,
        selected: bool = False,
    ) -> None:
        """Tell of an improvement from its choice to its outcome."""
        self.chooses(parent, "Improving", selected=selected)
        self.writes(node, parent, "Improved")
        self.lands(node, metric, reward)

    def five_drafts(self, scores: Sequence[float] = (0.5, 0.5, 0.5, 0.5, 0.5)) -> None:
        """Tell of five broken drafts, 1 to 5, and their repairs, 6 to 10: each visited once."""
        for number, score in enumerate(scores, 1):
            self.drafts(number, None)
            self.repairs(number + len(scores), number, score, reward=1)


def _id(node: int) -> str:
    return name(node) if node else ROOT
