"""A run's events as lines, from the log and then as they happen. Writes to standard output."""

import sys
from collections import deque
from collections.abc import Collection

from msgspec import Struct

from bus.work import follow
from ops.past import lines
from ops.past.access import Records
from schemas.envelope import PREFIX, Envelope


class Wanted(Struct, frozen=True, kw_only=True):
    """Which events, and how they are written."""

    types: Collection[str] = ()
    node: str | None = None
    as_json: bool = False
    limit: int | None = None
    follow: bool = False


async def trail(log: Records, run: str, wanted: Wanted) -> None:
    """Write the chosen events of *run*; with `follow` until cancelled.

    Raises Problem when there is nothing to follow.
    """
    bus = log.running("--follow") if wanted.follow else None
    newest = deque[tuple[int, Envelope]](maxlen=wanted.limit)
    last = 0
    async for seq, event in log.events(run=run, types=wanted.types):
        last = seq
        if _chosen(event, wanted):
            newest.append((seq, event))
    for seq, event in newest:
        _write(seq, event, wanted)
    sys.stdout.flush()
    if bus is not None:
        async for seq, event in follow(bus, [f"{PREFIX}.{run}.>"], from_seq=last + 1):
            if _chosen(event, wanted):
                _write(seq, event, wanted)
                sys.stdout.flush()


def _chosen(event: Envelope, wanted: Wanted) -> bool:
    named = not wanted.types or event.type in wanted.types
    return named and (wanted.node is None or lines.about(event, wanted.node))


def _write(seq: int, event: Envelope, wanted: Wanted) -> None:
    if wanted.as_json:
        text = lines.kept(seq, event)
    else:
        number, time, kind, key, words = lines.told(seq, event)
        text = f"{number:>6}  {time}  {kind:<18} {key:<22} {words}".rstrip()
    sys.stdout.write(f"{text}\n")
