"""What cannot work is refused before anything is started: one line that says what to do."""

import shutil
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tests.runs.harness import flowstone, told


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def with_text(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def appended(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + text)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without("description.md"), ["no description", "add description.md"]),
        (without("sample_submission.csv"), ["no sample submission", "add sample_submission.csv"]),
        (with_text("description.md", "Do it.\n"), ["no metric", "task.toml", "log-loss"]),
        (appended("sample_submission.csv", "99,0\n"), ["does not fit test.csv", "11 rows", "10"]),
        (
            with_text("task.toml", 'metric = "acuracy"\n'),
            ["unknown metric 'acuracy'", "did you mean accuracy?", "known are", "rmse"],
        ),
        (with_text("train.csv", ""), ["train.csv is empty", "column names"]),
        (
            with_text("train.csv", "id,a,b,more\n1,2\n"),
            ["train.csv, line 2", "2 cells where the header has 4", "repair"],
        ),
    ],
    ids=["description", "sample", "metric", "misfit", "unknown metric", "empty", "broken"],
)
def test_a_folder_that_is_no_task(
    small: Path, tmp_path: Path, spoil: Callable[[Path], object], said: list[str]
) -> None:
    folder = tmp_path / "task"
    shutil.copytree(small, folder)
    spoil(folder)

    line = told(flowstone(tmp_path / "home", "run", str(folder)))

    assert str(folder) in line
    for each in said:
        assert each in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "serch.drafts=3"], ["'serch.drafts'", "did you mean search.drafts?"]),
        (["--nodes", "0"], ["budget.nodes", "above 0"]),
        (["--minutes", "-1"], ["budget.minutes", "above 0"]),
        (["--minutes", "nan"], ["budget.minutes", "give a number"]),
        (["--set", "executor.slots=0"], ["executor.slots", "above 0"]),
        (["--name", "a b"], ["'a b'", "letters, digits"]),
        (["--name", "system"], ["'system'"]),
        (["--recording", __file__], [__file__, "recording"]),
    ],
    ids=lambda each: each[1] if len(each) == 2 and each[0].startswith("--") else "",
)
def test_a_wish_that_makes_no_sense(
    small: Path, tmp_path: Path, arguments: list[str], said: list[str]
) -> None:
    line = told(flowstone(tmp_path / "home", "run", str(small), *arguments))

    for each in said:
        assert each in line
    assert not (tmp_path / "home").exists(), "something was written"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    line = told(flowstone(tmp_path, "run", str(tmp_path / "nowhere")))

    assert "there is no such folder" in line


def test_a_home_that_cannot_be_written(small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    line = told(flowstone(tmp_path / "file" / "home", "run", str(small)))

    assert "cannot write there" in line
    assert "FLOWSTONE_HOME" in line


def test_a_home_that_another_run_uses(small: Path, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        lock.write("4711\n")
        lock.flush()
        flock(lock, LOCK_EX)

        line = told(flowstone(tmp_path, "run", str(small)))

    assert "in use by process 4711" in line
    assert "FLOWSTONE_HOME" in line


def test_a_role_that_is_not_there(tmp_path: Path) -> None:
    line = told(flowstone(tmp_path, "actor", "plannner", "--nats", "nats://127.0.0.1:9"))

    assert "no role 'plannner'" in line
    assert "planner" in line.partition("one of")[2]


def test_an_endpoint_that_is_no_address(small: Path, tmp_path: Path) -> None:
    ended = flowstone(tmp_path, "run", str(small), more={"OPENAI_BASE_URL": "host/v1"})

    assert "OPENAI_BASE_URL: 'host/v1'" in told(ended)


def test_resuming_what_never_was(tmp_path: Path) -> None:
    line = told(flowstone(tmp_path, "resume", "nothing"))

    assert "there is no run 'nothing'" in line
    assert "no run has been started here" in line
