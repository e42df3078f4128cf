"""Critic: writes a short critique of every graded solution. Pure; needs no model."""

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from agents.role import Role
from schemas.envelope import Recorded
from schemas.events import Event, SolutionGraded, SolutionWritten


class CritiqueWritten(Event, frozen=True, kw_only=True):
    """What the critic has to say about a node; `rank` is 1 for the first graded, and so on."""

    keyed_by: ClassVar[tuple[str, ...]] = ("node",)

    node: str
    critique: str
    rank: int
    weight: float = 1.0


class State(Struct, frozen=True, kw_only=True):
    """How many lines each program has, and which nodes were graded, in order."""

    lines: tuple[tuple[str, int], ...] = ()
    graded: tuple[str, ...] = ()


def evolve(state: State, event: Recorded[SolutionWritten | SolutionGraded]) -> State:
    """Fold *event* into *state*."""
    fact = event.data
    if isinstance(fact, SolutionWritten):
        return replace(state, lines=(*state.lines, (fact.node, fact.code.count("\n"))))
    return replace(state, graded=(*state.graded, fact.node))


def decide(state: State, event: Recorded[SolutionGraded]) -> list[CritiqueWritten]:
    """Say how long the program is and how it did."""
    graded = event.data
    lines = dict(state.lines).get(graded.node, 0)
    did = "has no score" if graded.metric is None else f"scored {graded.metric:g}"
    return [
        CritiqueWritten(
            node=graded.node,
            critique=f"{lines} lines, “{did}”",
            rank=state.graded.index(graded.node) + 1,
        )
    ]


role = Role(name="critic", replicas="one", start=State(), evolve=evolve, decide=decide)
