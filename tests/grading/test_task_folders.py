"""What a task folder must hold, and what is said when it does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.tools.grading.declaration import TaskProblem
from agents.tools.grading.folder import load
from agents.tools.grading.service import describe
from tests.grading.folders import Files, plain_files

Write = Callable[[Files], Path]


def test_a_plain_folder_is_read_whole(written: Write) -> None:
    task = load(written(plain_files()))
    assert (task.metric.name, task.lower_is_better) == ("accuracy", False)
    assert (task.id_column, task.targets) == ("id", ("more",))
    assert task.title == "Which is more"
    assert task.ids == tuple(str(n) for n in range(40, 50))


def test_the_declared_metric_and_direction_go_before_the_description(written: Write) -> None:
    declaration = 'metric = "RMSE"\nlower_is_better = false\ntitle = "Mine"\n'
    task = load(written(plain_files() | {"task.toml": declaration}))
    assert (task.metric.name, task.lower_is_better, task.title) == ("rmse", False, "Mine")


def test_a_json_task_with_odd_names_is_read(written: Write) -> None:
    files = plain_files()
    rows = [f'{{"id": {n}, "a": {n % 7}, "more": {n % 2}}}' for n in range(30)]
    tests = [f'{{"id": {n}, "a": {n % 7}}}' for n in range(40, 50)]
    task = load(
        written(
            {
                "description.txt": files["description.md"],
                "Training-Data.jsonl": "\n".join(rows),
                "test_set.json": f"[{', '.join(tests)}]",
                "sampleSubmission.csv": files["sample_submission.csv"],
            }
        )
    )
    assert task.train is not None
    assert task.test is not None
    assert (task.train.columns, task.test.columns) == (("id", "a", "more"), ("id", "a"))


def without(*names: str) -> Files:
    return {name: content for name, content in plain_files().items() if name not in names}


SAMPLE = "sample_submission.csv"
PROBLEMS: dict[str, tuple[Files, tuple[str, ...]]] = {
    "no description": (without("description.md"), ("no description", "description.md")),
    "empty description": (plain_files() | {"description.md": " \n"}, ("is empty",)),
    "no sample": (without(SAMPLE), ("no sample submission", SAMPLE)),
    "no metric": (
        plain_files() | {"description.md": "Do well."},
        ("no metric", "task.toml", "log-loss"),
    ),
    "unknown metric": (
        plain_files() | {"task.toml": 'metric = "acuracy"'},
        ("unknown metric 'acuracy'", "did you mean accuracy?", "rmsle"),
    ),
    "unknown key": (
        plain_files() | {"task.toml": 'metrics = "auc"'},
        ("unknown key 'metrics'", "did you mean metric?"),
    ),
    "broken declaration": (plain_files() | {"task.toml": "metric ="}, ("task.toml", "correct")),
    "wrong type": (
        plain_files() | {"task.toml": 'lower_is_better = "yes"'},
        ("lower_is_better", "bool"),
    ),
    "sample too short": (
        plain_files() | {SAMPLE: "id,more\n40,0\n"},
        ("does not fit test.csv", "1 rows", "10"),
    ),
    "sample of other ids": (
        plain_files() | {SAMPLE: "\n".join(["id,more", "x,0", *(f"{n},0" for n in range(41, 50))])},
        ("does not fit test.csv", "'x'"),
    ),
    "sample names a row twice": (
        plain_files() | {SAMPLE: "id,more\n" + "40,0\n" * 10},
        ("names a row twice",),
    ),
    "sample without predictions": (
        plain_files() | {SAMPLE: "id\n40\n"},
        ("no prediction columns", "'id'"),
    ),
    "sample without rows": (plain_files() | {SAMPLE: "id,more\n"}, ("has no rows",)),
    "empty table": (plain_files() | {"train.csv": ""}, ("train.csv is empty",)),
    "training table without rows": (
        plain_files() | {"train.csv": "id,a,b,more\n"},
        ("train.csv", "no rows"),
    ),
    "broken table": (
        plain_files() | {"test.csv": "id,a,b\n40,1,2\n41,1\n"},
        ("test.csv, line 3", "2 cells"),
    ),
    "a column twice": (
        plain_files() | {"train.csv": "id,a,a,more\n1,2,3,4\n"},
        ("train.csv", "'a' is there twice"),
    ),
    "broken JSON": (
        without("train.csv") | {"train.json": '[{"id": 1}, {"id"'},
        ("train.json", "JSON"),
    ),
    "JSON of another shape": (
        without("train.csv") | {"train.json": '{"id": [1]}'},
        ("train.json",),
    ),
    "declared table missing": (
        plain_files() | {"task.toml": 'train = "other.csv"'},
        ("no train file other.csv",),
    ),
    "declared id missing": (
        plain_files() | {"task.toml": 'id_column = "key"'},
        ("no id column 'key'", "id, more"),
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_a_bad_folder_is_told_what_to_do(written: Write, case: str) -> None:
    files, expected = PROBLEMS[case]
    with pytest.raises(TaskProblem) as problem:
        describe(written(files))
    message = str(problem.value)
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(TaskProblem, match="there is no such folder"):
        load(tmp_path / "nowhere")


def test_an_unknown_metric_on_the_command_line_is_refused(written: Write) -> None:
    with pytest.raises(TaskProblem, match="did you mean spearman"):
        load(written(plain_files()), metric="speerman")
