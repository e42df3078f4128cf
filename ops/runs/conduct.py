"""One run from its first event to its last: start or resume it, keep its time, show it, end it.

Talks to the bus only; whoever calls it has the system up, here or elsewhere.
"""

import secrets
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import msgspec
from anyio.streams.memory import MemoryObjectSendStream

from bus.connection import Bus, last_sequence
from bus.subjects import PRIVATE_STREAM, STREAM, filters
from bus.work import follow
from ops.recording.client import LogRefused, PageReply, PageRequest, ask
from ops.runs.clock import Clock
from schemas.envelope import PREFIX, Recorded, Vocabulary, wrap
from schemas.events import (
    Event,
    KnowledgeRefined,
    PhaseClosed,
    RunFinished,
    RunStarted,
    RunStopped,
    SolutionGraded,
    SubmissionGraded,
    TimeUp,
    WisdomDistilled,
)
from schemas.settings import Settings

CLOSING_SECONDS = 60.0
"""How long after a run's end its last words (wisdom, final grade) are waited for."""
GOOD_ENDINGS = ("nodes", "time", "money")
"""Why a run ends that was not cut short."""
_STOP_SECONDS = 20.0
_FULL_DISK_SECONDS = 3.0
_LOG_SECONDS = 15.0
_LOW_DISK_BYTES = 256 * 1024 * 1024
_DISK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run came out; `why` is why it was left without an end."""

    finished: RunFinished | None
    final: SubmissionGraded | None
    why: str = ""


def new_name(task: str) -> str:
    """Return a name for a run of *task* that nobody else is likely to draw."""
    plain = "".join(each if each.isalnum() else "-" for each in task.lower()).strip("-")
    return f"{plain[:48]}-{secrets.token_hex(2)}"


async def say(bus: Bus, run: str, event: Event) -> bool:
    """Record what a person or the clock says to a run; False when it was said before."""
    source = f"flowstone://{socket.gethostname()}/command-line"
    published = await bus.publish(
        wrap(event, run=run, source=source, time=datetime.now(UTC), cause=None)
    )
    return published.fresh


async def start(bus: Bus, run: str, *, task: str, folder: Path, settings: Settings) -> bool:
    """Record that a run of the task in *folder* begins; False when that name is taken."""
    seed = settings.grader.seed
    packages = ("flowstone", "duckdb", "nats-py", "msgspec", "openai", "scikit-learn")
    return await say(
        bus,
        run,
        RunStarted(
            task=task,
            folder=str(folder),
            settings=settings,
            budget=settings.budget,
            seed=secrets.randbits(32) if seed is None else seed,
            versions={package: version(package) for package in packages},
        ),
    )


@dataclass
class Conductor:
    """Follows one run, keeps its time, and acts when the disk fills."""

    bus: Bus
    run: str
    home: Path
    events: MemoryObjectSendStream[Recorded[Any]]
    finished: RunFinished | None = None
    final: SubmissionGraded | None = None
    why: str = ""
    _seen: int = 0
    _patience: float = CLOSING_SECONDS
    _unrefined: set[int] = field(default_factory=set)
    _wise: bool = False
    _graded: bool = False
    _late: anyio.Event = field(default_factory=anyio.Event)
    _ended: anyio.Event = field(default_factory=anyio.Event)
    _closed: anyio.Event = field(default_factory=anyio.Event)

    async def until_end(self) -> Ending:
        """Return when the run has ended and its last words are said, or were waited for."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._follow_private)
            tasks.start_soon(Clock(self.bus, partial(say, self.bus), self.run).keep)
            tasks.start_soon(self._watch_disk)
            tasks.start_soon(self._follow)
            tasks.start_soon(self._lose_patience)
            await self._ended.wait()
            with anyio.move_on_after(self._patience):
                await self._closed.wait()
            tasks.cancel_scope.cancel()
        self.events.close()
        return self.ending

    @property
    def ending(self) -> Ending:
        """How the run has come out so far."""
        return Ending(finished=self.finished, final=self.final, why=self.why)

    async def stop(self, why: str) -> None:
        """Ask the run to end now; it is left as it is when its end cannot be recorded in time."""
        with anyio.move_on_after(_STOP_SECONDS):
            await say(self.bus, self.run, RunStopped(n=self._seen, why=why))
            await self._ended.wait()
            return
        self._leave(why)

    def _leave(self, why: str) -> None:
        """Leave the run as it is."""
        self.why = why
        self._ended.set()
        self._closed.set()

    async def _lose_patience(self) -> None:
        """Leave a run that nobody ends though its time is up."""
        await self._late.wait()
        with anyio.move_on_after(_STOP_SECONDS):
            await self._ended.wait()
            return
        self._leave("its time was up, and no planner ended it")

    async def _follow(self) -> None:
        vocabulary = Vocabulary()
        async for seq, envelope in follow(self.bus, [f"{PREFIX}.{self.run}.>"]):
            event = vocabulary.read(envelope, seq)
            self._seen = seq
            match event.data:
                case SolutionGraded():
                    self._graded = True
                case PhaseClosed(phase=phase, why="done" | "stagnation"):
                    self._unrefined.add(phase)
                case KnowledgeRefined(phase=phase):
                    self._unrefined.discard(phase)
                case WisdomDistilled():
                    self._wise = True
                case TimeUp():
                    self._late.set()
                case RunFinished() as finished:
                    self.finished = finished
                    self._ended.set()
                case _:
                    pass
            self._see_whether_closed()
            await self.events.send(event)

    async def _follow_private(self) -> None:
        vocabulary = Vocabulary()
        subjects = filters([SubmissionGraded], run=self.run)
        async for seq, envelope in follow(self.bus, subjects, stream=PRIVATE_STREAM):
            event = vocabulary.read(envelope, seq)
            if isinstance(event.data, SubmissionGraded):
                self.final = event.data
                self._see_whether_closed()

    def _see_whether_closed(self) -> None:
        learned = (self._wise and not self._unrefined) or not self._graded
        if self.finished and self.final and learned:
            self._closed.set()

    async def _watch_disk(self) -> None:
        """End the run while there is still room to record its end."""
        while True:
            free = shutil.disk_usage(self.home).free
            if free < _LOW_DISK_BYTES:
                self._patience = _FULL_DISK_SECONDS
                await self.stop(
                    f"disk: only {free // 1024**2} MiB are free at {self.home}; make room"
                )
                return
            await anyio.sleep(_DISK_SECONDS)


