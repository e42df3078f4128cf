"""The loop of ML-Master 2.0: a first solution that works, then plans, tried and learned from."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import planner
from agents.testing import recorded
from schemas.events import (
    CodingFailed,
    Event,
    KnowledgeRefined,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    RunFinished,
    SolutionWritten,
    WorkAbandoned,
)
from store.projections.tree import State as Tree

from .examples import RECALLED, graded, prepared, started

Scores = Callable[[NodeProposed], float | None]


def plan_reply(directions: int = 2, suggestions: int = 2, *, tag: str = "") -> str:
    return json.dumps(
        {
            f"direction {d}": {str(s): f"{tag}change {d}.{s}" for s in range(1, suggestions + 1)}
            for d in range(1, directions + 1)
        }
    )


class World:
    """A planner, and everybody else by script: `order` is which of the nodes in flight lands."""

    def __init__(
        self,
        scores: Scores,
        *,
        order: Callable[[int], int] = lambda _: 0,
        replies: Sequence[str] = (),
        teaches: bool = True,
        answered: bool = True,
        **search: Any,
    ) -> None:
        self.scores, self.order = scores, order
        self.teaches, self.answered = teaches, answered
        self.replies = [*replies]
        self.state = planner.role.start
        self.log: list[Event] = []
        self.in_flight: list[NodeProposed] = []
        self.most = 0
        slots, nodes = search.pop("slots", 4), search.pop("nodes", 40)
        chosen = {"policy": "research", "directions": 2, "suggestions": 2, **search}
        self.say(started(nodes=nodes, slots=slots, **chosen), prepared(), RECALLED)

    def say(self, *events: Event) -> None:
        waiting = [*events]
        while waiting:
            event = waiting.pop(0)
            self.log.append(event)
            if isinstance(event, NodeProposed):
                self.in_flight.append(event)
            told = recorded(event, seq=len(self.log), seconds=len(self.log))
            if type(event) in planner.role.follows:
                self.state = planner.evolve(self.state, told)
            self.most = max(self.most, len(self.state.tree.in_flight))
            if type(event) in planner.role.consumes:
                waiting += planner.decide(self.state, told)
            waiting += self.answers(event)

    def answers(self, event: Event) -> list[Event]:
        if isinstance(event, ModelAsked) and self.answered:
            reply = self.replies.pop(0) if self.replies else plan_reply(tag=f"{event.subject}: ")
            return [
                ModelAnswered(
                    role="planner",
                    call=event.call,
                    purpose="plan",
                    subject=event.subject,
                    outcome="answered" if reply else "failed",
                    reply=reply,
                    why="" if reply else "HTTP 500",
                )
            ]
        if isinstance(event, PhaseClosed) and event.why != "budget" and self.teaches:
            return [KnowledgeRefined(phase=event.phase, summary="learned", nodes=event.nodes)]
        return []

    def land(self) -> None:
        node = self.in_flight.pop(self.order(len(self.in_flight)))
        self.say(
            SolutionWritten(node=node.node, plan="", code=f"program {node.node}"),
            graded(node.node, self.scores(node)),
        )

    def run(self) -> "World":
        while self.in_flight and not self.all(RunFinished):
            self.land()
        return self

    def all(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.log if type(event) is kind]

    @property
    def tree(self) -> Tree:
        return self.state.tree


def test_it_drafts_and_repairs_until_something_works_then_asks_for_a_plan() -> None:
    scores = iter([None, None, 0.5])
    world = World(lambda _: next(scores))
    assert [(each.action, each.phase) for each in world.all(NodeProposed)] == [("draft", 0)]
    world.land()
    world.land()
    assert [each.action for each in world.all(NodeProposed)] == ["draft", "debug", "debug"]
    assert not world.all(ModelAsked)
    world.land()
    (asked,) = world.all(ModelAsked)
    assert (asked.purpose, asked.subject, asked.call) == ("plan", "1", "plan-1-1")
    assert "program n3" in asked.messages[-1].content


def test_after_three_repairs_it_drafts_anew() -> None:
    world = World(lambda _: None, nodes=6).run()
    actions = [each.action for each in world.all(NodeProposed)]
    assert actions == ["draft", "debug", "debug", "debug", "draft", "debug"]


def test_all_suggestions_of_all_directions_are_tried_at_once() -> None:
    world = World(lambda _: 0.5)
    world.land()
    tried = world.all(NodeProposed)[1:]
    assert [each.suggestion for each in tried] == ["1.1", "1.2", "2.1", "2.2"]
    assert {(each.parent, each.action, each.phase) for each in tried} == {("n1", "improve", 1)}
    assert [each.instruction for each in tried] == [
        f"1: change {each.suggestion}" for each in tried
    ]
    assert world.most == 4


def test_a_suggestion_has_four_executions_at_the_most() -> None:
    world = World(
        lambda node: 0.5 if node.action == "draft" else None, nodes=20, stagnation_nodes=0
    )
    while not world.all(PhaseClosed):
        world.land()
    tried = [each for each in world.all(NodeProposed) if each.phase == 1]
    for name in ("1.1", "1.2", "2.1", "2.2"):
        mine = [each.action for each in tried if each.suggestion == name]
        assert mine == ["improve", "debug", "debug", "debug"]


def test_the_next_phase_starts_from_the_best_and_not_from_the_last() -> None:
    scores = {"": 0.5, "1.1": 0.9, "1.2": 0.95, "2.1": 0.91, "2.2": 0.1}
    world = World(lambda node: scores[node.suggestion], order=lambda count: count - 1)
    while len(world.all(PhasePlanned)) < 2:
        world.land()
    (best,) = (
        each.node for each in world.all(NodeProposed) if (each.phase, each.suggestion) == (1, "1.2")
    )
    assert world.all(PhasePlanned)[1].base == best
    last = world.all(NodeProposed)[-1]
    assert (last.phase, last.parent) == (2, best)


def test_a_plan_is_made_from_all_plans_and_what_they_taught() -> None:
    world = World(lambda _: 0.5, stagnation_nodes=0)
    while len(world.all(ModelAsked)) < 3:
        world.land()
    asked = world.all(ModelAsked)[2]
    text = asked.messages[-1].content
    told = ["Plan of phase 1", "What phase 1 taught", "Plan of phase 2", "What phase 2 taught"]
    assert sorted(told, key=text.index) == told
    assert [each.reference for each in asked.context] == ["1", "2"]


def test_the_plan_waits_until_it_is_known_what_the_phase_taught() -> None:
    world = World(lambda _: 0.5, teaches=False)
    while world.in_flight:
        world.land()
    (closed,) = world.all(PhaseClosed)
    assert len(world.all(ModelAsked)) == 1
    world.say(KnowledgeRefined(phase=1, summary="at last", nodes=closed.nodes))
    assert "at last" in world.all(ModelAsked)[1].messages[-1].content


@pytest.mark.parametrize(
    ("event", "about"), [("PhaseClosed", "1"), ("ModelAsked", "curator.knowledge-1")]
)
def test_what_will_never_be_known_is_not_waited_for(event: str, about: str) -> None:
    world = World(lambda _: 0.5, teaches=False)
    while world.in_flight:
        world.land()
    world.say(WorkAbandoned(role="curator", event=event, about=about, why="broken"))
    assert len(world.all(ModelAsked)) == 2


def test_a_phase_without_gain_is_closed_and_the_plan_revised() -> None:
    world = World(
        lambda node: 0.5 if node.action == "draft" else None,
        stagnation_nodes=3,
        slots=1,
        directions=2,
    )
    while not world.all(PhaseClosed):
        world.land()
    (closed,) = world.all(PhaseClosed)
    assert closed.why == "stagnation"
    assert len(closed.nodes) == 3
    assert "ended without a gain" in world.all(ModelAsked)[-1].messages[-1].content


def test_minutes_without_gain_close_a_phase_too() -> None:
    world = World(lambda _: 0.5, stagnation_minutes=0.1, stagnation_nodes=0, slots=1, suggestions=3)
    while not world.all(PhaseClosed):
        world.land()
    assert world.all(PhaseClosed)[0].why == "stagnation"


def test_a_gain_keeps_a_phase_open() -> None:
    scores = iter(n / 100 for n in range(50, 100))
    world = World(lambda _: next(scores), stagnation_nodes=2, slots=1)
    while not world.all(PhaseClosed):
        world.land()
    assert world.all(PhaseClosed)[0].why == "done"


def test_a_malformed_plan_is_asked_for_again_and_then_made_without_the_model() -> None:
    world = World(lambda _: 0.5, replies=["no", "still no", "{}"])
    world.land()
    asked = world.all(ModelAsked)
    assert [each.call for each in asked] == ["plan-1-1", "plan-1-2", "plan-1-3"]
    assert "This cannot be used: there is no JSON object" in asked[1].messages[-1].content
    (planned,) = world.all(PhasePlanned)
    assert "no plan of the model" in planned.note
    assert len(planned.directions) == 2


def test_a_plan_that_is_too_small_is_used_when_no_better_one_comes() -> None:
    small = plan_reply(1, 2)
    world = World(lambda _: 0.5, replies=[small, small, small])
    world.land()
    (planned,) = world.all(PhasePlanned)
    assert [*planned.directions] == ["direction 1"]
    assert "1 directions instead of 2" in planned.note


def test_a_model_that_fails_does_not_end_the_research() -> None:
    world = World(lambda _: 0.5, replies=[""])
    world.land()
    (planned,) = world.all(PhasePlanned)
    assert "HTTP 500" in planned.note
    assert len(world.in_flight) == 4


def test_a_question_that_nobody_could_ask_is_answered_by_a_plan_of_our_own() -> None:
    world = World(lambda _: 0.5, answered=False)
    world.land()
    assert not world.all(PhasePlanned)
    abandoned = WorkAbandoned(
        role="planner", event="ModelAsked", about="planner.plan-1-1", why="broken"
    )
    world.say(abandoned)
    assert "broken" in world.all(PhasePlanned)[0].note


def test_directions_one_after_another_each_from_the_best_so_far() -> None:
    scores = {"": 0.5, "1.1": 0.9, "1.2": 0.6, "2.1": 0.95, "2.2": 0.7}
    world = World(lambda node: scores[node.suggestion], direction_order="sequential")
    world.land()
    assert [each.suggestion for each in world.all(NodeProposed)] == ["", "1.1", "1.2"]
    world.land()
    assert len(world.all(NodeProposed)) == 3  # the second waits for all of the first
    world.land()
    assert [(each.suggestion, each.parent) for each in world.all(NodeProposed)[3:]] == [
        ("2.1", "n2"),
        ("2.2", "n2"),
    ]
    world.land()
    world.land()
    kinds = (ModelAsked, NodeProposed, PhaseClosed, KnowledgeRefined, PhasePlanned)
    order = [type(each).__name__ for each in world.log if isinstance(each, kinds)]
    assert order == [
        "NodeProposed",
        *("ModelAsked", "PhasePlanned"),
        *["NodeProposed"] * 4,
        *("PhaseClosed", "KnowledgeRefined", "ModelAsked", "PhasePlanned"),
        *["NodeProposed"] * 2,
    ]


def test_a_suggestion_nobody_could_program_counts_as_tried() -> None:
    world = World(lambda _: 0.5)
    world.land()
    for node in [*world.in_flight]:
        world.in_flight.remove(node)
        world.say(CodingFailed(node=node.node, why="nonsense"))
    assert world.all(PhaseClosed)[0].why == "done"


@settings(max_examples=25, deadline=None)
@given(
    seed=st.randoms(use_true_random=False),
    slots=st.integers(1, 6),
    directions=st.integers(1, 4),
    suggestions=st.integers(1, 3),
    order=st.sampled_from(["parallel", "sequential"]),
    stagnation=st.integers(0, 6),
)
def test_whatever_happens_a_run_uses_its_nodes_and_ends_with_the_best(
    *, seed: Any, slots: int, directions: int, suggestions: int, order: str, stagnation: int
) -> None:
    world = World(
        lambda _: None if seed.random() < 0.4 else round(seed.random(), 3),
        order=seed.randrange,
        replies=[
            plan_reply(directions, suggestions) if seed.random() < 0.7 else "no plan"
            for _ in range(30)
        ],
        nodes=60,
        slots=slots,
        directions=directions,
        suggestions=suggestions,
        direction_order=order,
        stagnation_nodes=stagnation,
    ).run()
    (end,) = world.all(RunFinished)
    proposals = world.all(NodeProposed)
    assert (end.why, len(proposals)) == ("nodes", 60)
    sound = [node.metric for node in world.tree.nodes if node.metric is not None]
    assert end.metric == (max(sound) if sound else None)
    tried = [(each.phase, each.suggestion) for each in proposals if each.action == "improve"]
    assert len(tried) == len(set(tried)), "no suggestion is tried twice"
    chains = [(each.phase, each.suggestion) for each in proposals if each.suggestion]
    assert all(chains.count(each) <= 4 for each in chains)
    assert [each.phase for each in world.all(PhasePlanned)] == [
        *range(1, len(world.all(PhasePlanned)) + 1)
    ]
