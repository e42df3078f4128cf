"""A run from end to end: what it leaves behind, at every moment and when it is over."""

import json
import os
import threading
from pathlib import Path

import duckdb
import pytest

from tests.runs.harness import (
    Run,
    check_best,
    check_log,
    end_all,
    events,
    flowstone,
    leftovers,
    settled,
    told,
)

NODES = 9
FIRST_BLOCK = 3 * 4096 + 256 * 1024
"""As much of a DuckDB file as its headers and one block take."""


class Watch:
    """Looks at the best submission of a run again and again while the run goes on."""

    def __init__(self, run: Run, sample: Path) -> None:
        self.nodes: list[str] = []
        self.looks = 0
        self.faults: list[str] = []
        self._run = run
        self._sample = sample
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.001):
            best = next((self._run.home / "runs").glob("*/best"), None)
            if best is None:
                continue
            try:
                node = check_best(Path(os.path.realpath(best)), self._sample)
            except FileNotFoundError:
                # What was the best a moment ago is tidied away; what is the best is whole.
                node = self._through_link(best)
            except (AssertionError, ValueError) as error:
                self.faults.append(repr(error))
                continue
            self.looks += 1
            if not self.nodes or node != self.nodes[-1]:
                self.nodes.append(node)

    def _through_link(self, best: Path) -> str:
        """Read file by file through the link, as people do."""
        try:
            assert (best / "submission.csv").read_text().count("\n") > 1
            assert (best / "solution.py").read_text()
            return str(json.loads((best / "provenance.json").read_text())["node"])
        except (OSError, AssertionError, ValueError) as error:
            self.faults.append(repr(error))
            return ""


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, small: Path, slow: tuple[str, ...]
) -> tuple[Run, Watch]:
    """Return a run that is over, and what was seen of its best submission meanwhile."""
    # Slow enough for the best to be seen before the next is better.
    home = tmp_path_factory.mktemp("finished") / "home"
    run = Run(home, "run", str(small), *slow, "--nodes", str(NODES))
    watch = Watch(run, small / "sample_submission.csv")
    try:
        assert run.end() == 0, run.output
    finally:
        watch.end()
        end_all([run])
    return run, watch


def test_the_best_submission_is_whole_at_every_moment(finished: tuple[Run, Watch]) -> None:
    run, watch = finished

    assert not watch.faults
    assert watch.looks > 100
    assert len(watch.nodes) > 1, f"it never changed while it was watched:\n{run.output}"
    assert len(watch.nodes) == len(set(watch.nodes)), "an older one came back"


def test_the_best_submission_is_the_best_that_was_graded(
    finished: tuple[Run, Watch], small: Path
) -> None:
    run, _ = finished
    graded = {
        key: data["metric"]
        for _, _, kind, key, data in events(run.home)
        if kind == "SolutionGraded"
    }

    best = check_best(run.best, small / "sample_submission.csv")

    assert graded[best] == max(each for each in graded.values() if each is not None)


def test_the_record_is_whole(finished: tuple[Run, Watch]) -> None:
    run, _ = finished

    check_log(run.home)
    assert len(settled(run.home, run.name)) == NODES
    assert not leftovers(run.home)
    assert not run.errors


def test_a_finished_run_is_not_resumed(finished: tuple[Run, Watch]) -> None:
    run, _ = finished

    line = told(flowstone(run.home, "resume", run.name))

    assert f"{run.name} has ended (nodes)" in line
    assert "flowstone run" in line


def test_a_name_is_given_once(finished: tuple[Run, Watch], small: Path) -> None:
    run, _ = finished

    line = told(flowstone(run.home, "run", str(small), "--name", run.name))

    assert f"there is a run '{run.name}' already" in line
    assert "--name" in line


def test_a_log_of_a_newer_version_is_left_alone(finished: tuple[Run, Watch], small: Path) -> None:
    run, _ = finished
    file = run.home / "log.duckdb"
    with duckdb.connect(str(file)) as log:
        before = log.execute("select value from meta where name = 'format'").fetchall()[0][0]
        log.execute("update meta set value = 99 where name = 'format'")
    content = file.read_bytes()

    line = told(flowstone(run.home, "run", str(small)))

    assert f"{file}: format 99" in line
    assert "update Flowstone" in line
    assert file.read_bytes() == content
    with duckdb.connect(str(file)) as log:
        log.execute("update meta set value = ? where name = 'format'", [before])


@pytest.mark.parametrize("fault", ["truncated", "garbage"])
def test_a_broken_log_is_set_aside_and_rebuilt(
    finished: tuple[Run, Watch], small: Path, quick: tuple[str, ...], fault: str
) -> None:
    earlier, _ = finished
    file = earlier.home / "log.duckdb"
    before = events(earlier.home)
    aside = len(list(earlier.home.glob("log.duckdb.broken-*"))) + 1
    broken = file.read_bytes()[:FIRST_BLOCK] if fault == "truncated" else b"?" * 9999
    file.write_bytes(broken)

    run = Run(earlier.home, "run", str(small), *quick, "--nodes", "1")

    assert run.end() == 0, run.output
    kept = earlier.home / f"log.duckdb.broken-{aside}"
    assert f"the log could not be read: {kept} keeps it" in run.output
    assert kept.read_bytes() == broken
    assert events(earlier.home)[: len(before)] == before
    check_log(earlier.home)
