"""`flowstone run` from the inside: checks the task, brings a system up, sees one run to its end."""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import msgspec

from agents.role import discover
from bus.connection import Bus, last_sequence
from bus.subjects import SYSTEM
from ops import configuration, logs, signals
from ops.configuration import Endpoint
from ops.errors import FAILED, INTERRUPTED, USAGE, Problem
from ops.processes.system import Plan, running
from ops.recording import best
from ops.runs import conduct, steer, unfinished
from ops.runs.interrupts import Interrupts
from schemas.envelope import Recorded, subject_of
from schemas.events import ONCE, ClosingStepDone, RunFinished, RunResumed, RunStarted
from schemas.settings import Settings

PACKAGED = "package:"
_EVENTS_WAITING = 10_000
_SCORES = "\"select key, data->>'metric' from nodes\""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_NAMES_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for; without a task, the run *name* is to go on."""

    task: str | None
    name: str | None
    assignments: Sequence[str]
    recording: Path | None = None
    url: str | None = None


def go(wish: Wish) -> int:
    """Do what was asked for and return the exit status; raises Problem."""
    settings = configuration.load(wish.assignments).settings
    _check(wish)
    check_steps(settings)
    home = configuration.home()
    endpoint = configuration.endpoint()
    logs.configure("command", home, settings.log_level)
    if wish.name and not wish.task and not wish.url:
        resumed = signals.run(steer.unpause, home, wish.name)
        if resumed:
            _tell(f"{resumed} goes on")
            return 0
    folder = folder_of(wish.task, home) if wish.task else None
    return signals.run(_see_through, wish, settings, home, endpoint, folder)


def _check(wish: Wish) -> None:
    """Raise Problem for what would be found out only when everything is up."""
    if wish.name and (wish.name == SYSTEM or not _NAME.fullmatch(wish.name)):
        remedy = f"use letters, digits, - and _, and not {SYSTEM!r}"
        raise Problem(f"{wish.name!r} cannot be a run's name", remedy=remedy, status=USAGE)
    if wish.recording:
        from ops.rehearsal.playback import Playback  # noqa: PLC0415 - only for a recording

        try:
            Playback.of(wish.recording)
        except ValueError as error:
            remedy = "give a file of recorded nodes"
            raise Problem(str(error), remedy=remedy, status=USAGE) from None


def check_steps(settings: Settings) -> None:
    """Raise Problem for a closing step that no role takes: a run would wait for it in vain."""
    known = sorted(role.name for role in discover() if ClosingStepDone in role.emits)
    for step in settings.closing_steps:
        if step not in known:
            remedy = f"choose among: {', '.join(known) or 'none'}"
            what = f"closing.steps: no role {step!r} closes runs"
            raise Problem(what, remedy=remedy, status=USAGE)


def folder_of(task: str, home: Path) -> Path:
    """Return the folder of a task after a look at it; raises Problem saying what it lacks."""
    from agents.tools.grading.folder import load  # noqa: PLC0415 - resuming needs none of it
    from agents.tools.packages import materialise  # noqa: PLC0415

    folder = materialise(task, home / "tasks") if task.startswith(PACKAGED) else Path(task)
    load(folder)
    return folder.absolute()


async def _see_through(
    wish: Wish, settings: Settings, home: Path, endpoint: Endpoint | None, folder: Path | None
) -> int:
    """Return the exit status; raises KeyboardInterrupt when left before there was a run."""
    status = None
    async with anyio.create_task_group() as tasks:
        interrupts = Interrupts(tasks)
        await tasks.start(interrupts.listen)
        status = await _uninterrupted(wish, settings, home, endpoint, folder, interrupts)
        tasks.cancel_scope.cancel()
    if status is None:
        raise KeyboardInterrupt
    return status


async def _uninterrupted(
    wish: Wish,
    settings: Settings,
    home: Path,
    endpoint: Endpoint | None,
    folder: Path | None,
    interrupts: Interrupts,
) -> int:
    plan = Plan(
        home=home,
        settings=settings,
        endpoint=endpoint,
        assignments=wish.assignments,
        recording=wish.recording,
        url=wish.url,
        # A run that goes on has its own settings: whichever it is, its steps are there.
        steps=settings.closing_steps if wish.task else None,
    )
    run = wish.name or conduct.new_name(folder.name if folder else "run")
    _tell(f"run    {run}")
    _tell(f"home   {home}")
    _tell(
        f"model  {endpoint.url if endpoint else 'the rehearsal model: no language model, '}", end=""
    )
    _tell(
        "" if endpoint else "programs composed from the data preview (OPENAI_BASE_URL is not set)"
    )
    async with running(plan, _notice) as bus:
        for other in [] if plan.url else await unfinished.pause_others(bus, run):
            await _notice(
                f"{other} was cut short: paused; flowstone resume {other} goes on with it"
            )
        if folder:
            await start(bus, run, folder, settings)
        else:
            await _resume(bus, run, home)
        ending = await _watch(bus, run, home, interrupts)
        if ending.finished and not await conduct.log_complete(bus):
            _tell("the recorder is behind; what is missing is in the stream and not lost")
    return close(run, ending, home, interrupted=interrupts.heard > 0)


def close(run: str, ending: conduct.Ending, home: Path, *, interrupted: bool) -> int:
    """Tell how a run came out and what to try next; return the exit status that says the same."""
    folder = home / "runs" / run
    for line in conduct.summary(run, ending, best.current(folder), folder):
        _tell(line)
    command = _command()
    _tell(f"next   {command} sql {_SCORES}")
    _tell(f"       {command} replay {run}")
    status = _status(ending.finished, interrupted=interrupted)
    if status == FAILED:
        sys.stderr.write(f"flowstone: {conduct.failure(run, ending, folder)}\n")
    return status


def _command() -> str:
    """Return what a person types here to reach this program."""
    if shutil.which("flowstone"):
        return "flowstone"
    beside = Path(sys.executable).parent / "flowstone"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)


async def _watch(bus: Bus, run: str, home: Path, interrupts: Interrupts) -> conduct.Ending:
    """Show the run until it ends; Ctrl-C asks it to end, a second one leaves at once."""
    from ops.view import show  # noqa: PLC0415 - rich is loaded while the system comes up

    send, receive = anyio.create_memory_object_stream[Recorded[Any]](_EVENTS_WAITING)
    conductor = conduct.Conductor(bus, run, home, send)

    async def ask() -> None:
        _tell("stopping; once more to leave at once")
        await conductor.stop("interrupted")

    async with receive, anyio.create_task_group() as tasks:
        interrupts.within(tasks, ask)
        tasks.start_soon(show, receive)
        await conductor.until_end()
        tasks.cancel_scope.cancel()
    return conductor.ending


async def start(bus: Bus, run: str, folder: Path, settings: Settings) -> None:
    """Begin a run; raises Problem when there is one of that name."""
    if not await conduct.start(bus, run, task=folder.name, folder=folder, settings=settings):
        remedy = f"choose another --name, or go on with it: flowstone resume {run}"
        raise Problem(f"there is a run {run!r} already", remedy=remedy)


async def _resume(bus: Bus, run: str, home: Path) -> None:
    """Let a run go on; raises Problem when there is none of that name or it has ended."""
    if await bus.recorded(subject_of(RunStarted, run, ONCE)) is None:
        raise Problem(f"there is no run {run!r}", where=str(home), remedy=_runs(home))
    ended = await bus.recorded(subject_of(RunFinished, run, ONCE))
    if ended is not None:
        why = msgspec.json.decode(ended[1].data, type=RunFinished).why
        raise Problem(f"{run} has ended ({why})", remedy="start another with `flowstone run`")
    away = (datetime.now(UTC) - await unfinished.last_active(bus, run)).total_seconds() / 60
    number = await last_sequence(bus)
    await conduct.say(bus, run, RunResumed(n=number, minutes=max(0.0, away)))


def _runs(home: Path) -> str:
    """Return what can be resumed, newest first, as advice."""
    folders = (each for each in (home / "runs").glob("*") if each.is_dir())
    newest = sorted(folders, key=lambda each: each.stat().st_mtime, reverse=True)
    names = ", ".join(each.name for each in newest[:_NAMES_SHOWN])
    return f"the newest here: {names}" if names else "no run has been started here"


async def _notice(text: str) -> None:
    _tell(f"! {text}")


def _tell(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def _status(finished: RunFinished | None, *, interrupted: bool) -> int:
    if interrupted:
        return INTERRUPTED
    if finished is None or finished.failed or finished.why not in conduct.GOOD_ENDINGS:
        return FAILED
    return 0
