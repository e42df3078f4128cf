"""What the profile `code` chooses, by example; its limits over whole runs are in test_worker_pool."""

import pytest

from agents.search import released, uct
from agents.search.policy import Choice, Horizon, action_on
from schemas.events import Event, NodeProposed, Selection, SolutionWritten
from store.projections.tree import Node

from .examples import graded, proposed
from .pool import Pool, grown

FAR = Horizon(nodes=500)


def tried(node: str, parent: str | None, metric: float | None) -> list[Event]:
    return [proposed(node, parent, "improve"), graded(node, metric)]


def written(node: str, parent: str | None) -> list[Event]:
    return [proposed(node, parent, "improve"), SolutionWritten(node=node, plan="", code="")]


def chosen(*events: Event, **search: int) -> tuple[str, str | None] | None:
    """Return the action and the parent that are chosen after *events*."""
    choice = uct.choose(grown(*events, **search), FAR)
    return None if choice is None else (choice.action, choice.parent)


def selected(*events: Event, **search: int) -> Choice | None:
    """Return what one who begins at the root chooses, were no draft taken."""
    return released.select(grown(*events, **search), FAR, taken=frozenset())


@pytest.mark.parametrize(
    ("node", "action"),
    [
        (Node(name="root", order=0), "draft"),
        (Node(name="root", order=0, buggy=True), "draft"),
        (Node(name="n1", order=1, buggy=True), "debug"),
        (Node(name="n1", order=1, buggy=True, valid=True, metric=0.5), "debug"),
        (Node(name="n1", order=1, metric=0.5), "debug"),
        (Node(name="n1", order=1, valid=True), "debug"),
        (Node(name="n1", order=1, valid=True, metric=0.5), "improve"),
        (Node(name="n1", order=1, valid=True, metric=0.0), "improve"),
    ],
)
def test_what_can_be_done_with_a_node(node: Node, action: str) -> None:
    assert action_on(node) == action


def test_whoever_made_a_node_goes_on_from_it_before_anything_is_drafted() -> None:
    assert chosen(*tried("n1", None, 0.5)) == ("improve", "n1")
    assert chosen(*tried("n1", None, None)) == ("debug", "n1")
    two = [proposed("n1"), proposed("n2"), graded("n2", 0.5), graded("n1", 0.4)]
    assert chosen(*two) == ("improve", "n1"), "of two chains the older"
    going_on = grown(*two)
    choice = released.choose(going_on, FAR)
    assert choice is not None
    assert choice.selection.value is None


def test_whoever_has_left_drafts_as_long_as_drafts_are_missing() -> None:
    fixed = [*tried("n1", None, None), *tried("n2", "n1", 0.5)]
    assert chosen(*fixed) == ("draft", None)
    assert chosen(*fixed, *(proposed(f"n{n}") for n in (3, 4, 5))) == ("draft", None)
    full = [*fixed, *(proposed(f"n{n}") for n in (3, 4, 5, 6))]
    assert chosen(*full) == ("improve", "n2"), "those in flight count"


LEFT = [*tried("n1", None, None), *tried("n2", "n1", 0.5)]
"""A draft that was repaired, and left with that."""


def in_vain(first: int) -> list[Event]:
    """Return a broken draft and three repairs that fail, after which it is left."""
    names = [f"n{first + number}" for number in range(4)]
    parents = [None, *names]
    return [
        event for name, up in zip(names, parents, strict=False) for event in tried(name, up, None)
    ]


def test_the_way_down_follows_the_higher_value() -> None:
    two = [*LEFT, *in_vain(3)]
    choice = uct.choose(grown(*two, drafts=2), FAR)
    assert choice is not None
    assert (choice.parent, choice.action) == ("n2", "improve")
    assert choice.selection.visits == 1
    assert choice.selection.value == 1.0  # ln 1 = 0: its parent was visited once
    assert choice.selection.exploration == 1.414


@pytest.mark.parametrize(
    ("events", "landed"),
    [
        ([*tried("n1", None, 0.5)], 1),
        ([*LEFT], 2),
        ([*LEFT, *in_vain(3)], 6),
    ],
    ids=["staying", "drafting", "going down"],
)
def test_the_constant_falls_with_the_nodes_that_have_landed_the_root_among_them(
    events: list[Event], landed: int
) -> None:
    choice = uct.choose(grown(*events, drafts=2, exploration_schedule="linear"), FAR)
    assert choice is not None
    assert choice.selection.exploration == pytest.approx(1.414 - 0.01 * (landed + 1))


def test_drafts_below_which_somebody_works_are_passed_over() -> None:
    two = [*LEFT, *in_vain(3)]
    assert chosen(*two, proposed("n7", "n2"), drafts=2) == ("debug", "n6")
    both = [*two, proposed("n7", "n2"), proposed("n8", "n6")]
    assert chosen(*both, drafts=2) is None, "wait: all are taken"


def test_of_equal_values_the_oldest_or_one_that_is_preferred() -> None:
    two = [*LEFT, *tried("n3", None, None), *tried("n4", "n3", 0.4)]
    state = grown(*two, drafts=2)
    oldest = released.select(state, FAR)
    assert oldest is not None
    assert oldest.parent == "n2"
    other = released.select(state, FAR, prefer={state.orders["n3"]})
    assert other is not None
    assert other.parent == "n4"


