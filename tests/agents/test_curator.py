"""What the curator refines and distils, by example."""

from agents import curator
from agents.testing import Spec
from schemas.events import (
    KnowledgeRefined,
    ModelAsked,
    PhaseClosed,
    RunFinished,
    SolutionWritten,
    WisdomDistilled,
)

from .examples import answered, graded, prepared, proposed, started

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
    assert question.purpose == "wisdom"
    told = "## DATA SUMMARY\nnumbers\n## MODEL SUMMARY\ntrees"
    for reply, outcome, model in ((told, "answered", "trees"), ("", "failed", "0.5")):
        said = answered("run", role="curator", purpose="wisdom", reply=reply, outcome=outcome)
        (entry,) = Spec(curator.role).given(*RUN, END).when(said).decided
        assert isinstance(entry, WisdomDistilled)
        assert model in entry.model_summary
        assert entry.rests_on == ("n1", "n2")


def test_a_run_without_any_verdict_teaches_nothing() -> None:
    Spec(curator.role).given(started(), prepared()).when(END).then()
