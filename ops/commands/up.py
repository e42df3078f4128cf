"""`flowstone up` and `flowstone start`: a system that waits for runs, and runs on it."""

import click

from ops.options import assignments, budget, nats, within

UP_EPILOG = """\b
Examples:
  flowstone up
  flowstone up --set actors.executor=2
  flowstone up --no-actors

\b
The address it prints holds a password; give it to --nats or FLOWSTONE_NATS_URL. Commands with the
same home directory find the system without it. Runs that were interrupted go on."""

START_EPILOG = """\b
Examples:
  flowstone start package:breast-cancer --minutes 2
  flowstone start ../data/spooky-author-identification --wait

\b
Exit status: 0 it was started; with --wait as of flowstone run. Ctrl-C leaves it at work."""


@click.command(epilog=UP_EPILOG)
@click.option("--no-actors", is_flag=True, help="Start the server and the recorder alone.")
@assignments
def up(*, no_actors: bool, assignments: tuple[str, ...]) -> None:
    """Bring a system up: server, recorder and all actors, until Ctrl-C."""
    from ops.runs.up import stay  # noqa: PLC0415 - slow to import

    stay(assignments, actors=not no_actors)


@click.command(epilog=START_EPILOG)
@click.argument("task", metavar="FOLDER|package:NAME")
@budget
@click.option("--name", help="Name of the run; made up from the task's by default.")
@click.option("--wait", is_flag=True, help="Show it until it ends.")
@nats
@assignments
def start(
    *,
    task: str,
    minutes: float | None,
    nodes: int | None,
    usd: float | None,
    name: str | None,
    wait: bool,
    nats: str | None,
    assignments: tuple[str, ...],
) -> None:
    """Start a run on a system that is up, and print its name."""
    from ops.runs.up import Wish, begin  # noqa: PLC0415 - slow to import

    given = within(minutes, nodes, usd)
    wish = Wish(task=task, name=name, assignments=(*assignments, *given), url=nats, wait=wait)
    raise SystemExit(begin(wish))
