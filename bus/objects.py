"""Artifacts for machines that share no disk: lent through the server when somebody wants one. Does I/O.

Nothing is uploaded before it is wanted. Whoever has the bytes puts them into the object store.
"""

from collections.abc import Callable
from pathlib import Path

import anyio
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.errors import NotFoundError

from bus.connection import Bus
from bus.subjects import WANTED

_LENDING_SECONDS = 120.0


async def lend(bus: Bus, home: str, find: Callable[[str], Path | None]) -> None:
    """Answer for the artifacts that *find* has until cancelled; one process answers for a *home*."""

    async def offer(message: Msg) -> None:
        sha256 = message.subject.rsplit(".", 1)[-1]
        file = await anyio.to_thread.run_sync(find, sha256)
        if file is not None:
            await _share(bus, sha256, file)
            await message.respond(b"shared")

    wanted = await bus.client.subscribe(f"{WANTED}.*", queue=home, cb=offer)
    try:
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            if not bus.client.is_closed:
                await wanted.unsubscribe()


async def fetch(bus: Bus, sha256: str, file: Path) -> bool:
    """Write the bytes with that hash to *file*; False when nobody has them."""
    if await _download(bus, sha256, file):
        return True
    try:
        await bus.client.request(f"{WANTED}.{sha256}", timeout=_LENDING_SECONDS)
    except (NoRespondersError, TimeoutError):
        return False
    return await _download(bus, sha256, file)


async def _share(bus: Bus, sha256: str, file: Path) -> None:
    bucket = await bus.objects()
    try:
        await bucket.get_info(sha256)
    except NotFoundError:
        with file.open("rb") as content:
            await bucket.put(sha256, content)


async def _download(bus: Bus, sha256: str, file: Path) -> bool:
    bucket = await bus.objects()
    try:
        with file.open("wb") as content:
            await bucket.get(sha256, writeinto=content)
    except NotFoundError:
        await anyio.Path(file).unlink(missing_ok=True)
        return False
    return True
