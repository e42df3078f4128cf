"""The data preview: stable where programs read it, short whatever the data is."""

import json
import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.tools.grading.preview import MOST_CHARACTERS, Data, preview
from agents.tools.grading.profile import Column, kind_of, profile
from agents.tools.tables import BrokenTable, find
from schemas.task import Task

LINE = re.compile(
    r'- (?P<name>"(?:[^"\\]|\\.)*"|[\w .()/%+-]+): type=(?P<type>\w+) '
    r"missing=(?P<missing>[\d.e-]+) unique=(?P<unique>\d+)( .*)?"
)


def task(targets: tuple[str, ...] = ("y",)) -> Task:
    return Task(
        id="t",
        title="T",
        description="",
        metric="rmse",
        lower_is_better=True,
        kind="tabular",
        id_column="id",
        targets=targets,
        label=targets[0],
        train_file="train.csv",
        test_file="test.csv",
        sample_file="sample_submission.csv",
    )


def shown(columns: list[Column], *, targets: tuple[str, ...] = ("y",), files: int = 3) -> str:
    data = Data(
        needs="numbers",
        classes=(),
        rules="no empty cells",
        columns=columns,
        rows=10,
        only_in_train=targets,
        files=[PurePosixPath(f"images/{n}.png") for n in range(files)],
        absent=("train.zip",),
    )
    return preview(task(targets), data)


def test_the_facts_come_first_one_per_line() -> None:
    lines = shown([]).splitlines()
    assert lines[:13] == [
        "# Data preview",
        "- kind: tabular",
        "- metric: rmse",
        "- direction: lower is better",
        "- needs: numbers",
        "- train file: train.csv",
        "- test file: test.csv",
        "- sample file: sample_submission.csv",
        "- id column: id",
        '- target columns: ["y"]',
        "- label column: y",
        "- classes: []",
        "- rules: no empty cells",
    ]


def read(tmp_path: Path, name: str, content: str | bytes) -> dict[str, Column]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {column.name: column for column in profile(find(path))[0]}


def test_columns_are_told_apart(tmp_path: Path) -> None:
    rows = [
        f"{n},{n / 2},{'ab'[n % 2]},{n % 2 == 0},{f'word {n} ' * 8},3_{n},{n or ''}"
        for n in range(9)
    ]
    columns = read(tmp_path, "t.csv", "\n".join(["id,x,c,b,t,u,gap", *rows]))
    types = {name: column.type for name, column in columns.items()}
    assert types == {
        "id": "numeric",
        "x": "numeric",
        "c": "categorical",
        "b": "boolean",
        "t": "text",
        "u": "categorical",
        "gap": "numeric",
    }
    assert (columns["x"].low, columns["x"].high, columns["x"].unique) == (0.0, 4.0, 9)
    assert columns["gap"].missing == pytest.approx(1 / 9)


def test_other_forms_and_encodings_are_read(tmp_path: Path) -> None:
    lines = '{"a": [1, 2], "b": 1}\n{"a": [], "b": null}\n'
    columns = read(tmp_path, "t.jsonl", lines)
    assert (columns["a"].type, columns["b"].type, columns["b"].missing) == ("json", "numeric", 0.5)
    assert read(tmp_path, "latin.csv", "name\ncaf\xe9\n".encode("latin-1"))["name"].examples == (
        "café",
    )
    assert list(read(tmp_path, "mark.csv", "\ufeffid,x\n1,2\n")) == ["id", "x"]
    assert list(read(tmp_path, "tabs.tsv", "id\tx\n1\t2\n")) == ["id", "x"]
    with pytest.raises(BrokenTable, match="line 2"):
        read(tmp_path, "odd.csv", "a,b\n1\n")


def test_wide_tables_share_lines(tmp_path: Path) -> None:
    names = [f"pixel{n}" for n in range(784)]
    columns = list(
        read(tmp_path, "w.csv", f"{','.join(names)}\n{','.join(['7'] * 784)}\n").values()
    )
    text = shown(columns)
    assert (
        "- pixel0 .. pixel783 (784 columns): type=numeric missing=0 unique=1 range=[7, 7]" in text
    )
    assert kind_of(columns, ()) == "image"


def test_what_does_not_fit_is_counted() -> None:
    letters = [chr(97 + n // 26) + chr(97 + n % 26) for n in range(26 * 26)]
    columns = [
        Column(name=f"{each} column", type="categorical", missing=0.0, unique=3, examples=("x",))
        for each in letters
    ]
    text = shown(columns)
    more = re.search(r"^- \.\.\. (\d+) more columns: (\d+) categorical$", text, re.MULTILINE)
    assert more
    lines = re.findall(r"^- .. column: type=", text, re.MULTILINE)
    assert int(more[1]) == int(more[2]) == len(columns) - len(lines)
    assert "## Files" in text


def test_very_many_files_and_targets_stay_short() -> None:
    text = shown([], targets=tuple(f"target number {n}" for n in range(2000)), files=100_000)
    assert len(text) <= MOST_CHARACTERS
    assert "- images/: 100000 files" in text
    targets = re.search(r"^- target columns: (.*)$", text, re.MULTILINE)
    assert targets
    assert json.loads(targets[1])[-1] == "..."


Names = st.lists(st.text(min_size=1, max_size=200), max_size=60, unique=True)


@given(names=Names, kind=st.sampled_from(["categorical", "boolean", "json"]))
@settings(max_examples=60, deadline=None)
def test_every_column_line_can_be_read_back(names: list[str], kind: str) -> None:
    columns = [
        Column(name=name, type=kind, missing=0.25, unique=2, examples=(name,))  # type: ignore[arg-type]
        for name in names
    ]
    text = shown(columns)
    assert len(text) <= MOST_CHARACTERS
    part = text.split("(10 rows)\n", 1)[1].split("\n## ", 1)[0]
    for line in part.split("\n"):
        if not line or line.startswith("- ... ") or " columns): type=" in line:
            continue
        found = LINE.fullmatch(line)
        assert found, line
        name = found["name"]
        assert (json.loads(name) if name.startswith('"') else name) in names
