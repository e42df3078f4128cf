"""Lays imported runs into this home's log, through the stream like everything else. Does I/O.

The log goes by the numbers of the stream, and the recorder alone writes it. So the server and the
recorder are brought up for as long as it takes, and nobody else: a home in use is refused.
"""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bus.connection import Bus, last_sequence
from ops.errors import Problem
from ops.importing.imported import Imported
from ops.processes.supervisor import Notice
from ops.processes.system import Plan, running
from ops.runs import conduct
from schemas.envelope import Envelope, subject_of
from schemas.events import ONCE, RunImported, RunStarted
from schemas.settings import Settings


class Laid(Struct, frozen=True, kw_only=True):
    """A run that is in the log, and how many of its events are new there."""

    run: str
    events: int
    new: int


async def lay(runs: Sequence[Imported], home: Path, url: str | None, notice: Notice) -> list[Laid]:
    """Record every event of *runs* that is not there yet; raises Problem."""
    plan = Plan(home=home, settings=Settings(), endpoint=None, url=url, actors=False)
    async with running(plan, notice) as bus:
        for run in runs:
            await _check(bus, run)
        laid = [await _lay(bus, run) for run in runs]
        if not await conduct.log_complete(bus):
            await notice("the recorder is behind; what is missing is in the stream and not lost")
    return laid


async def _check(bus: Bus, run: Imported) -> None:
    """Raise Problem where another run has that name."""
    here = await bus.recorded(subject_of(RunStarted, run.run, ONCE))
    mine = next(each for each in run.events if each.type == RunStarted.__name__)
    if here is not None and _identity(here[1]) != _identity(mine):
        remedy = "import it in another home: set FLOWSTONE_HOME"
        raise Problem(f"there is another run {run.run!r} here", remedy=remedy)


async def _lay(bus: Bus, run: Imported) -> Laid:
    head = await last_sequence(bus)
    started = await bus.recorded(subject_of(RunStarted, run.run, ONCE))
    said = await bus.recorded(subject_of(RunImported, run.run, ONCE))
    if started is not None and said is None:  # it happened here
        return Laid(run=run.run, events=len(run.events) - 1, new=0)
    moved: list[int] = []
    for event in run.events:
        published = await bus.publish(replace(event, seen=_moved(event.seen, run.places, moved)))
        moved.append(published.seq)
    return Laid(run=run.run, events=len(moved), new=sum(seq > head for seq in moved))


def _moved(seen: int, places: Sequence[int], moved: Sequence[int]) -> int:
    """Return where the event is now up to which a role had read, given where those before it are."""
    at = bisect_right(places, seen, hi=len(moved)) - 1 if seen and places else -1
    return moved[at] if at >= 0 else 0


def _identity(event: Envelope) -> tuple[object, ...]:
    return event.id, event.time, event.source, bytes(event.data)
