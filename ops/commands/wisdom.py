"""`flowstone wisdom`: what runs taught, looked at, brought in, taken back, and asked for again."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ops import signals
from ops.errors import FAILED
from ops.options import assignments, nats

if TYPE_CHECKING:
    from ops.past.access import Records
    from ops.past.shown import Form
    from ops.wisdom.withdrawing import Recall

GROUP_EPILOG = """\b
Examples:
  flowstone wisdom list
  flowstone wisdom import solved/
  flowstone wisdom recall digits-3f1c --why "its test rows were in the training data"

\b
A run recalls what others on similar tasks taught: see docs/memory.md."""

LIST_EPILOG = """\b
Examples:
  flowstone wisdom list
  flowstone wisdom list --json

\b
by: a model wrote it, it is mechanical (scores, changes and errors), or it was imported."""

SHOW_EPILOG = """\b
Examples:
  flowstone wisdom show digits-3f1c
  flowstone wisdom show last"""

EXPORT_EPILOG = """\b
Examples:
  flowstone wisdom export > wisdom.jsonl
  flowstone wisdom export digits-3f1c wine-77ab -o wisdom.jsonl

\b
One JSON object a line; flowstone wisdom import reads it in another home. Withdrawn entries stay."""

IMPORT_EPILOG = """\b
Examples:
  flowstone wisdom import solved/
  flowstone wisdom import wisdom.jsonl
  flowstone wisdom import --run wine-77ab

\b
A SOURCE is one of
  a folder of folders NAME/ with description.md and solution.py, NAME being the task's id
  a file with one JSON object a line: as exported, or {"task", "description", "solution"}
What was imported before is not imported again. No model is asked: a pair's summaries are what its
description says of the data, and what its solution imports, makes and fits."""

FORGET_EPILOG = """\b
Examples:
  flowstone wisdom forget wine-77ab
  flowstone wisdom forget wisdom-0f3a wisdom-77c1 --why "written for an old version"

\b
The log keeps all events; one more says that these entries are recalled no more."""

RECALL_EPILOG = """\b
Examples:
  flowstone wisdom recall digits-3f1c --why "its test rows were in the training data"
  flowstone wisdom recall last --derived --json

\b
One event takes its wisdom and the knowledge of its phases out of all that is recalled. Every
prompt that carried it, or rests on one that did, is listed; runs in which such prompts are keep
what they taught by their own scores, unless --derived is given."""

REFINE_EPILOG = """\b
Examples:
  flowstone wisdom refine
  flowstone wisdom refine wine-77ab --set model.name=NAME

\b
Where no system is up, a curator is started for as long as it takes, with the endpoint that
OPENAI_BASE_URL names; without one the rehearsal model, which is none, answers.
Exit status: 0 every entry asked for is a model's; 1 one is still mechanical."""

_why = click.option("--why", default="withdrawn by hand", show_default=True, help="The reason.")
_json = click.option("--json", "form", flag_value="json", help="Write one JSON object for each.")


@click.group(epilog=GROUP_EPILOG)
def wisdom() -> None:
    """Keep what runs taught: list, show, import, export, forget, recall, refine."""


@wisdom.command("list", epilog=LIST_EPILOG)
@_json
@nats
def list_entries(*, form: "Form | None", nats: str | None) -> None:
    """List what is recalled by runs on similar tasks, oldest first, and what was withdrawn."""

    async def answer(log: "Records") -> None:
        from ops.past.shown import show  # noqa: PLC0415 - slow to import
        from ops.wisdom import shelf  # noqa: PLC0415

        state = await shelf.shelf(log)
        show(shelf.COLUMNS, [*shelf.table(state)], form or "people")

    _with_log(answer, nats)


@wisdom.command(epilog=SHOW_EPILOG)
@click.argument("run")
@nats
def show(*, run: str, nats: str | None) -> None:
    """Show all that one run taught; RUN may be shortened."""

    async def answer(log: "Records") -> None:
        from ops.wisdom import shelf  # noqa: PLC0415 - slow to import

        state = await shelf.shelf(log)
        for line in shelf.told(state, shelf.chosen(state, run)):
            click.echo(line)

    _with_log(answer, nats)


