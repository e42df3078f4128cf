"""Composed programs at work: every piece runs on small data and writes a sound submission."""

import csv
import json
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ops.rehearsal.composer.facts import Column, Facts
from ops.rehearsal.composer.families import PICTURES, families, first
from ops.rehearsal.composer.moves import STEPS
from ops.rehearsal.composer.recipe import Recipe, program

TRAIN, TEST = 90, 30
LOTS = random.Random(5)  # noqa: S311 - rows for a test
NUMBERS = (
    *(f"lattice_vector_{number}" for number in (1, 2, 3)),
    *(f"angle_{number}" for number in (1, 2, 3)),
    *("number_of_atoms", "percent_a", "percent_b", "time"),
)


def row(number: int) -> dict[str, Any]:
    """Return a row whose target follows from its columns."""
    values: dict[str, Any] = {name: round(LOTS.uniform(1, 9), 3) for name in NUMBERS}
    values |= {name: LOTS.choice([0, 0, LOTS.randint(1, 50)]) for name in ("spent a", "spent b")}
    values["time"] = 1_300_000_000 + 100_000 * number
    return {
        "id": f"{number // 2:04d}_{number % 2}",
        **values,
        "cabin": f"{LOTS.choice('AB')}/{LOTS.randint(1, 40)}/{LOTS.choice('PS')}",
        "place": LOTS.choice(["north", "south", None]),
        "vip": LOTS.choice([True, False]),
        "why": " ".join(LOTS.choices(["thank", "you", "I", "need", "it!", "http"], k=8)),
        "groups": LOTS.sample(["cats", "dogs", "food"], 2),
        "target": values["spent a"] + values["lattice_vector_1"] > 8,
    }


COLUMNS = (
    *(Column(name=name, type="numeric", low=0.0) for name in (*NUMBERS, "spent a", "spent b")),
    *(Column(name=name, type="categorical") for name in ("cabin", "place")),
    Column(name="vip", type="boolean"),
    Column(name="why", type="text"),
    Column(name="groups", type="json"),
)
TABLE = Facts(
    metric="accuracy",
    targets=("target",),
    label="target",
    train_file="train.json",
    test_file="test.json",
    classes=("False", "True"),
    columns=COLUMNS,
    rows=TRAIN,
)
VALUES = Facts(
    metric="rmsle",
    needs="numbers",
    lower_is_better=True,
    targets=("one", "two"),
    train_file="train.json",
    test_file="test.json",
    columns=COLUMNS[:12],
    rows=TRAIN,
)
TEXTS = Facts(
    metric="log-loss",
    needs="probabilities",
    lower_is_better=True,
    targets=("cat", "dog", "emu"),
    label="author",
    columns=(Column(name="text", type="text"), Column(name="author", type="categorical")),
    train_only=("author",),
    rows=TRAIN,
)
DIGITS = Facts(
    kind="image",
    metric="accuracy",
    targets=("digit",),
    label="digit",
    columns=(Column(name="pixel0", type="numeric", count=16),),
    rows=TRAIN,
)


def everything(facts: Facts, **flags: Any) -> Recipe:
    """Return a design with every family, every step and the given flags."""
    members = tuple(each.member for each in families(facts))
    steps = first(families(facts)[0], facts).steps
    steps += tuple(each.name for each in STEPS if each.applies(facts) or facts is TABLE)
    steps = tuple(each for each in steps if each != "pixel_profiles" or facts is DIGITS)
    return Recipe(members=members, steps=steps, folds=2, weights="fitted_weights", **flags)


