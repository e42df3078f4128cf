"""What runs leave to others: recalled, kept from the same task, withdrawn, and never lost."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.harness import Run, check_log, end_all, events, flowstone, told
from tests.runs.tasks import write_recording, write_task
from tests.runs.test_model_failures import HASTY, rehearsal

pytestmark = pytest.mark.long

SHORT = ("--minutes", "4", "--nodes", "4", "--set", "search.phase_nodes=2")
APPLES = """Which is more

Two baskets of apples were counted at dawn. Say whether the first basket holds more."""
PEARS = """Weighing pears

A grocer notes the weight of every pear twice, by hand and by machine, and would like to know in
advance when the hand errs upwards. Customers complain about nothing else."""

BASKETS = """# Weighing baskets

A grocer notes the weight of every basket by hand and by machine."""


class Orchard:
    """A home, and two small tasks that are alike and not the same."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.apples = write_task(folder / "apples", APPLES)
        self.pears = write_task(folder / "pears", PEARS, turn=6)
        self._recording = write_recording(folder / "recording.json")

    def run(self, task: Path, name: str) -> Run:
        """Make a whole run."""
        chosen = ("--name", name, "--recording", str(self._recording), *SHORT)
        run = Run(self.home, "run", str(task), *chosen)
        try:
            assert run.end() == 0, run.output
        finally:
            end_all([run])
        return run

    def said(self, run: str, kind: str) -> list[dict[str, Any]]:
        """Return what the events of one type say in a run."""
        return [data for _, of, type_, _, data in events(self.home) if (of, type_) == (run, kind)]

    def recalled(self, run: str) -> dict[str, Any]:
        """Return what a run recalled."""
        (data,) = self.said(run, "WisdomRecalled")
        return data


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Orchard:
    """Make three runs in one home: two different tasks, and the first one again."""
    orchard = Orchard(tmp_path_factory.mktemp("orchard"))
    orchard.run(orchard.apples, "first")
    orchard.run(orchard.pears, "second")
    orchard.run(orchard.apples, "third")
    return orchard


def test_a_run_leaves_wisdom_that_the_next_on_a_similar_task_recalls(orchard: Orchard) -> None:
    (entry,) = orchard.recalled("second")["entries"]

    assert entry["run"] == "first"
    (taught,) = orchard.said("first", "WisdomDistilled")
    assert taught["model_summary"] in entry["text"]
    assert not taught["mechanical"]
    drafts = [each for each in orchard.said("second", "ModelAsked") if each["purpose"] == "draft"]
    assert drafts
    for asked in drafts:
        assert taught["model_summary"][:60] in asked["messages"][-1]["content"]
        assert "first" in {
            part["reference"] for part in asked["context"] if part["tier"] == "wisdom"
        }


def test_a_run_recalls_nothing_of_its_own_competition(orchard: Orchard) -> None:
    recalled = orchard.recalled("third")

    assert [each["run"] for each in recalled["entries"]] == ["second"]
    assert recalled["reasons"] == {"first": "it is of the same task, apples"}
    assert recalled["excluded"] == ["first"]


def test_a_closed_phase_leaves_knowledge_that_later_prompts_carry(orchard: Orchard) -> None:
    for run in ("first", "second", "third"):
        units = orchard.said(run, "KnowledgeRefined")
        assert units
        assert all(each["nodes"] for each in units)


@pytest.fixture(scope="module")
def recall(orchard: Orchard) -> "subprocess.CompletedProcess[str]":
    """Withdraw what the first run taught, forget the third, and make a fourth run."""
    why = ("--why", "its data leak", "--json")
    recall = flowstone(orchard.home, "wisdom", "recall", "first", *why)
    assert recall.returncode == 0, recall.stderr
    assert flowstone(orchard.home, "wisdom", "forget", "third").stdout == "forgotten: third\n"
    orchard.run(orchard.pears, "fourth")
    return recall


def test_who_used_what_was_withdrawn_is_told(
    orchard: Orchard, recall: "subprocess.CompletedProcess[str]"
) -> None:
    carried = {
        f"{data['role']}.{data['call']}"
        for data in orchard.said("second", "ModelAsked")
        if any(part["reference"] == "first" for part in data["context"])
    }
    uses = [json.loads(line) for line in recall.stdout.splitlines()]
    assert carried
    assert {use["call"] for use in uses if use["carried"] == "wisdom first"} == carried
    assert {use["run"] for use in uses} == {"second", "third"}
    assert "rests on it, and is kept: second, third" in recall.stderr


@pytest.mark.usefixtures("recall")
def test_what_was_withdrawn_is_recalled_no_more(orchard: Orchard) -> None:
    recalled = orchard.recalled("fourth")
    assert recalled["entries"] == []
    assert recalled["reasons"] == {"second": "it is of the same task, pears"}
    again = flowstone(orchard.home, "wisdom", "forget", "third")
    assert again.stdout.startswith("forgotten: nothing")


@pytest.mark.usefixtures("recall")
def test_the_tables_are_made_again_without_it(orchard: Orchard) -> None:
    (said,) = orchard.said("first", "WisdomWithdrawn")
    assert (said["why"], said["knowledge"]) == ("its data leak", True)
    asked = (
        "select key, data->>'withdrawn' from wisdom where key in ('first', 'third') order by key"
    )
    rows = flowstone(orchard.home, "sql", asked).stdout.splitlines()
    assert rows[1:] == ["first\tits data leak", "third\twithdrawn by hand"]
    units = flowstone(orchard.home, "sql", "select key from knowledge where run = 'first'").stdout
    assert units.splitlines()[1:] == ["withdrawn"]
    for command in (("first",), ("third",), ("second", "--verify")):
        again = flowstone(orchard.home, "replay", *command)
        assert "identical" in again.stdout, again.stdout + again.stderr
    assert "whole" in flowstone(orchard.home, "verify").stdout
    check_log(orchard.home)


