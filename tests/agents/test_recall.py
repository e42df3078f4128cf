"""What a new run recalls: near enough, of another task, and every omission has its reason."""

from collections.abc import Sequence
from math import isclose, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.context import estimate
from agents.descriptor import MOST_TOKENS, described, descriptor
from agents.embedding import DIMENSIONS, cosine, embed
from agents.recall import Seeker, recalled, sift
from agents.testing import BEGINNING
from agents.tools.grading.prepare import prepare
from agents.tools.packages import KNOWN, materialise
from schemas.events import RunStarted, TaskPrepared
from schemas.settings import Budget, Memory, Settings
from store.projections.wisdom import Entry

from .examples import prepared

DELTA, A_BIT = 0.3, 1e-12
HERE = Seeker(run="now", task="toy", test_hash="t", vectors=((1.0, 0.0),))


def at(similarity: float) -> tuple[float, float]:
    """Return the toy vector that has this cosine with HERE's."""
    return similarity, sqrt(1 - similarity**2)


def entry(run: str, vector: Sequence[float], task: str = "other", test_hash: str = "") -> Entry:
    return Entry(
        run=run,
        task=task,
        descriptor="",
        embedding=tuple(vector),
        data_summary="d",
        model_summary="m",
        rests_on=(),
        time=BEGINNING,
        test_hash=test_hash,
    )


@pytest.mark.parametrize(
    ("similarity", "found"),
    [(DELTA - A_BIT, False), (DELTA, False), (DELTA + A_BIT, True), (-1.0, False)],
)
def test_the_cosine_must_be_strictly_above_the_threshold(similarity: float, *, found: bool) -> None:
    told = sift(HERE, [entry("a", at(similarity))], Memory(recall_threshold=DELTA))
    assert [each.run for each, _ in told.entries] == (["a"] if found else [])
    assert told.reasons == {}


@given(similarities=st.lists(st.floats(0, 0.79), max_size=8), limit=st.none() | st.integers(0, 9))
def test_all_above_the_threshold_are_recalled_the_nearest_first_up_to_the_limit(
    similarities: list[float], limit: int | None
) -> None:
    entries = [entry(f"r{n}", at(each)) for n, each in enumerate(similarities)]
    told = sift(HERE, entries, Memory(recall_threshold=DELTA, recall_limit=limit))
    expected = sorted((each for each in similarities if each > DELTA), reverse=True)[:limit]
    assert [similarity for _, similarity in told.entries] == expected


def test_of_several_vectors_the_nearest_counts_and_other_lengths_are_strangers() -> None:
    seeker = Seeker(run="now", task="toy", test_hash="", vectors=((1.0, 0.0), (0.0, 1.0)))
    told = sift(seeker, [entry("a", (0.8, 0.6)), entry("b", (1.0,))], Memory(recall_threshold=0.7))
    assert [each.run for each, _ in told.entries] == []
    assert told.reasons == {"a": "its task other reads the same: a cosine of 0.800"}


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (entry("a", at(0.5), task="toy"), "it is of the same task, toy"),
        (entry("a", at(0.0), task="toy"), "it is of the same task, toy"),
        (entry("a", at(0.5), test_hash="t"), "its task other has the same test data"),
        (entry("a", at(0.8)), "its task other reads the same: a cosine of 0.800"),
        (entry("a", at(0.8 - A_BIT)), None),
        (entry("now", at(0.5)), "it is the run itself"),
    ],
)
def test_the_same_task_is_left_out_and_the_reason_is_kept(
    candidate: Entry, reason: str | None
) -> None:
    told = sift(HERE, [candidate], Memory())
    assert told.reasons == ({candidate.run: reason} if reason else {})
    assert bool(told.entries) is (reason is None)
    allowed = sift(HERE, [candidate], Memory(allow_same_task=True))
    assert allowed.reasons == ({"now": "it is the run itself"} if candidate.run == "now" else {})


def test_without_a_ceiling_only_the_name_and_the_data_tell() -> None:
    told = sift(HERE, [entry("a", at(1.0))], Memory(same_task_similarity=None))
    assert [each.run for each, _ in told.entries] == ["a"]


def test_tasks_without_test_data_are_not_the_same_for_that() -> None:
    seeker = Seeker(run="now", task="toy", test_hash="", vectors=((1.0, 0.0),))
    assert sift(seeker, [entry("a", at(0.5))], Memory()).reasons == {}


