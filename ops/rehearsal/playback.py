"""Playing back recorded solutions: each request gets a recorded child of the node it is about.

A recording is a JSON list of branches, each a list of nodes with plan, code, node_index and
parent_index, as ML-Master 1.0's published runs have them. Reads one file.
"""

import re
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
    """A recording, and which of its nodes were given already."""

    def __init__(self, nodes: list[Node]) -> None:
        self._unused = {place: node for place, node in enumerate(nodes) if not deep(node.code)}
        self._known = {_normal(node.code): node.index for node in nodes}
        self._indices = {node.index for node in nodes}

    @classmethod
    def of(cls, recording: Path) -> "Playback":
        """Return the playback of a file; raises ValueError naming it when it cannot be read."""
        try:
            branches = msgspec.json.decode(recording.read_bytes(), type=list[list[dict[str, Any]]])
        except (OSError, msgspec.MsgspecError) as error:
            raise ValueError(f"{recording}: not a recording of nodes: {error}") from None
        return cls([_node(each) for branch in branches for each in branch if each.get("code")])

    def next(self, kind: str, code: str) -> Node | None:
        """Return the next unused node for a request of *kind* about *code*; None when all are used."""
        parent = self._known.get(_normal(code)) if kind != "draft" else None
        for place, node in self._unused.items():
            if self._is_draft(node) if kind == "draft" else node.parent == parent:
                return self._take(place)
        others = sorted(self._unused, key=lambda place: not self._is_draft(self._unused[place]))
        if not others:
            return None
        found = self._take(others[0])
        return msgspec.structs.replace(found, plan=f"{found.plan} {_OTHER_BRANCH}")

    def _take(self, place: int) -> Node:
        return self._unused.pop(place)

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
