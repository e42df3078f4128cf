"""Streams as the log remembers them: made where they are missing, refilled from the log. Does I/O.

The log is complete without the stream. A server that lost its disk gets every event back under
its old sequence number before anyone else publishes.
"""

from pathlib import Path

import anyio
from nats.js.errors import NotFoundError

from bus.connection import Bus, ensure_streams
from bus.subjects import PRIVATE_STREAM, STREAM

LOG = "log.duckdb"
CHECKPOINTS = "checkpoints"


async def ready_streams(bus: Bus, home: Path) -> int:
    """Make the streams usable and return how many events had to be put back.

    A log that does not open is set aside first and restored as far as it can be.
    Raises BusUnavailable when the server has no JetStream, RefillFailed when the numbers do not
    come out as they were, and store.failures.LogFailure when the log cannot be used.
    """
    file = home / LOG
    if not file.exists() or await _exists(bus):
        await ensure_streams(bus)
        return 0
    return await _refill(bus, file)


class RefillFailed(RuntimeError):  # noqa: N818 - it says what happened
    """Raised when an event came to lie under another number than the log has for it."""


async def _exists(bus: Bus) -> bool:
    try:
        state = (await bus.streams.stream_info(STREAM)).state
    except NotFoundError:
        return False
    return bool(state.last_seq)


async def _refill(bus: Bus, file: Path) -> int:
    # DuckDB is needed in this rare case only, and costs a fifth of a second to load.
    from store.recovery import open_or_restore  # noqa: PLC0415

    opened = await anyio.to_thread.run_sync(open_or_restore, file, file.parent / CHECKPOINTS)
    for name in (STREAM, PRIVATE_STREAM):
        try:
            await bus.streams.delete_stream(name)
        except NotFoundError:
            continue
    with opened.log as log:
        await ensure_streams(bus)
        count = 0
        for stream in ("public", "private"):
            for seq, event in log.read(stream=stream):
                published = await bus.publish(event)
                if published.seq != seq:
                    raise RefillFailed(
                        f"{event.subject}: event {seq} of the log became {published.seq}; "
                        f"set {file.parent / 'nats'} aside and try again"
                    )
                count += 1
    return count
