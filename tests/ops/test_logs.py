"""Logs are JSON lines with what they are about bound, and never hold a secret."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.testing import recorded
from ops import logs
from ops.errors import Problem
from schemas.events import CodingFailed

EVENT = recorded(CodingFailed(node="n3", why="no answer"), seq=7, run="a-run")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    logs.close()


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_says_who_what_and_what_about(tmp_path: Path) -> None:
    path = logs.configure("coder-1", tmp_path)
    with logs.bound(EVENT):
        logs.logger().info("asks the model", tries=2)
    logs.logger().info("waits")
    asks, waits = _lines(path)
    assert path == tmp_path / "logs" / "coder-1.jsonl"
    assert (
        asks.items()
        >= {
            "event": "asks the model",
            "actor": "coder-1",
            "level": "info",
            "tries": 2,
            "run": "a-run",
            "seq": 7,
            "node": "n3",
            "cause": str(EVENT.id),
        }.items()
    )
    assert waits["actor"] == "coder-1"
    assert "run" not in waits


def test_the_level_holds_and_a_second_process_appends(tmp_path: Path) -> None:
    paths = set()
    for _ in range(2):
        paths.add(logs.configure("grader", tmp_path, "warning"))
        logs.logger().info("not kept")
        logs.logger().warning("kept")
    assert [line["event"] for line in _lines(paths.pop())] == ["kept", "kept"]


def test_errors_keep_their_traceback_and_other_libraries_come_along(tmp_path: Path) -> None:
    path = logs.configure("grader", tmp_path)
    try:
        json.loads("{broken")
    except ValueError:
        logs.logger().exception("could not grade")
    logging.getLogger("nats.client").warning("slow consumer %s", 3)
    failed, slow = _lines(path)
    assert "Traceback" in failed["exception"]
    assert "JSONDecodeError" in failed["exception"]
    assert slow.items() >= {"event": "slow consumer 3", "logger": "nats.client"}.items()


def test_a_terminal_gets_readable_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("grader", tmp_path, to_terminal=True)
    logs.logger().info("grades", node="n1")
    shown = capsys.readouterr().err
    assert "grades" in shown
    assert "node=n1" in shown
    assert "{" not in shown


def test_secrets_stay_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", 'sk-"quoted"-key')
    path = logs.configure("coder", tmp_path, to_terminal=True)
    logs.hide("made-for-this-run")
    logs.logger().error(
        'refused sk-"quoted"-key',
        headers={"Authorization": ['Bearer sk-"quoted"-key']},
        server="nats://coder:whatever@127.0.0.1:4222",
        password="made-for-this-run",  # noqa: S106 - the secret that must not show
    )
    for text in (path.read_text(encoding="utf-8"), capsys.readouterr().err):
        assert "quoted" not in text
        assert "whatever" not in text
        assert "made-for-this-run" not in text
        assert "127.0.0.1:4222" in text


@given(st.text(ascii_uppercase, min_size=6), st.text(), st.text())
def test_a_secret_shows_nowhere_in_a_line(secret: str, before: str, after: str) -> None:
    logs.hide(secret)
    try:
        assert secret not in logs.redact(before + secret + after)
    finally:
        logs._secrets.clear()


def test_a_full_disk_ends_no_work(capsys: pytest.CaptureFixture[str]) -> None:
    with logs._LogFile("/dev/full", "ab") as file:
        assert file.write(b"first\n") == 0
        assert file.write(b"second\n") == 0
    assert capsys.readouterr().err.count("log lines are lost") == 1


def test_a_log_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(Problem, match=r"cannot write a log .*; make the directory writable"):
        logs.configure("coder", tmp_path)


def test_importing_the_logs_does_not_import_rich() -> None:
    program = "import sys, ops.logs; sys.exit('rich' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
