"""One paragraph that says what kind of task a task is, for finding similar ones. Pure."""

import re

from agents.context import estimate
from schemas.events import TaskPrepared

MOST_TOKENS = 250

_ROWS = re.compile(r"^## Columns of .* \((\d+) rows\)$", re.MULTILINE)
_COLUMN = re.compile(r"^- (?P<name>.+?): type=(?P<type>\w+)", re.MULTILINE)
_COLUMNS_SHOWN = 12
_WORDS_OF_DESCRIPTION = 40


def descriptor(prepared: TaskPrepared) -> str:
    """Return the descriptor of a task, under 250 tokens."""
    task = prepared.task
    better = "lower" if task.lower_is_better else "higher"
    rows = _ROWS.search(prepared.preview)
    columns = [f"{each['name']} ({each['type']})" for each in _COLUMN.finditer(prepared.preview)]
    size = f"{rows[1]} training rows, " if rows else ""
    words = task.description.split()[:_WORDS_OF_DESCRIPTION]
    targets = ", ".join(task.targets[:_COLUMNS_SHOWN])
    sentences = [
        f"{task.title}: a {task.kind} task scored by {task.metric}, {better} is better.",
        f"It asks for {targets} of {prepared.sample.rows} rows; {size}{len(columns)} columns.",
        " ".join(words),
        f"Columns: {', '.join(columns[:_COLUMNS_SHOWN])}." if columns else "",
    ]
    return _under(" ".join(" ".join(sentences).split()))


def _under(text: str) -> str:
    """Return as many words of *text* as stay under the limit."""
    words = text.split(" ")
    while len(words) > 1 and estimate(" ".join(words)) >= MOST_TOKENS:
        words.pop()
    short = " ".join(words)
    while estimate(short) >= MOST_TOKENS:
        short = short[:-1]
    return short
