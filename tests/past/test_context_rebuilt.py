"""Prompts' memory under another policy: with the recorded one, exactly what was recorded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.testing import history
from ops.errors import Problem
from ops.past import lines
from ops.past.context.policy import changed
from ops.past.context.rebuilding import FOLLOWED, Asked, Call, Policy, Questions, Rebuilding
from schemas.envelope import Recorded, Vocabulary
from schemas.events import (
    Event,
    KnowledgeRefined,
    PhaseClosed,
    PhasePlanned,
    RecalledWisdom,
    SolutionWritten,
    WisdomRecalled,
)
from schemas.settings import CacheTier, Settings
from tests.agents.examples import executed, graded, prepared, proposed, started

GOLDEN = Path(__file__).parent / "logs" / "wine.jsonl"
RUN = [*lines.read(GOLDEN.read_text().splitlines(), Vocabulary())]
SETTINGS: Settings = RUN[0].data.settings


def rebuilt(events: Sequence[Recorded[Any]], other: Policy) -> list[Call]:
    questions = Questions()
    for event in events:
        questions.take(event)
    rebuilding = Rebuilding(questions.found, other)
    followed = [each for each in events if type(each.data) in FOLLOWED]
    return [*(call for each in followed for call in rebuilding.take(each)), *rebuilding.finish()]


def test_with_the_recorded_settings_every_prompt_of_a_real_run_is_as_recorded() -> None:
    calls = rebuilt(RUN, Policy(settings=SETTINGS))
    assert [each.call for each in calls] == ["n1-1", "n2-1", "n3-1", "n4-1"]
    assert all(each.same and each.now == each.then for each in calls)
    assert sum(calls[-1].then.values()) > 0


def test_a_question_that_says_otherwise_is_noticed() -> None:
    at = next(n for n, each in enumerate(RUN) if each.key == "coder.n4-1")
    forged = replace(RUN[at], data=replace(RUN[at].data, context=()))
    calls = rebuilt([*RUN[:at], forged, *RUN[at + 1 :]], Policy(settings=SETTINGS))
    assert [each.same for each in calls] == [True, True, True, False]
    assert sum(calls[-1].then.values()) == 0 < sum(calls[-1].now.values())


tiers = st.lists(st.sampled_from(["experience", "knowledge", "wisdom"]), unique=True).map(tuple)


@given(tiers=tiers, budget=st.integers(0, 3000), scope=st.sampled_from(["siblings", "phase"]))
def test_any_policy_keeps_its_budget_and_its_tiers(
    *, tiers: tuple[CacheTier, ...], budget: int, scope: Any
) -> None:
    memory = replace(SETTINGS.memory, tiers=tiers, budget_tokens=budget, scope=scope)
    for call in rebuilt(RUN, Policy(settings=replace(SETTINGS, memory=memory))):
        assert sum(call.now.values()) <= budget
        assert {tier for tier, tokens in call.now.items() if tokens} <= {*tiers}
        assert call.same


def tried(node: str, parent: str | None = None) -> list[Event]:
    action = "improve" if parent else "draft"
    written = SolutionWritten(node=node, plan=f"idea {node}", code="")
    return [proposed(node, parent, action), written, executed(node), graded(node, 0.5)]


def test_without_the_tier_of_knowledge_traces_stay_that_lessons_had_replaced() -> None:
    wise = RecalledWisdom(run="earlier", task="t", similarity=0.5, text="w" * 60)
    past = [
        started(),
        prepared(),
        WisdomRecalled(descriptor="", entries=(wise,)),
        PhasePlanned(phase=1),
        *tried("n1"),
        KnowledgeRefined(phase=1, summary="k" * 90, nodes=("n1",)),
        proposed("n2", "n1", "improve"),
    ]
    events = history(*past, *tried("n3", "n1"), proposed("n4", "n1", "improve"))
    settings = events[0].data.settings

    def now(**memory: Any) -> list[dict[str, int]]:
        other = replace(settings, memory=replace(settings.memory, scope="phase", **memory))
        return [each.now for each in rebuilt(events, Policy(settings=other))]

    with_lessons, without = now(), now(tiers=("experience",))
    assert [each["knowledge"] > 0 for each in with_lessons] == [False, True, True, True]
    assert with_lessons[-1]["experience"] == 0 < without[-1]["experience"]
    assert [each["wisdom"] for each in without] == [0] * 4
    forgetful = Policy(settings=settings, wisdom=())
    assert [each.now["wisdom"] for each in rebuilt(events, forgetful)] == [0] * 4


def test_a_run_without_questions_has_a_prompt_for_each_proposal() -> None:
    events = history(started(), prepared(), *tried("n1"), *tried("n2", "n1"), *tried("n3", "n1"))
    calls = rebuilt(events, Policy(settings=events[0].data.settings))
    assert [(each.call, each.node, each.action) for each in calls] == [
        ("n1", "n1", "draft"),
        ("n2", "n2", "improve"),
        ("n3", "n3", "improve"),
    ]
    assert [each.then["experience"] > 0 for each in calls] == [False, False, True]


def test_without_lessons_phases_teach_what_needs_no_model() -> None:
    past = [started(), prepared(), PhasePlanned(phase=1), *tried("n1"), *tried("n2", "n1")]
    closed = PhaseClosed(phase=1, why="done", nodes=("n1", "n2"))
    events = history(*past, closed, PhasePlanned(phase=2), proposed("n3", "n1", "improve"))
    settings = events[0].data.settings

    def shown(**memory: Any) -> Call:
        other = replace(settings, memory=replace(settings.memory, **memory))
        return rebuilt(events, Policy(settings=other, mechanical=True))[-1]

    assert shown().now == shown().then
    assert shown().now["knowledge"] > 0
    by_phase, without = shown(scope="phase"), shown(scope="phase", tiers=("experience",))
    assert by_phase.now["experience"] < without.now["experience"]
    assert (without.now["knowledge"], without.then["knowledge"] > 0) == (0, True)


def test_a_question_is_rebuilt_as_far_as_its_role_had_read() -> None:
    asked = [Asked(call="n2-1", node="n2", seen=12, parts=())]
    events = history(
        started(), prepared(), *tried("n1"), proposed("n2", "n1", "improve"), *tried("n3", "n1")
    )
    early = [replace(asked[0], seen=7)]
    for question, sees in ((asked, True), (early, False)):
        rebuilding = Rebuilding(question, Policy(settings=events[0].data.settings))
        calls = [*(call for each in events for call in rebuilding.take(each)), *rebuilding.finish()]
        assert [each.now["experience"] > 0 for each in calls] == [sees]


def test_another_policy_is_the_recorded_one_with_some_keys_changed() -> None:
    recorded = replace(SETTINGS, memory=replace(SETTINGS.memory, budget_tokens=99))
    other = changed(recorded, {"memory.tiers": "experience,wisdom", "memory.scope": "phase"})
    assert other.memory.tiers == ("experience", "wisdom")
    assert (other.scope, other.memory.budget_tokens) == ("phase", 99)
    assert changed(recorded, {}) == recorded
    assert (
        changed(
            recorded, {"search.phase_nodes": "7"}, also=["search.phase_nodes"]
        ).search.phase_nodes
        == 7
    )


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("memory.tier", "did you mean memory.tiers?"),
        ("search.drafts", "search.drafts has no part in what was shown; set keys under memory"),
        ("log_level", "log_level has no part in what was shown"),
    ],
)
def test_a_key_that_changes_nothing_is_refused(key: str, why: str) -> None:
    with pytest.raises(Problem, match=why):
        changed(SETTINGS, {key: "1" if key != "log_level" else "info"})
