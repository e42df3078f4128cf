"""What holds for every fold over any log."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import envelope
from schemas.envelope import Recorded, Vocabulary, wrap
from store.projections import PROJECTIONS, tree
from store.projections.folds import ACROSS_RUNS, Folds
from store.projections.growing import Growing
from store.projections.projection import Projection
from store.projections.tree import growth
from store.projections.vector import vector
from tests.strategies import logs

each_fold = pytest.mark.parametrize("fold", PROJECTIONS.values(), ids=PROJECTIONS)


def folded(fold: Projection[Any], state: Any, log: Sequence[Recorded[Any]]) -> Any:
    for event in log:
        if type(event.data) in fold.follows:
            state = fold.apply(state, event)
    return state


@each_fold
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_prefix_and_then_the_rest_are_the_whole(
    fold: Projection[Any], data: st.DataObject
) -> None:
    log = data.draw(logs(kinds=fold.follows))
    cut = data.draw(st.integers(0, len(log)))
    prefix = folded(fold, fold.start, log[:cut])
    rows = dict(fold.rows(prefix))
    whole = folded(fold, fold.start, log)
    assert folded(fold, prefix, log[cut:]) == whole
    assert dict(fold.rows(prefix)) == rows, "an old state must stay as it was"
    assert dict(fold.rows(whole)) == dict(fold.rows(folded(fold, fold.start, log)))


@each_fold
def test_a_fold_starts_without_rows_and_names_what_it_follows(fold: Projection[Any]) -> None:
    assert dict(fold.rows(fold.start)) == {}
    assert fold.follows


@settings(max_examples=40, deadline=None)
@given(log=logs())
def test_all_folds_at_once_equal_each_alone_and_read_only_what_they_need(
    log: list[Recorded[Any]],
) -> None:
    read: list[str] = []
    needed = {each.__name__ for fold in PROJECTIONS.values() for each in fold.follows}

    def decode(row: bytes) -> Recorded[Any]:
        event = Vocabulary().read(envelope.decode(row), 1)
        read.append(event.type)
        return event

    rows = [
        (
            each.type,
            envelope.encode(
                wrap(each.data, run=each.run, source=each.source, time=each.time, cause=None)
            ),
        )
        for each in log
    ]
    folds = Folds(PROJECTIONS.values())
    for event_type, row in rows:
        if folds.follows(event_type):
            folds.apply(decode(row))
    assert read == [each.type for each in log if each.type in needed]
    for name, fold in PROJECTIONS.items():
        alone = dict(fold.rows(folded(fold, fold.start, log)))
        assert dict(fold.rows(folds.state(name, "run"))) == alone


def test_runs_are_folded_apart_but_for_the_folds_across_them() -> None:
    folds = Folds(PROJECTIONS.values())
    assert PROJECTIONS["wisdom"].across_runs
    assert PROJECTIONS["actors"].across_runs
    assert folds.state("tree", "a") == PROJECTIONS["tree"].start
    assert folds.state("wisdom", "a") == folds.state("wisdom", ACROSS_RUNS)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(0, 9000),
    changes=st.dictionaries(st.integers(0, 8999), st.integers(), max_size=20),
)
def test_a_vector_keeps_every_version(*, size: int, changes: dict[int, int]) -> None:
    before = vector(list[int]()).updated({n: n for n in range(size)})
    inside = {place: value for place, value in changes.items() if place < size}
    after = before.updated({**inside, size: -1})
    assert list(before) == list(range(size))
    expected = [inside.get(n, n) for n in range(size)]
    assert list(after) == [*expected, -1]
    assert [after[n] for n in range(len(after))] == list(after)
    with pytest.raises(IndexError):
        after[len(after)]


@settings(max_examples=60, deadline=None)
@given(begin=st.integers(0, 60), ways=st.lists(st.integers(0, 5), min_size=2, max_size=4))
def test_every_version_goes_on_by_itself(*, begin: int, ways: list[int]) -> None:
    mapping: Growing[str, int] = Growing()
    sequence = vector(list[int]())
    for number in range(begin):
        mapping = mapping.added(str(number), number)
        sequence = sequence.updated({number: number})
    ends = []
    for way, length in enumerate(ways):
        grown, list_ = mapping, sequence
        for number in range(length):
            grown = grown.added(f"{way}.{number}", number)
            list_ = list_.updated({0: way, begin + number: number} if begin else {number: way})
        ends.append((way, length, grown, list_))

    for way, length, grown, list_ in reversed(ends):
        added = {f"{way}.{number}": number for number in range(length)}
        assert {**grown} == {str(each): each for each in range(begin)} | added
        assert len(grown) == begin + length
        assert list(list_)[begin:] == ([*range(length)] if begin else [way] * length)
        assert not (begin and length) or list_[0] == way
    assert list(sequence) == [*range(begin)]
    assert "0.0" not in mapping
    if begin:
        with pytest.raises(ValueError, match="already"):
            mapping.added("0", 0)


def test_every_event_that_the_tree_follows_has_its_step() -> None:
    assert set(growth.STEPS) == tree.projection.follows
