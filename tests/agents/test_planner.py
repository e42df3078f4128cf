"""What the planner decides, by example."""

import pytest

from agents import planner
from agents.testing import Spec, emitted_types
from schemas.events import (
    ClosingStepDone,
    CodingFailed,
    Event,
    GuidanceGiven,
    ModelAnswered,
    NodeProposed,
    PhaseClosed,
    PhasePlanned,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SearchClosed,
    SearchTimeUp,
    SolutionWritten,
    TaskRefused,
    TimeUp,
    WorkAbandoned,
)
from schemas.settings import Closing, Select, Settings

from .examples import (
    ARTIFACT,
    CODE,
    RECALLED,
    answered,
    executed,
    graded,
    prepared,
    proposed,
    started,
)

WRITTEN = SolutionWritten(node="n1", plan="", code=CODE)
BEGUN: list[Event] = [started(), prepared(), RECALLED, PhasePlanned(phase=1)]


def ask(*past: Event) -> Spec:
    return Spec(planner.role).given(*past)


def proposals(spec: Spec) -> list[tuple[str, str | None, str]]:
    return [
        (each.node, each.parent, each.action)
        for each in spec.decided
        if isinstance(each, NodeProposed)
    ]


def the_end(spec: Spec) -> RunFinished:
    *_, last = spec.decided
    assert isinstance(last, RunFinished)
    return last


def test_a_run_begins_with_a_phase_and_as_many_drafts_as_the_pipeline_holds() -> None:
    spec = ask(started(slots=2, lookahead=2), prepared()).when(RECALLED)
    assert spec.decided[0] == PhasePlanned(phase=1)
    assert proposals(spec) == [(f"n{n}", None, "draft") for n in (1, 2, 3, 4)]


def test_a_model_that_is_slower_than_the_solutions_is_asked_for_more_at_once() -> None:
    begun = [started(drafts=9), *BEGUN[1:], proposed("n1")]
    slow = [answered("n1", seconds=3.0), answered("n1", 2, seconds=2.0), WRITTEN, executed("n1")]
    quick = [answered("n1", seconds=0.1), WRITTEN, executed("n1")]
    about_else = [answered("n1", role="critic", purpose="knowledge", seconds=60.0), *quick]
    for past, in_flight in ((slow, 4), (quick, 2), (about_else, 2)):
        assert len(proposals(ask(*begun, *past).when(graded("n1", 0.5)))) == in_flight


def test_no_more_drafts_than_the_setting_allows_at_once() -> None:
    spec = ask(started(slots=8, drafts=3), prepared()).when(RECALLED)
    assert proposals(spec) == [(f"n{n}", None, "draft") for n in (1, 2, 3)]


def test_a_broken_draft_is_repaired_and_a_sound_one_improved() -> None:
    past = [*BEGUN[:1], *BEGUN[1:], proposed("n1"), proposed("n2")]
    past[0] = started(drafts=2)
    assert proposals(ask(*past).when(graded("n1"))) == [("n3", "n1", "debug")]
    assert proposals(ask(*past).when(graded("n1", 0.5))) == [("n3", "n1", "improve")]


def test_a_phase_closes_after_its_nodes_and_the_next_begins() -> None:
    past = [started(phase_nodes=2), *BEGUN[1:], proposed("n1"), proposed("n2"), graded("n1", 0.5)]
    spec = ask(*past).when(graded("n2", 0.6))
    assert spec.decided[:2] == [
        PhaseClosed(phase=1, why="done", nodes=("n1", "n2")),
        PhasePlanned(phase=2),
    ]
    assert {each.phase for each in spec.decided if isinstance(each, NodeProposed)} == {2}


def test_the_last_grade_of_the_budget_ends_the_run_with_the_best() -> None:
    past = [started(nodes=2), *BEGUN[1:], proposed("n1"), proposed("n2"), graded("n1", 0.9)]
    end = the_end(ask(*past).when(graded("n2")))
    assert (end.best, end.metric, end.why, end.failed) == ("n1", 0.9, "nodes", False)
    assert (end.nodes, end.buggy, end.submission) == (2, 1, ARTIFACT)


@pytest.mark.parametrize(
    ("ending", "why"),
    [(TimeUp(), "time"), (RunStopped(n=1), "stopped by hand"), (TaskRefused(why="no"), "no")],
)
def test_time_a_person_and_a_refused_task_end_the_run_at_once(ending: Event, why: str) -> None:
    end = the_end(ask(*BEGUN, proposed("n1")).when(ending))
    assert (end.why, end.failed, end.best) == (why, True, None)


