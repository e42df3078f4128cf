"""Submissions are checked, scored on the rows set aside, and cut to the rows asked for."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.tools import Scored
from agents.tools.grading.service import KeyLost, TaskGrading
from schemas.events import RunFinished, RunStarted, TaskPrepared
from schemas.task import Artifact
from tests.grading.folders import Files, Shelf, finished, plain_files, started

Write = Callable[[Files], Path]
Rows = list[list[str]]


class Prepared:
    """A prepared plain task, and what is right for each visible row."""

    def __init__(self, grading: TaskGrading, shelf: Shelf, seen: Path) -> None:
        self.grading = grading
        self.shelf = shelf
        with (seen / "test.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        self.right = [[row["id"], str(int(int(row["a"]) > int(row["b"])))] for row in rows]

    async def score(self, rows: Rows, columns: str = "id,more") -> Scored:
        return await self.score_text("\n".join([columns, *(",".join(row) for row in rows)]))

    async def score_text(self, text: str | bytes) -> Scored:
        content = text if isinstance(text, bytes) else text.encode()
        return await self.grading.score("run", finished(self.shelf.keep(content, "submission.csv")))


@pytest.fixture
async def task(written: Write, shelf: Shelf, tmp_path: Path) -> Prepared:
    grading = TaskGrading(tmp_path / "home", shelf)
    event = await grading.prepare("run", started(written(plain_files(rows=60))))
    assert isinstance(event, TaskPrepared)
    return Prepared(grading, shelf, await shelf.unpacked(event.data))


def kept(shelf: Shelf, artifact: Artifact | None) -> Rows:
    assert artifact is not None
    text = (shelf.place / artifact.sha256).read_text()
    return [line.split(",") for line in text.splitlines()]


async def test_right_answers_score_perfectly_and_real_rows_come_back(task: Prepared) -> None:
    scored = await task.score(task.right)
    assert (scored.metric, scored.obtained, scored.valid) == (1.0, "held-out", True)
    answers = [[str(n), str(int(n % 7 > n % 5))] for n in range(60, 70)]
    assert kept(task.shelf, scored.submission) == [["id", "more"], *answers]


async def test_rows_may_stand_in_any_order(task: Prepared) -> None:
    in_order, reversed_ = await task.score(task.right), await task.score(task.right[::-1])
    assert in_order == reversed_


async def test_each_wrong_heldout_row_costs_its_share(task: Prepared) -> None:
    scores = []
    for n in range(len(task.right)):
        rows = [
            [row_id, str(1 - int(cell)) if at == n else cell]
            for at, (row_id, cell) in enumerate(task.right)
        ]
        scores.append((await task.score(rows)).metric)
    assert sorted(set(scores), key=str) == [1 - 1 / 12, 1.0]
    assert scores.count(1.0) == 10


INVALID: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "empty cell": (lambda rows: [[rows[0][0], ""], *rows[1:]], "line 2: more is empty"),
    "NaN": (lambda rows: [rows[0], [rows[1][0], "NaN"], *rows[2:]], "line 3: more is empty"),
    "infinity": (lambda rows: [[rows[0][0], "inf"], *rows[1:]], "more is 'inf'"),
    "words": (lambda rows: [[rows[0][0], "much"], *rows[1:]], "more is 'much'"),
    "fraction": (lambda rows: [[rows[0][0], "0.7"], *rows[1:]], "write a whole number"),
    "underscores": (lambda rows: [[rows[0][0], "1_0"], *rows[1:]], "more is '1_0'"),
    "row missing": (lambda rows: rows[1:], "21 rows, 22 are asked for"),
    "row twice": (lambda rows: [*rows[:-1], rows[0]], "is there twice"),
    "strange id": (lambda rows: [["x", "1"], *rows[1:]], "'x' is not in the sample"),
    "cell missing": (lambda rows: [rows[0][:1], *rows[1:]], "line 2: 1 cells, 2 columns"),
    "cell too many": (lambda rows: [[*rows[0], "1"], *rows[1:]], "line 2: 3 cells"),
}


@pytest.mark.parametrize("case", INVALID)
async def test_an_invalid_submission_is_told_where(task: Prepared, case: str) -> None:
    spoil, message = INVALID[case]
    scored = await task.score(spoil(task.right))
    assert (scored.valid, scored.metric, scored.submission) == (False, None, None)
    assert message in scored.message
    assert "\n" not in scored.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"id,less\n1,2\n", "no column 'more'"),
        (b"id,more,more\n1,2,3\n", "twice the column"),
        (b"\xff\xfe" + "id,more\n".encode("utf-16-le"), "not UTF-8"),
        (b"id,more\n\xe9,1\n", "not UTF-8"),
        (b"x" * 2_000_000, "the most"),
        (b'id,more\n"' + b"y" * 200_000, "1 rows"),
    ],
)
async def test_bytes_that_are_no_table_are_refused(
    task: Prepared, content: bytes, message: str
) -> None:
    scored = await task.score_text(content)
    assert not scored.valid
    assert message in scored.message


async def test_without_a_submission_nothing_is_scored(task: Prepared) -> None:
    scored = await task.grading.score("run", finished(None))
    assert not scored.valid
    assert "submission.csv" in scored.message


async def test_a_restarted_grader_goes_on(task: Prepared, shelf: Shelf, tmp_path: Path) -> None:
    task.grading = TaskGrading(tmp_path / "home", shelf)
    assert (await task.score(task.right)).metric == 1.0


async def test_a_grader_elsewhere_prepares_the_run_again(
    task: Prepared, shelf: Shelf, tmp_path: Path
) -> None:
    async def beginning(run: str) -> RunStarted:
        assert run == "run"
        return started(tmp_path / "a-task")

    task.grading = TaskGrading(tmp_path / "elsewhere", shelf, beginning)
    assert (await task.score(task.right)).metric == 1.0
    task.grading = TaskGrading(tmp_path / "nowhere", shelf)
    with pytest.raises(KeyLost, match=r"key\.json is gone"):
        await task.score(task.right)


def ended(submission: Artifact | None) -> RunFinished:
    return RunFinished(
        best="n1", metric=1.0, why="done", failed=False, nodes=1, buggy=0, submission=submission
    )


async def test_the_result_is_graded_on_the_private_answers(
    written: Write, shelf: Shelf, tmp_path: Path
) -> None:
    answers = "\n".join(["id,more", *(f"{n},{n % 2}" for n in range(40, 50))])
    thresholds = (
        '{"gold_threshold": 0.95, "silver_threshold": 0.8, "bronze_threshold": 0.7,'
        ' "median_threshold": 0.8}'
    )
    files = plain_files() | {"private/answers.csv": answers, "thresholds.json": thresholds}
    grading = TaskGrading(tmp_path / "home", shelf)
    await grading.prepare("run", started(written(files)))
    best = shelf.keep(answers.replace("49,1", "49,0").replace("47,1", "47,0").encode(), "best.csv")
    graded = await grading.final("run", ended(best))
    assert (graded.score, graded.valid, graded.medal) == (0.8, True, "silver")
    assert (graded.above_median, graded.sample_score) == (False, 0.5)
    nothing = await grading.final("run", ended(None))
    assert (nothing.score, nothing.valid) == (None, False)


async def test_without_private_answers_only_the_form_is_graded(
    task: Prepared, shelf: Shelf
) -> None:
    scored = await task.score(task.right)
    graded = await task.grading.final("run", ended(scored.submission))
    assert (graded.score, graded.valid, graded.medal) == (None, True, None)
    assert "no private answers" in graded.message
    bad = await task.grading.final("run", ended(shelf.keep(b"id,more\n", "submission.csv")))
    assert not bad.valid