@wisdom.command(epilog=EXPORT_EPILOG)
@click.argument("runs", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="-",
    help="A file; else it is printed.",
)
@nats
def export(*, runs: Sequence[str], output: IO[str], nats: str | None) -> None:
    """Write entries as lines of JSON: all, or those of some runs."""
    lines = list[str]()

    async def answer(log: "Records") -> None:
        from ops.wisdom import shelf  # noqa: PLC0415 - slow to import
        from ops.wisdom.lines import written  # noqa: PLC0415

        state = await shelf.shelf(log)
        chosen = [shelf.entry(state, each) for each in runs] or state.entries.values()
        lines.extend(f"{written(each)}\n" for each in chosen)

    _with_log(answer, nats)
    output.write("".join(lines))


@wisdom.command("import", epilog=IMPORT_EPILOG)
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[SOURCE]...")
@click.option("--run", "runs", multiple=True, help="A past run of this home without an entry.")
@nats
def import_entries(*, sources: Sequence[Path], runs: Sequence[str], nats: str | None) -> None:
    """Make entries out of solved tasks, once for each, however often it is asked for."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.wisdom.bringing import bring  # noqa: PLC0415

    if not sources and not runs:
        raise click.UsageError("name a SOURCE, or a past run with --run")
    brought = signals.run(bring, configuration.home(), nats, sources, runs)
    for each in brought.skipped:
        click.echo(f"skipped {each}", err=True)
    click.echo(f"{len(brought.new)} imported, {brought.known} known already")


@wisdom.command(epilog=FORGET_EPILOG)
@click.argument("runs", nargs=-1, required=True)
@_why
@nats
def forget(*, runs: tuple[str, ...], why: str, nats: str | None) -> None:
    """Withdraw single entries, by the run that they came from."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.wisdom.withdrawing import forget as withdraw  # noqa: PLC0415

    gone = signals.run(withdraw, configuration.found_home(), nats, runs, why)
    click.echo(f"forgotten: {', '.join(gone) or 'nothing, it was forgotten before'}")


@wisdom.command(epilog=RECALL_EPILOG)
@click.argument("run")
@_why
@click.option("--derived", is_flag=True, help="Withdraw what rests on it in other runs as well.")
@_json
@nats
def recall(*, run: str, why: str, derived: bool, form: "Form | None", nats: str | None) -> None:
    """Withdraw all that a run taught, and list every prompt that carried it."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.past.shown import show  # noqa: PLC0415
    from ops.wisdom.withdrawing import recall as withdraw  # noqa: PLC0415

    async def ask() -> "Recall":
        return await withdraw(configuration.found_home(), nats, run, why, derived=derived)

    found = signals.run(ask)
    click.echo(
        f"withdrawn: {', '.join(found.withdrawn) or f'nothing, {found.run} was before'}", err=True
    )
    columns = ("seq", "run", "call", "about", "carried")
    rows = [(use.seq, use.run, use.call, use.about, ", ".join(use.carried)) for use in found.uses]
    show(columns, rows, form or "people")
    if not rows:
        click.echo("no prompt of another run carried it", err=True)
    left = [each for each in found.derived if each not in found.withdrawn]
    if left:
        click.echo(f"rests on it, and is kept: {', '.join(left)}; see --derived", err=True)
    if found.at_work:
        click.echo(f"not ended yet, and goes on with it: {', '.join(found.at_work)}", err=True)


@wisdom.command(epilog=REFINE_EPILOG)
@click.argument("runs", nargs=-1)
@nats
@assignments
def refine(*, runs: Sequence[str], nats: str | None, assignments: tuple[str, ...]) -> None:
    """Ask a model again what runs taught, where the entry is mechanical."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.wisdom.refining import refine as ask  # noqa: PLC0415

    settings = configuration.load(assignments).settings

    async def report() -> int:
        left = 0
        async for each in ask(configuration.found_home(), nats, runs, settings):
            click.echo(f"{each.run}: {each.why or 'a model wrote it'}")
            left += each.mechanical
        return left

    raise SystemExit(FAILED if signals.run(report) else 0)


def _with_log(answer: "Callable[[Records], Awaitable[None]]", url: str | None) -> None:
    """Find the log and let *answer* read it."""
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.past.access import records  # noqa: PLC0415

    async def read() -> None:
        async with records(configuration.found_home(), url) as log:
            await answer(log)

    signals.run(read)
