"""What the curator refines and distils, by example."""

from typing import Any

import pytest
from msgspec.structs import replace

from agents import curator, planner
from agents.role import fold
from agents.testing import Spec, history
from schemas.events import (
    CodingFailed,
    Event,
    KnowledgeRefined,
    ModelAsked,
    PhaseClosed,
    RunFinished,
    RunStopped,
    SolutionWritten,
    TaskRefused,
    TimeUp,
    WisdomDistilled,
    WorkAbandoned,
)

from .examples import RECALLED, answered, graded, prepared, proposed, started

RUN = (started(), prepared(), proposed("n1"), graded("n1", 0.5), proposed("n2"), graded("n2"))
CLOSED = PhaseClosed(phase=1, why="done", nodes=("n1", "n2"))
END = RunFinished(best="n1", metric=0.5, why="nodes", failed=False, nodes=2, buggy=1)


def test_a_closed_phase_is_asked_about() -> None:
    (question,) = Spec(curator.role).given(*RUN).when(CLOSED).decided
    assert isinstance(question, ModelAsked)
    assert (question.purpose, question.subject) == ("knowledge", "1")
    assert "n1" in question.messages[-1].content


def test_a_phase_that_the_end_cut_off_goes_into_the_wisdom_alone() -> None:
    cut = PhaseClosed(phase=1, why="budget", nodes=("n1",))
    Spec(curator.role).given(*RUN).when(cut).then()


def test_the_answer_becomes_knowledge_of_the_phase() -> None:
    told = answered("1", role="curator", purpose="knowledge", reply="<think>hm</think>Trees win.")
    (
        Spec(curator.role)
        .given(*RUN, CLOSED)
        .when(told)
        .then(KnowledgeRefined(phase=1, summary="Trees win.", nodes=("n1", "n2")))
    )


def test_without_an_answer_the_scores_and_errors_are_kept() -> None:
    silent = answered("1", role="curator", purpose="knowledge", outcome="failed", reply="")
    (kept,) = Spec(curator.role).given(*RUN, CLOSED).when(silent).decided
    assert isinstance(kept, KnowledgeRefined)
    assert kept.mechanical
    assert "n1: 0.5" in kept.summary
    assert "n2: as seen" in kept.summary


def test_of_a_blend_the_best_program_that_it_rests_on_is_taught() -> None:
    program = SolutionWritten(node="n1", plan="a plan", code="print('the best program')")
    blend = SolutionWritten(node="fuse1", plan="blend n1", code="print('a blend')")
    past = [started(), prepared(), proposed("n1"), program, graded("n1", 0.5)]
    fused = [proposed("fuse1", None, "fuse", step="fuser"), blend, graded("fuse1", 0.6)]
    end = RunFinished(best="fuse1", metric=0.6, why="nodes", failed=False, nodes=1, buggy=0)
    (question,) = Spec(curator.role).given(*past, *fused).when(end).decided
    assert isinstance(question, ModelAsked)
    assert "the best program" in question.messages[-1].content
    assert "blend" not in question.messages[-1].content


def test_the_end_of_a_run_becomes_wisdom_however_it_is_told() -> None:
    (question,) = Spec(curator.role).given(*RUN).when(END).decided
    assert isinstance(question, ModelAsked)
    assert (question.purpose, question.call) == ("wisdom", "wisdom")
    told = "## DATA SUMMARY\nnumbers\n## MODEL SUMMARY\ntrees"
    for reply, outcome, model in ((told, "answered", "trees"), ("", "failed", "0.5")):
        said = answered("run", role="curator", purpose="wisdom", reply=reply, outcome=outcome)
        said = replace(said, call="wisdom")
        (entry,) = Spec(curator.role).given(*RUN, END).when(said).decided
        assert isinstance(entry, WisdomDistilled)
        assert model in entry.model_summary
        assert entry.rests_on == ("n1", "n2")
        assert entry.mechanical is (outcome == "failed")
        assert entry.key == "once"


def test_a_question_that_was_given_up_leaves_a_mechanical_entry() -> None:
    given_up = WorkAbandoned(role="curator", event="ModelAsked", about="curator.wisdom", why="?")
    (entry,) = Spec(curator.role).given(*RUN, END).when(given_up).decided
    assert isinstance(entry, WisdomDistilled)
    assert entry.mechanical
    for other in ("curator.knowledge-1", "coder.n1-1", "curator.wisdoms"):
        Spec(curator.role).given(*RUN, END).when(replace(given_up, about=other)).then()


def test_a_later_attempt_takes_the_place_of_a_mechanical_entry_when_a_model_answers() -> None:
    silent = replace(
        answered("run", role="curator", purpose="wisdom", outcome="failed", reply=""),
        call="wisdom-2",
    )
    Spec(curator.role).given(*RUN, END).when(silent).then()
    told = replace(silent, outcome="answered", reply="## MODEL SUMMARY\ntrees", call="wisdom-3")
    (entry,) = Spec(curator.role).given(*RUN, END).when(told).decided
    assert isinstance(entry, WisdomDistilled)
    assert (entry.model_summary, entry.mechanical, entry.key) == ("trees", False, "3")


ENDINGS = {
    "time": ((), TimeUp()),
    "stopped by hand": ((), RunStopped(n=1)),
    "interrupted": ((), RunStopped(n=1, why="interrupted")),
    "money": (
        (started(usd=1.0),),
        answered("n3", usd=2.0),
    ),
    "nodes": ((started(nodes=2),), graded("n2")),
    "no program could be had 1 times: ?": (
        (started(max_coding_failures=1), proposed("n3")),
        CodingFailed(node="n3", why="?"),
    ),
}


@pytest.mark.parametrize(("why", "ending"), ENDINGS.items(), ids=ENDINGS)
def test_however_a_run_ends_it_is_asked_what_it_taught(
    why: str, ending: tuple[tuple[Event, ...], Any]
) -> None:
    setting, last = ending
    past = [started(), prepared(), RECALLED, *setting, *RUN[2:5]]
    past += [] if why == "nodes" else [graded("n2")]
    finished = Spec(planner.role).given(*past).when(last).decided[-1]
    assert isinstance(finished, RunFinished)
    assert finished.why == why
    (question,) = Spec(curator.role).given(*past, last).when(finished).decided
    assert isinstance(question, ModelAsked)
    assert question.purpose == "wisdom"


@pytest.mark.parametrize(
    "past",
    [
        (started(), prepared()),
        (started(), prepared(), proposed("n1"), CodingFailed(node="n1", why="?")),
        (started(), TaskRefused(why="no data")),
    ],
    ids=["no node", "no program", "no task"],
)
def test_a_run_without_any_grade_teaches_nothing(past: tuple[Event, ...]) -> None:
    Spec(curator.role).given(*past).when(END).then()
    state = fold(curator.role, history(*past, END))
    assert curator.distilled(state) is None
