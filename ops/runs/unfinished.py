"""Runs that were cut short and left in the stream: found, kept from going on unasked, timed. Talks to the bus."""

from datetime import datetime

from bus.connection import Bus, last_sequence
from bus.subjects import STREAM, filters
from ops.runs.conduct import say
from schemas.events import (
    ALL,
    Event,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    WisdomWithdrawn,
)


async def pause_others(bus: Bus, run: str) -> list[str]:
    """Pause every unfinished run but *run*, and return those that were not paused already.

    Their work waits in the stream, and whoever comes up for one run would go on with all.
    """
    paused = []
    for other in sorted(await _runs(bus, RunStarted) - await _runs(bus, RunFinished) - {run}):
        stopped, resumed = [await _newest(bus, kind, other) for kind in (RunPaused, RunResumed)]
        if stopped <= resumed:
            await say(bus, other, RunPaused(n=await last_sequence(bus)))
            paused.append(other)
    return paused


async def last_active(bus: Bus, run: str) -> datetime:
    """Return when *run* last did anything; being paused, or its wisdom withdrawn, is no doing."""
    done_to_it = (RunPaused, WisdomWithdrawn)
    kinds = [kind for kind in ALL if kind not in done_to_it and not kind.private]
    found = [await bus.recorded(subject) for subject in filters(kinds, run=run)]
    times = [newest[1].time for newest in found if newest]
    if not times:
        raise LookupError(f"{run}: the stream holds no event of it")
    return max(times)


async def _runs(bus: Bus, kind: type[Event]) -> set[str]:
    (subject,) = filters([kind])
    subjects = (await bus.streams.stream_info(STREAM, subjects_filter=subject)).state.subjects
    return {each.split(".")[1] for each in subjects or ()}


async def _newest(bus: Bus, kind: type[Event], run: str) -> int:
    (subject,) = filters([kind], run=run)
    found = await bus.recorded(subject)
    return found[0] if found else 0
