"""Reading printed logs: what is told, in which form, and what is no such log."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ops import cli, errors
from ops.errors import Problem
from ops.traces import reading, replay
from ops.traces.reading import Chosen, Died, Landed, Omitted, Visited, Written

from .printed import ROOT, Log, name


def told(log: Log) -> list[reading.Step]:
    """Return the steps of a log without a file."""
    return [*reading._Reader(log.lines, ROOT).steps()]


def test_everything_that_is_told() -> None:
    log = Log()
    log.drafts(1, None)
    log.chooses(1, "Debugging", selected=False)
    log.carries(1, 0)
    log.drafts(2, 0.5)
    log.improves(3, 2, 0.75, reward=1)
    log.says(f"Draft node {name(2)} is locked.")
    log.lines.append("[ERROR]: Exception during step_task execution: nothing")
    log.says("... (omitted middle part for brevity) ...")

    steps = told(log)

    lines = [each.line for each in steps]
    assert lines == sorted(lines)
    assert [log.lines[each.line - 1].partition(": ")[2][:7] for each in steps[:3]] == [
        "Startin",
        "Drafted",
        "The met",
    ]

    def landed(node: int, metric: float | None, reward: float | None) -> Landed:
        return Landed(
            line=0,
            node=name(node),
            metric=metric,
            buggy=metric is None,
            valid=True,
            reward=reward,
        )

    assert [_anywhere(each) for each in steps] == [
        Chosen(line=0, parent=ROOT, action="draft", selected=True),
        Written(line=0, node=name(1), parent=None),
        landed(1, None, None),
        Chosen(line=0, parent=name(1), action="debug", selected=False),
        Visited(line=0, node=name(1)),
        Chosen(line=0, parent=ROOT, action="draft", selected=True),
        Written(line=0, node=name(2), parent=None),
        landed(2, 0.5, None),
        Chosen(line=0, parent=name(2), action="improve", selected=False),
        Written(line=0, node=name(3), parent=name(2)),
        landed(3, 0.75, 1.0),
        Died(line=0, draft=name(2)),
        Omitted(line=0),
    ]


def _anywhere(step: reading.Step) -> reading.Step:
    return replace(step, line=0)


def test_a_worker_that_died_elsewhere_took_no_draft() -> None:
    log = Log()
    log.says(f"Draft node {name(1)} is locked.")
    log.chooses(1, "Improving")
    log.lines.append("[ERROR]: Exception during step_task execution: Connection error.")
    assert not [each for each in told(log) if isinstance(each, Died)]


def test_what_is_repaired_next_though_it_works_was_refused() -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.drafts(2, 0.5)
    log.repairs(3, 1, 0.6)
    log.improves(4, 2, 0.6)
    found = [(each.node, each.valid) for each in told(log) if isinstance(each, Landed)]
    assert found == [(name(1), False), (name(2), True), (name(3), True), (name(4), True)]


def test_where_the_parent_is_not_named_it_is_who_began_and_fits() -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.drafts(2, None)
    for begun in (1, 2):
        log.says(f"[_step_search] Processing node: {name(begun)}")
    log.says("Starting Debugging Node.", "Starting Improving Node.")
    chosen = [each for each in told(log) if isinstance(each, Chosen)][2:]
    assert [(each.parent, each.action) for each in chosen] == [
        (name(2), "debug"),
        (name(1), "improve"),
    ]


@pytest.mark.parametrize("suffix", [".json", ".log", ".txt"])
def test_text_and_pages_tell_the_same(tmp_path: Path, suffix: str) -> None:
    log = Log(nodes=40)
    log.five_drafts()
    trace = reading.read(log.write(tmp_path / f"some{suffix}"))
    assert (trace.name, trace.root, trace.nodes) == ("some", ROOT, 40)
    assert trace.exclusive
    assert not trace.lower_is_better
    assert [*trace.steps] == told(log)


def test_tags_go_and_what_only_looks_like_one_stays(tmp_path: Path) -> None:
    log = Log()
    log.drafts(1, None)
    lines = [f"<b>1</b> &lt; {line} &gt; 1" for line in log.lines]
    (tmp_path / "a.log").write_text("\n".join(lines))
    trace = reading.read(tmp_path / "a.log")
    assert trace.root == ROOT
    assert [type(each) for each in trace.steps] == [Chosen, Written]


@pytest.mark.parametrize(
    ("scores", "gain", "lower"),
    [
        ((0.5, 0.6), 0.1, False),
        ((0.5, 0.4), 0.1, True),
        ((0.5, 0.6), -0.1, True),
        ((1, 1), 0, False),
    ],
)
def test_the_direction_is_that_of_the_first_gain(
    tmp_path: Path, scores: tuple[float, float], gain: float, *, lower: bool
) -> None:
    log = Log()
    log.drafts(1, scores[0])
    log.improves(2, 1, scores[1])
    log.compares(2, 1, gain)
    assert reading.read(log.write(tmp_path / "a.log")).lower_is_better == lower


@pytest.mark.parametrize(("word", "exclusive"), [("locked", True), ("unlocked", False)])
def test_an_early_release_is_known_by_its_words(
    tmp_path: Path, word: str, *, exclusive: bool
) -> None:
    log = Log()
    log.drafts(1, 0.5)
    log.says(f"For node {ROOT}, there are 1/1 is {word}.", f"Draft node {name(1)} is unlocked.")
    assert reading.read(log.write(tmp_path / "a.log")).exclusive == exclusive


WRONG: dict[str, tuple[str, bytes | None, str]] = {
    "an empty folder": ("", None, "holds no printed logs"),
    "another file": ("notes.md", b"words", "holds no printed logs"),
    "words": ("words.log", b"nothing was selected here\n", "is no printed log of ML-Master"),
    "nothing": ("empty.txt", b"", "is no printed log of ML-Master"),
    "bytes": ("bytes.log", bytes(range(256)), "is no printed log of ML-Master"),
    "broken JSON": ("run.json", b'{"steps": [', "cannot be read as a printed log"),
    "bytes that are no JSON": ("run.json", b'{"a": "\xff"}', "cannot be read as a printed log"),
    "deep JSON": ("run.json", b'{"a": ' + b"[" * 100_000, "cannot be read as a printed log"),
    "a list": ("run.json", b"[]", "cannot be read as a printed log"),
    "other keys": ("run.json", b'{"stages": []}', "cannot be read as a printed log"),
    "a number of steps": ("run.json", b'{"steps": 7}', "cannot be read as a printed log"),
    "steps without words": ("run.json", b'{"steps": [7]}', "cannot be read as a printed log"),
    "no steps": ("run.json", b'{"steps": []}', "is no printed log of ML-Master"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_log_is_told_in_one_line(tmp_path: Path, case: str) -> None:
    file, content, why = WRONG[case]
    if content is not None:
        (tmp_path / file).write_bytes(content)

    ended = CliRunner().invoke(cli.flowstone, ["bench", "traces", str(tmp_path)])

    assert isinstance(ended.exception, Problem), ended.output
    line, status = cli.told(ended.exception)
    assert status == errors.USAGE
    assert why in line
    assert str(tmp_path / file if content and file != "notes.md" else tmp_path) in line
    assert "a folder of such logs" in line
    assert "\n" not in line


def test_a_folder_that_is_called_like_a_log_is_none(tmp_path: Path) -> None:
    (tmp_path / "old.log").mkdir()
    ended = CliRunner().invoke(cli.flowstone, ["bench", "traces", str(tmp_path)])
    assert isinstance(ended.exception, Problem)
    assert "IsADirectoryError" in str(ended.exception)


def test_one_file_is_as_good_as_a_folder(tmp_path: Path) -> None:
    log = Log()
    log.five_drafts()
    file = log.write(tmp_path / "a.log")
    (tmp_path / "b.log").write_text("nothing")
    ended = CliRunner().invoke(cli.flowstone, ["bench", "traces", str(file)])
    assert ended.exit_code == 0, ended.output


def _eventful() -> Log:
    log = Log()
    log.drafts(1, None)
    log.repairs(2, 1, None)
    log.chooses(2, "Debugging", selected=False)
    log.carries(2, 0)
    for number in (3, 4, 5, 6):
        log.drafts(number, 0.5)
        log.improves(number + 10, number, 0.4)
        log.compares(number + 10, number, -0.1)
    for failed in (21, 22, 23):
        log.improves(failed, 13 if failed == 21 else failed - 1, 0.3, 1 if failed == 23 else None)
    log.repairs(30, 2, 0.5, reward=1, selected=True)
    log.says(f"For node {ROOT}, there are 4/5 is locked.", f"Draft node {name(3)} is locked.")
    log.lines.append("[ERROR]: Exception during step_task execution: nothing")
    log.improves(31, 30, 0.6, selected=True)
    log.carries(23, 0)
    return log


LINES = [*_eventful().lines, f"[INFO]: For node {ROOT}, there are 2/5 is unlocked."]
ODD = st.sampled_from(
    [
        f"The metric value of node {name(3)} is nan.",
        f"The metric value of node {name(4)} is inf.",
        f"The metric value of node {name(4)} is -1e999.",
        f"The metric value of node {name(5)} is 0.0.",
        f"node {name(13)} start backpropagating with reward plenty.",
        f"node {ROOT} start backpropagating with reward 0.",
        f"Compared to Node {name(3)}, Node {name(13)} metric improvement (some) above",
        f"Compared to Node {name(3)}, Node {name(13)} metric improvement (nan) above",
        f"Starting Improving Node {ROOT}.",
        f"Improved node {ROOT} to create new node {name(40)}",
        f"Improved node {name(3)} to create new node {name(3)}",
        f"Drafted new node {ROOT}",
        f"Draft node {name(13)} is locked.",
        "Starting Debugging Node.",
        "... (omitted middle part for brevity) ...",
        "",
    ]
)


@st.composite
def spoiled(draw: st.DrawFn) -> list[str]:
    """Return lines of a log: some are gone, some twice, some in another place, some odd."""
    lines = [line for line in LINES if draw(st.integers(0, 9))]
    for _ in range(draw(st.integers(0, 30))):
        place = draw(st.integers(0, len(lines)))
        line = draw(ODD) if draw(st.booleans()) or not lines else draw(st.sampled_from(lines))
        lines.insert(place, line)
    for _ in range(draw(st.integers(0, 20))):
        if lines:
            line = lines.pop(draw(st.integers(0, len(lines) - 1)))
            lines.insert(draw(st.integers(0, len(lines))), line)
    return lines if draw(st.booleans()) else draw(st.permutations(lines))


@settings(max_examples=150, deadline=None)
@given(lines=spoiled())
def test_whatever_lines_come_they_are_read_and_decided(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = tmp_path_factory.mktemp("spoiled") / "a.log"
    file.write_text("\n".join([f"[INFO]: [select] Processing node: {ROOT}", *lines]))
    trace = reading.read(file)
    run = replay.replay(trace)
    choices = sum(isinstance(each, Chosen | Landed | Visited) for each in trace.steps)
    assert len(run.verdicts) + run.after_gap <= choices
    assert sum(run.count(kind) for kind in ("agrees", "tie", "differs")) == len(run.verdicts)


def test_the_lines_of_the_spoiled_logs_are_a_log(tmp_path: Path) -> None:
    run = replay.replay(reading.read(_eventful().write(tmp_path / "a.log")))
    assert run.after_gap == 0
    assert len(run.verdicts) > 30