def test_spent_money_ends_the_run() -> None:
    past = [started(usd=0.5), *BEGUN[1:], proposed("n1"), answered("n1", usd=0.5)]
    assert the_end(ask(*past).when(graded("n1", 0.5))).why == "money"
    assert isinstance(past[-1], ModelAnswered)


def test_a_model_that_never_answers_ends_the_run_with_its_error() -> None:
    failed = CodingFailed(node="n1", why="HTTP 401", model_failed=True)
    past = [started(max_coding_failures=1), *BEGUN[1:], proposed("n1")]
    end = the_end(ask(*past).when(failed))
    assert "HTTP 401" in end.why
    assert end.failed


def test_a_failed_coding_frees_its_place_for_another_draft() -> None:
    past = [started(drafts=2), *BEGUN[1:], proposed("n1"), proposed("n2")]
    spec = ask(*past).when(CodingFailed(node="n2", why="nonsense"))
    assert proposals(spec) == [("n3", None, "draft")]


def test_a_paused_run_proposes_nothing_until_it_is_resumed() -> None:
    past = [*BEGUN, proposed("n1"), RunPaused(n=1)]
    assert ask(*past).when(graded("n1", 0.5)).decided == []
    assert proposals(ask(*past, graded("n1", 0.5)).when(RunResumed(n=1))) == [
        ("n2", None, "draft"),
        ("n3", None, "draft"),
    ]


def test_guidance_is_in_every_later_instruction() -> None:
    past = [*BEGUN, proposed("n1"), proposed("n2"), GuidanceGiven(n=1, text="try boosting")]
    (proposal,) = ask(*past).when(graded("n1", 0.5)).decided
    assert isinstance(proposal, NodeProposed)
    assert "try boosting" in proposal.instruction


def test_nothing_follows_the_end() -> None:
    end = RunFinished(best=None, metric=None, why="time", failed=True, nodes=1, buggy=0)
    assert ask(*BEGUN, proposed("n1"), end).when(graded("n1", 0.5)).decided == []


def test_an_unknown_policy_ends_the_run_and_names_the_known_ones() -> None:
    end = the_end(ask(started(policy="best"), prepared()).when(RECALLED))
    assert end.failed
    assert "uct" in end.why


def test_abandoned_work_neither_blocks_the_pipeline_nor_the_beginning() -> None:
    lost = WorkAbandoned(role="executor", event="JobQueued", about="cpu.n2", why="no disk")
    assert proposals(ask(*BEGUN, proposed("n1"), proposed("n2")).when(lost)) == [
        ("n3", None, "draft")
    ]
    unrecalled = WorkAbandoned(role="curator", event="TaskPrepared", about="once", why="no log")
    assert NodeProposed in emitted_types(ask(started(), prepared()).when(unrecalled).decided)
    unprepared = WorkAbandoned(role="grader", event=RunStarted.__name__, about="once", why="odd")
    assert the_end(ask(started()).when(unprepared)).why == "odd"


def test_a_name_that_somebody_else_has_taken_is_not_proposed_again() -> None:
    begun = [started(slots=2, lookahead=2, drafts=3), *BEGUN[1:3], proposed("n2")]
    assert proposals(ask(*begun).when(GuidanceGiven(n=1, text=""))) == [
        ("n3", None, "draft"),
        ("n4", None, "draft"),
    ]


def test_one_decision_proposes_a_thousand_nodes_at_the_most() -> None:
    huge = 2**40
    begun = [started(slots=huge, lookahead=huge, drafts=huge, nodes=huge), prepared()]
    assert len(proposals(ask(*begun).when(RECALLED))) == 1000


STEPS = ("polisher", "packer")
SEARCHED: list[Event] = [
    started(nodes=2, closing=STEPS),
    *BEGUN[1:],
    *(proposed("n1"), proposed("n2"), graded("n1", 0.9)),
]
CLOSED: list[Event] = [
    *(*SEARCHED, graded("n2", 0.8)),
    SearchClosed(why="nodes", phase=1, steps=STEPS),
]
POLISHED = proposed("p1", None, "fuse", step="polisher")


def test_when_the_nodes_are_used_up_the_closing_steps_have_their_turn() -> None:
    closed = SearchClosed(why="nodes", phase=1, steps=STEPS)
    ask(*SEARCHED).when(graded("n2", 0.8)).then(closed)


def test_without_a_solution_there_is_nothing_to_close_with() -> None:
    past = [started(nodes=1, closing=STEPS), *BEGUN[1:], proposed("n1")]
    end = the_end(ask(*past).when(graded("n1")))
    assert (end.why, end.failed) == ("nodes", True)


def test_the_run_ends_when_the_last_step_is_done() -> None:
    first, last = (ClosingStepDone(step=step) for step in STEPS)
    ask(*CLOSED).when(first).then()
    end = the_end(ask(*CLOSED, first).when(last))
    assert (end.best, end.why, end.nodes) == ("n1", "nodes", 2)