def run(code: str, place: Path) -> float:
    """Run a program and return the score it prints."""
    (place / "solution.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "solution.py"], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"^Final validation score: (-?[\d.]+)$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    return float(found[1])


def submission(place: Path) -> list[dict[str, str]]:
    """Return the submission's rows."""
    with (place / "submission" / "submission.csv").open() as file:
        return list(csv.DictReader(file))


def write(place: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as CSV or JSON into the program's input."""
    (place / "input").mkdir(exist_ok=True)
    path = place / "input" / name
    if name.endswith(".json"):
        path.write_text(json.dumps(rows))
        return
    with path.open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def without(rows: Sequence[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Return rows without some columns."""
    return [{key: value for key, value in each.items() if key not in names} for each in rows]


def test_tables_with_texts_lists_codes_and_gaps(tmp_path: Path) -> None:
    rows = [row(number) for number in range(TRAIN + TEST)]
    tests = without(rows[TRAIN:], "target")
    write(tmp_path, "train.json", rows[:TRAIN])
    write(tmp_path, "test.json", tests)
    sample = [{"id": each["id"], "target": False} for each in reversed(tests)]
    write(tmp_path, "sample_submission.csv", sample)
    assert run(program(everything(TABLE, cut=True), TABLE), tmp_path) > 0.6
    written = submission(tmp_path)
    assert [each["id"] for each in written] == [each["id"] for each in sample]
    assert {each["target"] for each in written} == {"True", "False"}


def test_several_values(tmp_path: Path) -> None:
    rows = [without([row(number)], "target")[0] for number in range(TRAIN + TEST)]
    for each in rows:
        each |= {"one": each["spent a"], "two": each["lattice_vector_1"] / 10}
    write(tmp_path, "train.json", rows[:TRAIN])
    write(tmp_path, "test.json", without(rows[TRAIN:], "one", "two"))
    sample = [{"id": each["id"], "one": 0, "two": 0} for each in rows[TRAIN:]]
    write(tmp_path, "sample_submission.csv", sample)
    assert 0 < run(program(everything(VALUES, logarithm=True), VALUES), tmp_path) < 0.5
    for each, true in zip(submission(tmp_path), rows[TRAIN:], strict=True):
        assert float(each["one"]) >= 0
        assert float(each["two"]) == pytest.approx(true["two"], abs=0.3)


def test_probabilities_of_classes_from_text(tmp_path: Path) -> None:
    words = {"cat": "purr milk mouse", "dog": "bark bone walk", "emu": "run feather egg"}
    rows = []
    for number in range(TRAIN + TEST):
        author = ("emu", "cat", "dog")[number % 3]
        said = LOTS.choices([*words[author].split(), "the", "a", "and"], k=7)
        rows.append({"id": number, "text": " ".join(said), "author": author})
    write(tmp_path, "train.csv", rows[:TRAIN])
    write(tmp_path, "test.csv", without(rows[TRAIN:], "author"))
    sample = [{"id": n, "cat": 0.3, "dog": 0.3, "emu": 0.4} for n in range(TRAIN, TRAIN + TEST)]
    write(tmp_path, "sample_submission.csv", sample)
    recipe = everything(TEXTS, geometric=True, sharpen=True)
    assert run(program(recipe, TEXTS), tmp_path) < 0.5
    for each, true in zip(submission(tmp_path), rows[TRAIN:], strict=True):
        shares = {name: float(each[name]) for name in words}
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-9)
        assert list(each) == ["id", "cat", "dog", "emu"]
        assert (
            max(shares, key=lambda name: shares[name]) == true["author"]
            or max(shares.values()) < 0.9
        )


def test_small_pictures(tmp_path: Path) -> None:
    rows = []
    for number in range(TRAIN + TEST):
        pixels = {f"pixel{p}": LOTS.randint(0, 3) + 9 * (p % 4 == number % 3) for p in range(16)}
        rows.append({"id": number, **pixels, "digit": number % 3})
    write(tmp_path, "train.csv", rows[:TRAIN])
    write(tmp_path, "test.csv", without(rows[TRAIN:], "digit"))
    write(tmp_path, "sample_submission.csv", [{"id": r["id"], "digit": 0} for r in rows[TRAIN:]])
    assert families(DIGITS) == PICTURES
    assert run(program(everything(DIGITS), DIGITS), tmp_path) > 0.9
    right = [
        int(a["digit"]) == b["digit"]
        for a, b in zip(submission(tmp_path), rows[TRAIN:], strict=True)
    ]
    assert sum(right) > 0.9 * TEST
