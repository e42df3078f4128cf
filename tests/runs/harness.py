"""Real `flowstone` processes for tests, and what must hold of every home after them."""

import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

PATIENCE = 150.0


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what would configure Flowstone, but for *more*."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "FLOWSTONE_"))
    }
    return plain | {"FLOWSTONE_HOME": str(home)} | dict(more or {})


def flowstone(
    home: Path,
    *arguments: str,
    more: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; what it prints is kept apart from its errors."""
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        env=environment(home, more),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def told(ended: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line that a failed command wrote to standard error."""
    assert ended.returncode not in {0, 70}, (ended.returncode, ended.stdout, ended.stderr)
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("flowstone"), lines
    assert "Traceback" not in ended.stdout
    return lines[0]


class Run:
    """A `flowstone run` in a process group of its own, on a home of its own.

    What it prints goes to files in *papers*, beside the home unless that is named.
    """

    def __init__(
        self,
        home: Path,
        *arguments: str,
        more: Mapping[str, str] | None = None,
        papers: Path | None = None,
    ) -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        papers = papers or home.parent
        number = len(list(papers.glob("output-*.txt")))
        self._output = papers / f"output-{number}.txt"
        self._errors = papers / f"errors-{number}.txt"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self.process = psutil.Popen(
                [sys.executable, "-m", "ops", *arguments],
                env=environment(home, more),
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it printed, and its errors after that."""
        return self._output.read_text() + self._errors.read_text()

    @property
    def errors(self) -> list[str]:
        """The lines on standard error."""
        return self._errors.read_text().splitlines()

    @property
    def name(self) -> str:
        return str(re.findall(r"^run +(\S+)$", self.output, re.MULTILINE)[0])

    @property
    def best(self) -> Path:
        """Where the best submission is."""
        return self.home / "runs" / self.name / "best"

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Look until *condition* holds, as long as the run lives."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, f"ended before {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"not {what} in time:\n{self.output}"
            time.sleep(0.02)

    def says(self, text: str, count: int = 1) -> None:
        """Wait until it has printed *text* that many times."""
        self.until(lambda: self.output.count(text) >= count, f"{count} times {text!r}")

    def proposed(self, count: int) -> None:
        """Wait until that many nodes have been proposed."""
        self.says(" proposed: ", count)

    def scored(self, count: int) -> None:
        """Wait until that many nodes have been graded."""
        pattern = re.compile(r" n\d+ scored ")
        self.until(lambda: len(pattern.findall(self.output)) >= count, f"{count} nodes scored")

    def end(self) -> int:
        """Return the exit status."""
        try:
            return int(self.process.wait(PATIENCE))
        except psutil.TimeoutExpired:
            pytest.fail(f"did not end:\n{self.output}")

    def child(self, name: str) -> psutil.Process:
        """Return the process that runs *name* for this run."""
        pattern = re.compile(
            rf"\S*nats-server -c |.* -m ops (actor )?{name}( |$)"
            if name == "nats-server"
            else rf".* -m ops (actor )?{name}( |$)"
        )
        found: list[psutil.Process] = []

        def there() -> bool:
            children = self.process.children(recursive=True)
            found[:] = [each for each in children if pattern.match(_command(each))]
            return bool(found)

        self.until(there, f"{name} is up")
        return found[0]

    def kill_all(self) -> None:
        """Kill this run and everything it started, at once."""
        everyone = [self.process, *self.process.children(recursive=True)]
        for act in (psutil.Process.suspend, psutil.Process.kill):
            for each in everyone:
                with contextlib.suppress(psutil.NoSuchProcess):  # a solution that has just ended
                    act(each)
        psutil.wait_procs(everyone, timeout=10)


def events(home: Path) -> list[tuple[int, str, str, str, dict[str, Any]]]:
    """Return the public events of a home's log, each as (seq, run, type, key, data), in order."""
    with duckdb.connect(str(home / "log.duckdb"), read_only=True) as log:
        rows = log.execute(
            "select seq, run, type, key, data from events where stream = 'public' order by seq"
        ).fetchall()
    return [(seq, run, kind, key, json.loads(data)) for seq, run, kind, key, data in rows]


def check_log(home: Path) -> None:
    """Require that nothing is missing from the log and nothing is in it twice."""
    with duckdb.connect(str(home / "log.duckdb"), read_only=True) as log:
        ids = log.execute("select count(*), count(distinct id) from events").fetchall()
    assert ids[0][0] == ids[0][1]
    public = events(home)
    assert [each[0] for each in public] == list(range(1, len(public) + 1)), "events were lost"
    facts = [(run, kind, key) for _, run, kind, key, _ in public if not kind.startswith("Actor")]
    assert len(facts) == len(set(facts)), "something was recorded twice"


def settled(home: Path, run: str) -> set[str]:
    """Return the nodes of a run's search; all nodes must have come to an end that was recorded."""
    mine = [(kind, key, data) for _, name, kind, key, data in events(home) if name == run]
    steps = {key: data["step"] for kind, key, data in mine if kind == "NodeProposed"}
    assert steps.keys() == {
        key for kind, key, _ in mine if kind in {"SolutionGraded", "CodingFailed"}
    }
    return {key for key, step in steps.items() if not step}


def check_best(best: Path, sample: Path) -> str:
    """Require a whole and valid submission with its program; return the node it came from."""
    provenance = json.loads((best / "provenance.json").read_text())
    assert provenance["obtained"] in {"held-out", "reported"}
    assert isinstance(provenance["score"], float)
    assert (best / "solution.py").stat().st_size
    with (best / "submission.csv").open() as found, sample.open() as wanted:
        rows, asked = list(csv.reader(found)), list(csv.reader(wanted))
    assert [len(row) for row in rows] == [len(row) for row in asked]
    assert {row[0] for row in rows} == {row[0] for row in asked}
    return str(provenance["node"])


def leftovers(home: Path) -> list[str]:
    """Return the commands of processes that still work in *home*."""
    return [
        command
        for each in psutil.process_iter()
        if str(home) in " ".join(_traces(each)) and (command := _command(each))
    ]


def end_all(runs: Iterable[Run]) -> None:
    """Kill what is left of runs when a test is over."""
    for run in runs:
        if run.process.poll() is None:
            run.kill_all()


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _traces(process: psutil.Process) -> list[str]:
    try:
        return [*process.cmdline(), process.environ().get("FLOWSTONE_HOME", "")]
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return []