@pytest.mark.parametrize(("metric", "best"), [(0.95, "p1"), (0.9, "n1"), (None, "n1")])
def test_what_a_step_made_is_chosen_only_if_it_is_better(metric: float | None, best: str) -> None:
    past = [*CLOSED, POLISHED, ClosingStepDone(step="packer")]
    assert ask(*past).when(graded("p1", metric)).decided == []
    end = the_end(ask(*past, graded("p1", metric)).when(ClosingStepDone(step="polisher")))
    assert (end.best, end.nodes, end.buggy) == (best, 2, 0)


def test_a_solution_that_its_repeats_bear_out_is_handed_over_where_that_is_asked_for() -> None:
    again = [proposed(f"{n}r1", n, "repeat", step="repeater") for n in ("n1", "n2")]
    landed = [graded("n1r1", 0.5), graded("n2r1", 0.8)]
    closed = SearchClosed(why="nodes", phase=1, steps=("repeater",))
    for select, best in ((Select(final="robust"), "n2"), (Select(), "n1")):
        begin = started(nodes=2, select=select)
        past = [begin, *CLOSED[1:-1], closed, *again, *landed]
        end = the_end(ask(*past).when(ClosingStepDone(step="repeater")))
        assert (end.best, end.metric, end.nodes) == (best, 0.8 if best == "n2" else 0.9, 2)


def test_a_robust_choice_has_the_repeater_called() -> None:
    past = [started(nodes=2, select=Select(final="robust")), *SEARCHED[1:]]
    closed = SearchClosed(why="nodes", phase=1, steps=("repeater",))
    ask(*past).when(graded("n2", 0.8)).then(closed)
    both = Settings(closing=Closing(steps=("packer",)), select=Select(final="robust"))
    assert both.closing_steps == ("packer", "repeater")


def test_a_step_that_was_given_up_is_not_waited_for() -> None:
    lost = WorkAbandoned(role="packer", event="SearchClosed", about="once", why="it broke")
    end = the_end(ask(*CLOSED, ClosingStepDone(step="polisher")).when(lost))
    assert end.best == "n1"


@pytest.mark.parametrize(
    ("ending", "why"), [(TimeUp(), "nodes"), (RunStopped(n=1), "stopped by hand")]
)
def test_a_closing_is_ended_by_its_time_and_by_a_person(ending: Event, why: str) -> None:
    end = the_end(ask(*CLOSED, POLISHED).when(ending))
    assert (end.best, end.why) == ("n1", why)


def test_a_closed_search_proposes_nothing_turns_no_phase_and_waits_for_its_nodes() -> None:
    begin = started(nodes=9, closing=STEPS, phase_nodes=1)
    past = [begin, *BEGUN[1:], proposed("n1"), proposed("n2"), graded("n1", 0.9), CLOSED[-1]]
    done = [ClosingStepDone(step=step) for step in STEPS]
    assert ask(*past, done[0]).when(done[1]).decided == []
    assert the_end(ask(*past, *done).when(graded("n2", 0.8))).best == "n1"
    assert ask(*past).when(graded("n2", 0.8)).decided == []
    phase, end = ask(*past, graded("n2", 0.95), POLISHED, graded("p1")).when(TimeUp()).decided
    assert phase == PhaseClosed(phase=1, why="budget", nodes=("n1", "n2"))
    assert isinstance(end, RunFinished)
    assert end.best == "n2"


def test_the_time_for_searching_ends_once_there_is_something_to_hand_over() -> None:
    past = [started(closing=STEPS), *BEGUN[1:], proposed("n1"), proposed("n2")]
    assert proposals(ask(*past, SearchTimeUp()).when(graded("n1"))) == [("n3", None, "draft")]
    closed = SearchClosed(why="time", phase=1, steps=STEPS)
    ask(*past, graded("n1", 0.5)).when(SearchTimeUp()).then(closed)
    ask(*past, SearchTimeUp()).when(graded("n1", 0.5)).then(closed)


def test_a_run_that_got_more_time_goes_on_searching() -> None:
    past = [started(closing=STEPS), *BEGUN[1:], proposed("n1"), SearchTimeUp()]
    more = RunResumed(n=9, minutes=5)
    assert proposals(ask(*past, more).when(graded("n1", 0.5))) != []


def test_without_closing_steps_the_time_for_searching_is_all_there_is() -> None:
    past = [*BEGUN, proposed("n1"), graded("n1", 0.5)]
    assert proposals(ask(*past).when(SearchTimeUp())) != []
    assert the_end(ask(*past).when(TimeUp())).why == "time"
