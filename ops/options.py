"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

assignments = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set one setting, as in --set search.drafts=3; may be repeated. See flowstone settings.",
)

nats = click.option("--nats", metavar="URL", envvar="FLOWSTONE_NATS_URL", help="Use this server.")

_BUDGET = (
    click.option("--minutes", type=float, help="Time for the run [setting budget.minutes]."),
    click.option("--nodes", type=int, help="Solutions to try at the most [setting budget.nodes]."),
    click.option("--usd", type=float, help="Money for the model at the most [setting budget.usd]."),
)


def budget(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that say what a run may spend."""
    for option in reversed(_BUDGET):
        command = option(command)
    return command


def within(minutes: float | None, nodes: int | None, usd: float | None) -> list[str]:
    """Return what those options said as assignments of settings."""
    given = {"budget.minutes": minutes, "budget.nodes": nodes, "budget.usd": usd}
    return [f"{key}={value}" for key, value in given.items() if value is not None]
