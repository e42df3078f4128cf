"""Wisdom as lines of JSON: what leaves one home and comes into another. Pure, no I/O."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from agents.descriptor import shortened
from agents.embedding import embed
from ops.wisdom.pairs import Pair, digest
from ops.wisdom.shelf import IMPORTED
from schemas.events import WisdomDistilled
from store.projections.wisdom import Entry

_NAMED = re.compile(rf"{IMPORTED}[0-9a-f]+")


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry without its embedding, which follows from the descriptor."""

    run: str
    task: str
    descriptor: str
    data_summary: str
    model_summary: str
    rests_on: tuple[str, ...] = ()
    test_hash: str = ""
    origin: str = ""
    mechanical: bool = False

    @property
    def name(self) -> str:
        """The run under which the line is recorded: the same for the same line."""
        if _NAMED.fullmatch(self.run):
            return self.run
        return IMPORTED + digest(self.run, self.task, self.descriptor, self.model_summary)


def written(entry: Entry) -> str:
    """Return an entry as a line."""
    fields = {name: getattr(entry, name) for name in Line.__struct_fields__}
    return msgspec.json.encode(Line(**fields)).decode()


def read(lines: Iterable[str]) -> Iterator[Line | Pair]:
    """Yield what each line holds: an entry, or a pair of description and solution.

    Raises ValueError that names the line.
    """
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                tree: Any = msgspec.json.decode(text)
                if isinstance(tree, dict) and "solution" in tree:
                    yield msgspec.convert(tree, Pair)
                else:
                    yield msgspec.convert(tree, Line)
            except msgspec.MsgspecError as error:
                raise ValueError(f"line {number}: {error}") from None


def wisdom_of(line: Line) -> WisdomDistilled:
    """Return the entry that a line describes."""
    paragraph = shortened(line.descriptor)
    return WisdomDistilled(
        task=line.task,
        descriptor=paragraph,
        embedding=embed(paragraph),
        data_summary=line.data_summary,
        model_summary=line.model_summary,
        rests_on=line.rests_on,
        test_hash=line.test_hash,
        origin=line.origin or line.run,
        mechanical=line.mechanical,
    )
