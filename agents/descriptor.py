"""One paragraph that says what kind of task a task is, for finding similar ones. Pure."""

import re
from collections.abc import Iterable, Iterator

from agents.context import estimate
from agents.context.tokens import BYTES_PER_TOKEN
from schemas.events import TaskPrepared

MOST_TOKENS = 250
"""A descriptor stays below this (ML-Master 2.0, arXiv 2601.10402, appendix A)."""

_ROWS = re.compile(r"^## Columns of .* \((\d+) rows\)$", re.MULTILINE)
_COLUMN = re.compile(r"^- (?P<name>.+?): type=(?P<type>\w+)", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#+.*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|https?://\S+")
_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_SHOWN = 12
_TITLE = 100
_DESCRIPTION_TOKENS = 100
"""What the description may take, so that there is room for the columns."""


def descriptor(prepared: TaskPrepared) -> str:
    """Return the descriptor of a task: whole sentences, under 250 tokens."""
    task = prepared.task
    better = "lower" if task.lower_is_better else "higher"
    rows = _ROWS.search(prepared.preview)
    columns = [f"{each['name']} ({each['type']})" for each in _COLUMN.finditer(prepared.preview)]
    size = f"{rows[1]} training rows, " if rows else ""
    targets = ", ".join(task.targets[:_SHOWN])
    told = _fitting(
        [
            f"{task.title[:_TITLE]}: {task.kind} data, scored by {task.metric}, {better} is better.",
            f"It asks for {targets} of {prepared.sample.rows} rows; {size}{len(columns)} columns.",
        ]
    )
    most = min(MOST_TOKENS, estimate(told) + _DESCRIPTION_TOKENS)
    told = _fitting([told, *_sentences(task.description)], most)
    fewer = range(min(len(columns), _SHOWN), 0, -1)
    shown = (_fitting([told, f"Columns: {', '.join(columns[:number])}."]) for number in fewer)
    return next((longer for longer in shown if longer != told), told)


def described(title: str, description: str) -> str:
    """Return the descriptor of a task of which nothing is known but its description."""
    return _fitting([f"{title[:_TITLE]}.", *_sentences(description)])


def shortened(text: str) -> str:
    """Return a descriptor that somebody else wrote as one paragraph under 250 tokens.

    It is cut to whole sentences, or where it has none that fit, by characters.
    """
    paragraph = " ".join(text.split())
    if estimate(paragraph) < MOST_TOKENS:
        return paragraph
    return _fitting(_END.split(paragraph)) or _beginning(paragraph)


def _beginning(text: str) -> str:
    most = BYTES_PER_TOKEN * (MOST_TOKENS - 1)
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").strip()


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a description in Markdown, without headings and addresses."""
    plain = _LINK.sub(r"\1", _HEADING.sub("\n\n", text))
    return (each for each in _END.split(plain) if each and each.strip())


def _fitting(sentences: Iterable[str], most: int = MOST_TOKENS) -> str:
    """Return the first sentences, as one paragraph, that stay below *most* tokens together.

    One that is too long by itself is passed over.
    """
    told = ""
    for sentence in sentences:
        longer = " ".join(f"{told} {sentence}".split())
        if estimate(longer) < most:
            told = longer
        elif estimate(sentence) < most:
            break
    return told
