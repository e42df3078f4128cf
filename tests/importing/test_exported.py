"""Runs that were written out whole: read as they were, and refused when they were changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.importing import exported
from schemas.envelope import encode

GOLDEN = Path(__file__).parents[1] / "past" / "logs" / "wine.jsonl"
LINES = GOLDEN.read_text().splitlines()

Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def read(lines: list[dict[str, Any]]) -> list[Any]:
    return exported.runs("\n".join(json.dumps(each) for each in lines).encode(), "wine.jsonl")


def test_every_event_is_as_it_was_written() -> None:
    (run,) = exported.runs(GOLDEN.read_bytes(), "wine.jsonl")
    imported, *events = run.events
    assert (run.run, imported.type, imported.run) == ("wine", "RunImported", "wine")
    assert [
        f'{{"seq":{seq},{encode(each).decode()[1:]}'
        for seq, each in zip(run.places[1:], events, strict=True)
    ] == LINES


def test_the_order_of_lines_does_not_matter() -> None:
    (run,) = exported.runs(GOLDEN.read_bytes(), "wine.jsonl")
    (again,) = exported.runs("\n".join(reversed(LINES)).encode(), "wine.jsonl")
    assert (again.places, again.events[1:]) == (run.places, run.events[1:])


def _drop(kind: str) -> Change:
    return lambda lines: [each for each in lines if each["type"] != kind]


def _set(name: str, value: Any) -> Change:
    return lambda lines: [lines[0] | {name: value}, *lines[1:]]


NOWHERE = "00000000-0000-0000-0000-000000000000"
CHANGES: dict[str, tuple[Change, str]] = {
    "no end": (_drop("RunFinished"), "the run wine lacks an end; export it when it has one"),
    "no beginning": (_drop("RunStarted"), "the run wine lacks its beginning"),
    "nothing": (lambda lines: lines[:0], "there is no event in it"),
    "another id": (_set("id", NOWHERE), "event 6: its id does not derive"),
    "another cause": (_set("cause", NOWHERE), "event 6: its id does not derive"),
    "a wildcard": (_set("subject", "flowstone.wine.RunStarted.>"), "cannot be part of a subject"),
    "another type": (_set("subject", "flowstone.wine.TimeUp.once"), "is not where it belongs"),
    "a large number": (_set("seen", 2**63), "a number is too large"),
    "no time": (_set("time", "yesterday"), "Invalid"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_was_changed_or_is_not_whole_is_refused(case: str) -> None:
    change, why = CHANGES[case]
    lines = [json.loads(line) for line in LINES]
    with pytest.raises(ValueError, match=why):
        read(change(lines))
