"""The live view: what it counts, the lines it writes, and that every width shows it whole."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents.testing import BEGINNING, history, recorded
from ops.view import View, show
from ops.view.lines import span
from ops.view.picture import BLOCKS, sparkline
from schemas.envelope import Recorded
from schemas.events import (
    ActorStarted,
    ActorStopped,
    ClosingStepDone,
    CodingFailed,
    Event,
    ExecutionFinished,
    ExecutionStarted,
    ModelAnswered,
    ModelAsked,
    NodeProposed,
    PhaseClosed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    SearchClosed,
    SearchTimeUp,
    Selection,
    SolutionGraded,
    SolutionWritten,
    TaskPrepared,
)
from schemas.settings import Budget, Model, Settings
from schemas.task import Artifact, SampleFormat, Task

DATA = Artifact(sha256="0" * 64, size=1, name="data.tar")
STARTED = RunStarted(
    task="spooky",
    folder="/tasks/spooky",
    settings=Settings(),
    budget=Budget(minutes=10, nodes=20, usd=2.0),
    seed=1,
    versions={},
)
PREPARED = TaskPrepared(
    task=Task(
        id="spooky",
        title="Spooky Authors",
        description="",
        metric="log-loss",
        lower_is_better=True,
        kind="text",
        id_column="id",
        targets=("EAP",),
        label="author",
        train_file="train.csv",
        test_file="test.csv",
        sample_file="sample.csv",
    ),
    sample=SampleFormat(columns=("id", "EAP"), rows=10),
    evaluation="held-out",
    heldout_rows=2000,
    preview="",
    data=DATA,
    hashes={},
)


def proposed(node: str, parent: str | None = None, **more: Any) -> NodeProposed:
    fields: dict[str, Any] = {"action": "improve" if parent else "draft"}
    return NodeProposed(
        node=node,
        parent=parent,
        phase=1,
        instruction="",
        selection=Selection(visits=1, reward=0.0, exploration=1.4, value=None),
        **(fields | more),
    )


def asked(node: str) -> ModelAsked:
    return ModelAsked(
        role="coder", call=node, purpose="draft", subject=node, messages=(), options=Model()
    )


def answered(node: str) -> ModelAnswered:
    return ModelAnswered(
        role="coder",
        call=node,
        purpose="draft",
        subject=node,
        outcome="answered",
        input_tokens=1500,
        output_tokens=500,
        usd=0.25,
    )


def ran(node: str) -> list[Event]:
    return [
        SolutionWritten(node=node, plan="", code=""),
        ExecutionStarted(
            node=node, attempt=1, host="here", slot=0, sandbox="process", protections=()
        ),
        ExecutionFinished(
            node=node, attempt=1, outcome="ok", why="", head="", tail="", seconds=1.0
        ),
    ]


def graded(node: str, metric: float | None, analysis: str = "") -> SolutionGraded:
    return SolutionGraded(
        node=node,
        metric=metric,
        obtained=None if metric is None else "held-out",
        valid=metric is not None,
        buggy=metric is None,
        analysis=analysis,
    )


def actor(role: str, number: int = 1) -> ActorStarted:
    return ActorStarted(
        actor=f"{role}-{number}", role=role, host="here", process=number, slots=1, version="0"
    )


RUN: list[Event] = [
    STARTED,
    actor("coder"),
    PREPARED,
    proposed("n1"),
    asked("n1"),
    answered("n1"),
    *ran("n1"),
    graded("n1", 0.5),
    proposed("n2", "n1"),
    *ran("n2"),
    graded("n2", 0.25),
    proposed("n3", "n2"),
    *ran("n3"),
    graded("n3", None, "ValueError:\n  could not convert"),
    proposed("n4", "n2"),
    CodingFailed(node="n4", why="the model gave no code"),
    proposed("n5", "n2"),
    *ran("n5"),
    graded("n5", 0.75),
    proposed("n6", "n2"),
    *ran("n6")[:2],
    proposed("n7", "n2"),
    asked("n7"),
    ActorStopped(actor="coder-1", role="coder", why="killed by signal 9"),
]
NOW = BEGINNING + timedelta(seconds=90)


def seen(*events: Event, width: int = 80) -> tuple[View, Console]:
    console = Console(width=width, record=True, file=io.StringIO(), color_system=None)
    view = View(console, lambda: NOW)
    for event in history(*events):
        view.see(event)
    return view, console


def shown(*events: Event, width: int = 80) -> str:
    view, console = seen(*events, width=width)
    console.print(view)
    return console.export_text()


def told(*events: Event) -> list[str]:
    view, _ = seen()
    return [text.strip().split("  ", 1)[1] for each in history(*events) if (text := view.see(each))]


def test_it_counts_nodes_tokens_and_money() -> None:
    text = shown(*RUN)
    assert "1 writing, 1 running, 3 good, 1 buggy, 1 unwritten" in text
    assert "7 of 20" in text
    assert "1.5k in, 500 out, 1 call " in text
    assert "$0.25 of $2.00" in text
    assert "0.25 by n2  log-loss, lower is better" in text


def test_it_says_what_each_role_does() -> None:
    rows = {line.split()[0]: line for line in shown(*RUN).splitlines() if line.strip()}
    assert "waits" in rows["planner"]
    assert "starts again" in rows["coder"]
    assert "runs n6" in rows["executor"]
    again = {line.split()[0]: line for line in shown(*RUN, actor("coder", 2)).splitlines() if line}
    assert "draft n7 0:" in again["coder"]


def test_time_stops_when_the_run_does_and_resuming_adds_to_it() -> None:
    finish = RunFinished(best=None, metric=None, why="time", failed=True, nodes=0, buggy=0)
    assert "1:29 of 10:00" in shown(STARTED)
    assert "1:29 of 15:00" in shown(STARTED, RunPaused(n=1), RunResumed(n=1, minutes=5))
    assert "0:01 of 10:00" in shown(STARTED, finish)


def test_the_plain_lines_of_a_run() -> None:
    finish = RunFinished(best="n2", metric=0.25, why="budget", failed=False, nodes=7, buggy=1)
    closed = PhaseClosed(phase=1, why="done", nodes=("n1", "n2"))
    assert told(*RUN, actor("coder", 2), closed, finish) == [
        "task prepared: Spooky Authors, log-loss, lower is better, scored on 2000 rows set aside",
        "n1 proposed: draft",
        "n1 scored 0.5, the best so far",
        "n2 proposed: improve n1",
        "n2 scored 0.25, the best so far, 0.25 better than n1",
        "n3 proposed: improve n2",
        "n3 failed: ValueError: could not convert",
        "n4 proposed: improve n2",
        "n4 has no program: the model gave no code",
        "n5 proposed: improve n2",
        "n5 scored 0.75, 0.5 worse than n2",
        "n6 proposed: improve n2",
        "n7 proposed: improve n2",
        "coder stopped: killed by signal 9",
        "coder started again",
        "phase 1 closed: done, 2 nodes",
        "finished: budget; best is n2 with 0.25; 7 nodes, 1 of them buggy",
    ]


CLOSING: list[Event] = [
    SearchTimeUp(),
    SearchClosed(why="time", phase=1, steps=("fuser", "packer")),
    ClosingStepDone(step="packer", why="there is too little"),
    proposed("fuse1", action="fuse", step="fuser"),
    *ran("fuse1"),
]


def test_the_closing_of_a_run_is_told() -> None:
    fused = graded("fuse1", 0.125)
    assert told(*RUN, *CLOSING, fused, ClosingStepDone(step="fuser"))[-5:] == [
        "time for searching is up",
        "search over: time; closing: fuser, packer",
        "packer has nothing to do: there is too little",
        "fuse1 proposed: fuse",
        "fuse1 scored 0.125, the best so far",
    ]
    assert "Spooky Authors  closing" in shown(*RUN, *CLOSING)
    text = shown(*RUN, *CLOSING, fused)
    assert "7 of 20" in text
    assert "0.125 by fuse1" in text
    assert "3 good, 1 buggy, 1 unwritten" in text


def test_a_repeat_is_no_solution_of_its_own_and_the_choice_is_what_is_shown_last() -> None:
    again = proposed("n2r1", "n2", action="repeat", step="repeater")
    chosen = RunFinished(best="n1", metric=0.5, why="nodes", failed=False, nodes=7, buggy=1)
    events = [*RUN, again, *ran("n2r1"), graded("n2r1", 0.125)]
    assert told(*events)[-2:] == [
        "n2r1 proposed: repeat n2",
        "n2r1 scored 0.125, 0.125 better than n2",
    ]
    assert "0.25 by n2" in shown(*events)
    assert "0.5 by n1" in shown(*events, chosen)


@pytest.mark.parametrize("width", [200, 80, 40, 24])
@pytest.mark.parametrize("length", [0, 1, 3, 10, len(RUN)])
def test_every_moment_fits_every_width(width: int, length: int) -> None:
    lines = shown(*RUN[:length], width=width).splitlines()
    assert max(map(len, lines)) <= width
    if length and width >= 40:
        assert any(" of 10:00" in line for line in lines)
        assert any(line.startswith("curator") for line in lines)


@given(st.lists(st.floats(-1e9, 1e9)), st.integers(0, 200))
def test_a_sparkline_is_as_wide_as_asked(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) == (width if values else 0)
    assert set(line) <= set(BLOCKS)


def test_a_sparkline_falls_with_its_values() -> None:
    assert sparkline([3, 2, 1], 6) == "██▅▅▁▁"
    assert sparkline([1, 2, 3, 4], 2) == "▁█"


def test_spans_of_time() -> None:
    assert [span(each) for each in (0, 61.9, 3599, 3600 * 26 + 5)] == [
        "0:00",
        "1:01",
        "59:59",
        "26:00:05",
    ]


async def _events(*events: Event) -> AsyncIterator[Recorded[Any]]:
    for each in history(*events):
        yield each


async def test_no_terminal_gets_plain_lines_without_wrapping() -> None:
    file = io.StringIO()
    state = await show(_events(*RUN), console=Console(file=file, width=20), now=lambda: NOW)
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("   0:02  task prepared: Spooky Authors, log-loss, lower is better")
    assert len(lines) == 14
    assert "\x1b" not in file.getvalue()
    assert state.best is not None
    assert state.best.node == "n2"


async def test_a_terminal_gets_one_picture() -> None:
    file = io.StringIO()
    console = Console(file=file, width=60, force_terminal=True, legacy_windows=False)
    await show(_events(*RUN), console=console, now=lambda: NOW)
    assert "Spooky Authors" in file.getvalue()
    assert "\x1b[" in file.getvalue()


def test_an_event_of_an_unknown_kind_changes_nothing() -> None:
    class LanternLit(Event, frozen=True, kw_only=True):
        pass

    view, _ = seen(*RUN)
    before = view.state
    assert view.see(recorded(LanternLit())) is None
    assert view.state == before