def test_what_is_recalled_goes_into_the_event_with_what_is_not() -> None:
    here = prepared()
    near = embed(descriptor(here))
    found = recalled(here, "now", [entry("own", near, task="toy"), entry("like", near)], Memory())
    assert found.descriptor == descriptor(here)
    assert found.entries == ()
    assert found.excluded == ("own", "like") == tuple(found.reasons)
    settings = Memory(same_task_similarity=None)
    (kept,) = recalled(here, "now", [entry("like", near)], settings).entries
    assert (kept.run, kept.task) == ("like", "other")
    assert isclose(kept.similarity, 1.0)
    assert kept.text == "## other\n### Model\nm\n### Data\nd"


@given(st.text())
def test_an_embedding_is_of_unit_length_and_like_itself(text: str) -> None:
    vector = embed(text)
    assert len(vector) == DIMENSIONS
    assert isclose(sqrt(sum(each * each for each in vector)), 1.0)
    assert isclose(cosine(vector, embed(text)), 1.0)


@given(
    title=st.text(),
    description=st.text(max_size=3000) | st.lists(st.text(max_size=300)).map(". ".join),
    targets=st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=20).map(tuple),
)
def test_a_descriptor_is_one_short_paragraph(
    title: str, description: str, targets: tuple[str, ...]
) -> None:
    for told in (
        descriptor(prepared(title=title, description=description, targets=targets)),
        described(title, description),
    ):
        assert estimate(told) < MOST_TOKENS
        assert "\n" not in told
        assert told


def test_a_long_descriptor_ends_with_a_whole_sentence() -> None:
    sentences = [f"This is sentence {n} of a description that goes on and on." for n in range(90)]
    for told in (
        descriptor(prepared(description=" ".join(sentences))),
        described("Toy", " ".join(sentences)),
    ):
        kept = told.count("This is sentence")
        assert 2 < kept < 90
        assert " ".join(sentences[:kept]) in told
        assert told.endswith(".")


def test_a_sentence_that_is_too_long_is_passed_over() -> None:
    endless = "and so on " * 200
    told = descriptor(prepared(description=f"{endless}. Say which is which."))
    assert "and so on" not in told
    assert "Say which is which." in told


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory, shared_data: Any) -> dict[str, TaskPrepared]:
    """Return the shared competitions and the packaged tasks, prepared."""
    made = tmp_path_factory.mktemp("tasks")
    folders = [each.parent for each in sorted(shared_data.glob("*/grading.json"))]
    folders += [materialise(name, made / "packaged") for name in KNOWN]
    found = {}
    for folder in folders:
        staging = made / f"staging-{folder.name}"
        staging.mkdir()
        started = RunStarted(
            task=folder.name,
            folder=str(folder),
            settings=Settings(),
            budget=Budget(),
            seed=0,
            versions={},
        )
        found[folder.name] = prepare(started, staging)[0]
    return found


def reworded(here: TaskPrepared) -> dict[str, TaskPrepared]:
    """Return the same task, told otherwise."""
    task = here.task
    changes: dict[str, dict[str, Any]] = {
        "another name": {"id": "mine"},
        "another title": {"title": "My private copy"},
        "another metric": {"metric": "f1", "lower_is_better": False},
        "a preface": {"description": f"This is a copy for our own use. {task.description}"},
        "louder": {"description": task.description.upper()},
        "other words": {
            "description": " ".join(
                {"the": "this", "is": "was", "you": "we", "of": "from", "a": "one"}.get(word, word)
                for word in task.description.split(" ")
            )
        },
    }
    return {
        name: replace(here, task=replace(task, **{"id": "mine", **change}), hashes={})
        for name, change in changes.items()
    }


@pytest.mark.long
def test_the_ceiling_tells_the_same_task_from_others(tasks: dict[str, TaskPrepared]) -> None:
    assert len(tasks) >= 8
    for name, here in tasks.items():
        known = [
            entry(other, embed(text(there)), task=other)
            for other, there in tasks.items()
            for text in (descriptor, lambda it: described(it.task.title, it.task.description))
        ]
        assert recalled(here, "now", known, Memory()).reasons == {
            name: f"it is of the same task, {name}"
        }
        for how, copy in reworded(here).items():
            excluded = recalled(copy, "now", known, Memory()).reasons
            assert excluded.keys() == {name}, f"{name} with {how}"
            assert "reads the same" in excluded[name]
