"""`flowstone task` and `flowstone rehearsal` as people use them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.tools.grading.declaration import TaskProblem
from agents.tools.packages import KNOWN
from ops.cli import told
from ops.commands.rehearsal import rehearsal
from ops.commands.task import task
from ops.errors import USAGE, Problem


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_packaged_task_can_be_run() -> None:
    checked = CliRunner().invoke(task, ["check", "package:breast-cancer", "--preview"])
    assert checked.exit_code == 0, checked.exception
    assert "metric      auc, higher is better" in checked.output
    assert "scored      on 91 rows that are set aside" in checked.output
    assert "# Data preview" in checked.output
    assert checked.output.endswith("flowstone run package:breast-cancer\n")
    assert list(Path().iterdir()) == []


def test_a_real_competition_can_be_run(shared_data: Path) -> None:
    folder = shared_data / "spooky-author-identification"
    checked = CliRunner().invoke(task, ["check", str(folder)])
    assert "metric      log-loss, lower is better" in checked.output
    assert "submission  id, EAP, HPL, MWS; 3958 rows" in checked.output


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("nowhere", "there is no such folder"),
        (".", "there is no description: add description.md"),
        ("package:win", "did you mean package:wine?"),
    ],
)
def test_what_is_no_task_is_told_in_one_line(named: str, says: str) -> None:
    checked = CliRunner().invoke(task, ["check", named])
    assert isinstance(checked.exception, TaskProblem)
    line, status = told(checked.exception)
    assert line.startswith("flowstone: ")
    assert says in line
    assert status == 1


def test_the_packaged_tasks_are_listed() -> None:
    listed = CliRunner().invoke(task, ["list"])
    assert [line.split()[0] for line in listed.output.splitlines()] == [
        f"package:{name}" for name in KNOWN
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fault", "cutt=0.1"], "no fault 'cutt'; known are rate_limited"),
        (["--fault", "cut"], "'cut' names no share; write KIND=0.1"),
    ],
)
def test_an_unknown_fault_is_told(arguments: list[str], says: str) -> None:
    started = CliRunner().invoke(rehearsal, arguments)
    assert isinstance(started.exception, Problem)
    assert started.exception.status == USAGE
    assert says in str(started.exception)


def test_an_address_that_is_not_ours_is_told() -> None:
    started = CliRunner().invoke(rehearsal, ["--host", "203.0.113.1", "--port", "0"])
    assert isinstance(started.exception, Problem)
    assert str(started.exception).endswith("choose another with --port, or 0 for any")
