"""What a run shares with others: machines without a common disk."""

from pathlib import Path

import pytest

from bus.server import EmbeddedServer
from tests.runs.harness import Run, check_best, check_log, end_all, settled
from tests.runs.tasks import write_recording, write_task
from tests.servers import Running

pytestmark = pytest.mark.long

SHORT = ("--minutes", "4", "--nodes", "4", "--set", "search.phase_nodes=2")
APPLES = """Which is more

Two baskets of apples were counted at dawn. Say whether the first basket holds more."""
PEARS = """Weighing pears

A grocer notes the weight of every pear twice, by hand and by machine, and would like to know in
advance when the hand errs upwards. Customers complain about nothing else."""


def test_an_executor_elsewhere_does_the_work_of_a_run(tmp_path: Path, run_server: Running) -> None:
    task = write_task(tmp_path / "more")
    recording = write_recording(tmp_path / "recording.json")
    server = EmbeddedServer(tmp_path / "nats")
    url = server.prepare({}).url()
    with run_server(server):
        elsewhere = Run(tmp_path / "elsewhere", "actor", "executor", "--nats", url)
        here = Run(
            tmp_path / "here",
            *("run", str(task), "--recording", str(recording), *SHORT),
            *("--nats", url, "--set", "actors.executor=0"),
        )
        try:
            status = here.end()
        finally:
            end_all([here, elsewhere])

    assert status == 0, here.output
    check_log(here.home)
    assert len(settled(here.home, here.name)) == 4
    check_best(here.best, task / "sample_submission.csv")
    assert not (here.home / "work").exists(), "nothing was executed here"
    # What the task's data are and what solutions wrote crossed over without a common disk.
    assert (here.home / "artifacts").is_dir()
    assert (elsewhere.home / "artifacts").is_dir()
