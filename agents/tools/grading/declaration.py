"""What a task folder declares of itself: task.toml, grading.json, config.yaml, the description.

Reads files; judges nothing about the data.
"""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from schemas import metrics
from schemas.metrics import Metric


class TaskProblem(ValueError):  # noqa: N818 - it describes the folder
    """Raised when a folder is no task; one line for people: what, where, what to do."""


class Rules(Struct, frozen=True, kw_only=True):
    """What a submission is held to besides columns, ids and readable cells.

    `positional` graders never compare ids; `None` leaves a rule to the metric.
    """

    positional: bool = False
    unit_interval: bool | None = None
    sum_to_one: bool | None = None
    exact_columns: bool | None = None


class Declared(Struct, frozen=True, kw_only=True):
    """Everything the folder says; paths are relative to the folder, empty where it says nothing."""

    id: str = ""
    title: str = ""
    metric: str = ""
    lower_is_better: bool | None = None
    id_column: str = ""
    label: str = ""
    train: str = ""
    test: str = ""
    sample: str = ""
    answers: str = ""
    rules: Rules = Rules()


TASK_FILE = "task.toml"
SENTENCE = 4
"""From this many words on a declared metric is prose, as in grading.json."""


def declared(folder: Path) -> Declared:
    """Return what the folder says, task.toml before grading.json before config.yaml.

    Raises TaskProblem when one of them cannot be read.
    """
    said: dict[str, Any] = {}
    for source in (_config(folder), _grading(folder), _task_toml(folder)):
        said |= source
    try:
        return msgspec.convert(said, Declared)
    except msgspec.ValidationError as error:
        raise TaskProblem(f"{folder / TASK_FILE}: {error}: correct the value") from None


def metric_of(said: Declared, description: str, folder: Path) -> Metric:
    """Return the metric that is declared or, without a declaration, that the description names.

    Raises TaskProblem when it is unknown or there is none.
    """
    known = ", ".join(metrics.KNOWN)
    if said.metric:
        sentence = len(said.metric.split()) >= SENTENCE
        found = metrics.named(said.metric) or (
            metrics.recognised(said.metric) if sentence else None
        )
        if found:
            return found
        near = metrics.nearest(said.metric)
        hint = f"did you mean {near}? " if near else ""
        raise TaskProblem(f"{folder}: unknown metric {said.metric!r}: {hint}known are {known}")
    found = metrics.recognised(_evaluation_section(description))
    if found:
        return found
    raise TaskProblem(
        f'{folder}: no metric is declared: write metric = "NAME" into {folder / TASK_FILE}; '
        f"known are {known}"
    )


def _evaluation_section(description: str) -> str:
    """Return the text after the first heading about evaluation, without the targets of links."""
    text = re.sub(r"\]\([^)\s]*\)", "] ", description)
    section = re.search(
        r"^(#+|\*\*)[^\n]*\b(evaluat\w*|metric|scoring)\b.*?(?=^#{1,2} |\Z)",
        text,
        re.IGNORECASE | re.MULTILINE | re.DOTALL,
    )
    return section.group(0) if section else ""


def _task_toml(folder: Path) -> dict[str, Any]:
    path = folder / TASK_FILE
    if not path.is_file():
        return {}
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaskProblem(f"{path}: {error}: correct the file") from None
    known = [each for each in Declared.__struct_fields__ if each != "rules"]
    for key in said:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise TaskProblem(f"{path}: unknown key {key!r}: {hint}")
    return said


def _grading(folder: Path) -> dict[str, Any]:
    path = folder / "grading.json"
    if not path.is_file():
        return {}
    try:
        said = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise TaskProblem(f"{path}: {error}: correct the file") from None
    words = " ".join(map(str, said.get("checks", ())))
    found: dict[str, Any] = {
        "metric": said.get("metric"),
        "lower_is_better": said.get("lower_is_better"),
        "id_column": said.get("id_column"),
        "sample": said.get("sample_submission"),
        "answers": said.get("answers"),
    }
    rules = Rules(
        positional=str(said.get("alignment", "")).upper().startswith("POSITIONAL"),
        unit_interval="[0,1]" in words.replace(" ", ""),
        sum_to_one=re.search(r"sums? to (1|one)", words) is not None,
        exact_columns="shape must be" in words,
    )
    return {key: value for key, value in found.items() if value is not None} | {"rules": rules}


def _config(folder: Path) -> dict[str, Any]:
    """Read the few lines of MLE-bench's config.yaml that matter here; its paths start at the id."""
    path = folder / "config.yaml"
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    found = {
        "id": _yaml(text, "", "id"),
        "title": _yaml(text, "", "name"),
        "metric": _yaml(text, "grader", "name"),
        "sample": _yaml(text, "dataset", "sample_submission").partition("/")[2],
        "answers": _yaml(text, "dataset", "answers").partition("/")[2],
    }
    return {key: value for key, value in found.items() if value}


def _yaml(text: str, section: str, key: str) -> str:
    """Return one scalar of a flat YAML file, at the top or one level down."""
    if section:
        block = re.search(rf"^{section}:\s*\n((?:[ \t]+.*\n?|\s*\n)+)", text, re.MULTILINE)
        text = block.group(1) if block else ""
    indent = r"[ \t]+" if section else ""
    line = re.search(rf"^{indent}{key}:[ \t]*(.*)$", text, re.MULTILINE)
    return line.group(1).strip().strip("'\"") if line else ""
