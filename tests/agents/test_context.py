"""The memory part of prompts: bounded, scoped and traced."""

from hypothesis import given
from hypothesis import strategies as st

from agents import context
from agents.context import Memory, build, estimate
from agents.testing import history
from schemas.events import CodingFailed, Event, RecalledWisdom, SolutionWritten
from schemas.settings import Memory as Settings
from store.projections import experience, knowledge
from store.projections.knowledge import Unit

from .examples import graded, proposed


def remembered(*events: Event, units: int = 0, wisdom: int = 0, size: int = 50) -> Memory:
    state = experience.START
    for event in history(*events):
        state = experience.apply(state, event)
    known = {n: Unit(phase=n, summary="k" * size, nodes=()) for n in range(1, units + 1)}
    entries = (
        RecalledWisdom(run=f"r{n}", task="t", similarity=0.5, text="ü" * size)
        for n in range(wisdom)
    )
    return Memory(
        experience=state,
        knowledge=knowledge.State(units=known),
        wisdom=tuple(entries),
    )


def tried(node: str, metric: float | None, parent: str | None = None) -> list[Event]:
    action = "improve" if parent else "draft"
    plan = SolutionWritten(node=node, plan=f"idea {node}", code="")
    return [proposed(node, parent, action), plan, graded(node, metric)]


@given(
    budget=st.integers(0, 3000),
    nodes=st.integers(0, 12),
    units=st.integers(0, 12),
    wisdom=st.integers(0, 4),
    size=st.integers(0, 4000),
)
def test_no_context_exceeds_its_budget_and_every_part_exists(
    *, budget: int, nodes: int, units: int, wisdom: int, size: int
) -> None:
    events = [event for n in range(1, nodes + 1) for event in tried(f"n{n}", 0.5)]
    memory = remembered(*events, units=units, wisdom=wisdom, size=size)
    built = build(memory, action="draft", parent=None, settings=Settings(budget_tokens=budget))
    assert estimate(built.memory + built.wisdom) <= budget
    known = {
        "experience": set(memory.experience.traces),
        "knowledge": {str(phase) for phase in memory.knowledge.units},
        "wisdom": {entry.run for entry in memory.wisdom},
    }
    for part in built.parts:
        assert part.reference in known[part.tier]


def test_drafts_see_drafts_and_improvements_their_siblings() -> None:
    events = [
        *tried("n1", 0.5),
        *tried("n2", None),
        *tried("n3", 0.6, "n1"),
        *tried("n4", 0.7, "n2"),
    ]
    memory = remembered(*events)
    draft = build(memory, action="draft", parent=None, settings=Settings())
    assert [each.reference for each in draft.parts] == ["n2", "n1"]
    assert draft.memory.index("idea n1") < draft.memory.index("idea n2")
    assert "another approach may not" in draft.memory
    improve = build(memory, action="improve", parent="n1", settings=Settings())
    assert [each.reference for each in improve.parts] == ["n3"]


def test_a_repair_sees_its_own_chain_of_failures_alone() -> None:
    chain = [proposed("n1"), graded("n1"), proposed("n2", "n1", "debug"), graded("n2")]
    memory = remembered(*chain, *tried("n3", 0.5), units=1, wisdom=1)
    debug = build(memory, action="debug", parent="n2", settings=Settings())
    assert [(each.tier, each.reference) for each in debug.parts] == [("experience", "n1")]
    assert debug.wisdom == ""


def test_each_tier_can_be_switched_off() -> None:
    memory = remembered(*tried("n1", 0.5), units=1, wisdom=1)
    tiers = Settings().tiers
    for off in tiers:
        settings = Settings(tiers=tuple(each for each in tiers if each != off))
        built = build(memory, action="draft", parent=None, settings=settings)
        assert {part.tier for part in built.parts} == set(tiers) - {off}


def test_what_could_not_be_coded_is_remembered_as_a_failure() -> None:
    memory = remembered(proposed("n1"), CodingFailed(node="n1", why="no code"))
    built = build(memory, action="draft", parent=None, settings=Settings())
    assert "Error: no code" in built.memory


def test_trajectories_stay_in_their_budget_and_name_what_they_rest_on() -> None:
    memory = remembered(*tried("n1", 0.5), *tried("n2", 0.6))
    traces = [memory.experience.traces["n1"], memory.experience.traces["n2"]]
    one = estimate(context.described(traces[0]))
    assert context.trajectories(traces, one) == (context.described(traces[0]), ("n1",))
    text, nodes = context.trajectories(traces, 1000)
    assert estimate(text) <= 1000
    assert nodes == ("n1", "n2")


def test_of_much_wisdom_the_nearest_is_told_at_some_length() -> None:
    built = build(
        remembered(wisdom=40, size=4000), action="draft", parent=None, settings=Settings()
    )
    assert [part.reference for part in built.parts] == [f"r{n}" for n in range(len(built.parts))]
    assert 1 < len(built.parts) < 10
    assert len(built.wisdom) > 500 * len(built.parts)