@pytest.mark.usefixtures("recall")
def test_what_rests_on_it_goes_as_well_if_so_wanted(orchard: Orchard) -> None:
    derived = flowstone(orchard.home, "wisdom", "recall", "second", "--derived")

    assert "withdrawn: second, third" in derived.stderr
    whys = [each["why"] for each in orchard.said("third", "WisdomWithdrawn")]
    assert whys == ["withdrawn by hand", "rests on what second taught: withdrawn by hand"]
    again = flowstone(orchard.home, "wisdom", "recall", "second", "--derived")
    assert "withdrawn: nothing, second was before" in again.stderr
    assert again.stdout == derived.stdout


def test_imported_wisdom_is_recalled_and_comes_once(tmp_path: Path) -> None:
    orchard = Orchard(tmp_path)
    solved = tmp_path / "solved"
    for name, description in (("baskets", BASKETS), ("pears", PEARS)):
        (solved / name).mkdir(parents=True)
        (solved / name / "description.md").write_text(description)
        (solved / name / "solution.py").write_text("import sklearn\n")

    brought = flowstone(orchard.home, "wisdom", "import", str(solved))
    again = flowstone(orchard.home, "wisdom", "import", str(solved))
    orchard.run(orchard.pears, "first")

    assert brought.stdout == "2 imported, 0 known already\n", brought.stderr
    assert again.stdout == "0 imported, 2 known already\n", again.stderr
    recalled = orchard.recalled("first")
    assert [each["task"] for each in recalled["entries"]] == ["baskets"]
    assert [*recalled["reasons"].values()] == ["it is of the same task, pears"]
    exported = tmp_path / "wisdom.jsonl"
    assert flowstone(orchard.home, "wisdom", "export", "-o", str(exported)).returncode == 0
    assert len(exported.read_text().splitlines()) == 3
    # Runs of this home come back as what they are, and elsewhere once.
    known = flowstone(orchard.home, "wisdom", "import", str(exported), "--run", "first")
    assert known.stdout == "0 imported, 4 known already\n", known.stderr
    for expected in ("3 imported, 0 known already\n", "0 imported, 3 known already\n"):
        there = flowstone(tmp_path / "there", "wisdom", "import", str(exported))
        assert there.stdout == expected, there.stderr
    shown = flowstone(tmp_path / "there", "wisdom", "show", recalled["entries"][0]["run"])
    assert "It imports sklearn." in shown.stdout
    assert "'nothing'" in told(flowstone(orchard.home, "wisdom", "show", "nothing"))


def test_a_question_without_an_answer_is_asked_again_by_the_next_system(
    start: Callable[..., Run], small: Path, slow: tuple[str, ...], tmp_path: Path
) -> None:
    hasty = ("--set", "bus.claim_seconds=1", "--minutes", "3")
    recording = ("--recording", str(write_recording(tmp_path / "nodes.json")))
    with rehearsal(tmp_path, *recording, "--latency", "3") as address:
        first = start("run", str(small), *hasty, "--nodes", "2", OPENAI_BASE_URL=address)
        first.says("finished: nodes")
        first.kill_all()
    assert "WisdomDistilled" not in {kind for _, _, kind, _, _ in events(first.home)}

    second = start("run", str(small), *slow, *hasty, "--nodes", "6")

    assert second.end() == 0, second.output
    taught = [
        data["mechanical"]
        for _, run, kind, _, data in events(first.home)
        if (run, kind) == (first.name, "WisdomDistilled")
    ]
    assert taught == [False]
    check_log(second.home)


def test_a_model_that_fails_leaves_a_mechanical_entry_until_one_answers(
    start: Callable[..., Run], small: Path, tmp_path: Path
) -> None:
    recording = ("--recording", str(write_recording(tmp_path / "nodes.json")))
    with rehearsal(tmp_path, *recording) as address:
        run = start("run", str(small), *HASTY, "--nodes", "500", OPENAI_BASE_URL=address)
        run.scored(2)
    assert run.end() == 1, run.output
    assert "no program could be had" in run.output
    home, name = run.home, run.name

    def written_by() -> str:
        (line,) = flowstone(home, "wisdom", "list", "--json").stdout.splitlines()
        return str(json.loads(line)["by"])

    assert written_by() == "mechanical"
    assert "solutions that worked" in flowstone(home, "wisdom", "show", name).stdout
    away = {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "none"}
    failed = flowstone(home, "wisdom", "refine", *HASTY[:4], more=away)
    assert failed.returncode == 1, failed.stderr
    assert "cannot reach" in failed.stdout
    assert written_by() == "mechanical"

    refined = flowstone(home, "wisdom", "refine")

    assert refined.returncode == 0, refined.stderr
    assert refined.stdout == f"{name}: a model wrote it\n"
    assert written_by() == "model"
    assert flowstone(home, "wisdom", "refine").stdout == ""
    keys = [key for _, _, kind, key, _ in events(home) if kind == "WisdomDistilled"]
    assert keys == ["once", "3"]
    check_log(home)
    for command in ((name,), (name, "--verify")):
        again = flowstone(home, "replay", *command)
        assert "identical" in again.stdout, again.stdout + again.stderr
