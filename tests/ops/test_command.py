"""The command: quick to start, one line for an error, an example in every help text."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter

import click
import pytest
from click.testing import CliRunner

from ops import cli, errors
from ops.errors import Problem

ROOT = Path(__file__).parents[2]


def _flowstone(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ops", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def _commands(group: click.Group, path: str = "") -> list[tuple[str, click.Command]]:
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        found.append((f"{path}{name}", command))
        if isinstance(command, click.Group):
            found += _commands(command, f"{path}{name} ")
    return found


COMMANDS = dict(_commands(cli.flowstone))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(COMMANDS[name], ["--help"], prog_name=f"flowstone {name}")
    assert shown.exit_code == 0
    assert "flowstone " in shown.output.partition("Options:")[2], f"{name}: no example"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_summary_is_one_line(name: str) -> None:
    summary = cli.COMMANDS[name][1]
    assert summary.endswith(".")
    assert len(summary) < 70


def test_help_is_quick_and_imports_no_command() -> None:
    def seconds() -> float:
        start = perf_counter()
        shown = _flowstone("--help")
        assert shown.returncode == 0, shown.stderr
        return perf_counter() - start

    assert min(seconds() for _ in range(7)) < 0.3  # the least: other work may slow it down
    program = (
        "import sys, ops.cli\n"
        "try: ops.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('msgspec', 'rich', 'asyncio', 'structlog')))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["setings"], "flowstone: No such command 'setings'. Did you mean 'settings'?"),
        (["settings", "--sett", "a=b"], "No such option '--sett'. Did you mean '--set'?"),
        (["settings", "--set", "search.draft=1"], "did you mean search.drafts?"),
        (["settings", "extra"], "flowstone settings: Got unexpected extra argument (extra)"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(arguments: list[str], line: str) -> None:
    told = _flowstone(*arguments)
    assert told.returncode == errors.USAGE
    assert told.stdout == ""
    assert told.stderr.count("\n") == 1
    assert line in told.stderr


def test_nothing_at_all_shows_the_help() -> None:
    assert "Commands:" in _flowstone().stderr


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (
            Problem("is full", where="disk", remedy="free it"),
            "flowstone: disk: is full; free it",
            1,
        ),
        (Problem("gone", status=9), "flowstone: gone", 9),
        (ExceptionGroup("g", [ValueError("a"), Problem("b")]), "flowstone: b", 1),
        (KeyboardInterrupt(), "flowstone: interrupted", 130),
        (
            OSError(5, "Input/output\nerror"),
            "flowstone: OSError: [Errno 5] Input/output error;",
            70,
        ),
    ],
)
def test_each_error_becomes_a_line_and_a_status(
    error: BaseException, line: str, status: int
) -> None:
    told = cli.told(error)
    assert told[0].startswith(line)
    assert told[1] == status


def test_a_traceback_only_with_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise Problem("it broke", remedy="mend it")

    monkeypatch.setattr("ops.configuration.load", broken)
    import_module("ops.commands.settings")
    with pytest.raises(SystemExit) as left:
        cli.main(["settings"])
    assert left.value.code == errors.FAILED
    assert capsys.readouterr().err == "flowstone: it broke; mend it\n"
    with pytest.raises(Problem):
        cli.main(["settings", "--debug"])


def test_settings_show_value_default_and_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWSTONE_HOME", raising=False)
    Path("flowstone.toml").write_text("[search]\ndrafts = 3\n")
    shown = CliRunner().invoke(COMMANDS["settings"], ["--set", "memory.budget_tokens=7"])
    assert shown.exit_code == 0
    lines = {line.split()[0]: line.split()[1:] for line in shown.output.splitlines()}
    assert lines["search.drafts"] == ["3", "5", "flowstone.toml"]
    assert lines["memory.budget_tokens"] == ["7", "4096", "--set"]
    assert lines["search.debugs"] == ["1", "default"]