@pytest.mark.parametrize(
    ("events", "search", "parent"),
    [
        # A broken node has one child; with a child that works or may work it has all it gets.
        ([*tried("n1", None, None)], {}, "n1"),
        ([*tried("n1", None, None), *tried("n2", "n1", None)], {}, "n2"),
        ([*tried("n1", None, None), *tried("n2", "n1", None)], {"debugs": 2}, "n1"),
        ([*LEFT], {"debugs": 2}, "n2"),
        ([*tried("n1", None, None), *written("n2", "n1")], {"debugs": 2}, "n2"),
        ([*tried("n1", None, None), proposed("n2", "n1")], {"debugs": 2}, "n1"),
        # What lies deeper decides nothing, but a repair that works further down does.
        (
            [*tried("n1", None, None), *tried("n2", "n1", None), *tried("n3", "n2", 0.5)],
            {"debugs": 2},
            "n3",
        ),
        # ... even where the chain below it has ended.
        (
            [
                *tried("n1", None, None),
                *tried("n2", "n1", None),
                *tried("n3", "n2", 0.5),
                *tried("n4", "n3", 0.4),
            ],
            {"debugs": 2, "max_improve_failures": 0},
            "n3",
        ),
        # A sound node has three; none is added as long as its chain goes on.
        ([*LEFT, *tried("n3", "n2", 0.6)], {}, "n3"),
        ([*LEFT, proposed("n3", "n2")], {}, "n2"),
        ([*LEFT, *tried("n3", "n2", None), *tried("n4", "n3", 0.6)], {}, "n4"),
    ],
)
def test_where_the_way_down_ends(events: list[Event], search: dict[str, int], parent: str) -> None:
    choice = selected(*events, drafts=1, **search)
    assert choice is not None
    assert choice.parent == parent


def test_a_sound_node_gets_three_children_and_no_fourth() -> None:
    # Each improvement is an end, so that the node above is open again.
    events = [*LEFT]
    for n in (3, 4, 5):
        choice = uct.choose(grown(*events, drafts=1, max_improve_failures=0), FAR)
        assert choice is not None
        assert choice.parent == "n2"
        assert choice.selection.skipped == ()
        events += tried(f"n{n}", "n2", 0.4)
    state = grown(*events, drafts=1, max_improve_failures=0)
    assert [state.node(f"n{n}").terminal for n in (3, 4, 5)] == [True] * 3
    choice = released.choose(state, FAR)
    assert choice is not None
    assert (choice.action, choice.parent) == ("draft", None), "nothing but ends is left"
    assert choice.selection.exploration == 1.414


@pytest.mark.parametrize("improves", [0, 1])
def test_an_end_that_is_chosen_is_visited_for_nothing_until_another_is_worth_more(
    improves: int,
) -> None:
    ended = [*LEFT, *tried("n3", "n2", 0.4)]
    state = grown(*ended, *in_vain(4), drafts=2, improves=improves, max_improve_failures=0)
    assert state.node("n3").terminal

    choice = uct.choose(state, FAR)

    assert choice is not None
    # 2/8 + 1.414 sqrt(ln 9 / 8) < -1 + 1.414 sqrt(ln 9 / 1), and with one visit less it is more.
    assert (choice.parent, choice.selection.skipped) == ("n7", ("n3",) * 6)
    alone = released.select(state, FAR, taken={state.orders["n4"]})
    assert alone is None, "nothing but the end is open"


def test_the_visits_for_nothing_are_in_the_proposal_that_follows() -> None:
    pools = [Pool(seed, nodes=300).finished() for seed in range(20)]
    skipped = [
        pool.tree.node(name)
        for pool in pools
        for each in pool.proposals
        for name in each.selection.skipped
    ]
    assert skipped, "no end was chosen in any of these runs"
    for node in skipped:
        assert node.terminal
        assert node.children == ()
        assert node.visits >= 2


def test_a_run_in_which_nothing_ever_works() -> None:
    pool = Pool(1, nodes=30, workers=1, drafts=1, outcome=lambda _: None)
    visits = list[tuple[str | None, int, float]]()
    for before, event in pool.run():
        if isinstance(event, NodeProposed):
            visits.append((event.parent, before.root.visits, before.root.reward))
    chain = [(f"n{n}", max(0, n - 3), -float(max(0, n - 3))) for n in range(1, 21)]
    assert visits[:21] == [(None, 0, 0.0), *chain]
    assert pool.tree.node("n21").terminal
    assert pool.tree.node("n21").debug_depth == 20
    assert visits[21] == (None, 18, -18.0), "where nothing but an end is left, it drafts again"
    assert [each.action for each in pool.proposals[:5]] == ["draft", *["debug"] * 4]


def test_a_policy_that_says_more_than_there_is_changes_nothing() -> None:
    selection = Selection(visits=0, reward=0.0, exploration=0.0, value=None, skipped=("n9",))
    odd = NodeProposed(
        node="n2", parent=None, action="draft", phase=1, instruction="", selection=selection
    )
    plain = proposed("n2")
    state, other = grown(*tried("n1", None, 0.5), odd), grown(*tried("n1", None, 0.5), plain)
    assert state == other
