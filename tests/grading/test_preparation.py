"""What solutions see gives no held-out label away, and loses no row that is asked for."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.tools.grading.service import TaskGrading
from agents.tools.grading.split import chosen, identified, mixed
from schemas.events import TaskPrepared, TaskRefused
from tests.grading.folders import Files, Shelf, finished, plain_files, started

Write = Callable[[Files], Path]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


async def prepared(
    shelf: Shelf, home: Path, folder: Path
) -> tuple[TaskPrepared, Path, TaskGrading]:
    grading = TaskGrading(home, shelf)
    event = await grading.prepare("run", started(folder))
    assert isinstance(event, TaskPrepared), event
    return event, await shelf.unpacked(event.data), grading


async def test_heldout_rows_move_from_train_to_test(
    written: Write, shelf: Shelf, tmp_path: Path
) -> None:
    folder = written(plain_files(rows=100))
    event, seen, _ = await prepared(shelf, tmp_path / "home", folder)
    train, test, sample = (
        table(seen / name) for name in ("train.csv", "test.csv", "sample_submission.csv")
    )
    assert (event.evaluation, event.heldout_rows) == ("held-out", 20)
    assert (len(train), len(test), event.sample.rows) == (80, 30, 30)
    assert set(test[0]) == {"id", "a", "b"}
    assert [row["id"] for row in test] == [row["id"] for row in sample]
    assert len({row["id"] for row in train + test}) == 110
    before = table(folder / "train.csv")
    features = [(row["a"], row["b"]) for row in before]
    after = [(row["a"], row["b"]) for row in train] + [(row["a"], row["b"]) for row in test]
    asked = [(row["a"], row["b"]) for row in table(folder / "test.csv")]
    assert sorted(after) == sorted(features + asked)


async def test_preparing_twice_makes_the_same_bytes(
    written: Write, shelf: Shelf, tmp_path: Path
) -> None:
    folder = written(plain_files())
    first, _, _ = await prepared(shelf, tmp_path / "one", folder)
    second, _, _ = await prepared(shelf, tmp_path / "two", folder)
    assert first == second


async def test_the_key_is_the_graders_alone(written: Write, shelf: Shelf, tmp_path: Path) -> None:
    await prepared(shelf, tmp_path / "home", written(plain_files()))
    place = tmp_path / "home" / "runs" / "run" / "grader"
    assert place.stat().st_mode & 0o077 == 0
    assert [each.name for each in place.iterdir()] == ["key.json"]
    assert (place / "key.json").stat().st_mode & 0o077 == 0


async def test_class_columns_come_from_the_column_of_classes(
    written: Write, shelf: Shelf, tmp_path: Path
) -> None:
    names = ["red", "green", "blue"]
    train = [f"k{n:03},{n * 10},{names[n % 3]}" for n in range(90)]
    files = {
        "description.md": "## Evaluation\nmulti-class logarithmic loss",
        "train.csv": "\n".join(["id,a,colour", *train]),
        "test.csv": "\n".join(["id,a", *(f"k{n:03},1" for n in range(90, 100))]),
        "sample_submission.csv": "\n".join(
            ["id,red,green,blue", *(f"k{n:03},0.4,0.3,0.3" for n in range(90, 100))]
        ),
    }
    event, seen, grading = await prepared(shelf, tmp_path / "home", written(files))
    assert (event.task.label, event.task.targets) == ("colour", ("red", "green", "blue"))
    known = {row["a"]: row["colour"] for row in table(written(files) / "train.csv")}
    assert "colour" not in table(seen / "test.csv")[0]
    lines = ["id,red,green,blue"]
    for row in table(seen / "test.csv"):
        right = names.index(known.get(row["a"], "red"))
        lines.append(",".join([row["id"], *(str(int(right == n)) for n in range(3))]))
    submission = await shelf.put("\n".join(lines).encode(), "submission.csv")
    scored = await grading.score("run", finished(submission))
    assert scored.metric == pytest.approx(0.0, abs=1e-9)


def zipped(name: str, content: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


async def test_copies_of_the_training_data_are_left_out(
    written: Write, shelf: Shelf, tmp_path: Path
) -> None:
    files = plain_files()
    folder = written(files | {"train.json": "[]", ".hidden": "x", "notes/read.txt": "hello"})
    (folder / "train.zip").write_bytes(zipped("train.csv", files["train.csv"]))
    (folder / "all.zip").write_bytes(zipped("data/train.csv", files["train.csv"]))
    (folder / "pictures.zip").write_bytes(zipped("1.txt", "a picture"))
    event, seen, _ = await prepared(shelf, tmp_path / "home", folder)
    assert {str(path.relative_to(seen)) for path in seen.rglob("*") if path.is_file()} == {
        "description.md",
        "notes/read.txt",
        "pictures.zip",
        "sample_submission.csv",
        "test.csv",
        "train.csv",
    }
    assert "left out" in event.hashes["train.zip"]
    assert "train.zip" in event.preview


async def test_answers_and_declarations_stay_with_the_grader(
    written: Write, shelf: Shelf, tmp_path: Path
) -> None:
    answers = plain_files()["sample_submission.csv"]
    folder = written(plain_files() | {"private/test.csv": answers, "task.toml": 'metric = "auc"'})
    _, seen, _ = await prepared(shelf, tmp_path / "home", folder)
    assert {path.name for path in seen.iterdir()} == {
        "description.md",
        "sample_submission.csv",
        "test.csv",
        "train.csv",
    }


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ({"folds.csv": "id,more\n1,0\n"}, "folds.csv has labels too"),
        ({"weather.csv": "id,rain\n1,0\n"}, "weather.csv goes by id too"),
        ({f"test/{n}.txt": "x" for n in range(40, 50)}, "files in test/ belong to rows"),
    ],
)
async def test_without_a_safe_split_the_printed_score_counts(
    written: Write, shelf: Shelf, tmp_path: Path, extra: Files, why: str
) -> None:
    event, seen, grading = await prepared(shelf, tmp_path / "home", written(plain_files() | extra))
    assert (event.evaluation, event.heldout_rows) == ("reported", 0)
    assert why in event.hashes["reported"]
    submission = await shelf.put(seen / "sample_submission.csv", "submission.csv")
    scored = await grading.score("run", finished(submission, tail="Final validation score: 1"))
    assert (scored.metric, scored.obtained, scored.valid) == (1.0, "reported", True)
    silent = await grading.score("run", finished(submission))
    assert (silent.metric, silent.valid) == (None, True)


async def test_a_folder_that_is_no_task_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    answer = await TaskGrading(tmp_path, shelf).prepare("run", started(tmp_path / "nothing"))
    assert isinstance(answer, TaskRefused)
    assert "no such folder" in answer.why


COMPETITIONS = {
    "nomad2018-predict-transparent-conductors": 432,
    "random-acts-of-pizza": 576,
    "spaceship-titanic": 1565,
    "spooky-author-identification": 2000,
}


@pytest.mark.parametrize("competition", COMPETITIONS)
async def test_real_competitions_are_split(
    shared_data: Path, shelf: Shelf, tmp_path: Path, competition: str
) -> None:
    event, seen, grading = await prepared(shelf, tmp_path / "home", shared_data / competition)
    assert event.evaluation == "held-out"
    assert event.heldout_rows == COMPETITIONS[competition]
    assert not list(seen.rglob("*.zip"))
    submission = await shelf.put(seen / event.task.sample_file, "submission.csv")
    scored = await grading.score("run", finished(submission))
    assert scored.valid, scored.message
    assert scored.metric is not None
    assert scored.submission is not None
    original = shared_data / competition / "prepared" / "public" / event.task.sample_file
    column = event.task.id_column
    returned = table(await shelf.get(scored.submission))
    assert [row[column] for row in returned] == [row[column] for row in table(original)]


async def test_folders_named_by_rows_follow_them(
    shared_data: Path, shelf: Shelf, tmp_path: Path
) -> None:
    public = shared_data / "nomad2018-predict-transparent-conductors" / "prepared" / "public"
    event, seen, _ = await prepared(shelf, tmp_path / "home", public.parents[1])
    cells = {
        role: {row["id"]: row for row in table(seen / f"{role}.csv")} for role in ("train", "test")
    }
    assert event.task.targets[0] not in cells["test"]["1"]
    for role, rows in cells.items():
        assert {path.name for path in (seen / role).iterdir()} == set(rows)
    same = 0
    for row_id, row in list(cells["test"].items())[:60]:
        geometry = (seen / "test" / row_id / "geometry.xyz").read_text()
        same += geometry.count("\natom") == float(row["number_of_total_atoms"])
    assert same == 60


async def test_json_records_keep_their_types(
    shared_data: Path, shelf: Shelf, tmp_path: Path
) -> None:
    folder = shared_data / "random-acts-of-pizza"
    _, seen, _ = await prepared(shelf, tmp_path / "home", folder)
    visible = json.loads((seen / "test.json").read_text())
    known = {
        row["request_id"]: row
        for name in ("train", "test")
        for row in json.loads((folder / "prepared" / "public" / f"{name}.json").read_text())
    }
    assert all("requester_received_pizza" not in row for row in visible)
    assert all(known[row["request_id"]][key] == row[key] for row in visible for key in row)


Ids = st.lists(st.integers(0, 400), min_size=6, max_size=40, unique=True)


@given(
    tests=Ids, trains=Ids, spelled=st.sampled_from(["{}", "id{:04}", "x{}_{}"]), seed=st.integers()
)
@settings(max_examples=60, deadline=None)
def test_ids_are_unique_and_collide_with_nothing(
    tests: list[int], trains: list[int], spelled: str, seed: int
) -> None:
    test_ids = [spelled.format(n, n % 3) for n in tests]
    train_ids = [spelled.format(n, n % 3) for n in trains]
    rows = chosen(dict.fromkeys(range(len(trains)), "0"), 0.5, 10, seed, by_class=False)
    order = mixed(len(tests), rows, seed)
    ids = identified(order, test_ids, [train_ids[row] for row in rows], train_ids, seed)
    if ids is None:
        assert spelled == "x{}_{}"
        assert set(test_ids) & set(train_ids)
        return
    assert len(set(ids)) == len(order) == len(tests) + len(rows)
    assert [at for at in order if at >= 0] == list(range(len(tests)))
    remaining = {train_ids[row] for row in range(len(trains)) if row not in rows}
    if set(test_ids).isdisjoint(train_ids):
        assert remaining.isdisjoint(ids)


@given(
    labels=st.lists(st.sampled_from("abc"), min_size=5, max_size=200),
    share=st.floats(0.05, 0.5),
    seed=st.integers(),
)
@settings(max_examples=60, deadline=None)
def test_every_class_stays_in_training_and_shares_are_kept(
    labels: list[str], share: float, seed: int
) -> None:
    rows = chosen(dict(enumerate(labels)), share, 50, seed, by_class=True)
    taken = [labels[row] for row in rows]
    assert len(set(rows)) == len(rows) <= min(50, round(share * len(labels)))
    for label in set(labels):
        assert taken.count(label) < labels.count(label)
        exact = min(50, round(share * len(labels))) * labels.count(label) / len(labels)
        assert abs(taken.count(label) - exact) <= 1
