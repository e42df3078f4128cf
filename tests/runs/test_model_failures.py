"""Endpoints that are down, refuse the key, or answer nonsense; and one that mostly works."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.server import free_port
from tests.processes import started
from tests.runs.harness import Run, check_best, check_log, environment, events, settled
from tests.runs.tasks import write_recording

HASTY = ("--set", "model.attempts=2", "--set", "model.backoff_seconds=0.02", "--minutes", "3")
KEY = "sk-not-the-right-key"


@contextmanager
def rehearsal(home: Path, *arguments: str) -> Iterator[str]:
    """Run the rehearsal model with its faults as long as the block takes; gives its address."""
    with started(
        [sys.executable, "-m", "ops", "rehearsal", "--port", "0", *arguments],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = re.search(r"http://\S+", server.stdout.readline())
            assert address is not None
            yield address.group()
        finally:
            server.kill()


def check_end(run: Run, why: str) -> None:
    """Require an end that says why, once, with nothing lost and no secret told."""
    assert run.end() == 1, run.output
    assert len(run.errors) == 1
    assert re.fullmatch(rf"flowstone: {run.name}: ended early: .*{why}.*", run.errors[0])
    assert "Traceback" not in run.output
    assert KEY not in run.output
    check_log(run.home)
    finished = [data for _, _, kind, _, data in events(run.home) if kind == "RunFinished"]
    assert [each["failed"] for each in finished] == [True]


def test_an_endpoint_that_is_down(start: Callable[..., Run], small: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"

    run = start("run", str(small), *HASTY, OPENAI_BASE_URL=address, OPENAI_API_KEY=KEY)

    check_end(run, rf"cannot reach {address} .*check OPENAI_BASE_URL")


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        (("unauthorized=1.0",), "401.*check OPENAI_API_KEY"),
        (("no_code=1.0",), "3 replies were no solution; .*no Python code block"),
        (
            ("malformed=0.34", "empty=0.33", "refusal=0.33"),
            "(makes no sense|is empty|the model refused)",
        ),
    ],
    ids=["the key is refused", "words alone", "nonsense"],
)
def test_an_endpoint_that_never_helps(
    start: Callable[..., Run], small: Path, tmp_path: Path, faults: tuple[str, ...], why: str
) -> None:
    spoiled = [part for each in faults for part in ("--fault", each)]
    with rehearsal(tmp_path, *spoiled) as address:
        run = start("run", str(small), *HASTY, OPENAI_BASE_URL=address, OPENAI_API_KEY=KEY)

        check_end(run, why)


@pytest.mark.long
def test_an_endpoint_that_mostly_works(
    start: Callable[..., Run], small: Path, tmp_path: Path
) -> None:
    shares = {
        "rate_limited": 0.15,
        "server_error": 0.1,
        "cut": 0.1,
        "malformed": 0.1,
        "no_code": 0.1,
        "refusal": 0.05,
    }
    spoiled = [part for each in shares.items() for part in ("--fault", f"{each[0]}={each[1]}")]
    recording = ("--recording", str(write_recording(tmp_path / "nodes.json")))
    with rehearsal(tmp_path, *recording, "--latency", "0.05", "--seed", "3", *spoiled) as address:
        run = start(
            "run",
            str(small),
            "--nodes",
            "12",
            "--set",
            "model.backoff_seconds=0.02",
            OPENAI_BASE_URL=address,
        )

        assert run.end() == 0, run.output

    tries = [data["tries"] for _, _, kind, _, data in events(run.home) if kind == "ModelAnswered"]
    assert max(tries) > 1, "no fault was met"
    check_log(run.home)
    assert len(settled(run.home, run.name)) == 12
    check_best(run.best, small / "sample_submission.csv")


def test_solutions_that_all_fail(start: Callable[..., Run], small: Path, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "nodes.json", program="raise SystemExit('never')\n")

    run = start("run", str(small), "--nodes", "5", "--recording", str(recording))

    assert run.end() == 1, run.output
    assert "no valid submission was made" in run.output
    assert len(run.errors) == 1
    assert f"flowstone: {run.name}: none of 5 nodes made a valid submission" in run.errors[0]
    assert not run.best.exists()
    check_log(run.home)
    assert len(settled(run.home, run.name)) == 5
