"""From a solution back to raw executions: whatever it rests on is there, and once in full."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.testing import recorded
from ops.past import lines as kept
from ops.past.why.grounds import Item, explain, recalled_runs
from ops.past.why.story import FOLLOWED, Story
from ops.past.why.told import lines
from schemas.envelope import Recorded, Vocabulary
from schemas.events import (
    CodingFailed,
    ContextPart,
    Event,
    KnowledgeRefined,
    ModelAnswered,
    ModelAsked,
    PhasePlanned,
    RecalledWisdom,
    RunImported,
    SolutionWritten,
    Tier,
    WisdomDistilled,
    WisdomRecalled,
)
from schemas.settings import Model
from tests.agents.examples import executed, graded, prepared, proposed

GOLDEN = Path(__file__).parent / "logs" / "wine.jsonl"
RAW = {"solution", "above", "parent", "experience", "execution"}


class Telling:
    """Tells the events of one run, each a second after the last."""

    def __init__(self, run: str = "run", first: int = 1) -> None:
        self.run, self.events, self._seq = run, list[Recorded[Any]](), first

    def say(self, event: Event, cause: Recorded[Any] | None = None) -> Recorded[Any]:
        said = recorded(event, seq=self._seq, run=self.run, cause=cause.id if cause else None)
        self._seq += 1
        self.events.append(said)
        return said

    def ask(self, role: str, call: str, subject: str, *parts: ContextPart) -> Recorded[Any]:
        """Have a model asked and answer; return the answer."""
        asked = ModelAsked(
            role=role,
            call=call,
            purpose="draft",
            subject=subject,
            messages=(),
            context=parts,
            options=Model(),
        )
        answer = ModelAnswered(
            role=role,
            call=call,
            purpose="draft",
            subject=subject,
            outcome="answered",
            model="toy-model",
            input_tokens=10,
            output_tokens=5,
        )
        return self.say(answer, self.say(asked))

    def try_out(self, node: str, metric: float | None = 0.5, **how: Any) -> None:
        """Have a node proposed, written from the parts in *how*, run and graded."""
        parts = how.pop("parts", ())
        self.say(proposed(node, **how))
        answer = self.ask("coder", f"{node}-1", node, *parts)
        self.say(SolutionWritten(node=node, plan="", code=""), answer)
        self.say(executed(node))
        self.say(graded(node, metric))

    def story(self) -> Story:
        story = Story(run=self.run)
        for event in self.events:
            if type(event.data) in FOLLOWED:
                story.take(event)
        return story


def part(tier: Tier, reference: str, tokens: int = 7) -> ContextPart:
    return ContextPart(tier=tier, reference=reference, tokens=tokens)


def told(story: Story, node: str, others: Mapping[str, Story] | None = None) -> list[str]:
    return [*lines(explain({story.run: story, **(others or {})}, story.run, node))]


def below(item: Item) -> Iterator[Item]:
    yield item
    for each in item.rests_on:
        yield from below(each)


def test_a_chain_of_solutions_and_their_experience() -> None:
    run = Telling()
    run.say(prepared())
    run.try_out("n1", 0.5, parts=[part("task", "toy", 99)])
    run.try_out("n2", None, parent="n1", action="improve")
    run.try_out("n3", 0.625, parent="n2", action="debug", parts=[part("parent", "n2")])
    run.try_out(
        "n4",
        0.75,
        parent="n3",
        action="improve",
        parts=[part("parent", "n3"), part("experience", "n1", 30)],
    )
    assert told(run.story(), "n4") == [
        "n4 improve of n3: accuracy 0.75 held-out; ran ok in 2.0 s [24]",
        "  n3 debug of n2: 0.625 held-out; ran ok in 2.0 s [18]",
        "  n2 improve of n1: buggy; ran ok in 2.0 s [12]",
        "  n1 draft: 0.5 held-out; ran ok in 2.0 s [6]",
        "  coder asked n4-1: 10 tokens in, 5 out, toy-model [21]",
        "    parent n3 (above), 7 tokens",
        "    experience n1 (above), 30 tokens",
    ]


def test_knowledge_rests_on_nodes_and_on_what_its_own_question_knew() -> None:
    run = Telling()
    for number in (1, 2, 3):
        run.try_out(f"n{number}")
        parts = [part("knowledge", str(number - 1))] if number > 1 else []
        answer = run.ask("curator", f"knowledge-{number}", str(number), *parts)
        run.say(KnowledgeRefined(phase=number, summary="s", nodes=(f"n{number}",)), answer)
    run.try_out("n4", parts=[part("knowledge", "3"), part("knowledge", "9")])
    assert told(run.story(), "n4")[1:] == [
        "  coder asked n4-1: 10 tokens in, 5 out, toy-model [29]",
        "    knowledge of phase 3, 7 tokens [27]",
        "      curator asked knowledge-3: 10 tokens in, 5 out, toy-model [25]",
        "      n3 draft: 0.5 held-out; ran ok in 2.0 s [23]",
        "    knowledge of phase 9, which is not recorded, 7 tokens",
        "    knowledge of phase 2, behind knowledge of phase 3 [18]",
        "      curator asked knowledge-2: 10 tokens in, 5 out, toy-model [16]",
        "      n2 draft: 0.5 held-out; ran ok in 2.0 s [14]",
        "    knowledge of phase 1, behind knowledge of phase 2 [9]",
        "      curator asked knowledge-1: 10 tokens in, 5 out, toy-model [7]",
        "      n1 draft: 0.5 held-out; ran ok in 2.0 s [5]",
    ]


def test_a_plan_with_its_question_and_what_that_rests_on() -> None:
    run = Telling()
    run.try_out("n1")
    run.say(KnowledgeRefined(phase=1, summary="s", nodes=("n1",)))
    answer = run.ask("planner", "plan-2-1", "2", part("knowledge", "1"))
    run.say(
        PhasePlanned(phase=2, directions={"models": ("a",), "folds": ("b",)}, note="short"), answer
    )
    run.say(replace(proposed("n2", "n1", "improve"), phase=2, suggestion="1.1"))
    answer = run.ask("coder", "n2-1", "n2", part("experience", "plan-2"))
    run.say(SolutionWritten(node="n2", plan="", code=""), answer)
    assert told(run.story(), "n2") == [
        "n2 improve of n1: not executed",
        "  n1 draft: 0.5 held-out; ran ok in 2.0 s [5]",
        "  tries suggestion 1.1 of plan of phase 2: models, folds (short) [10]",
        "    planner asked plan-2-1: 10 tokens in, 5 out, toy-model [8]",
        "  coder asked n2-1: 10 tokens in, 5 out, toy-model [12]",
        "    plan of phase 2: models, folds (short) (above), 7 tokens",
        "    knowledge of phase 1, behind plan of phase 2 [7]",
        "      n1 (above)",
    ]


def test_wisdom_leads_to_the_executions_of_the_earlier_run() -> None:
    earlier = Telling("earlier", 100)
    earlier.try_out("n1", 0.25)
    answer = earlier.ask("curator", "wisdom", "run")
    wise = WisdomDistilled(
        task="pears",
        descriptor="",
        embedding=(),
        data_summary="",
        model_summary="",
        rests_on=("n1",),
    )
    earlier.say(wise, answer)
    run = Telling()
    found = [
        RecalledWisdom(run=name, task="pears", similarity=0.5, text="")
        for name in ("earlier", "lost")
    ]
    run.say(WisdomRecalled(descriptor="", entries=tuple(found)))
    run.try_out(
        "n1", parts=[part("wisdom", "earlier"), part("wisdom", "lost"), part("wisdom", "nowhere")]
    )
    story = run.story()
    assert recalled_runs(story, "n1") == ["earlier", "lost", "nowhere"]
    assert told(story, "n1", {"earlier": earlier.story(), "lost": Story(run="lost")})[2:] == [
        "    wisdom of earlier (pears), similarity 0.500, 7 tokens [108]",
        "      curator asked wisdom: 10 tokens in, 5 out, toy-model [106]",
        "      earlier n1 draft: 0.25 held-out; ran ok in 2.0 s [104]",
        "    wisdom of lost (pears), similarity 0.500, 7 tokens",
        "      that run is not in this log",
        "    wisdom of nowhere, 7 tokens",
        "      that run is not in this log",
    ]


def test_only_the_question_that_wrote_it_is_taken_apart() -> None:
    run = Telling()
    run.say(proposed("n1"))
    run.ask("coder", "n1-1", "n1", part("task", "toy"))
    answer = run.ask("coder", "n1-2", "n1", part("task", "toy"))
    run.say(SolutionWritten(node="n1", plan="", code=""), answer)
    assert told(run.story(), "n1")[1:] == [
        "  coder asked n1-1, of no use: 10 tokens in, 5 out, toy-model [2]",
        "  coder asked n1-2: 10 tokens in, 5 out, toy-model [4]",
        "    task toy, 7 tokens",
    ]


def test_a_node_that_nobody_asked_a_model_for() -> None:
    run = Telling()
    said = run.say(proposed("n1", action="fuse"))
    run.say(SolutionWritten(node="n1", plan="", code=""), said)
    assert told(run.story(), "n1")[1:] == ["  no question led to it; test proposed it"]
    run.say(RunImported(recording="toy.json", sha256="", note="not recorded: questions"))
    (note,) = explain({"run": run.story()}, "run", "n1").rests_on
    assert note.text == "no question is recorded: imported from toy.json"
    assert note.facts == {"note": "not recorded: questions"}


def test_a_node_without_a_program_and_a_question_without_an_answer() -> None:
    run = Telling()
    run.say(proposed("n1"))
    run.ask("coder", "n1-1", "n1")
    run.say(CodingFailed(node="n1", why="no reply was a program"))
    assert told(run.story(), "n1")[0] == "n1 draft: no program: no reply was a program"
    story = run.story()
    story.questions["coder", "n1-1"].answer = None
    assert told(story, "n1")[1:] == ["  coder asked n1-1: not answered yet [2]"]


@pytest.fixture(scope="module")
def golden() -> Story:
    """Return the story of a real run."""
    story = Story(run="wine")
    for event in kept.read(GOLDEN.read_text().splitlines(), Vocabulary()):
        if type(event.data) in FOLLOWED:
            story.take(event)
    return story


@pytest.mark.parametrize("node", ["n1", "n2", "n3", "n4"])
def test_each_execution_of_a_real_run_is_shown_in_full_once(golden: Story, node: str) -> None:
    items = [*below(explain({"wine": golden}, "wine", node))]
    full = [(each.run, each.name) for each in items if each.kind in RAW and not each.again]
    assert len(full) == len(set(full))
    again = {(each.run, each.name) for each in items if each.again}
    assert again <= {*full, *((each.run, each.name) for each in items if not each.again)}


@pytest.mark.parametrize("node", ["n1", "n2", "n3", "n4"])
def test_every_part_of_the_context_of_a_real_run_is_there(golden: Story, node: str) -> None:
    (asked,) = golden.asked_for(golden.nodes[node])
    items = [*below(explain({"wine": golden}, "wine", node))]
    shown = [(each.name, each.tokens) for each in items if each.tokens is not None]
    assert shown == [(each.reference, each.tokens) for each in asked.context]


ITEMS = st.recursive(
    st.builds(
        Item,
        kind=st.just("note"),
        text=st.text(max_size=200),
        run=st.just("run"),
        event=st.none() | st.integers(0, 10**9),
        tokens=st.none() | st.integers(0, 10**6),
        again=st.booleans(),
    ),
    lambda below: st.builds(
        Item,
        kind=st.just("note"),
        text=st.text(max_size=200),
        run=st.just("run"),
        rests_on=st.lists(below, max_size=3).map(tuple),
    ),
    max_leaves=12,
)


@given(item=ITEMS)
def test_every_line_fits_the_page_and_every_item_has_one(item: Item) -> None:
    page = [*lines(item)]
    assert len(page) == len([*below(item)])
    assert all(len(line) <= 80 and "\n" not in line for line in page)
