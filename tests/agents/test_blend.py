"""The program of a fused node: what a blend is, whatever is blended, and that it runs on its own."""

import csv
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.closing import blend
from agents.fuser import Way, program

from .examples import prepared

CELLS = st.floats(-1e6, 1e6).map(repr)
LABELS = st.sampled_from(["cat", "dog", "1", "1.0", "True", "0"])
GROWING: list[Callable[[float], float]] = [
    lambda value: 3 * value - 7,
    lambda value: value**3,
    math.atan,
    lambda value: math.exp(value / 1e6),
]


def columns(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[blend.Column]]:
    """Return a strategy for the columns of some members, as long as one another."""
    return st.integers(1, 20).flatmap(
        lambda rows: st.lists(st.lists(cells, min_size=rows, max_size=rows), min_size=1, max_size=4)
    )


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=20), st.sampled_from(GROWING))
def test_a_blend_of_ranks_does_not_see_the_scale(
    values: list[int], grow: Callable[[float], float]
) -> None:
    other = [str(-value % 7) for value in values]
    scaled = [repr(grow(value)) for value in values]
    assert blend.by_ranks([[str(each) for each in values], other]) == blend.by_ranks(
        [scaled, other]
    )


@given(columns(CELLS))
def test_ranks_lie_between_0_and_1_and_keep_the_order(members: list[blend.Column]) -> None:
    for column in members:
        values = [float(cell) for cell in column]
        ranks = blend.ranked(values)
        assert all(0 < rank <= 1 for rank in ranks)
        for one, rank in zip(values, ranks, strict=True):
            assert [one < other for other in values] == [rank < other for other in ranks]


@given(columns(CELLS))
def test_a_mean_lies_between_the_members_and_does_not_see_their_order(
    members: list[blend.Column],
) -> None:
    mixed = [float(cell) for cell in blend.by_means(members)]
    for cells, mean in zip(zip(*members, strict=True), mixed, strict=True):
        numbers = [float(cell) for cell in cells]
        assert min(numbers) <= mean <= max(numbers) or math.isclose(mean, numbers[0])
    turned = [float(cell) for cell in blend.by_means([*reversed(members)])]
    assert turned == pytest.approx(mixed)


@given(columns(LABELS))
def test_votes_elect_a_label_that_no_other_has_more_votes_than(members: list[blend.Column]) -> None:
    elected = blend.by_votes(members)
    for cells, chosen in zip(zip(*members, strict=True), elected, strict=True):
        said = [blend.label(cell) for cell in cells]
        assert chosen in cells
        assert said.count(blend.label(chosen)) == max(said.count(each) for each in said)
    assert blend.by_votes(members[:1]) == members[0]
    assert blend.by_votes(members[:2]) == members[0]


@pytest.mark.parametrize("way", blend.WAYS)
@given(data=st.data())
def test_rows_belong_together_by_their_ids(way: str, data: st.DataObject) -> None:
    rows = {str(n): [str(data.draw(st.integers(0, 9)))] for n in range(6)}
    other = {str(n): [str(n % 4)] for n in range(6)}
    shuffled = dict(data.draw(st.permutations([*other.items()])))
    assert blend.blended([rows, shuffled, rows], way) == blend.blended([rows, other, rows], way)


def test_submissions_of_different_rows_are_not_blended(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="different ids"):
        blend.blended([{"1": ["0"]}, {"2": ["0"]}], "means")
    (tmp_path / "n1.csv").write_text("id,target\n1,0\n1,1\n")
    with pytest.raises(ValueError, match=r"n1\.csv has an id twice"):
        blend.read(tmp_path / "n1.csv", "id", ["target"])


def _run(folder: Path, code: str, **submissions: str) -> list[list[str]]:
    """Return the rows that a program wrote in a folder of its own."""
    (folder / "files").mkdir()
    (folder / "submission").mkdir()
    for name, text in submissions.items():
        (folder / "files" / f"{name}.csv").write_text(text)
    subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=folder, check=True)
    with (folder / "submission" / "submission.csv").open() as lines:
        return [*csv.reader(lines)]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("means", [["7", "0.25"], ["x,y", "0.75"]]),
        ("ranks", [["7", "0.5"], ["x,y", "1.0"]]),
        ("votes", [["7", "0.4"], ["x,y", "0.8"]]),
    ],
)
def test_the_program_runs_with_python_alone(
    tmp_path: Path, way: Way, expected: list[list[str]]
) -> None:
    code = program(["n2", "n1"], way, prepared())
    written = _run(
        tmp_path,
        code,
        n2='id,target\n7,0.4\n"x,y",0.8\n',
        n1='\ufefftarget,more,id\n0.7,?,"x,y"\n0.1,?,7\n',
    )
    assert written == [["id", "target"], *expected]
