"""The benchmarks run, say what they should, and keep figures that can be compared."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from ops.bench import figure, report, suite
from ops.bench.figure import Figure, Result
from ops.bench.histories import EVENTS_OF_A_NODE, envelopes
from ops.bench.keeping_busy import Load
from ops.commands.bench import NAMES, bench
from ops.errors import Problem
from schemas.envelope import Unknown, Vocabulary
from store.projections import PROJECTIONS
from store.projections.folds import Folds

FAST = Figure(name="turn", value=5.0, unit="ms", target=10.0)
SLOW = Figure(name="rate", value=90.0, unit="/s", target=150.0, bound="at least")
BESIDE = Figure(name="beside", value=1.0, unit="s")


def _result(*figures: Figure) -> Result:
    return Result(machine=figure.machine(), quick=True, figures=figures)


def test_a_figure_knows_whether_its_target_is_reached() -> None:
    assert FAST.reached is True
    assert SLOW.reached is False
    assert BESIDE.reached is None


def test_the_table_names_target_verdict_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    earlier = _result(Figure(name="turn", value=10.0, unit="ms"))
    report.show(_result(FAST, SLOW), earlier)
    said = capsys.readouterr().out.splitlines()
    assert "cores" in said[0]
    assert said[-2].split() == ["turn", "5", "ms", "at", "most", "10", "yes", "0.50"]
    assert said[-1].split() == ["rate", "90", "/s", "at", "least", "150", "no", "new"]


def test_a_result_is_read_as_it_was_kept(tmp_path: Path) -> None:
    result = _result(FAST, SLOW, BESIDE)
    figure.write(tmp_path / "bench.json", result)
    assert figure.read(tmp_path / "bench.json") == result


def test_a_file_that_bench_did_not_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(Problem, match=r"other\.json"):
        figure.read(tmp_path / "other.json")


def test_made_up_histories_are_the_same_each_time_and_complete() -> None:
    first, again = [*envelopes(40 * EVENTS_OF_A_NODE)], [*envelopes(40 * EVENTS_OF_A_NODE)]
    assert first == again
    assert [seq for seq, _ in first] == [*range(1, len(first) + 1)]
    assert all(after.cause == before.id for (_, before), (_, after) in pairwise(first))
    vocabulary, folds = Vocabulary(), Folds(PROJECTIONS.values())
    for seq, envelope in first:
        event = vocabulary.read(envelope, seq)
        assert not isinstance(event.data, Unknown)
        folds.apply(event)
    assert folds.state("tree", "history-0").graded == 40


def test_one_benchmark_that_breaks_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(home: Path, *, quick: bool) -> list[Figure]:
        raise OSError(f"{home.name} {quick}")

    monkeypatch.setattr(suite, "BENCHMARKS", {**suite.BENCHMARKS, "turn": broken})
    result = suite.measured(["turn", "log"], tmp_path, quick=True, told=lambda _: None)
    assert result.broken["turn"].startswith("OSError: bench-")
    assert [each.unit for each in result.figures] == ["/s", "ms"]
    assert not [*tmp_path.iterdir()]


def test_the_command_knows_every_benchmark() -> None:
    assert set(NAMES) == set(suite.BENCHMARKS)


def test_quick_benchmarks_of_the_log_and_the_folds_end_in_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    arguments = ["--quick", "--only", "log", "--only", "folds", "-o", str(kept)]
    said = CliRunner().invoke(bench, arguments, env={"FLOWSTONE_HOME": str(tmp_path / "home")})
    assert said.exit_code == 0, said.output
    result = msgspec.json.decode(kept.read_bytes(), type=Result)
    assert not result.broken
    assert [each.target for each in result.figures] == [40_000, 5.0, 200_000, 64.0]
    assert result.figures[0].value > 0


@pytest.mark.parametrize(
    ("load", "share"),
    [
        (Load(model=3, solution=4, nodes=24), 1.0),
        (Load(model=4, solution=3, nodes=24), 36 / 37),  # the first four arrive together
        (Load(model=4, solution=3, nodes=12, calls=1), 18 / 47),
        (Load(model=4, solution=3, nodes=12, calls=2), 18 / 23),
    ],
)
def test_what_a_model_allows(load: Load, share: float) -> None:
    assert load.bound == pytest.approx(share)


@pytest.mark.long
def test_quick_benchmarks_of_the_whole_system(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    chosen = [part for name in ("turn", "busy", "start") for part in ("--only", name)]
    subprocess.run(
        [sys.executable, "-m", "ops", "bench", "--quick", *chosen, "-o", str(kept)],
        check=True,
        capture_output=True,
        env={"FLOWSTONE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).parents[2],
    )
    result = msgspec.json.decode(kept.read_bytes(), type=Result)
    assert not result.broken
    assert len(result.figures) == 14
    assert all(each.value > 0 for each in result.figures)
    assert all(each.value <= 100 for each in result.figures if each.unit == "%")
