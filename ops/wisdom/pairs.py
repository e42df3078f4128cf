"""Pairs of a task's description and a solution of it, in folders, made into wisdom. Reads files."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from agents import program
from agents.descriptor import described
from agents.embedding import embed
from ops.wisdom.shelf import IMPORTED
from schemas.events import WisdomDistilled

SOLUTION = "solution.py"
DESCRIPTIONS = ("description.md", "description.txt", "README.md")

_HASH = 16
_LONGEST = 1500
_TITLE = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)
_SECTION = re.compile(r"^#+[ \t]*(.*)$", re.MULTILINE)
_OF_DATA = re.compile(r"\b(data|dataset|datasets|files|columns|features|fields)\b", re.IGNORECASE)


class Pair(Struct, frozen=True, kw_only=True):
    """A task as its description tells it, and a program that solves it."""

    task: str
    description: str
    solution: str

    @property
    def run(self) -> str:
        """The run under which the pair is recorded: the same for the same pair."""
        return IMPORTED + digest(self.description.strip(), self.solution.strip())


def pairs(folder: Path) -> Iterator[Pair | str]:
    """Yield the pairs in *folder*, itself one or full of such; of others a line that says why not."""
    folders = [folder] if (folder / SOLUTION).exists() else sorted(folder.iterdir())
    for each in folders:
        if each.is_dir() and not each.name.startswith("."):
            yield _pair(each)


def wisdom_of(pair: Pair) -> WisdomDistilled:
    """Return what a pair teaches, put together without a model."""
    title = _TITLE.search(pair.description)
    paragraph = described(title[1] if title else pair.task, pair.description)
    return WisdomDistilled(
        task=pair.task,
        descriptor=paragraph,
        embedding=embed(paragraph),
        data_summary=_about_data(pair.description),
        model_summary=program.told(pair.solution),
        rests_on=(),
        origin=pair.task,
        mechanical=True,
    )


def digest(*texts: str) -> str:
    """Return a short name for texts: the same for the same texts."""
    return sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:_HASH]


def _pair(folder: Path) -> Pair | str:
    description = next((folder / name for name in DESCRIPTIONS if (folder / name).is_file()), None)
    solution = folder / SOLUTION
    if description is None or not solution.is_file():
        return f"{folder}: no {SOLUTION if description else DESCRIPTIONS[0]}"
    texts = [each.read_text(encoding="utf-8", errors="replace") for each in (description, solution)]
    if not all(text.strip() for text in texts):
        return f"{folder}: description or solution is empty"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name).strip("-")
    return Pair(task=name or "task", description=texts[0], solution=texts[1])


def _about_data(description: str) -> str:
    """Return what a description says of the data: the sections so called, else its beginning."""
    parts = _SECTION.split(description)[1:]
    told = [
        text.strip()
        for title, text in zip(parts[::2], parts[1::2], strict=True)
        if _OF_DATA.search(title)
    ]
    text = "\n\n".join(filter(None, told)) or description.strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