async def log_complete(bus: Bus) -> bool:
    """Wait until the log holds all that the stream held when asked.

    False when that takes too long, or there is no recorder (a full disk ends it, too).
    """
    last = await last_sequence(bus, STREAM)
    with anyio.move_on_after(_LOG_SECONDS), suppress(LogRefused):
        while True:
            request = PageRequest(after=last, limit=1)
            reply = await ask(bus, "page", request, wait=_LOG_SECONDS)
            if msgspec.json.decode(reply, type=PageReply).head >= last:
                return True
            await anyio.sleep(0.05)
    return False


def failure(run: str, ending: Ending, folder: Path) -> str:
    """Return one line that says why a run has failed and what can be done."""
    finished = ending.finished
    if finished is None:
        return f"{run}: {ending.why or 'left before its end'}; then: flowstone resume {run}"
    if finished.why in GOOD_ENDINGS:
        made = f"none of {finished.nodes} nodes made a valid submission"
        return f"{run}: {made}; see why in {folder.parents[1] / 'logs'}"
    return f"{run}: ended early: {finished.why}"


def summary(run: str, ending: Ending, best: Mapping[str, object] | None, folder: Path) -> list[str]:
    """Return the lines that close a run: what was reached, where it is, what to try next."""
    finished = ending.finished
    if finished is None:
        return [f"{run} was left before its end; go on with: flowstone resume {run}"]
    lines = [f"{run}: {finished.why}; {finished.nodes} nodes, {finished.buggy} of them buggy"]
    if best is None:
        return [*lines, "no valid submission was made"]
    lines.append(
        f"best validation score  {best['score']:.5f}  ({best['obtained']}, {best['node']})"
    )
    if ending.final and ending.final.score is not None:
        final = ending.final
        medal = f", {final.medal} medal" if final.medal else ""
        sample = f", the sample scores {final.sample_score:.5f}" if final.sample_score else ""
        lines.append(f"private answers        {final.score:.5f}{medal}{sample}")
    elif ending.final:
        lines.append(f"private answers        {ending.final.message}")
    lines.append(f"submission             {folder / 'best' / 'submission.csv'}")
    return lines
