"""What a person says to a run on a system that is up: stop, pause, go on, a word of guidance."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bus.connection import last_sequence
from ops.errors import Problem
from ops.past.access import records, url_of
from ops.past.runs import Run, chosen
from ops.runs import conduct
from schemas.events import Event, RunResumed

Saying = Callable[[int, Run], Event]
"""Makes what is said out of its number and the run."""


async def say(home: Path, url: str | None, name: str, saying: Saying) -> str:
    """Say something to the run that a person calls *name*, and return its whole name.

    Raises Problem when nobody listens.
    """
    async with records(home, url) as log:
        bus = log.running("speaking to a run")
        run = await chosen(log, name)
        if ending := run.ending:
            raise Problem(
                f"{run.run} has ended ({ending.why})", remedy="start another with `flowstone run`"
            )
        await conduct.say(bus, run.run, saying(await last_sequence(bus), run))
        await conduct.log_complete(bus)  # whoever asks the log next is told of it
    return run.run


async def unpause(home: Path, name: str) -> str | None:
    """Let a paused run of the system that is up in *home* go on; None when no system is.

    Raises Problem when the run is not paused.
    """
    url = await url_of(home)
    return None if url is None else await say(home, url, name, _resumed)


def _resumed(number: int, run: Run) -> Event:
    if run.paused_at is None:
        raise Problem(f"{run.run} is running", remedy="see it with `flowstone status`")
    away = datetime.now(UTC).timestamp() - run.paused_at
    return RunResumed(n=number, minutes=max(0.0, away / 60))
