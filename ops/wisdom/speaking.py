"""Where a command records something: the system that is up, else a small one for as long as it takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from msgspec.structs import replace

from ops import configuration, logs
from ops.past.access import Records, records, url_of
from ops.processes.system import Plan, running
from schemas.settings import Actors, Settings

_CURATOR_ALONE = Actors(**{each: int(each == "curator") for each in Actors.__struct_fields__})


@asynccontextmanager
async def speaking(
    home: Path, url: str | None, *, settings: Settings | None = None
) -> AsyncIterator[Records]:
    """Yield a log that can be added to: its `bus` is there.

    Where no system is up, server and recorder are started and ended here, with *settings* also one
    curator. Raises Problem, BusUnavailable and store.failures.LogFailure.
    """
    if url or await url_of(home):
        async with records(home, url) as log:
            yield log
        return
    wanted = settings or Settings()
    logs.configure("command", home, wanted.log_level)
    plan = Plan(
        home=home,
        settings=replace(wanted, actors=_CURATOR_ALONE),
        endpoint=configuration.endpoint() if settings else None,
        actors=settings is not None,
    )
    async with running(plan, _notice), records(home) as log:
        yield log


async def _notice(text: str) -> None:
    click.echo(f"! {text}", err=True)
