"""What the coder decides, by example."""

from datetime import timedelta

from agents import coder
from agents.jobs import LEAST_SECONDS
from agents.testing import Spec
from schemas.events import (
    CodingFailed,
    JobQueued,
    ModelAsked,
    RecalledWisdom,
    SolutionWritten,
    WisdomRecalled,
)
from schemas.settings import Select

from .examples import CODE, REPLY, answered, executed, graded, prepared, proposed, started

BEGUN = (started(), prepared())


def asked(spec: Spec) -> ModelAsked:
    (only,) = spec.decided
    assert isinstance(only, ModelAsked)
    return only


def written(node: str) -> SolutionWritten:
    return SolutionWritten(node=node, plan=f"plan of {node}", code=CODE)


def test_a_proposal_becomes_a_question_about_that_node() -> None:
    question = asked(Spec(coder.role).given(*BEGUN).when(proposed("n1")))
    assert (question.role, question.call, question.subject) == ("coder", "n1-1", "n1")
    assert "Say which is which." in question.messages[-1].content
    assert [each.tier for each in question.context] == ["task"]


def test_what_a_closing_step_proposes_brings_its_own_program() -> None:
    Spec(coder.role).given(*BEGUN).when(proposed("p1", None, "fuse", step="polisher")).then()
    Spec(coder.role).given(*BEGUN, proposed("n1")).when(proposed("n2", "n1", "repeat")).then()


def test_a_reply_becomes_a_solution_and_a_job() -> None:
    spec = Spec(coder.role).given(*BEGUN, proposed("n1")).when(answered("n1"))
    solution, job = spec.decided
    assert solution == SolutionWritten(node="n1", plan="Fit a forest.", code=CODE)
    assert isinstance(job, JobQueued)
    assert (job.key, job.code, job.seconds) == ("cpu.n1", CODE, 600.0)


def test_a_job_gets_no_more_time_than_the_run_has_left_but_some() -> None:
    given = Spec(coder.role).given(*BEGUN, proposed("n1"))
    end = timedelta(minutes=60).total_seconds() + 1
    for left, expected in ((100.0, 100.0), (1.0, LEAST_SECONDS)):
        job = given.when(answered("n1"), seconds=end - left).decided[-1]
        assert isinstance(job, JobQueued)
        assert job.seconds == expected


def test_a_job_ends_where_programs_are_to_be_run_again() -> None:
    begin = started(select=Select(final="robust"))
    given = Spec(coder.role).given(begin, prepared(), proposed("n1"))
    end, kept = timedelta(minutes=60).total_seconds() + 1, timedelta(minutes=3).total_seconds()
    for left, expected in ((kept + 100, 100.0), (kept - 80, 100.0), (kept + 1, LEAST_SECONDS)):
        job = given.when(answered("n1"), seconds=end - left).decided[-1]
        assert isinstance(job, JobQueued)
        assert job.seconds == expected


def test_a_malformed_reply_is_asked_again_with_what_was_wrong_then_given_up() -> None:
    given = Spec(coder.role).given(*BEGUN, proposed("n1"))
    question = asked(given.when(answered("n1", reply="I will not.")))
    assert question.call == "n1-2"
    assert question.messages[-2].content == "I will not."
    assert "no Python code block" in question.messages[-1].content
    (failed,) = given.when(answered("n1", coder.ASKS, reply="No.")).decided
    assert isinstance(failed, CodingFailed)
    assert not failed.model_failed


def test_a_model_that_failed_is_not_asked_again() -> None:
    silent = answered("n1", reply="", outcome="failed", why="HTTP 500")
    (
        Spec(coder.role)
        .given(*BEGUN, proposed("n1"))
        .when(silent)
        .then(CodingFailed(node="n1", why="HTTP 500", model_failed=True))
    )


def test_answers_for_other_roles_are_not_its_business() -> None:
    Spec(coder.role).given(*BEGUN, proposed("n1")).when(answered("n1", role="curator")).then()


def test_an_improvement_shows_its_parent_and_its_failed_siblings() -> None:
    past = (
        *(proposed("n1"), written("n1"), executed("n1", "all good"), graded("n1", 0.5)),
        *(proposed("n2", "n1", "improve"), written("n2"), graded("n2", 0.4)),
    )
    question = asked(Spec(coder.role).given(*BEGUN, *past).when(proposed("n3", "n1", "improve")))
    prompt = question.messages[-1].content
    assert "plan of n1" in prompt
    assert "all good" in prompt
    assert "plan of n2" in prompt
    assert [(each.tier, each.reference) for each in question.context] == [
        ("task", "toy"),
        ("parent", "n1"),
        ("experience", "n2"),
    ]


def test_recalled_wisdom_is_told_to_drafts() -> None:
    entry = RecalledWisdom(run="old", task="other", similarity=0.5, text="boosting wins")
    recalled = WisdomRecalled(descriptor="d", entries=(entry,))
    question = asked(Spec(coder.role).given(*BEGUN, recalled).when(proposed("n1")))
    assert "boosting wins" in question.messages[-1].content
    assert ("wisdom", "old") in [(each.tier, each.reference) for each in question.context]


def test_the_same_reply_read_twice_gives_the_same() -> None:
    given = Spec(coder.role).given(*BEGUN, proposed("n1"), written("n1"))
    assert given.when(answered("n1", reply=REPLY)).decided[0] == SolutionWritten(
        node="n1", plan="Fit a forest.", code=CODE
    )
