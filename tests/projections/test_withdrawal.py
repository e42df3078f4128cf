"""What a person withdraws is gone from the folds, whenever it was said, and that it is gone stays."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from agents.testing import recorded
from schemas.envelope import Recorded
from schemas.events import Event, KnowledgeRefined, WisdomDistilled, WisdomWithdrawn
from store.projections import knowledge, wisdom
from store.projections.projection import Projection


def distilled(text: str, **more: Any) -> WisdomDistilled:
    return WisdomDistilled(
        task="toy",
        descriptor="",
        embedding=(1.0,),
        data_summary="",
        model_summary=text,
        rests_on=(),
        **more,
    )


def folded(projection: Projection[Any], events: Sequence[Recorded[Any]]) -> Any:
    state = projection.start
    for event in events:
        state = projection.apply(state, event)
    return state


def said(*events: tuple[str, Event]) -> list[Recorded[Any]]:
    return [recorded(event, run=run, seq=n) for n, (run, event) in enumerate(events, 1)]


GONE = WisdomWithdrawn(n=1, why="its data leaks")


def test_of_a_withdrawn_run_nothing_is_left_but_that_it_was() -> None:
    events = said(("a", distilled("trees")), ("b", distilled("nets")), ("a", GONE))
    for order in permutations(events):
        state = folded(wisdom.projection, order)
        assert [*state.entries] == ["b"]
        rows = wisdom.rows(state)
        assert rows["a"] == wisdom.Withdrawn(
            run="a", withdrawn=GONE.why, knowledge=False, time=events[2].time
        )
        assert rows["b"] == state.entries["b"]


def test_a_later_attempt_takes_the_place_of_the_one_before() -> None:
    first = distilled("scores", mechanical=True)
    events = said(("a", first), ("b", distilled("nets")), ("a", distilled("trees", attempt=2)))
    state = folded(wisdom.projection, events)
    assert [(run, entry.model_summary) for run, entry in state.entries.items()] == [
        ("a", "trees"),
        ("b", "nets"),
    ]


@pytest.mark.parametrize("all_of_it", [True, False])
def test_knowledge_goes_when_all_that_was_taught_goes(*, all_of_it: bool) -> None:
    gone = WisdomWithdrawn(n=1, why="it leaks", knowledge=all_of_it)
    units = [KnowledgeRefined(phase=phase, summary="s", nodes=()) for phase in (1, 2)]
    state = folded(knowledge.projection, said(("a", units[0]), ("a", gone), ("a", units[1])))
    assert [*state.units] == ([] if all_of_it else [1, 2])
    assert [*knowledge.rows(state)] == (["withdrawn"] if all_of_it else ["2", "1"])
