"""Made-up logs, decided again: each oddity that real logs show, and logs that are wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops import cli
from ops.traces import reading, replay
from ops.traces.replay import Replayed

from .printed import ROOT, Log, name

Ask = Callable[..., Result]


@pytest.fixture
def decided(tmp_path: Path) -> Callable[[Log], Replayed]:
    """Return the way to read a log and decide it again."""
    return lambda log: replay.replay(reading.read(log.write(tmp_path / "made-up.log")))


def others(run: Replayed) -> list[tuple[str, str]]:
    """Return what the log did and what we do, wherever that is not the same."""
    return [(each.logged, each.ours) for each in run.verdicts if each.kind != "agrees"]


def test_chains_that_are_left_and_taken_up_again(decided: Callable[[Log], Replayed]) -> None:
    log = Log()
    log.five_drafts()
    log.improves(11, 6, 0.6, selected=True)
    log.improves(12, 11, 0.7)
    log.improves(13, 12, None)
    log.repairs(14, 13, 0.8, reward=1)
    run = decided(log)
    assert others(run) == []
    assert len(run.verdicts) == 2 * 14
    assert run.after_gap == 0


def test_a_failed_generation_is_rolled_back(decided: Callable[[Log], Replayed]) -> None:
    log = Log()
    log.drafts(1, None)
    log.chooses(1, "Debugging", selected=False)
    log.carries(1, 0)
    for number in (2, 3, 4, 5):
        log.drafts(number, None)
        log.repairs(number + 5, number, 0.5, reward=1)
    # It was visited by nobody, so it comes first and is broken still.
    log.repairs(6, 1, 0.5, reward=1, selected=True)
    # All have one visit and one reward: had the failure counted, this would be another choice.
    log.improves(11, 6, 0.4, selected=True)
    run = decided(log)
    assert others(run) == []
    assert run.count("agrees") == 2 * 11 + 1


def test_a_draft_that_could_not_be_written_frees_its_place(
    decided: Callable[[Log], Replayed],
) -> None:
    log = Log()
    log.chooses(0)
    log.carries(0, 0)
    log.five_drafts()
    log.improves(11, 6, 0.4, selected=True)
    assert others(decided(log)) == []


def test_a_worker_that_died_while_it_chose_keeps_its_draft(
    decided: Callable[[Log], Replayed],
) -> None:
    log = Log()
    log.five_drafts()
    log.says(f"[select] Processing node: {ROOT}", f"Draft node {name(1)} is locked.")
    log.lines.append("[ERROR]: Exception during step_task execution: max() of nothing")
    log.improves(11, 7, 0.4, selected=True)
    assert others(decided(log)) == []

    told = Log()
    told.five_drafts()
    told.improves(11, 7, 0.4, selected=True)
    run = decided(told)
    assert run.count("tie") == 1, "without the death the oldest draft is as good"


def hopeless() -> Log:
    """Return a log in which draft 1 is repaired in vain down to its end, 21; all others are taken."""
    log = Log()
    log.drafts(1, None)
    for repair in (2, 3):
        log.repairs(repair, repair - 1, None)
    log.repairs(4, 3, None, reward=-1)
    for other in (22, 23, 24, 25):
        log.chooses(0)
        log.writes(other, 0)
    for repair in range(5, 22):
        log.repairs(repair, repair - 1, None, reward=-1, selected=True)
    return log


def test_an_end_is_visited_for_nothing(decided: Callable[[Log], Replayed]) -> None:
    log = hopeless()
    assert others(decided(log)) == []
    for _ in range(2):
        log.says(f"[_step_search] Processing node: {name(21)}", "current node is terminal")
        log.carries(21, 0)
    log.lands(22, 0.5)
    log.improves(26, 22, 0.6)
    run = decided(log)
    assert others(run) == []
    assert [each.logged for each in run.verdicts].count("visit of n25") == 2


def test_what_is_no_end_is_not_visited_for_nothing(decided: Callable[[Log], Replayed]) -> None:
    log = hopeless()
    log.carries(20, 0)
    assert others(decided(log)) == [("visit of n24", "visit of n25")]
    one = Log()
    one.five_drafts()
    one.carries(6, 0)
    one.carries(6, 0)
    assert others(decided(one)) == [("visit of n2", "visit of none")] * 2


def test_what_was_refused_is_repaired_and_no_chain_of_repairs(
    decided: Callable[[Log], Replayed],
) -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.repairs(2, 1, None)
    for number in (3, 4):
        log.repairs(number, number - 1, None)
    # The third link, for the first repair is of what is not buggy.
    log.repairs(5, 4, None, reward=-1)
    assert others(decided(log)) == []

    improved = Log()
    improved.drafts(1, 0.5)
    improved.improves(2, 1, 0.6)
    improved.repairs(3, 2, 0.7)
    improved.improves(4, 3, 0.8)
    assert others(decided(improved)) == []


def test_what_follows_left_out_lines_is_not_judged(decided: Callable[[Log], Replayed]) -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.says("... (omitted middle part for brevity) ...")
    log.improves(12, 11, 0.5)
    run = decided(log)
    assert len(run.verdicts) == 2
    assert run.after_gap == 2


def test_nor_is_what_rests_on_nodes_that_nobody_told_of(
    decided: Callable[[Log], Replayed],
) -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.improves(12, 11, 0.5)
    log.improves(2, 1, 0.6)
    run = decided(log)
    assert len(run.verdicts) == 2
    assert run.after_gap == 4


def early(*, more: bool) -> Log:
    """Return the log of the early release, which enters a draft that somebody works below."""
    log = Log()
    log.five_drafts()
    log.says(f"For node {ROOT}, there are 5/5 is {'unlocked' if more else 'locked'}.")
    log.chooses(6, "Improving")
    log.chooses(6, "Improving")
    return log


def test_an_early_release_enters_drafts_below_which_somebody_works(
    decided: Callable[[Log], Replayed],
) -> None:
    assert others(decided(early(more=True))) == []
    assert others(decided(early(more=False))) == [("improve of n2", "improve of n4")]


def test_an_early_release_never_resets_failures(decided: Callable[[Log], Replayed]) -> None:
    def told(*, unlocked: bool) -> Log:
        log = Log()
        log.says(f"For node {ROOT}, there are 0/5 is {'unlocked' if unlocked else 'locked'}.")
        log.drafts(1, 0.5)
        for failed in (2, 3, 4):
            log.improves(failed, failed - 1, 0.4)
        log.improves(5, 4, 0.4, reward=1)
        for number in (6, 7, 8, 9):
            log.drafts(number, None)
            log.repairs(number + 10, number, 0.9, reward=1)
        log.improves(20, 1, 0.4, reward=1 if unlocked else None, selected=True)
        return log

    assert others(decided(told(unlocked=True))) == []
    assert others(decided(told(unlocked=False))) == []
    wrong = told(unlocked=False)
    wrong.lines = [line.replace("0/5 is locked", "0/5 is unlocked") for line in wrong.lines]
    assert others(decided(wrong)) == [("n14: stay with it", "n14: leave it with +1")]


def test_a_lower_score_is_told_by_its_comparison(decided: Callable[[Log], Replayed]) -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.improves(2, 1, 0.4)
    log.compares(2, 1, 0.1)
    for failed in (3, 4, 5):
        log.improves(failed, failed - 1, 0.45)
    log.improves(6, 5, 0.45, reward=1)
    assert others(decided(log)) == []


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    return lambda *arguments: CliRunner().invoke(
        cli.flowstone, ["bench", "traces", str(tmp_path), *arguments]
    )


def right() -> Log:
    log = Log()
    log.five_drafts((0.5, 0.5, 0.5, 0.5, 0.5))
    log.improves(11, 6, 0.6, selected=True)
    log.improves(12, 11, 0.7)
    log.improves(13, 12, 0.8)
    return log


def test_a_wrong_parent_is_found(ask: Ask, tmp_path: Path) -> None:
    right().write(tmp_path / "right.json")
    said = ask()
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[1].split() == ["right", "26", "26", "0", "0", "0"]

    wrong = right()
    for phrase in ("Processing node: ", "Starting Improving Node ", "Improved node "):
        swap = phrase + name(11), phrase + name(6)
        wrong.lines = [line.replace(*swap) for line in wrong.lines]
    wrong.write(tmp_path / "wrong.json")
    said = ask()
    assert said.exit_code == 1
    assert said.output.splitlines()[2].split() == ["wrong", "26", "25", "0", "1", "0"]
    assert said.output.splitlines()[3].split() == ["all", "52", "51", "0", "1", "0"]
    told = said.output.splitlines()[4]
    assert re.fullmatch(r"wrong:\d+: ANOTHER: the log improve of n2, we leave it", told)


def test_a_wrong_reward_is_found(ask: Ask, tmp_path: Path) -> None:
    log = right()
    log.lines = [line.replace("with reward 1.", "with reward -1.") for line in log.lines]
    log.write(tmp_path / "wrong.log")
    said = ask()
    assert said.exit_code == 1
    assert "the log n2: leave it with -1, we n2: leave it with +1" in said.output


def test_a_tie_is_explained(ask: Ask, tmp_path: Path) -> None:
    log = Log()
    log.five_drafts()
    log.improves(11, 8, 0.6, selected=True)
    log.write(tmp_path / "tie.txt")
    said = ask("--explain")
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[1].split() == ["tie", "22", "21", "1", "0", "0"]
    line = said.output.splitlines()[3]
    assert "tie: the log improve of n6, we improve of n2: n1 and n5 both 2.7939" in line
    assert "tie:" not in ask().output
