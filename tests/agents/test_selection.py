"""What of too many traces is told: what teaches the most, within a bound that holds."""

from time import thread_time

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.context import Memory, build, estimate
from agents.context.selection import NEWEST, select
from agents.context.tokens import Purse
from schemas.events import PhasePlanned
from schemas.settings import Memory as Settings
from store.projections import experience, knowledge
from store.projections.experience import Trace
from store.projections.growing import Growing
from store.projections.knowledge import Unit


def trace(
    node: str,
    metric: float | None = None,
    *,
    plan: str = "",
    why: str = "",
    parent: str | None = "n0",
    phase: int = 1,
) -> Trace:
    return Trace(
        node=node,
        parent=parent,
        action="improve",
        phase=phase,
        instruction="",
        job_class="cpu",
        plan=plan or f"plan of {node} alone",
        why=why,
        metric=metric,
        valid=metric is not None,
        buggy=metric is None,
    )


def words(number: int) -> str:
    """Return a number in letters, since digits do not make two plans differ."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def told(traces: list[Trace], budget: int = 100_000, **scores: float) -> list[str]:
    purse = Purse(budget, estimate)
    return [each.trace.node for each in select(traces, scores, lower_is_better=False, purse=purse)]


def memory(traces: list[Trace], units: int = 0) -> Memory:
    known = experience.State(traces=Growing())
    for each in reversed(traces):
        known = experience.State(traces=known.traces.added(each.node, each))
    taught = {n: Unit(phase=n, summary=f"lesson {n}", nodes=()) for n in range(1, units + 1)}
    return Memory(experience=known, knowledge=knowledge.State(units=taught))


def test_what_tells_the_same_is_one_line_with_a_count() -> None:
    same = "KeyError: 'a{}' (line {})"
    traces = [trace(f"n{n}", why=same.format(n, n)) for n in range(9, 0, -1)]
    chosen = select(traces, {}, lower_is_better=False, purse=Purse(10_000, estimate))
    assert [each.trace.node for each in chosen] == ["n9"], "the newest speaks for all"
    assert "8 more came to the same: n8, n7, n6, n5, n4, …." in chosen[0].text


def test_of_solutions_alike_the_best_speaks() -> None:
    traces = [trace("n3", 0.5, plan="boost"), trace("n2", 0.7, plan="Boost"), trace("n1", 0.6)]
    assert told(traces) == ["n2", "n1"]


def test_the_best_the_newest_and_each_kind_of_failure_stay() -> None:
    """Room for as many as must stay: what is middling goes."""
    middling = [trace(f"m{words(n)}", 0.5, plan=f"vary {words(n)}") for n in range(20)]
    failures = [trace(f"f{words(n)}", why=f"Error{words(n)}: no") for n in range(4)]
    traces = [*middling[:10], trace("best", 0.9), *failures, *middling[10:]]
    wanted = ["best", *(each.node for each in traces[:NEWEST]), *(f.node for f in failures)]
    costs = sum(estimate(f"{each}\n\n") + 60 for each in wanted)
    kept = told(traces, costs, n0=0.5)
    assert {*wanted} <= {*kept}
    assert len(kept) < len(traces)


def test_what_moved_the_score_comes_before_what_did_not() -> None:
    still = [trace(f"s{words(n)}", 0.5, plan=f"still {words(n)}") for n in range(10)]
    moved = [trace(f"g{words(n)}", 0.6 + n / 100, plan=f"gain {words(n)}") for n in range(3)]
    kept = told([*still, *moved], 260, n0=0.5)
    assert {"gc", "gb"} <= {*kept}


@settings(max_examples=100, deadline=None)
@given(
    scores=st.lists(st.none() | st.floats(0, 1), max_size=40),
    budget=st.integers(0, 3000),
    size=st.integers(0, 900),
    kinds=st.integers(1, 5),
)
def test_the_bound_holds_whatever_is_remembered(
    scores: list[float | None], budget: int, size: int, kinds: int
) -> None:
    traces = [
        trace(
            f"n{n}",
            metric,
            plan="p" * size + words(n % kinds),
            why="" if metric is not None else "e" * size + words(n % kinds),
        )
        for n, metric in enumerate(scores, 1)
    ]
    purse = Purse(budget, estimate)
    chosen = select(traces, {}, lower_is_better=False, purse=purse)
    assert estimate("\n\n".join(each.text for each in chosen)) <= budget
    nodes = [each.trace.node for each in chosen]
    assert nodes == sorted(nodes, key=lambda name: int(name[1:])), "the order is kept"
    assert len({*nodes}) == len(nodes)


def test_a_closed_phase_is_known_by_its_lesson_and_the_open_one_by_its_traces() -> None:
    traces = [
        trace("n5", 0.7, phase=2),
        trace("n4", phase=2, why="TypeError: no"),
        trace("n3", 0.6, phase=1),
        trace("n2", 0.5, phase=1),
        trace("n1", 0.5, phase=0, parent=None),
    ]
    plans = (
        PhasePlanned(phase=1, directions={"features": ("sums",)}),
        PhasePlanned(phase=2, directions={"models": ("forest",)}),
    )
    seen = Memory(
        experience=memory(traces).experience,
        knowledge=memory([], units=1).knowledge,
        plans=plans,
    )
    built = build(seen, action="improve", parent="n9", settings=Settings(), scope="phase")
    assert [(each.tier, each.reference) for each in built.parts] == [
        ("experience", "plan-2"),
        ("knowledge", "1"),
        ("experience", "plan-1"),
        ("experience", "n5"),
        ("experience", "n4"),
        ("experience", "n1"),
    ]
    order = ["sums", "lesson 1", "forest", "## n1", "## n4", "## n5"]
    assert sorted(order, key=built.memory.index) == order


def test_without_knowledge_all_traces_stay() -> None:
    traces = [trace("n2", 0.6, plan="b", phase=2), trace("n1", 0.5, plan="a", phase=1)]
    settings = Settings(tiers=("experience", "wisdom"))
    built = build(memory(traces), action="improve", parent="n9", settings=settings, scope="phase")
    assert [each.reference for each in built.parts] == ["n2", "n1"]


def test_200_000_tokens_in_one_phase_take_20_ms_and_keep_the_bound() -> None:
    traces = [
        trace(
            f"n{n}",
            None if n % 3 == 0 else n / 1200,
            plan=f"{words(n)} " * 120,
            why=f"ValueError: {words(n)} {'x' * 280}" if n % 3 == 0 else "",
        )
        for n in range(1200, 0, -1)
    ]
    assert sum(estimate(each.plan + each.why) for each in traces) > 200_000
    _fits_quickly(memory(traces))


def test_200_phases_in_one_run_take_20_ms_and_keep_the_bound() -> None:
    traces = [trace(f"n{n}", n / 2000, phase=n // 10) for n in range(2000, 0, -1)]
    _fits_quickly(memory(traces, units=200))


def _fits_quickly(known: Memory) -> None:
    took, sizes = list[float](), set[int]()
    for _ in range(5):
        began = thread_time()
        built = build(known, action="improve", parent="n9", settings=Settings(), scope="phase")
        took.append(thread_time() - began)
        sizes.add(estimate(built.memory + built.wisdom))
    assert 0 < min(sizes) <= max(sizes) <= Settings().budget_tokens
    assert min(took) < 0.02, took
