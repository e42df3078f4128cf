"""The only writer of the log: takes every event off the stream into DuckDB, and answers for it.

An event is acknowledged after the commit that holds it. What DuckDB lost, or never had, is asked
of the stream again, from just behind the log's newest event.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import structlog
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from bus.connection import Bus, connect, ensure_streams, last_sequence
from bus.pull import pull
from bus.subjects import PRIVATE_STREAM, STREAM
from ops.errors import HOPELESS, Problem
from ops.recording import best
from ops.recording import service as log_service
from ops.recording.live_tables import LiveTables
from ops.recording.shared_artifacts import SharedArtifacts
from schemas.envelope import Envelope, Unreadable, Vocabulary
from schemas.events import SolutionGraded, SolutionWritten
from store.artifacts import ArtifactStore
from store.chain import Stream
from store.failures import LogConflict, LogTooNew
from store.log import Log
from store.projections.tree import Node
from store.recovery import checkpoint, open_or_restore

log = structlog.get_logger()

STREAMS: dict[Stream, str] = {"public": STREAM, "private": PRIVATE_STREAM}
_OF_A_SOLUTION = (SolutionWritten.__name__, SolutionGraded.__name__)
_BATCH = 1000
_TABLES_SECONDS = 0.25
_TABLES_PAUSE = 10
_CLOSING_SECONDS = 5.0
_CHECKPOINT_SECONDS = 600.0


class StreamBehind(RuntimeError):  # noqa: N818 - it says what is the matter
    """Raised when the log holds events that the stream has lost; the message is for people."""


@dataclass
class Recorder:
    """The log of one home, fed from one server."""

    home: Path
    bus: Bus
    events: Log
    _tables: LiveTables = field(init=False)
    _lock: anyio.Lock = field(init=False, default_factory=anyio.Lock)
    _news: anyio.Event = field(init=False, default_factory=anyio.Event)
    _touched: set[str] = field(init=False, default_factory=set)
    _best: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._tables = LiveTables(self.events, self._vocabulary)
        self._artifacts = SharedArtifacts(ArtifactStore(self.home / "artifacts"), self.bus)

    async def run(self) -> None:
        """Record until cancelled; raises StreamBehind and store.failures.LogFailure."""
        await ensure_streams(self.bus)
        for stream, name in STREAMS.items():
            await self._check(stream, name)
        behind = await anyio.to_thread.run_sync(self._tables.behind)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._restore_tables, behind)
            for stream, name in STREAMS.items():
                tasks.start_soon(self._record, stream, name)
            tasks.start_soon(self._keep_tables)
            tasks.start_soon(self._keep_checkpoints)
            try:
                await log_service.answer(self.bus, self.events)
            finally:
                with anyio.move_on_after(_CLOSING_SECONDS, shield=True):
                    await self._show()

    async def _check(self, stream: Stream, name: str) -> None:
        """Refuse a stream that has fewer events than the log."""
        head, last = self.events.head(stream), await last_sequence(self.bus, name)
        if last < head:
            raise StreamBehind(
                f"the stream {name} ends at {last}, the log {self.events.path} at {head}: move the "
                "server's data away and it is refilled from the log, or set another FLOWSTONE_HOME"
            )

    async def _record(self, stream: Stream, name: str) -> None:
        consumer = ConsumerConfig(
            name="recorder",
            durable_name="recorder",
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.events.head(stream) + 1,
            ack_policy=AckPolicy.ALL,
            max_ack_pending=100 * _BATCH,
        )
        try:
            # Where the last recorder stood does not matter; where the log ends does.
            await self.bus.streams.delete_consumer(name, "recorder")
        except NotFoundError:
            log.info("first time", stream=name)

        async def same() -> ConsumerConfig:
            return consumer

        async def room() -> int:
            return _BATCH

        async with aclosing(pull(self.bus, name, same, room)) as batches:
            async for batch in batches:
                # What is in the log is in the tables as well when this process is asked to stop.
                with anyio.CancelScope(shield=True):
                    await self._take(stream, batch)

    async def _take(self, stream: Stream, batch: Sequence[Msg]) -> None:
        events = [
            (message.metadata.sequence.stream, await self.bus.read(message)) for message in batch
        ]
        await self._append(stream, events)
        await batch[-1].ack()
        log.debug("recorded", stream=stream, events=len(events), seq=events[-1][0])
        if stream == "public":
            async with self._lock:
                await anyio.to_thread.run_sync(self._fold, events)
            self._touched |= {event.run for _, event in events}
            self._news.set()

    async def _append(self, stream: Stream, events: Sequence[tuple[int, Envelope]]) -> None:
        """Lay events down; one that would not come back is left out alone, and that is logged."""
        try:
            await anyio.to_thread.run_sync(self.events.append, events, stream)
        except Unreadable as error:
            if len(events) == 1:
                log.exception("unreadable event left out", seq=events[0][0], why=str(error))
                return
            for event in events:
                await self._append(stream, [event])

    def _fold(self, events: Sequence[tuple[int, Envelope]]) -> None:
        self._tables.take([self._vocabulary.read(event, seq) for seq, event in events])

    async def _publish_best(self, run: str) -> None:
        """Put the run's best submission where people look for it, when it is a new one."""
        node: Node | None = self._tables.state("tree", run).best
        if node is None or node.submission is None or self._best.get(run) == node.name:
            return
        try:
            submission = await self._artifacts.get(node.submission)
        except OSError as error:
            log.warning("best submission cannot be had", run=run, node=node.name, why=str(error))
            return
        await anyio.to_thread.run_sync(self._hand_over, run, node, submission)
        self._best[run] = node.name

    def _hand_over(self, run: str, node: Node, submission: Path) -> None:
        said = {
            event.type: (seq, self._vocabulary.read(event, seq).data)
            for seq, event in self.events.read(run=run, types=_OF_A_SOLUTION)
            if event.key == node.name
        }
        seq, graded = said[SolutionGraded.__name__]
        _, written = said[SolutionWritten.__name__]
        assert isinstance(graded, SolutionGraded)  # noqa: S101 - for the type checker
        assert isinstance(written, SolutionWritten)  # noqa: S101
        chosen = best.Best(node=node.name, metric=graded.metric, obtained=graded.obtained, seq=seq)
        best.publish(self.home / "runs" / run, chosen, submission, written.code)

    async def _restore_tables(self, behind: Mapping[str, int]) -> None:
        """Write what a crash or a lost file took from the tables of earlier runs."""
        for run, seq in behind.items():
            async with self._lock:
                await anyio.to_thread.run_sync(self._tables.restore, run, seq)

    async def _keep_tables(self) -> None:
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            began = anyio.current_time()
            await self._show()
            # Comparing the rows takes longer the more nodes there are; recording comes first.
            took = anyio.current_time() - began
            await anyio.sleep(max(_TABLES_SECONDS, _TABLES_PAUSE * took))

    async def _show(self) -> None:
        """Bring what people look at up to what the log holds: the tables, the best submissions."""
        touched, self._touched = self._touched, set()
        async with self._lock:
            await anyio.to_thread.run_sync(self._tables.write)
        for run in touched:
            await self._publish_best(run)

    async def _keep_checkpoints(self) -> None:
        while True:
            await anyio.sleep(_CHECKPOINT_SECONDS)
            made = await anyio.to_thread.run_sync(
                checkpoint, self.events, self.home / "checkpoints"
            )
            log.info("checkpoint", file=made.file)


async def serve(home: Path, url: str) -> None:
    """Connect to the server at *url* and record until cancelled.

    Raises BusUnavailable, and a Problem of status HOPELESS when a person must do something first.
    """
    try:
        async with connect(url, name="recorder", wait=15.0) as bus:
            await record(home, bus)
    except* (StreamBehind, LogTooNew, LogConflict) as errors:
        raise Problem(str(errors.exceptions[0]), status=HOPELESS) from errors


async def record(home: Path, bus: Bus) -> None:
    """Open the log of *home*, restored where it must be, and record until cancelled."""
    opened = await anyio.to_thread.run_sync(
        open_or_restore, home / "log.duckdb", home / "checkpoints"
    )
    if opened.recovery is not None:
        log.error(
            "log set aside",
            why=opened.recovery.why,
            set_aside=str(opened.recovery.set_aside),
            restored_up_to=dict(opened.recovery.heads),
        )
    with opened.log as events:
        try:
            await Recorder(home, bus, events).run()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(checkpoint, events, home / "checkpoints")
