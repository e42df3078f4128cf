"""Runs as `flowstone log RUN --json` wrote them: whole events, one a line. Pure, no I/O."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec.structs import asdict

from ops.importing.imported import Imported
from ops.past.lines import Kept
from schemas.envelope import Envelope, Unknown, Unreadable, Vocabulary, id_of, subject_of, wrap
from schemas.events import RunFinished, RunImported, RunStarted
from store.chain import row_of

_BEGINNING, _END = RunStarted.__name__, RunFinished.__name__
_decode = msgspec.json.Decoder(Kept).decode
_vocabulary = Vocabulary()


def runs(content: bytes, file: str) -> list[Imported]:
    """Return the runs in the *content* of *file*, every event as it was written.

    Raises msgspec.DecodeError, Unreadable for an event that is not what it was, and ValueError for
    a run without its beginning or its end.
    """
    found: dict[str, list[Kept]] = {}
    for line in content.splitlines():
        if line.strip():
            event = _checked(_decode(line))
            found.setdefault(event.run, []).append(event)
    if not found:
        raise ValueError("there is no event in it")
    told = RunImported(recording=file, sha256=hashlib.sha256(content).hexdigest())
    return [_run(sorted(events, key=lambda each: each.seq), told) for events in found.values()]


def _checked(event: Kept) -> Kept:
    """Return *event*; raises Unreadable unless it is a public one with the subject and id it has to have."""
    if event.subject != subject_of(event.type, event.run, event.key):
        raise Unreadable(f"event {event.seq}: {event.subject!r} is not where it belongs")
    row_of("public", event.seq, event)
    data = _vocabulary.data(event.type, event.schema, event.data)
    if not isinstance(data, Unknown) and event.id != id_of(data, event.run, event.cause):
        raise Unreadable(f"event {event.seq}: its id does not derive from its cause")
    return event


def _run(events: Sequence[Kept], told: RunImported) -> Imported:
    kinds, first = {each.type for each in events}, events[0]
    for needed, lacks in (
        (_BEGINNING, "its beginning"),
        (_END, "an end; export it when it has one"),
    ):
        if needed not in kinds:
            raise ValueError(f"the run {first.run} lacks {lacks}")
    plain = [_plain(each) for each in events]
    places = [each.seq for each in events]
    if RunImported.__name__ not in kinds:
        source = f"flowstone://export/{told.recording}"
        plain.insert(0, wrap(told, run=first.run, source=source, time=first.time, cause=None))
        places.insert(0, 0)
    return Imported(run=first.run, events=tuple(plain), places=tuple(places))


def _plain(event: Kept) -> Envelope:
    """Return *event* without its place in the log that it comes from."""
    return Envelope(**{name: value for name, value in asdict(event).items() if name != "seq"})
