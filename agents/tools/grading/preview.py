r"""The data preview that prompts carry: at most 6,000 characters, the same for the same data.

Its first parts are stable, line by line, so that a program can compose a pipeline from them;
what follows is for the reader alone. Lists of more than 30 names end in "...".

    # Data preview
    - kind: tabular                        tabular | text | image
    - metric: log-loss                     a name of schemas.metrics
    - direction: lower is better           or: higher is better
    - needs: probabilities                 what a target cell holds: probabilities | labels | numbers
    - train file: train.csv                relative to ./input; empty when there is none
    - test file: test.csv
    - sample file: sample_submission.csv
    - id column: id
    - target columns: ["EAP", "HPL", "MWS"]          a JSON list, in the submission's order
    - label column: author                 the training column of the targets; empty when none
    - classes: ["EAP", "HPL", "MWS"]       a JSON list of label values; [] when not classes
    - rules: rows must sum to one          everything a submission is checked for, in words

    ## Columns of train.csv (17621 rows)
    - text: type=text missing=0 unique=17621 length=149.0 examples=["It was", "He had"]
    - age: type=numeric missing=0.02 unique=77 range=[0, 79]
    - "odd: name": type=categorical missing=0 unique=3 examples=["a", "b", "c"]
    - pixel0 .. pixel63 (64 columns): type=numeric missing=0 unique=17 range=[0, 16]

A column line is `- NAME: type=T missing=SHARE unique=N` and then optional parts. T is numeric,
categorical, text, boolean or json. NAME is a JSON string unless it starts with a letter or digit
and holds only those and ` _.()/%+-`. Neighbours of one type whose names differ only in numbers share
a line, `- FIRST .. LAST (N columns): ...`. Columns that do not fit are counted in a last line,
`- ... N more columns: 100 numeric, 20 categorical`. The id column and the target or label columns
have lines too. `unique` and `missing` are of the rows looked at (all up to a bound).

    ## Columns only in train.csv (not in test.csv)
    - author                               one per line: never available at prediction time
    ## Files
    ...                                    for the reader
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from msgspec import Struct

from agents.tools.grading.profile import Column
from schemas.metrics import Needs
from schemas.task import Task

MOST_CHARACTERS = 6000
MOST_NAMES = 30
_FOR_FILES = 900
_FEWEST_TO_GROUP = 4
_LONGEST_NAME = 120
_LONGEST_EXAMPLE = 40
_SIMPLE = re.compile(r"(?!.* \.\. )\w[\w .()/%+-]*")


class Data(Struct, frozen=True, kw_only=True):
    """What the preview tells; *files* are what solutions see, *absent* what was left out of it."""

    needs: Needs
    classes: Sequence[str]
    rules: str
    columns: Sequence[Column]
    rows: int
    only_in_train: Sequence[str]
    files: Sequence[PurePosixPath]
    absent: Sequence[str]


def preview(task: Task, data: Data) -> str:
    """Return the preview of a task's data."""
    parts = [_facts(task, data)]
    if task.train_file:
        room = MOST_CHARACTERS - _FOR_FILES - len(parts[0])
        title = f"\n## Columns of {task.train_file} ({data.rows} rows)\n"
        parts += [title, *_fitting(data.columns, room - len(title))]
        if data.only_in_train:
            parts.append(f"\n## Columns only in {task.train_file} (not in {task.test_file})\n")
            parts += [f"- {_name(each)}\n" for each in data.only_in_train[:MOST_NAMES]]
    absent = (f"- left out, it repeats other files: {each}\n" for each in data.absent[:5])
    text = "".join([*parts, "\n## Files\n", *_tree(data.files), *absent])
    return (
        text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 16] + "\n... (cut here)"
    )


def _facts(task: Task, data: Data) -> str:
    better = "lower" if task.lower_is_better else "higher"
    facts = {
        "kind": task.kind,
        "metric": task.metric,
        "direction": f"{better} is better",
        "needs": data.needs,
        "train file": task.train_file,
        "test file": task.test_file,
        "sample file": task.sample_file,
        "id column": task.id_column,
        "target columns": _list(task.targets),
        "label column": task.label or "",
        "classes": _list(data.classes),
        "rules": data.rules,
    }
    return "# Data preview\n" + "".join(f"- {key}: {value}\n" for key, value in facts.items())


def _list(names: Sequence[str]) -> str:
    shown = [*names[:MOST_NAMES], *(["..."] if len(names) > MOST_NAMES else [])]
    return json.dumps(shown, ensure_ascii=False)


def _name(name: str) -> str:
    return name if _SIMPLE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _fitting(columns: Sequence[Column], room: int) -> Iterator[str]:
    """Yield a line for each column or run of columns while there is room, then count the rest."""
    room -= 120
    runs = [run for run in _runs(columns) if len(run[0].name) <= _LONGEST_NAME]
    rest = Counter(c.type for c in columns if len(c.name) > _LONGEST_NAME)
    for at, run in enumerate(runs):
        line = _line(run)
        room -= len(line)
        if room < 0:
            rest.update(column.type for each in runs[at:] for column in each)
            break
        yield line
    if rest:
        kinds = ", ".join(f"{n} {each}" for each, n in rest.most_common())
        yield f"- ... {rest.total()} more columns: {kinds}\n"


def _runs(columns: Iterable[Column]) -> Iterator[list[Column]]:
    """Yield neighbours that differ in numbers only together, all others alone."""
    for _, group in groupby(columns, key=lambda each: (re.sub(r"\d+", "#", each.name), each.type)):
        run = list(group)
        if len(run) >= _FEWEST_TO_GROUP:
            yield run
        else:
            yield from ([each] for each in run)


def _line(run: Sequence[Column]) -> str:
    first, last = run[0], run[-1]
    name = _name(first.name)
    if len(run) > 1:
        name = f"{name} .. {_name(last.name)} ({len(run)} columns)"
    missing, unique = max(each.missing for each in run), max(each.unique for each in run)
    said = f"- {name}: type={first.type} missing={_short(missing)} unique={unique}"
    if first.type == "numeric":
        low = min(each.low for each in run if each.low is not None)
        high = max(each.high for each in run if each.high is not None)
        said += f" range=[{_short(low)}, {_short(high)}]"
    if first.length is not None:
        said += f" length={first.length}"
    if len(run) == 1 and first.type != "numeric" and first.examples:
        shown = [
            each if len(each) <= _LONGEST_EXAMPLE else each[:_LONGEST_EXAMPLE] + "…"
            for each in first.examples
        ]
        said += f" examples={json.dumps(shown, ensure_ascii=False)}"
    return said + "\n"


def _short(number: float) -> str:
    return f"{number:.4g}" if abs(number) < 1e6 else f"{number:.6g}"  # noqa: PLR2004 - to be read


def _tree(files: Sequence[PurePosixPath]) -> Iterator[str]:
    """Yield top files by name, folders by number and a few of their files."""
    tops = [each for each in files if len(each.parts) == 1]
    yield from (f"- {each}\n" for each in tops[:MOST_NAMES])
    if len(tops) > MOST_NAMES:
        yield f"- ... {len(tops) - MOST_NAMES} more files\n"
    folders = Counter(each.parts[0] for each in files if len(each.parts) > 1)
    for folder, number in sorted(folders.items())[:10]:
        some = [str(each) for each in files if each.parts[0] == folder and len(each.parts) > 1][:2]
        yield f"- {folder}/: {number} files, such as {', '.join(some)}\n"
