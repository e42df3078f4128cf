"""Events as lines: one for people, one of JSON for programs and for keeping. Pure, no I/O."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from schemas.envelope import Envelope, Recorded, Vocabulary, encode

_LONGEST = 90
_TELLING = ("why", "analysis", "text", "instruction", "summary", "model_summary", "plan", "reply")
"""Fields that tell most of an event, the best first."""


class Kept(Envelope, frozen=True, kw_only=True):
    """An event in a file, with its place in the log."""

    seq: int


def kept(seq: int, event: Envelope) -> str:
    """Return an event as a line of JSON: its CloudEvents attributes, its data, and its place."""
    return f'{{"seq":{seq},{encode(event).decode()[1:]}'


def read(lines: Iterable[str], vocabulary: Vocabulary) -> Iterator[Recorded[Any]]:
    """Yield the events of such lines; raises msgspec.DecodeError."""
    decode = msgspec.json.Decoder(Kept).decode
    for line in lines:
        event = decode(line)
        yield vocabulary.read(event, event.seq)


def told(seq: int, event: Envelope) -> tuple[int, str, str, str, str]:
    """Return an event's number, time of day (UTC), type, key, and a few words of what it says."""
    data = msgspec.json.decode(event.data)
    return seq, f"{event.time:%T}", event.type, event.key, _words(data, event.key)


def about(event: Envelope, node: str) -> bool:
    """Return whether *event* is about *node*."""
    data = msgspec.json.decode(event.data)
    return isinstance(data, dict) and node in {data.get("node"), data.get("subject")}


def _words(data: Any, key: str) -> str:
    if not isinstance(data, dict):
        return ""
    scalars = [
        f"{name} {_number(value)}"
        for name, value in data.items()
        if isinstance(value, str | float | int)
        and name not in _TELLING
        and value not in {"", key}
        and len(str(value)) < _LONGEST // 2
        and str(value) not in key.split(".")
    ]
    telling = next((str(data[name]) for name in _TELLING if data.get(name)), "")
    text = " ".join(": ".join(filter(None, [", ".join(scalars[:4]), telling])).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _number(value: object) -> object:
    return f"{value:.5g}" if isinstance(value, float) else value
