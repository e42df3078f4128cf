"""`flowstone run` and `flowstone resume`: everything on this machine, from the task to the submission."""

from pathlib import Path

import click

from ops.options import assignments, budget, nats, within

RUN_EPILOG = """\b
Examples:
  flowstone run package:breast-cancer --minutes 2
  flowstone run ../data/spooky-author-identification --minutes 10 --nodes 40
  OPENAI_BASE_URL=https://host/v1 OPENAI_API_KEY=... flowstone run FOLDER --set model.name=NAME

\b
Exit status: 0 a submission is there; 1 the run failed or ended early by a fault; 130 Ctrl-C."""

RESUME_EPILOG = """\b
Examples:
  flowstone resume spooky-author-identification-3f1c

\b
Nothing that was recorded is done again; the time that passed in between does not count. A run that
was paused on a system that is up goes on there."""


@click.command(epilog=RUN_EPILOG)
@click.argument("task", metavar="FOLDER|package:NAME")
@budget
@click.option("--name", help="Name of the run; made up from the task's by default.")
@click.option(
    "--recording",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Let the rehearsal model play back the recorded solutions of this file.",
)
@nats
@assignments
def run(
    *,
    task: str,
    minutes: float | None,
    nodes: int | None,
    usd: float | None,
    name: str | None,
    recording: Path | None,
    nats: str | None,
    assignments: tuple[str, ...],
) -> None:
    """Solve a task: plan, write, run, grade and improve solutions until the budget is used up."""
    from ops.runs.solo import Wish, go  # noqa: PLC0415 - slow to import

    given = within(minutes, nodes, usd)
    wish = Wish(
        task=task, name=name, recording=recording, url=nats, assignments=(*assignments, *given)
    )
    raise SystemExit(go(wish))


@click.command(epilog=RESUME_EPILOG)
@click.argument("name", metavar="RUN")
@click.option("--recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@nats
@assignments
def resume(
    *, name: str, recording: Path | None, nats: str | None, assignments: tuple[str, ...]
) -> None:
    """Go on with a run that was interrupted or paused, from the last event that was recorded."""
    from ops.runs.solo import Wish, go  # noqa: PLC0415 - slow to import

    wish = Wish(task=None, name=name, recording=recording, url=nats, assignments=assignments)
    raise SystemExit(go(wish))
