"""Playing back recorded solutions along the recording's own tree: children follow their parents.

A recording is a JSON list of branches, each a list of nodes with plan, code, node_index and
parent_index, as ML-Master 1.0's published runs have them: a branch is a path from a draft to a
leaf, so the same node stands in many branches. Reads one file.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

_DEEP = re.compile(r"\b(?:torch|tensorflow|keras|transformers|torchvision|jax)\b")
_OTHER_BRANCH = (
    "(The recording has no unused child of this solution; this is another of its nodes.)"
)


class Node(Struct, frozen=True, kw_only=True):
    """One recorded node."""

    index: str
    parent: str
    plan: str
    code: str


class Playback:
    """A recording, and which of its nodes were given already; each is given once.

    Nodes that need a deep-learning library are left out.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        distinct = dict.fromkeys(nodes)
        self._unused = [node for node in distinct if not deep(node.code)]
        self._left_out = {node.index for node in distinct if deep(node.code)}
        self._indices = {node.index for node in distinct}
        self._of_code: dict[str, set[str]] = {}
        for node in distinct:
            self._of_code.setdefault(_normal(node.code), set()).add(node.index)
        self._given = set[str]()
        self._asked = set[str]()

    @classmethod
    def of(cls, recording: Path) -> "Playback":
        """Return the playback of a file; raises ValueError naming it when it cannot be read."""
        try:
            branches = msgspec.json.decode(recording.read_bytes(), type=list[list[dict[str, Any]]])
        except (OSError, msgspec.MsgspecError) as error:
            raise ValueError(f"{recording}: not a recording of nodes: {error}") from None
        return cls([_node(each) for branch in branches for each in branch if each.get("code")])

    def next(self, kind: str, code: str) -> Node | None:
        """Return the next node for a request of *kind* about *code*; None when all are used.

        A draft gets a recorded draft, all else a recorded child of the node that has this code.
        Where there is none, another node is taken, which says so in its plan.
        """
        if kind == "draft":
            own = (node for node in self._unused if self._is_draft(node))
        else:
            parents = self._of_code.get(_normal(code), set())
            self._asked |= parents
            own = (node for node in self._unused if node.parent in parents)
        if (found := next(own, None)) is not None:
            return self._take(found)
        if not self._unused:
            return None
        other = self._take(min(self._unused, key=self._wanted))
        return msgspec.structs.replace(other, plan=f"{other.plan} {_OTHER_BRANCH}")

    def _wanted(self, node: Node) -> int:
        """Return how likely *node* is to be asked for as the child that it is.

        Hardly (0) when its parent is left out or has had a child, most (2) when its parent waits
        for one.
        """
        if node.parent in self._left_out | self._asked:
            return 0
        return 2 if node.parent in self._given else 1

    def _take(self, node: Node) -> Node:
        self._unused.remove(node)
        self._given.add(node.index)
        return node

    def _is_draft(self, node: Node) -> bool:
        return node.parent not in self._indices


def deep(code: str) -> bool:
    """Return whether a program needs a deep-learning library."""
    return bool(_DEEP.search(code))


def _node(raw: dict[str, Any]) -> Node:
    return Node(
        index=str(raw.get("node_index")),
        parent=str(raw.get("parent_index")),
        plan=str(raw.get("plan") or "A recorded solution."),
        code=str(raw["code"]),
    )


def _normal(code: str) -> str:
    """Return *code* without what differs after a journey through a prompt."""
    return "\n".join(line.rstrip() for line in code.strip().splitlines())
