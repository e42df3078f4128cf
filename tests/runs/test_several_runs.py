"""What runs share: machines without a common disk, and the wisdom of earlier runs."""

import json
from pathlib import Path

import pytest

from bus.server import EmbeddedServer
from tests.runs.harness import Run, check_best, check_log, end_all, events, settled
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


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Make three runs in one home: two different tasks, and the first one again."""
    folder = tmp_path_factory.mktemp("wisdom")
    recording = write_recording(folder / "recording.json")
    tasks = [
        write_task(folder / "apples", APPLES),
        write_task(folder / "pears", PEARS, turn=6),
        folder / "apples",
    ]
    runs: list[Run] = []
    for task in tasks:
        run = Run(folder / "home", "run", str(task), "--recording", str(recording), *SHORT)
        runs.append(run)
        assert run.end() == 0, run.output
    return runs


def _said(run: Run, kind: str) -> dict[str, object]:
    (data,) = [
        data for _, name, type_, _, data in events(run.home) if (name, type_) == (run.name, kind)
    ]
    return data


def test_a_run_leaves_wisdom_that_the_next_on_a_similar_task_recalls(three_runs: list[Run]) -> None:
    first, second, _ = three_runs

    recalled = json.dumps(_said(second, "WisdomRecalled")["entries"])

    assert first.name in recalled
    prompts = [
        json.dumps(data["messages"])
        for _, run, kind, _, data in events(second.home)
        if (run, kind) == (second.name, "ModelAsked") and data["purpose"] == "draft"
    ]
    learned = str(_said(first, "WisdomDistilled")["model_summary"])[:60]
    assert any(json.dumps(learned)[1:-1] in prompt for prompt in prompts)


def test_a_run_recalls_nothing_of_its_own_competition(three_runs: list[Run]) -> None:
    first, second, again = three_runs

    recalled = _said(again, "WisdomRecalled")

    assert first.name not in json.dumps(recalled["entries"])
    assert recalled["reasons"] == {first.name: "it is of the same task, apples"}
    assert recalled["excluded"] == [first.name]
    assert second.name in json.dumps(recalled["entries"])


def test_a_closed_phase_leaves_knowledge_that_later_prompts_carry(three_runs: list[Run]) -> None:
    for run in three_runs:
        told = [
            (data["phase"], data["nodes"])
            for _, name, kind, _, data in events(run.home)
            if (name, kind) == (run.name, "KnowledgeRefined")
        ]
        assert told
        assert all(nodes for _, nodes in told)
