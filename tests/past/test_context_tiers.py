"""The length of a run's context: kept up to date event by event, the same as the paper's sum."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.context import estimate
from agents.testing import history
from ops.importing import recording
from ops.past.context.chart import svg
from ops.past.context.tiers import Counting, Lengths, Point, length
from ops.past.context.told import lengths, phases
from schemas.envelope import Fact, Vocabulary
from schemas.events import Event, GuidanceGiven, KnowledgeRefined, PhasePlanned, SolutionWritten
from store.projections import cache
from store.projections.cache import Unit
from tests.agents.examples import executed, graded, prepared, proposed, started
from tests.projections.test_cache import kinds

ROOT = Path(__file__).parents[2]
PIZZA = "random-acts-of-pizza_nodes.json"


def told(word: list[str], sizes: list[int]) -> list[Event]:
    """Return a run: `e`vents, `p`lans and lessons, `k`, of these sizes."""
    events, phase = list[Event](), 0
    for number, kind in enumerate(word):
        text = "x" * sizes[number % len(sizes)]
        if kind == "p":
            phase += 1
            events.append(PhasePlanned(phase=phase, directions={"one": (text,)}))
        elif kind == "k":
            events.append(KnowledgeRefined(phase=phase, summary=text, nodes=()))
        else:
            events.append(GuidanceGiven(n=number, text=text))
    return events


@given(word=kinds(), sizes=st.lists(st.integers(0, 400), min_size=1, max_size=9))
def test_the_length_is_that_of_every_events_hit(word: list[str], sizes: list[int]) -> None:
    events, fold, state = history(*told(word, sizes)), Lengths(), cache.START
    lessons = {
        number: estimate(each.data.summary)
        for each in events
        if isinstance(each.data, KnowledgeRefined)
        for number in [each.data.phase]
    }
    for count, event in enumerate(events, 1):
        state, point = cache.apply(state, event), fold.take(event)
        raw = [length(each.data) for each in events[:count]]
        hits = cache.context(state)
        assert point.raw == sum(raw)
        assert point.tiers == sum(
            lessons[each.phase] if isinstance(each, Unit) else raw[each] for each in hits
        )


def test_what_counts_is_what_events_hold() -> None:
    said: dict[int, Event] = {
        0: started(),
        estimate("plan" + "code"): SolutionWritten(node="n1", plan="plan", code="code"),
        estimate("out" * 30): executed("n1", "out" * 30),
        estimate("as seen"): graded("n1", 0.5),
        estimate("draft it"): proposed("n1"),
    }
    assert {tokens: length(event) for tokens, event in said.items()} == {
        each: each for each in said
    }
    assert length(KnowledgeRefined(phase=1, summary="k" * 99, nodes=())) == 0
    assert (
        length(PhasePlanned(phase=1)) == 0 < length(PhasePlanned(phase=1, directions={"a": ("b",)}))
    )
    assert length(prepared()) > 0


def nodes(count: int) -> Iterator[Event]:
    for number in range(1, count + 1):
        name = f"n{number}"
        yield from (proposed(name), SolutionWritten(node=name, plan="p" * 30, code="c" * 300))
        yield from (executed(name), graded(name, 0.5 if number % 2 else None))


@given(count=st.integers(0, 25), most=st.integers(1, 9))
def test_a_run_without_lessons_gets_phases_by_count(count: int, most: int) -> None:
    counting, made = Counting(most), list[Fact[Any]]()
    for event in history(started(), prepared(), PhasePlanned(phase=1), *nodes(count)):
        made += counting.take(event)
    plans = [each.data.phase for each in made if isinstance(each.data, PhasePlanned)]
    lessons = [each.data for each in made if isinstance(each.data, KnowledgeRefined)]
    assert plans == [*range(1, (count // most + 1 if count else 0) + 1)]
    assert [len(each.nodes) for each in lessons] == [most] * (count // most)
    assert [name for each in lessons for name in each.nodes] == [
        f"n{number}" for number in range(1, count // most * most + 1)
    ]
    assert all(each.summary.startswith("accuracy of ") for each in lessons)


def test_without_phases_to_count_nothing_turns() -> None:
    counting = Counting(0)
    made = [
        each for event in history(started(), prepared(), *nodes(3)) for each in counting.take(event)
    ]
    assert len([each for each in made if isinstance(each.data, KnowledgeRefined)]) == 3


def test_rows_tell_each_phase_and_the_peaks() -> None:
    points = [
        Point(phase=0, graded=0, raw=5, tiers=5),
        Point(phase=1, graded=1, raw=9, tiers=9),
        Point(phase=1, graded=2, raw=20, tiers=20),
        Point(phase=2, graded=2, raw=21, tiers=8),
    ]
    assert phases(points) == [
        (0, 1, 0, 5, 5),
        (1, 2, 2, 20, 20),
        (2, 1, 2, 21, 8),
        ("peak", 4, 2, 21, 20),
    ]
    assert phases([]) == [("peak", 0, 0, 0, 0)]


@pytest.fixture(scope="module")
def pizza(shared_data: Path) -> tuple[str, list[Point]]:
    """Return the published run on random-acts-of-pizza and its context's lengths."""
    run = recording.run((shared_data / "traces" / PIZZA).read_bytes(), PIZZA, task=False)
    counting, fold, points = Counting(10), Lengths(), list[Point]()
    for seq, event in enumerate(run.events, 1):
        points += map(fold.take, counting.take(Vocabulary().read(event, seq)))
    return run.run, points


def test_the_published_run_has_the_peaks_and_the_picture_of_the_document(
    pizza: tuple[str, list[Point]],
) -> None:
    name, points = pizza
    _, _, _, raw, tiers = phases(points)[-1]
    text = (ROOT / "docs/memory.md").read_text(encoding="utf-8")
    assert f"{raw:,} tokens" in text, raw
    assert f"{tiers:,}" in text, tiers
    assert (ROOT / "docs/context-pizza.svg").read_text(encoding="utf-8") == svg(
        lengths(name, points)
    )
