"""The tiers against the paper's equations, over random streams of events."""

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agents.testing import history
from schemas.events import Event, GuidanceGiven, KnowledgeRefined, PhasePlanned
from store.projections import cache
from store.projections.cache import Unit

Kinds = Sequence[str]


@st.composite
def kinds(draw: st.DrawFn) -> list[str]:
    """Return a run as a word: `e`vents, `p`lans, and `k` where the last phase's lesson is written."""
    word = list("e" * draw(st.integers(1, 5)))
    for _ in range(draw(st.integers(0, 5))):
        word += ["p", *("e" * draw(st.integers(0, 6)))]
        if draw(st.booleans()):
            word.append("k")
            word += "e" * draw(st.integers(0, 2))
    return word


def run(word: Kinds) -> list[Event]:
    events, phase = list[Event](), 0
    for number, kind in enumerate(word):
        if kind == "p":
            phase += 1
            events.append(PhasePlanned(phase=phase, directions={"one": ("change",)}))
        elif kind == "k":
            events.append(KnowledgeRefined(phase=phase, summary="", nodes=()))
        else:
            events.append(GuidanceGiven(n=number, text=""))
    return events


def folded(word: Kinds) -> cache.State:
    state = cache.START
    for event in history(*run(word)):
        state = cache.apply(state, event)
    return state


@given(word=kinds())
def test_l1_is_the_bootstrap_all_plans_and_the_open_phase(word: Kinds) -> None:
    """L1(t) = E[0..t0-1] + P + E[t_{p-1}+1..t], and phases whose lesson is not written yet."""
    state = folded(word)
    plans = [k for k, kind in enumerate(word) if kind == "p"]
    if not plans:
        assert state.experience == frozenset(range(len(word)))
        return
    bootstrap, open_phase = range(plans[0]), range(plans[-1] + 1, len(word))
    pending = {
        k
        for r, (start, end) in enumerate(itertools.pairwise(plans), 1)
        if r not in state.refined
        for k in range(start + 1, end)
    }
    assert state.experience == {*bootstrap, *plans, *open_phase, *pending}


@given(word=kinds())
def test_l2_has_a_unit_for_each_closed_phase_with_a_lesson(word: Kinds) -> None:
    state = folded(word)
    phases = "".join(word).split("p")[1:-1]
    assert state.knowledge == {r for r, phase in enumerate(phases, 1) if "k" in phase}


@given(word=kinds())
def test_each_event_is_remembered_in_exactly_one_way(word: Kinds) -> None:
    """Psi(k): raw in L1; else the unit at the phase's first event; else nothing."""
    state = folded(word)
    for k in range(len(word)):
        found = cache.hit(state, k)
        if k in state.experience:
            assert found == k
        else:
            phase = "".join(word[: k + 1]).count("p")
            first = word[k - 1] == "p"
            assert found == (Unit(phase) if first else None)
            assert phase in state.knowledge


@given(word=kinds())
def test_a_finished_phase_costs_one_plan_and_one_unit(word: Kinds) -> None:
    state = folded(word)
    made_of = cache.context(state)
    units = [each for each in made_of if isinstance(each, Unit)]
    filled = {r for r in state.knowledge if state.plans[r - 1] + 1 < state.plans[r]}
    assert {each.phase for each in units} == filled
    raw = [each for each in made_of if not isinstance(each, Unit)]
    assert raw == sorted(state.experience)


@given(word=kinds(), cut=st.integers(0, 40))
def test_l1_loses_a_phase_only_when_its_lesson_is_there(word: Kinds, cut: int) -> None:
    before, after = folded(word[:cut]), folded(word)
    lost = before.experience - after.experience
    for k in lost:
        assert "".join(word[: k + 1]).count("p") in after.knowledge


def test_three_phases_by_example() -> None:
    state = folded("eepeekpekpe")
    assert cache.context(state) == (0, 1, 2, Unit(1), 6, Unit(2), 9, 10)
