"""`flowstone import`: runs that happened elsewhere, in this home's log."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops import signals
from ops.errors import USAGE, Problem
from ops.options import nats

if TYPE_CHECKING:
    from ops.importing.imported import Imported

IMPORT_EPILOG = """\b
Examples:
  flowstone import ../shared/data/traces/spooky-author-identification_nodes.json
  flowstone import pizza_nodes.json --task ../shared/data/random-acts-of-pizza
  flowstone log last --json > run.jsonl; FLOWSTONE_HOME=elsewhere flowstone import run.jsonl

\b
A FILE holds nodes as ML-Master records them (a JSON list of branches of nodes), or what
flowstone log RUN --json wrote. What is in the log already is not added again. The run's name is
made of the task and the file's contents. No system may be up in this home."""


@click.command("import", epilog=IMPORT_EPILOG)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--task", metavar="FOLDER|package:NAME", help="The task that recorded nodes were made for."
)
@click.option("--lower-is-better", is_flag=True, help="Of recorded nodes, where no --task says it.")
@nats
def import_(
    *, files: Sequence[Path], task: str | None, lower_is_better: bool, nats: str | None
) -> None:
    """Record runs that happened elsewhere in this home's log, and print their names."""
    from ops import configuration, logs  # noqa: PLC0415 - slow to import
    from ops.importing.laying import lay  # noqa: PLC0415

    runs = [run for file in files for run in _read(file, task, lower_is_better=lower_is_better)]
    home = configuration.home()
    logs.configure("command", home, configuration.load().settings.log_level)
    for laid in signals.run(lay, runs, home, nats, _notice):
        click.echo(f"{laid.run}: {laid.events} events, {laid.new} of them new")


def _read(file: Path, task: str | None, *, lower_is_better: bool) -> Iterator["Imported"]:
    """Yield the runs in *file*; raises Problem naming it."""
    from ops import trial  # noqa: PLC0415 - slow to import
    from ops.importing import exported, recording  # noqa: PLC0415
    from schemas.settings import Settings  # noqa: PLC0415

    try:
        content = file.read_bytes()
        if content.lstrip()[:1] == b"[":
            known = trial.prepared(task, Settings()) if task else lower_is_better
            yield recording.run(content, file.name, task=known)
        else:
            yield from exported.runs(content, file.name)
    except (OSError, ValueError) as error:
        remedy = "give recorded nodes, or what `flowstone log RUN --json` wrote"
        raise Problem(str(error), where=str(file), remedy=remedy, status=USAGE) from None


async def _notice(text: str) -> None:
    click.echo(f"! {text}", err=True)
