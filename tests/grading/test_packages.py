"""The tables inside PyPI packages are whole tasks."""

from pathlib import Path

import pytest

from agents.tools.grading.declaration import TaskProblem
from agents.tools.grading.folder import load
from agents.tools.grading.service import final
from agents.tools.grading.truth import private
from agents.tools.packages import KNOWN, materialise
from tests.grading.folders import Shelf, started
from tests.grading.test_preparation import prepared


@pytest.mark.parametrize(
    ("name", "metric", "targets", "rows"),
    [
        ("digits", "accuracy", ("digit",), 1797),
        ("breast-cancer", "auc", ("benign",), 569),
        ("wine", "log-loss", ("class_0", "class_1", "class_2"), 178),
        ("diabetes", "rmse", ("progression",), 442),
    ],
)
async def test_a_packaged_table_becomes_a_task(
    shelf: Shelf, tmp_path: Path, name: str, metric: str, targets: tuple[str, ...], rows: int
) -> None:
    folder = materialise(f"package:{name}", tmp_path / "tasks")
    task = load(folder)
    assert (task.metric.name, task.targets) == (metric, targets)
    assert task.train is not None
    assert len(list(task.train.rows())) + len(task.ids) == rows
    answers = private(task)
    assert answers is not None
    assert tuple(answers) == task.ids
    event, _, _ = await prepared(shelf, tmp_path / "home", folder)
    assert event.evaluation == "held-out"
    assert event.task.kind == ("image" if name == "digits" else "tabular")
    sample = final(task.sample.path, folder)
    assert (sample.valid, sample.score) == (True, sample.sample_score)
    assert task.answers is not None
    perfect = final(task.answers, folder).score
    assert perfect == (0.0 if task.lower_is_better else 1.0)


def test_materialising_again_changes_nothing(tmp_path: Path) -> None:
    folders = [materialise("wine", tmp_path / place) for place in ("one", "one", "two")]
    texts = [
        {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    ]
    assert folders[0] == folders[1]
    assert texts[0] == texts[1] == texts[2]
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["wine"]


def test_an_unknown_table_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TaskProblem, match=r"did you mean package:digits\?"):
        materialise("package:digit", tmp_path)
    assert set(KNOWN) == {"digits", "breast-cancer", "wine", "diabetes"}
    assert started(tmp_path).task == tmp_path.name
