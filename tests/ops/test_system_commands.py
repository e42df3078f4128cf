"""The commands on a system that is up: `up`, `start`, `pause`, `say`, `stop`, and all that read."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops import cli, errors
from tests.processes import started

pytestmark = pytest.mark.long

SMALL = ("--nodes", "3", "--set", "search.phase_nodes=2")
READING = (
    ("sql", "select run, key, data from nodes where run = 'wine' order by key"),
    (
        "sql",
        "select seq, time, id, seen, data from events where run = 'wine' and type = 'SolutionGraded' order by seq",
        "--json",
    ),
    (
        "sql",
        "select projection, count(*) from projections where run = 'wine' group by all order by 1",
        "--csv",
    ),
    ("sql", "select nan::double, 1.5::decimal(4, 2), [1, 2], blob 'ab', null", "--json"),
    ("sql", "drop table events"),
    ("sql", "select * from read_csv('/etc/passwd')"),
    ("sql", "select 1; select 2"),
    ("sql", "selec 1"),
    ("log", "wine"),
    ("log", "wine", "--type", "NodeProposed", "--type", "SolutionGraded", "--json"),
    ("log", "wine", "--node", "n1", "--limit", "3"),
    ("log", "none"),
    ("replay", "wine", "--at", "25"),
    ("status", "wine", "--json"),
)
PATIENCE = 60.0


class System:
    """A home, and `flowstone up` in it while it is asked for."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._output = home / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        return self._output.read_text()

    def start(self) -> None:
        """Bring the system up."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops", "up"], stdout=output, stderr=subprocess.STDOUT
            )
        self.until(lambda: "Ctrl-C ends" in self.output, "it is up")

    def stop(self) -> None:
        """Bring the system down as Ctrl-C does."""
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(PATIENCE) == 0, self.output
            finally:
                process.kill()

    def ask(self, *arguments: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(cli.flowstone, arguments)

    def state(self, run: str) -> str:
        """Return how a run stands."""
        return str(json.loads(self.ask("status", run, "--json").stdout)["state"])

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Look until *condition* holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._process is None or self._process.poll() is None, self.output
            assert time.monotonic() < deadline, f"waited in vain until {what}:\n{self.output}"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Return a system that is up, with one run that has ended."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("OPENAI_", "FLOWSTONE_")):
                patch.delenv(name)
        system = System(tmp_path_factory.mktemp("home"))
        patch.setenv("FLOWSTONE_HOME", str(system.home))
        system.start()
        try:
            ended = system.ask("start", "package:wine", "--name", "wine", "--wait", *SMALL)
            assert "wine: nodes; 3 nodes" in ended.output, ended.output
            yield system
        finally:
            system.stop()


def _said(result: Result) -> tuple[int, str, str]:
    told = cli.told(result.exception)[0] if result.exception else ""
    return result.exit_code, result.stdout, told


def test_a_paused_run_goes_on_and_a_stopped_one_ends(system: System, tmp_path: Path) -> None:
    begun = system.ask("start", "package:wine", "--nodes", "50", "--name", "second")
    assert begun.output == "second\n"
    with (
        (tmp_path / "followed.txt").open("w+") as followed,
        started(
            [sys.executable, "-m", "ops", "log", "last", "--follow", "--type", "GuidanceGiven"],
            stdout=followed,
        ) as following,
    ):
        assert system.ask("pause", "sec").output == "second is told to pause\n"
        assert system.state("second") == "paused"
        assert system.ask("resume", "second").output == "second goes on\n"
        assert system.state("second") == "running"
        assert system.ask("say", "second", "use trees").output == "second has heard it\n"
        system.until(lambda: "use trees" in (tmp_path / "followed.txt").read_text(), "it is heard")
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == errors.INTERRUPTED
    system.ask("stop", "second", "enough")
    system.until(lambda: system.state("second").endswith("enough"), "the run has ended")
    for arguments in (("pause", "second"), ("say", "second", "more"), ("stop", "second")):
        assert "second has ended (enough)" in _said(system.ask(*arguments))[2]


def test_a_running_run_cannot_be_resumed_nor_named_again(system: System) -> None:
    system.ask("start", "package:wine", "--name", "third", "--minutes", "0.1")
    assert "third is running" in _said(system.ask("resume", "third"))[2]
    again = system.ask("start", "package:wine", "--name", "third")
    assert "there is a run 'third' already" in _said(again)[2]
    system.until(lambda: system.state("third").endswith("time"), "its time is up")


def test_replay_and_verify_on_a_system_at_work(system: System) -> None:
    system.ask("start", "package:wine", "--name", "fourth", *SMALL)
    system.until(lambda: "n1" in system.ask("log", "fourth").output, "a node is proposed")
    for _ in range(5):
        assert _said(system.ask("replay", "fourth"))[0] == 0
    system.until(lambda: system.state("fourth").endswith(": nodes"), "the run has ended")
    for run in ("wine", "fourth"):
        assert re.match(rf"{run}: identical: \d+ rows", system.ask("replay", run).output)
        assert f"{run}: identical: decided again" in system.ask("replay", run, "--verify").output
    assert system.ask("verify").output.endswith("every hash holds\n")


def test_what_reads_answers_the_same_with_a_system_up_and_without(system: System) -> None:
    up = {arguments: _said(system.ask(*arguments)) for arguments in READING}
    system.stop()
    try:
        down = {arguments: _said(system.ask(*arguments)) for arguments in READING}
    finally:
        system.start()
    assert up == down
    assert {code for code, _, _ in up.values()} == {0, errors.FAILED}
    assert up["sql", "drop table events"][2].startswith("flowstone: DROP is not allowed")


def test_an_interrupted_run_goes_on_with_the_next_system(system: System) -> None:
    system.ask("start", "package:wine", "--name", "fifth", *SMALL)
    system.until(lambda: "n1" in system.ask("log", "fifth").output, "a node is proposed")
    system.stop()
    assert system.state("fifth") == "interrupted"
    system.start()
    assert re.findall(r"^goes on +(\S+)$", system.output, re.MULTILINE) == ["fifth"]
    system.until(lambda: system.state("fifth").endswith(": nodes"), "the run has ended")
    again = system.ask("replay", "fifth", "--verify")
    assert again.exit_code == 0, again.output
