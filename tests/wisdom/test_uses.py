"""Who used what a run taught: followed through prompts, nodes, phases, plans and the wisdom of runs."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given

from agents.testing import recorded
from ops.wisdom.uses import Followed, Use, Uses
from schemas.events import (
    ContextPart,
    Event,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    Purpose,
    Selection,
    Tier,
    WisdomDistilled,
)
from schemas.settings import Model
from tests.strategies import logs

NOTHING = Selection(visits=0, reward=0.0, exploration=0.0, value=None)


def asked(about: str, *parts: tuple[Tier, str], purpose: Purpose = "improve") -> ModelAsked:
    return ModelAsked(
        role="coder",
        call=f"{about}-1",
        purpose=purpose,
        subject=about,
        messages=(),
        context=tuple(ContextPart(tier=tier, reference=of, tokens=1) for tier, of in parts),
        options=Model(),
    )


def proposed(node: str, phase: int, suggestion: str) -> NodeProposed:
    return NodeProposed(
        node=node,
        parent=None,
        action="improve",
        phase=phase,
        instruction="",
        selection=NOTHING,
        suggestion=suggestion,
    )


def closed(phase: int, *nodes: str) -> PhaseClosed:
    return PhaseClosed(phase=phase, why="done", nodes=nodes)


def distilled(*nodes: str) -> WisdomDistilled:
    return WisdomDistilled(
        task="t",
        descriptor="",
        embedding=(),
        data_summary="",
        model_summary="",
        rests_on=nodes,
    )


def followed(*said: tuple[str, Event]) -> tuple[list[tuple[str, str, str]], frozenset[str]]:
    """Return who carried what of the run `a`, and the runs that rest on it."""
    uses, found = Uses({"a"}), list[Use]()
    for seq, (run, event) in enumerate(said, 1):
        found += uses.take(recorded(event, run=run, seq=seq))
    return [(use.run, use.about, ", ".join(use.carried)) for use in found], uses.derived


def test_a_prompt_that_carries_it_and_what_is_built_on_that_node() -> None:
    assert followed(
        ("a", asked("n1", ("wisdom", "a"))),
        ("b", asked("n1", ("wisdom", "a"), ("wisdom", "c"))),
        ("b", asked("n2", ("wisdom", "c"))),
        ("b", asked("n3", ("parent", "n1"))),
        ("b", asked("n4", ("experience", "n3"), ("experience", "n2"))),
        ("b", asked("n5", ("parent", "n2"), ("task", "n1"))),
        ("c", asked("n6", ("parent", "n1"))),
    ) == (
        [
            ("b", "n1", "wisdom a"),
            ("b", "n3", "parent n1"),
            ("b", "n4", "experience n3"),
        ],
        frozenset(),
    )


def test_a_phase_with_such_a_node_and_what_it_taught() -> None:
    assert followed(
        ("b", asked("n1", ("wisdom", "a"))),
        ("b", closed(1, "n1", "n2")),
        ("b", asked("1", purpose="knowledge")),
        ("b", closed(2, "n3")),
        ("b", asked("2", purpose="knowledge")),
        ("b", asked("n4", ("knowledge", "2"))),
        ("b", asked("n5", ("knowledge", "1"))),
    )[0] == [
        ("b", "n1", "wisdom a"),
        ("b", "1", "phase 1"),
        ("b", "n5", "knowledge 1"),
    ]


def test_a_plan_that_was_made_of_it_and_its_suggestions() -> None:
    assert followed(
        ("b", asked("n1", ("wisdom", "a"))),
        ("b", closed(1, "n1")),
        ("b", asked("2", ("knowledge", "1"), purpose="plan")),
        ("b", proposed("n2", 2, "1.1")),
        ("b", proposed("n3", 2, "")),
        ("b", asked("n2")),
        ("b", asked("n2")),
        ("b", asked("n3")),
        ("b", asked("n4", ("experience", "plan-2"))),
    )[0] == [
        ("b", "n1", "wisdom a"),
        ("b", "2", "knowledge 1"),
        ("b", "n2", "suggestion"),
        ("b", "n2", "suggestion"),
        ("b", "n4", "experience plan-2"),
    ]


def test_the_wisdom_of_a_run_that_rests_on_it_goes_on() -> None:
    assert followed(
        ("b", asked("n1", ("wisdom", "a"))),
        ("b", asked("run", purpose="wisdom")),
        ("b", distilled("n1")),
        ("c", asked("run", purpose="wisdom")),
        ("c", distilled("n1")),
        ("d", asked("n9", ("wisdom", "b"))),
        ("d", asked("n8", ("wisdom", "c"))),
    ) == (
        [("b", "n1", "wisdom a"), ("b", "run", "nodes"), ("d", "n9", "wisdom b")],
        frozenset({"b"}),
    )


@given(log=logs(kinds=frozenset(Followed.__args__)))
def test_what_no_prompt_carried_nobody_used(log: Sequence[Any]) -> None:
    uses = Uses({"elsewhere"})
    assert [use for event in log for use in uses.take(event)] == []
    assert not uses.derived
