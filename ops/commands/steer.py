"""Commands that speak to a run on a system that is up: stop, pause and say."""

from typing import TYPE_CHECKING

import click

from ops import signals
from ops.options import nats
from schemas.events import GuidanceGiven, RunPaused, RunStopped

if TYPE_CHECKING:
    from ops.runs.steer import Saying

STOP_EPILOG = """\b
Examples:
  flowstone stop last
  flowstone stop wine-3f1c "the score will do"

\b
The best submission so far stays where it is: in runs/RUN/best below the home directory."""

PAUSE_EPILOG = """\b
Examples:
  flowstone pause last
  flowstone resume last

\b
What is under way is finished, nothing new is begun, and the time does not count."""

SAY_EPILOG = """\b
Examples:
  flowstone say last "try gradient boosting on the text length, too"

\b
It goes into the instruction of every node that is proposed from now on."""


@click.command(epilog=STOP_EPILOG)
@click.argument("run")
@click.argument("why", default="stopped by hand")
@nats
def stop(*, run: str, why: str, nats: str | None) -> None:
    """End a run now, with the best submission so far."""
    click.echo(f"{_say(run, nats, lambda n, _: RunStopped(n=n, why=why))} is told to stop")


@click.command(epilog=PAUSE_EPILOG)
@click.argument("run")
@nats
def pause(*, run: str, nats: str | None) -> None:
    """Begin nothing new in a run until it is resumed."""
    click.echo(f"{_say(run, nats, lambda n, _: RunPaused(n=n))} is told to pause")


@click.command(epilog=SAY_EPILOG)
@click.argument("run")
@click.argument("text")
@nats
def say(*, run: str, text: str, nats: str | None) -> None:
    """Give a run guidance in your own words."""
    click.echo(f"{_say(run, nats, lambda n, _: GuidanceGiven(n=n, text=text))} has heard it")


def _say(run: str, url: str | None, saying: "Saying") -> str:
    from ops import configuration  # noqa: PLC0415 - slow to import
    from ops.runs import steer  # noqa: PLC0415 - slow to import

    return signals.run(steer.say, configuration.found_home(), url, run, saying)
